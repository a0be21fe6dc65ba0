//! What holds after every message, whatever it was.

use std::collections::{BTreeMap, BTreeSet};

use cosmwasm_std::Uint128;
use kms_asc_api::{LogPage, PartyId, QueryMsg, RequestId, Solvency, State, Status, state_key};
use kms_audit::Replay;

use super::terms::CHAIN_ID;
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
        self.check_replay(&state);
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

    /// Unless a test changed state by hand, of which no log tells.
    fn check_replay(&self, state: &Snapshot) {
        if !self.changed_by_hand {
            let differences = replay(self.contract.as_str(), state).differences(state.raw.clone()).unwrap();
            assert!(differences.is_empty(), "log and state differ: {differences:#?}");
        }
    }

    /// What the query gives are the bytes that are hashed.
    fn check_log_query(&self, state: &Snapshot) {
        let newest = u64::try_from(state.entries.len()).unwrap();
        let page: LogPage = self.query(&QueryMsg::Log { from: newest, limit: Some(1) }).unwrap();
        assert_eq!(page.entries[0].as_slice(), state.log[&newest]);
    }
}

/// The log and the bodies alone lead to every byte of state, by code that is not the contract's.
pub fn replay(contract: &str, state: &Snapshot) -> kms_audit::Ledger {
    let mut replay = Replay::new(CHAIN_ID, contract);
    let bodies = |id: RequestId| state.bodies.get(&id.get()).map(|(bytes, _)| bytes.clone());
    for entry in state.log.values() {
        replay.push(entry, &bodies).unwrap_or_else(|error| panic!("{error}"));
    }
    replay.finish(state.head).unwrap()
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
