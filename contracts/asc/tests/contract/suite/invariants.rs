//! What holds after every message, whatever it was.

use std::collections::{BTreeMap, BTreeSet};

use cosmwasm_std::Uint128;
use kms_asc_api::log::{LogBody, PartyCredit};
use kms_asc_api::{
    CrsRecord, Digest, EpochId, KeyRecord, LogPage, PartyId, QueryMsg, RequestId, Solvency, State, Status,
    request_hash, state_key,
};

use super::{Snapshot, Suite};

impl Suite {
    /// State is consistent in itself.
    pub fn check_state(&self) {
        let state = Snapshot::take(self);
        self.check_money(&state);
        check_requests(&state);
        check_votes(&state);
        self.check_keys(&state);
        self.check_log_query(&state);
        Replay::of(&state).check(&state);
    }

    /// State is consistent, and came from `before` by steps that are allowed.
    pub fn check_step(&self, before: &Snapshot) {
        self.check_state();
        let after = Snapshot::take(self);
        for (key, value) in &before.raw {
            let written_once = [
                before.bodies.keys().map(|id| state_key::REQUEST.key(*id)).collect::<Vec<_>>(),
                before.responses.keys().map(|key| state_key::RESPONSE.key(*key)).collect(),
                before.log.keys().map(|seq| state_key::LOG.key(*seq)).collect(),
            ]
            .concat()
            .contains(key);
            if written_once {
                assert_eq!(after.raw.get(key), Some(value), "what is written once has changed");
            }
        }
        for (id, old) in &before.statuses {
            check_status_step(*id, old, &after.statuses[id]);
        }
    }

    /// `balance = escrow + credits + treasury + surplus`, from the records and by the contract's own word.
    fn check_money(&self, state: &Snapshot) {
        let pending = state.bodies.iter().filter(|(id, _)| state.statuses[id].state == State::Pending);
        let escrow: u128 = pending.map(|(_, (_, body))| body.price.u128()).sum();
        let credits: u128 = state.credits.values().sum();
        assert_eq!(state.totals.escrow.u128(), escrow, "escrow is the price of all that is pending");
        assert_eq!(state.totals.credits.u128(), credits, "the total of credits is their sum");
        assert!(state.credits.values().all(|amount| *amount > 0), "no empty credit is kept");
        let treasury = state.totals.treasury.u128();
        let balance = self.balance(&self.contract);
        let surplus = balance.checked_sub(escrow + credits + treasury).expect("the contract is solvent");
        let said: Solvency = self.query(&QueryMsg::Solvency {}).unwrap();
        let expected = Solvency {
            denom: self.config.denom.clone(),
            balance: Uint128::new(balance),
            escrow: Uint128::new(escrow),
            credits: Uint128::new(credits),
            treasury: Uint128::new(treasury),
            surplus: Uint128::new(surplus),
        };
        assert_eq!(said, expected);
    }

    /// An active key's digests and domain are reserved, and nothing else is.
    fn check_keys(&self, state: &Snapshot) {
        let storage = self.storage();
        let storage = &*storage;
        for (id, key) in &state.keys {
            assert_eq!(key.id.get(), *id);
            assert_eq!(state.statuses[id].state, State::Fulfilled, "a key comes from a fulfilled request");
            for part in &key.digests {
                let owner = state_key::DIGEST.load(storage, part.digest.as_bytes()).unwrap();
                assert_eq!(owner, RequestId(*id));
            }
            // A key's epoch may change; its domain and digests never do.
            let owner = state_key::DOMAIN.load(storage, key.domain.separator().as_bytes()).unwrap();
            assert_eq!(owner, key.id);
        }
        for (id, crs) in &state.crs {
            assert_eq!(state.statuses[id].state, State::Fulfilled, "a string comes from a fulfilled request");
            assert_eq!(state_key::DIGEST.load(storage, crs.digest.as_bytes()).unwrap(), RequestId(*id));
        }
        let reserved = 2 * state.keys.len() + state.crs.len();
        assert_eq!(state.digests.len(), reserved, "nothing else is reserved");
    }

    /// What the query gives are the bytes that are hashed.
    fn check_log_query(&self, state: &Snapshot) {
        let newest = u64::try_from(state.entries.len()).unwrap();
        let page: LogPage = self.query(&QueryMsg::Log { from: newest, limit: Some(1) }).unwrap();
        assert_eq!(page.entries[0].as_slice(), state.log[&newest]);
    }
}

fn check_requests(state: &Snapshot) {
    let ids: BTreeSet<u64> = state.bodies.keys().copied().collect();
    assert_eq!(ids, (1..state.next_id).collect(), "ids are dense, from 1");
    assert_eq!(ids, state.statuses.keys().copied().collect());
    let pending = |id: &&u64| state.statuses[id].state == State::Pending;
    let open: BTreeSet<u64> = ids.iter().filter(pending).copied().collect();
    assert_eq!(
        state.open.keys().copied().collect::<BTreeSet<_>>(),
        open,
        "open requests are the pending ones"
    );
    assert!(state.open.values().all(|value| value == &[1]));
    let mut by_requester = BTreeMap::<String, u32>::new();
    for id in &open {
        *by_requester.entry(state.bodies[id].1.requester.clone()).or_default() += 1;
    }
    assert_eq!(state.pending, by_requester);
    for (id, (_, body)) in &state.bodies {
        assert_eq!(body.id.get(), *id);
        let denied = state.statuses[id].state == State::Denied;
        assert_eq!((body.epoch.is_none(), body.deadline.is_none()), (denied, denied));
    }
}

/// Who is counted has said so in time, and once.
fn check_votes(state: &Snapshot) {
    for (id, status) in &state.statuses {
        assert_eq!(status.answered & status.failed, 0, "no party both answered and failed");
        let bits = |late: bool, failed: bool| {
            let responses = state.responses.range((*id, 0)..=(*id, u32::MAX));
            responses
                .filter(|(_, (_, r))| r.late == late && (r.outcome.number() != 0) == failed)
                .fold(0, |bits, ((_, party), _)| bits | PartyId(*party).bit())
        };
        assert_eq!((bits(false, false), bits(false, true)), (status.answered, status.failed));
        let spoken = status.heard() | bits(true, false) | bits(true, true);
        assert_eq!(status.equivocated & !spoken, 0, "only who spoke can equivocate");
        match status.state {
            State::Fulfilled => assert_ne!(PartyId(status.winner).bit() & status.answered, 0),
            _ => assert_eq!(status.winner, 0),
        }
    }
}

/// Votes are only added while pending; a terminal state stays, but for equivocations found later.
fn check_status_step(id: u64, old: &Status, new: &Status) {
    assert_eq!(old.equivocated & !new.equivocated, 0, "request {id} forgot an equivocation");
    if old.state.is_terminal() {
        let unchanged = Status { equivocated: new.equivocated, ..old.clone() };
        assert_eq!(new, &unchanged, "request {id} left its terminal state");
    } else {
        assert_ne!(new.state, State::Denied, "request {id} was accepted before");
        assert_eq!(old.heard() & !new.heard(), 0, "request {id} forgot a vote");
        if new.state == State::Pending {
            assert_eq!((new.height, new.time), (old.height, old.time), "the state has not changed");
        }
    }
}

/// State as the log and the bodies' hashes tell it.
#[derive(Default)]
struct Replay {
    states: BTreeMap<u64, State>,
    escrow: BTreeMap<u64, u128>,
    credits: BTreeMap<String, u128>,
    /// Where earnings go, by what the log says of epochs.
    payouts: BTreeMap<(EpochId, PartyId), String>,
    treasury: u128,
    responses: BTreeMap<(u64, u32), Digest>,
    equivocated: BTreeMap<u64, u32>,
    keys: BTreeMap<u64, KeyRecord>,
    crs: BTreeMap<u64, CrsRecord>,
    cancels: BTreeMap<u64, u64>,
    callback_failures: BTreeSet<u64>,
}

impl Replay {
    fn of(state: &Snapshot) -> Self {
        let mut replay = Self::default();
        for entry in &state.entries {
            let id = entry.request_id.map_or(0, RequestId::get);
            replay.apply(state, id, &entry.body);
        }
        replay
    }

    fn apply(&mut self, state: &Snapshot, id: u64, body: &LogBody) {
        match body {
            LogBody::EpochSet { epoch } => {
                self.payouts.extend(
                    epoch.parties.iter().map(|party| ((epoch.id, party.party), party.payout.clone())),
                );
            }
            LogBody::Instantiated { .. }
            | LogBody::ConfigSet { .. }
            | LogBody::EpochRevoked { .. }
            | LogBody::Granted { .. }
            | LogBody::DomainRegistered { .. } => {}
            LogBody::RequestSubmitted { price, request_hash: hash, .. } => {
                assert_eq!(*hash, request_hash(&state.bodies[&id].0));
                assert_eq!(self.states.insert(id, State::Pending), None);
                self.escrow.insert(id, price.u128());
            }
            LogBody::RequestDenied { price, request_hash: hash, .. } => {
                assert_eq!(*hash, request_hash(&state.bodies[&id].0));
                assert_eq!(self.states.insert(id, State::Denied), None);
                self.treasury += price.u128();
            }
            LogBody::ResponseRecorded { party, response_hash, .. }
            | LogBody::ResponseLate { party, response_hash, .. }
            | LogBody::FailureRecorded { party, response_hash, .. } => {
                assert_eq!(self.responses.insert((id, party.get()), *response_hash), None, "one each");
            }
            LogBody::Equivocation { party, .. } => {
                let bits = self.equivocated.entry(id).or_default();
                assert_eq!(*bits & party.bit(), 0, "an equivocation is recorded once");
                *bits |= party.bit();
            }
            LogBody::RequestFulfilled { refund, credits, treasury, .. } => {
                self.finish(state, id, State::Fulfilled, *refund, credits, *treasury);
            }
            LogBody::RequestFailed { refund, credits, treasury, .. } => {
                self.finish(state, id, State::Failed, *refund, credits, *treasury);
            }
            LogBody::RequestExpired { refund, credits, treasury } => {
                self.finish(state, id, State::Expired, *refund, credits, *treasury);
            }
            LogBody::RequestCancelled { refund, credits, treasury } => {
                self.finish(state, id, State::Cancelled, *refund, credits, *treasury);
            }
            LogBody::CancelRequested { cancel_at } => {
                assert_eq!(self.states[&id], State::Pending);
                assert_eq!(self.cancels.insert(id, *cancel_at), None, "one cancellation at a time");
            }
            LogBody::CancelLapsed { cancel_at } => {
                assert_eq!(self.cancels.remove(&id), Some(*cancel_at));
            }
            LogBody::CallbackFailed { .. } => {
                assert!(state.bodies[&id].1.callback.is_some());
                assert!(self.states[&id].is_terminal() && self.states[&id] != State::Denied);
                assert!(self.callback_failures.insert(id), "a request is called back once");
            }
            LogBody::RefundCredited { address, amount } => {
                *self.credits.entry(address.clone()).or_default() += amount.u128();
            }
            LogBody::Withdrawn { address, amount, .. } => {
                assert_eq!(self.credits.remove(address), Some(amount.u128()));
            }
            LogBody::KeyActivated { key } => {
                assert_eq!(key.id.get(), id);
                assert!(self.keys.insert(id, *key.clone()).is_none());
            }
            LogBody::AttestersSet { key }
            | LogBody::CrsAllowed { key }
            | LogBody::KeyStateSet { key }
            | LogBody::KeyAccepted { key }
            | LogBody::KeyTakenOver { key } => {
                assert!(self.keys.insert(key.id.get(), *key.clone()).is_some());
            }
            LogBody::CrsActivated { crs } => {
                assert_eq!(crs.id.get(), id);
                assert!(self.crs.insert(id, crs.clone()).is_none());
            }
            other => panic!("no replay of {}", other.kind()),
        }
    }

    /// Every end gives away exactly the price.
    fn finish(
        &mut self,
        state: &Snapshot,
        id: u64,
        end: State,
        refund: Uint128,
        credits: &[PartyCredit],
        treasury: Uint128,
    ) {
        assert_eq!(self.states.insert(id, end), Some(State::Pending));
        let credited: u128 = credits.iter().map(|credit| credit.amount.u128()).sum();
        assert_eq!(self.escrow.remove(&id), Some(refund.u128() + credited + treasury.u128()));
        for credit in credits.iter().filter(|credit| !credit.amount.is_zero()) {
            let epoch = state.bodies[&id].1.epoch.unwrap();
            let payout = self.payouts[&(epoch, credit.party)].clone();
            *self.credits.entry(payout).or_default() += credit.amount.u128();
        }
        self.treasury += treasury.u128();
    }

    fn check(&self, state: &Snapshot) {
        let states: BTreeMap<u64, State> =
            state.statuses.iter().map(|(id, status)| (*id, status.state)).collect();
        assert_eq!(self.states, states);
        assert_eq!(self.credits, state.credits);
        assert_eq!(self.treasury, state.totals.treasury.u128());
        assert!(self.keys.keys().eq(state.keys.keys()));
        for (id, key) in &self.keys {
            // Some tests set a key's state by hand.
            let state_now = state.keys[id].state;
            assert_eq!(KeyRecord { state: state_now, ..key.clone() }, state.keys[id]);
        }
        assert_eq!(self.crs, state.crs);
        let responses: BTreeMap<_, _> =
            state.responses.iter().map(|(key, (bytes, _))| (*key, Digest::sha256(bytes))).collect();
        assert_eq!(self.responses, responses);
        for (id, status) in &state.statuses {
            assert_eq!(self.cancels.get(id).copied().unwrap_or(0), status.cancel_at);
            assert_eq!(self.equivocated.get(id).copied().unwrap_or(0), status.equivocated);
        }
    }
}
