//! The fold.

use std::collections::VecDeque;

use kms_asc_api::RequestId;
use kms_asc_api::log::{LogBody, LogEntry, LogHead, LogReader};

use crate::birth::Birth;
use crate::error::rule;
use crate::{Ledger, ReplayError, Violation};

/// Gives the stored bytes of a request's body.
pub type Bodies<'a> = &'a dyn Fn(RequestId) -> Option<Vec<u8>>;

/// A log on its way to a [`Ledger`]. After an error it is of no further use.
#[derive(Debug, Clone)]
pub struct Replay {
    reader: LogReader,
    stage: Stage,
    due: VecDeque<Due>,
    /// Height and time of the newest entry.
    now: (u64, u64),
}

#[derive(Debug, Clone)]
enum Stage {
    Unborn(Box<Birth>),
    Alive(Box<Ledger>),
}

/// What the next entry has to be: the same message writes it.
#[derive(Debug, Clone)]
pub struct Due {
    /// One of these kinds.
    pub kinds: &'static [&'static str],
    /// About this request.
    pub request_id: Option<RequestId>,
}

impl Due {
    fn text(&self) -> String {
        let of = self.request_id.map_or_else(String::new, |id| format!(" of request {id}"));
        format!("{}{of}", self.kinds.join(" or "))
    }
}

impl Replay {
    /// Before the first entry of the log of `contract` on the chain `chain_id`.
    pub fn new(chain_id: &str, contract: &str) -> Self {
        Self {
            reader: LogReader::after(LogHead::EMPTY),
            stage: Stage::Unborn(Box::new(Birth::new(chain_id, contract))),
            due: VecDeque::new(),
            now: (0, 0),
        }
    }

    /// Takes the next entry's bytes. `bodies` is asked for the body of each request that the entry submits or
    /// denies.
    ///
    /// # Errors
    /// When the entry cannot be read, is not the next one, or could not follow from what came before it.
    pub fn push(&mut self, entry: &[u8], bodies: Bodies<'_>) -> Result<LogEntry, ReplayError> {
        let entry = self.reader.push(entry)?;
        let (seq, kind) = (entry.seq, entry.body.kind());
        self.follow(&entry, bodies).map_err(|violation| ReplayError::Entry { seq, kind, violation })?;
        if let Stage::Alive(ledger) = &mut self.stage {
            ledger.head = self.reader.head();
        }
        Ok(entry)
    }

    /// Ends the replay: everything up to `head` must have been pushed.
    ///
    /// # Errors
    /// When the entries lead to another head, or an entry has to follow the last one.
    pub fn finish(self, head: LogHead) -> Result<Ledger, ReplayError> {
        self.reader.finish(head)?;
        if let Some(due) = self.due.front() {
            return Err(ReplayError::Unfinished { expected: due.text() });
        }
        match self.stage {
            Stage::Alive(ledger) => Ok(*ledger),
            Stage::Unborn(birth) => Err(ReplayError::Unfinished { expected: birth.expected().to_owned() }),
        }
    }

    /// What the entries so far give; nothing before the contract's first three.
    pub fn ledger(&self) -> Option<&Ledger> {
        match &self.stage {
            Stage::Alive(ledger) => Some(ledger),
            Stage::Unborn(_) => None,
        }
    }

    fn follow(&mut self, entry: &LogEntry, bodies: Bodies<'_>) -> Result<(), Violation> {
        let (height, time) = self.now;
        rule(entry.height >= height && entry.time >= time, "height and time never go back")?;
        rule(entry.height != height || entry.time == time, "one height has one time")?;
        self.now = (entry.height, entry.time);
        self.settle_due(entry)?;
        match &mut self.stage {
            Stage::Unborn(birth) => {
                if let Some(ledger) = birth.push(entry)? {
                    self.stage = Stage::Alive(Box::new(ledger));
                }
            }
            Stage::Alive(ledger) => self.due.extend(step(ledger, entry, bodies)?),
        }
        Ok(())
    }

    /// What a message writes in several entries stands together.
    fn settle_due(&mut self, entry: &LogEntry) -> Result<(), Violation> {
        let Some(due) = self.due.pop_front() else { return Ok(()) };
        if due.kinds.contains(&entry.body.kind()) && due.request_id == entry.request_id {
            return Ok(());
        }
        Err(Violation::Missing { expected: due.text() })
    }
}

/// One entry's effect, and what must follow it.
fn step(ledger: &mut Ledger, entry: &LogEntry, bodies: Bodies<'_>) -> Result<Vec<Due>, Violation> {
    let about = || entry.request_id.ok_or(Violation::Rule("the entry names no request"));
    match &entry.body {
        LogBody::Instantiated { .. } => Err(Violation::Rule("a contract is instantiated once")),
        LogBody::RequestSubmitted { .. } | LogBody::RequestDenied { .. } => {
            ledger.submit(entry, about()?, bodies)
        }
        LogBody::ResponseRecorded { .. } | LogBody::FailureRecorded { .. } => ledger.record(entry, about()?),
        LogBody::ResponseLate { .. } => ledger.late(entry, about()?),
        LogBody::Equivocation { .. } => ledger.equivocate(entry, about()?),
        LogBody::CancelRequested { .. } | LogBody::CancelLapsed { .. } => ledger.cancel(entry, about()?),
        LogBody::RequestFulfilled { .. }
        | LogBody::RequestFailed { .. }
        | LogBody::RequestExpired { .. }
        | LogBody::RequestCancelled { .. } => ledger.end(entry, about()?),
        LogBody::RefundCredited { .. } | LogBody::CallbackFailed { .. } => ledger.after_end(entry, about()?),
        LogBody::KeyActivated { .. } | LogBody::KeyTakenOver { .. } | LogBody::CrsActivated { .. } => {
            ledger.activate(entry, about()?)
        }
        _ => {
            rule(entry.request_id.is_none(), "the entry is about no request")?;
            without_request(ledger, entry)
        }
    }
}

fn without_request(ledger: &mut Ledger, entry: &LogEntry) -> Result<Vec<Due>, Violation> {
    match &entry.body {
        LogBody::Withdrawn { .. } | LogBody::TreasuryWithdrawn { .. } | LogBody::SurplusSwept { .. } => {
            ledger.pay_out(entry)?;
        }
        LogBody::KeyStateSet { .. }
        | LogBody::KeyOffered { .. }
        | LogBody::KeyAccepted { .. }
        | LogBody::AttestersSet { .. }
        | LogBody::CrsAllowed { .. } => ledger.change_key(entry)?,
        LogBody::Granted { .. } | LogBody::Revoked { .. } => ledger.change_grant(entry)?,
        _ => return ledger.govern(entry),
    }
    Ok(vec![])
}
