//! The reference: what the contract has to be, written from the interface's text and not from its code. Where
//! the text leaves the order of checks open, the model names every reason that holds.

mod answers;
mod ending;
mod governance;
mod keys;
mod submission;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use kms_asc_api::{
    CloseOutcome, Config, CrsRecord, Digest, Epoch, GrantRecord, ItemOutcome, KeyRecord, Operation,
    RejectReason, RequestBody, State,
};

use crate::step::{Item, Msg, Step};
use crate::world::{self, ADMIN, APP, CONTRACT, MONEY, NOBODY, Who, address};

/// A result that a contract took: request, state, code, payload.
pub type TakenResult = (u64, State, u8, Option<Vec<u8>>);

/// The contract, the bank and the time.
#[derive(Clone)]
pub struct Model {
    pub now: u64,
    pub height: u64,
    pub config: Config,
    pub admin: String,
    pub proposed: Option<String>,
    pub paused: bool,
    pub announced: Option<u64>,
    pub epochs: Vec<Epoch>,
    pub requests: Vec<Request>,
    pub keys: BTreeMap<u64, KeyRecord>,
    pub crs: BTreeMap<u64, CrsRecord>,
    pub grants: BTreeMap<(u64, String), GrantRecord>,
    pub domains: BTreeMap<Digest, u64>,
    pub digests: BTreeMap<Digest, u64>,
    pub credits: BTreeMap<String, u128>,
    pub treasury: u128,
    /// Entries of the log.
    pub entries: u64,
    pub balances: BTreeMap<String, u128>,
    /// What the contract holds in the other denomination.
    pub other: u128,
    pub blocked: BTreeSet<String>,
    pub app_fails: bool,
    /// Results that the requesting contract took, and the last one: request, state, code, payload.
    pub results: (u64, Option<TakenResult>),
    /// What the last step must have given.
    pub expected: Expected,
    /// The operation of the last step, if it asked for one, and the coins sent with it.
    pub asked: Option<(Operation, u128)>,
    /// What happens after the message itself: refunds, then callbacks.
    after: After,
}

#[derive(Clone, Default)]
struct After {
    refunds: Vec<(u64, u128)>,
    callbacks: Vec<u64>,
}

#[derive(Clone)]
pub struct Request {
    pub body: RequestBody,
    pub bytes: Vec<u8>,
    pub state: State,
    /// The code; of a denied request any reason that holds.
    pub codes: Vec<u8>,
    pub at: (u64, u64),
    pub cancel_at: u64,
    pub answers: BTreeMap<u32, Answer>,
    pub equivocated: u32,
    pub winner: u32,
}

#[derive(Clone)]
pub struct Answer {
    /// 0, or the failure's code.
    pub outcome: u32,
    pub payload: Vec<u8>,
    pub late: bool,
}

/// Codes of refusal, any of which will do; empty text is the chain's own refusal.
pub type Faults = BTreeSet<&'static str>;

#[derive(Clone, Debug)]
pub enum Outcome {
    /// No message was sent.
    Quiet,
    Refused(Faults),
    Requests {
        /// As many as were asked for, from this id on.
        first: u64,
        count: u8,
        state: State,
        /// For each.
        charged: u128,
    },
    Items(Vec<ItemExpected>),
    Closed(Vec<CloseOutcome>),
    Done,
}

#[derive(Clone, Debug)]
pub enum ItemExpected {
    Is(ItemOutcome),
    RejectedFor(Vec<RejectReason>),
}

#[derive(Clone, Debug)]
pub struct Expected {
    pub outcome: Outcome,
    /// Kinds of the new entries, in order.
    pub kinds: Vec<&'static str>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model(epoch shape {:?})", self.epochs[0].mode)
    }
}

impl Request {
    pub const fn operation(&self) -> &Operation {
        &self.body.operation
    }

    pub fn end(&self) -> u64 {
        let deadline = self.body.deadline.unwrap();
        if self.cancel_at == 0 { deadline } else { deadline.min(self.cancel_at) }
    }
}

/// Collects what is wrong.
#[derive(Default)]
pub struct Check(Faults);

impl Check {
    pub fn fault(&mut self, holds: bool, code: &'static str) -> &mut Self {
        if holds {
            self.0.insert(code);
        }
        self
    }

    pub fn done(self) -> Result<(), Faults> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

impl Model {
    /// A new contract whose first epoch has this shape.
    pub fn new(shape: usize) -> Self {
        let balances = (0..=APP).map(|who| (address(who), MONEY)).chain([(address(CONTRACT), 0)]).collect();
        Self {
            now: world::START,
            height: 100,
            config: world::config(),
            admin: address(ADMIN),
            proposed: None,
            paused: false,
            announced: None,
            epochs: vec![world::epoch(1, shape)],
            requests: vec![],
            keys: BTreeMap::new(),
            crs: BTreeMap::new(),
            grants: BTreeMap::new(),
            domains: BTreeMap::new(),
            digests: BTreeMap::new(),
            credits: BTreeMap::new(),
            treasury: 0,
            entries: 3,
            balances,
            other: 0,
            blocked: BTreeSet::new(),
            app_fails: false,
            results: (0, None),
            expected: Expected { outcome: Outcome::Quiet, kinds: vec![] },
            asked: None,
            after: After::default(),
        }
    }

    pub fn step(&mut self, step: &Step) {
        self.expected = Expected { outcome: Outcome::Quiet, kinds: vec![] };
        self.asked = None;
        self.after = After::default();
        match step {
            Step::Wait(seconds) => (self.now, self.height) = (self.now + seconds, self.height + 1),
            Step::Block { who, blocked: true } => drop(self.blocked.insert(address(*who))),
            Step::Block { who, blocked: false } => drop(self.blocked.remove(&address(*who))),
            Step::AppFails(fails) => self.app_fails = *fails,
            Step::Gift { amount, other: true, .. } => self.other += amount,
            Step::Gift { from, amount, .. } => self.gift(&address(*from), *amount),
            Step::Send { sender, stray, msg } => self.send(*sender, *stray, msg),
        }
        self.entries += u64::try_from(self.expected.kinds.len()).unwrap();
    }

    fn gift(&mut self, from: &str, amount: u128) {
        if self.balances[from] >= amount {
            self.move_money(from, &address(CONTRACT), amount);
        } else {
            self.expected.outcome = Outcome::Refused(Faults::from([""]));
        }
    }

    fn send(&mut self, sender: Who, stray: bool, msg: &Msg) {
        let result = self.receive(sender, stray, msg);
        self.expected.outcome = match result {
            Ok(outcome) => outcome,
            Err(faults) => {
                self.asked = self.asked.take();
                Outcome::Refused(faults)
            }
        };
        for (id, amount) in std::mem::take(&mut self.after.refunds) {
            self.refund(id, amount);
        }
        for id in std::mem::take(&mut self.after.callbacks) {
            self.call_back(id);
        }
    }

    fn receive(&mut self, sender: Who, stray: bool, msg: &Msg) -> Result<Outcome, Faults> {
        let who = address(sender);
        match msg {
            Msg::Submit(request) => return self.submit(sender, request, 1),
            Msg::Together(request, times) => return self.submit(sender, request, *times),
            _ => {}
        }
        if stray {
            return Err(Faults::from(["unexpected_funds"]));
        }
        match msg {
            Msg::Submit(_) | Msg::Together(..) => Ok(Outcome::Done),
            Msg::Responses(items) | Msg::Failures(items) => {
                // As they were signed: before any of them was taken in.
                let payload = |item: &Item| self.payload(item.request, item.party, item.said);
                let payloads: Vec<_> = items.iter().map(payload).collect();
                let items = items.iter().zip(payloads);
                Ok(Outcome::Items(items.map(|(item, payload)| self.take_in(item, payload)).collect()))
            }
            Msg::Close(ids) => Ok(Outcome::Closed(ids.iter().map(|id| self.close(*id)).collect())),
            Msg::Cancel(id) => self.cancel(&who, *id),
            Msg::Withdraw { to } => self.withdraw(&who, *to),
            Msg::Grant { .. } | Msg::Revoke { .. } => self.grants(&who, msg),
            Msg::Attesters { .. }
            | Msg::Crs { .. }
            | Msg::State { .. }
            | Msg::Offer { .. }
            | Msg::Accept { .. } => self.key_message(&who, msg),
            Msg::Office => self.accept_office(&who),
            governance => self.govern(&who, governance),
        }
    }

    fn withdraw(&mut self, who: &str, to: Option<Who>) -> Result<Outcome, Faults> {
        let to = to.map_or_else(|| who.to_owned(), address);
        let amount = self.credits.get(who).copied().unwrap_or(0);
        let mut check = Check::default();
        check.fault(to == address(NOBODY), "invalid_address").fault(amount == 0, "no_credit");
        check.done()?;
        self.pay_or_refuse(&to)?;
        self.credits.remove(who);
        self.move_money(&address(CONTRACT), &to, amount);
        Ok(self.entry("withdrawn"))
    }

    // Bank.

    pub fn move_money(&mut self, from: &str, to: &str, amount: u128) {
        *self.balances.get_mut(from).unwrap() -= amount;
        *self.balances.entry(to.to_owned()).or_default() += amount;
    }

    /// The bank's refusal is the message's.
    pub fn pay_or_refuse(&self, to: &str) -> Result<(), Faults> {
        if self.blocked.contains(to) { Err(Faults::from([""])) } else { Ok(()) }
    }

    pub fn credit(&mut self, to: &str, amount: u128) {
        if amount > 0 {
            *self.credits.entry(to.to_owned()).or_default() += amount;
        }
    }

    pub fn escrow(&self) -> u128 {
        let pending = self.requests.iter().filter(|request| request.state == State::Pending);
        pending.map(|request| request.body.price.u128()).sum()
    }

    pub fn owed(&self) -> u128 {
        self.escrow() + self.credits.values().sum::<u128>() + self.treasury
    }

    // Records.

    pub fn entry(&mut self, kind: &'static str) -> Outcome {
        self.expected.kinds.push(kind);
        Outcome::Done
    }

    pub fn request(&self, id: u64) -> Option<&Request> {
        self.requests.get(usize::try_from(id.checked_sub(1)?).unwrap())
    }

    pub fn request_mut(&mut self, id: u64) -> &mut Request {
        &mut self.requests[usize::try_from(id - 1).unwrap()]
    }

    pub fn epoch(&self, id: u32) -> Option<&Epoch> {
        self.epochs.get(usize::try_from(id.checked_sub(1)?).unwrap())
    }

    pub fn newest(&self) -> &Epoch {
        self.epochs.last().unwrap()
    }

    pub fn next_id(&self) -> u64 {
        u64::try_from(self.requests.len()).unwrap() + 1
    }
}
