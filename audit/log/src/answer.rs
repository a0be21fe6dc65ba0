//! What operators say, and what requesters take back.

use kms_asc_api::log::{LogBody, LogEntry, SignedReceipt};
use kms_asc_api::{
    Epoch, EpochId, EpochMode, FailureCode, OperationKind, Outcome, PartyId, RequestId, State,
};

use crate::error::{rule, same};
use crate::ledger::{by, exists, unknown};
use crate::replay::Due;
use crate::{Ledger, Request, Said, Violation};

/// The kinds with which a request ends by what operators said.
const DECIDED: &[&str] = &["request_fulfilled", "request_failed"];

/// How many answers decide a request of this kind.
pub fn needed(epoch: &Epoch, kind: OperationKind) -> u32 {
    match (kind, epoch.mode) {
        (OperationKind::UserDecrypt, EpochMode::Replicated) => epoch.majority,
        (OperationKind::UserDecrypt, _) => epoch.reconstruction,
        _ => epoch.majority,
    }
}

fn outcome_of(number: u32) -> Result<Outcome, Violation> {
    let outcome = Outcome::try_from(number).map_err(|_| unknown("outcome", number))?;
    match outcome {
        Outcome::Failure(code) if !code.is_operators() => Err(unknown("operator's code", number)),
        other => Ok(other),
    }
}

impl Ledger {
    /// An answer or failure that counts.
    pub(crate) fn record(&mut self, entry: &LogEntry, id: RequestId) -> Result<Vec<Due>, Violation> {
        let (party, epoch, number, hash, failure) = match &entry.body {
            LogBody::ResponseRecorded { party, epoch, outcome, response_hash } => {
                (*party, *epoch, *outcome, *response_hash, false)
            }
            LogBody::FailureRecorded { party, epoch, outcome, response_hash } => {
                (*party, *epoch, *outcome, *response_hash, true)
            }
            _ => return Err(Violation::Rule("nothing is recorded")),
        };
        let outcome = outcome_of(number)?;
        rule((outcome != Outcome::Answer) == failure, "answers have outcome 0 and failures have not")?;
        let request = self.speaker(id, party, epoch)?;
        rule(!self.is_over(request, entry.time)?, "it came too late to count")?;
        if let Outcome::Failure(code) = outcome {
            let half_time = request.body.half_time().unwrap_or(u64::MAX);
            rule(!code.may_mend() || entry.time >= half_time, "it came before half the time to answer")?;
        }
        let cancelled = request.status.cancel_at != 0;
        let request = self.request_mut(id)?;
        request.said.insert(party, Said { outcome, late: false, hash });
        match outcome {
            Outcome::Answer => request.status.answered |= party.bit(),
            Outcome::Failure(_) => request.status.failed |= party.bit(),
        }
        let mut due = Vec::new();
        if cancelled {
            due.push(Due { kinds: &["cancel_lapsed"], request_id: Some(id) });
        }
        if self.must_end(id)? {
            due.push(Due { kinds: DECIDED, request_id: Some(id) });
        }
        Ok(due)
    }

    /// What the log alone shows to be decided. Whether answers are equal it shows only if there is one.
    fn must_end(&self, id: RequestId) -> Result<bool, Violation> {
        let request = self.request(id)?;
        let kind = request.body.operation.kind();
        let (epoch, status) = (self.epoch_of(request)?, &request.status);
        let parties = u32::try_from(epoch.parties.len()).map_err(|_| Violation::Amount)?;
        let needed = needed(epoch, kind);
        let answered = status.answered.count_ones();
        let alike = if kind == OperationKind::UserDecrypt { answered } else { answered.min(1) };
        let hopeless = parties.saturating_sub(status.failed.count_ones()) < needed;
        let all_spoke = status.heard().count_ones() == parties;
        Ok(alike >= needed || hopeless || all_spoke)
    }

    /// An answer or failure that does not count any more.
    pub(crate) fn late(&mut self, entry: &LogEntry, id: RequestId) -> Result<Vec<Due>, Violation> {
        let LogBody::ResponseLate { party, epoch, outcome, response_hash } = &entry.body else {
            return Err(Violation::Rule("nothing is late"));
        };
        let outcome = outcome_of(*outcome)?;
        let request = self.speaker(id, *party, *epoch)?;
        rule(self.is_over(request, entry.time)?, "it came in time")?;
        let said = Said { outcome, late: true, hash: *response_hash };
        self.request_mut(id)?.said.insert(*party, said);
        Ok(vec![])
    }

    /// A party signed two receipts.
    pub(crate) fn equivocate(&mut self, entry: &LogEntry, id: RequestId) -> Result<Vec<Due>, Violation> {
        let LogBody::Equivocation { party, epoch, first, second } = &entry.body else {
            return Err(Violation::Rule("nobody equivocated"));
        };
        let request = self.request_mut(id)?;
        same("the epoch", &Some(*epoch), &request.body.epoch)?;
        let said = request.said.get(party).ok_or_else(|| unknown("answer of party", party))?;
        same("the first receipt's outcome", &first.outcome, &said.outcome.number())?;
        let signed = |receipt: &SignedReceipt| (receipt.outcome, receipt.payload_digest);
        rule(signed(first) != signed(second), "two receipts that say the same are no equivocation")?;
        outcome_of(second.outcome)?;
        rule(request.status.equivocated & party.bit() == 0, "an equivocation is recorded once")?;
        request.status.equivocated |= party.bit();
        Ok(vec![])
    }

    /// A requester takes a request back, or an operator speaks before that takes effect.
    pub(crate) fn cancel(&mut self, entry: &LogEntry, id: RequestId) -> Result<Vec<Due>, Violation> {
        let request = self.request(id)?;
        let status = &request.status;
        let cancel_at = match &entry.body {
            LogBody::CancelRequested { cancel_at } => {
                by(&entry.actor, &request.body.requester)?;
                rule(!self.is_over(request, entry.time)?, "the request is over")?;
                rule(status.cancel_at == 0, "its cancellation is under way")?;
                let delay = self.config.cancel_delay;
                same("cancel_at", &Some(*cancel_at), &entry.time.checked_add(delay))?;
                *cancel_at
            }
            LogBody::CancelLapsed { cancel_at } => {
                rule(status.cancel_at != 0, "no cancellation is under way")?;
                same("cancel_at", cancel_at, &status.cancel_at)?;
                rule(status.state == State::Pending, "the request is over")?;
                0
            }
            _ => return Err(Violation::Rule("nothing is cancelled")),
        };
        self.request_mut(id)?.status.cancel_at = cancel_at;
        Ok(vec![])
    }

    /// The request, if this party has to answer it and has said nothing yet.
    fn speaker(&self, id: RequestId, party: PartyId, epoch: EpochId) -> Result<&Request, Violation> {
        let request = self.request(id)?;
        same("the epoch", &Some(epoch), &request.body.epoch)?;
        self.epoch(epoch)?.party(party).ok_or_else(|| unknown("party", party))?;
        match request.said.get(&party) {
            None => Ok(request),
            Some(_) => Err(exists("answer of party", party)),
        }
    }

    /// Whether nothing counts any more at this time.
    pub(crate) fn is_over(&self, request: &Request, now: u64) -> Result<bool, Violation> {
        let revoked_at = self.epoch_of(request)?.revoked_at;
        Ok(request.status.effective(request.body.deadline, revoked_at, now) != State::Pending)
    }
}

/// The code of most failures; the lowest of equals; `disagreement` if there is none.
pub fn common_code(request: &Request) -> FailureCode {
    let votes = |code: FailureCode| {
        let said = request.said.values().filter(|said| !said.late);
        said.filter(|said| said.outcome == Outcome::Failure(code)).count()
    };
    let most = FailureCode::ALL.into_iter().map(votes).max().unwrap_or(0);
    let first = FailureCode::ALL.into_iter().find(|code| votes(*code) == most);
    if most == 0 { FailureCode::Disagreement } else { first.unwrap_or(FailureCode::Disagreement) }
}
