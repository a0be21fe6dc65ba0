//! The log told again by other code: it leads to all of the state, and not if anything in it is changed.

use kms_asc_api::log::{LogBody, LogEntry, LogHead};
use kms_asc_api::{EpochId, PartyId, RequestId};
use kms_audit::{Ledger, OperatorRecord, Replay, ReplayError, Violation};

use crate::log::eventful;
use crate::suite::invariants::replay;
use crate::suite::terms::CHAIN_ID;
use crate::suite::{Snapshot, Suite};

/// The log as somebody would rewrite it: entries counted and chained anew.
fn retell(suite: &Suite, state: &Snapshot, mut entries: Vec<LogEntry>) -> Result<Ledger, ReplayError> {
    let mut replay = Replay::new(CHAIN_ID, suite.contract.as_str());
    let bodies = |id: RequestId| state.bodies.get(&id.get()).map(|(bytes, _)| bytes.clone());
    let mut head = LogHead::EMPTY;
    for (seq, entry) in (1u64..).zip(&mut entries) {
        entry.seq = seq;
        let bytes = entry.encode().unwrap();
        head = head.extend(&bytes).unwrap();
        replay.push(&bytes, &bodies)?;
    }
    replay.finish(head)
}

/// Whether a rewritten log would pass for the contract's.
fn passes(suite: &Suite, state: &Snapshot, entries: Vec<LogEntry>) -> bool {
    let without_head = |ledger: Ledger| Ledger { head: state.head, ..ledger };
    let differences = |ledger: Ledger| without_head(ledger).differences(state.raw.clone()).unwrap();
    retell(suite, state, entries).is_ok_and(|ledger| differences(ledger).is_empty())
}

#[test]
fn a_log_told_again_as_it_is_leads_to_the_state() {
    let suite = eventful();
    let state = Snapshot::take(&suite);
    assert!(passes(&suite, &state, state.entries.clone()));
}

/// All but withdrawals leave a trace elsewhere; those leave one in the credits.
#[test]
fn no_entry_can_be_left_out_or_told_twice() {
    let suite = eventful();
    let state = Snapshot::take(&suite);
    for (position, entry) in state.entries.iter().enumerate() {
        let mut fewer = state.entries.clone();
        fewer.remove(position);
        assert!(!passes(&suite, &state, fewer), "without entry {}, {}", entry.seq, entry.body.kind());
        let mut more = state.entries.clone();
        more.insert(position, entry.clone());
        assert!(!passes(&suite, &state, more), "with entry {} twice, {}", entry.seq, entry.body.kind());
    }
}

#[test]
fn two_entries_of_different_messages_cannot_change_places_with_those_they_follow_from() {
    let suite = eventful();
    let state = Snapshot::take(&suite);
    let position = |kind: &str| state.entries.iter().position(|entry| entry.body.kind() == kind).unwrap();
    for (first, second) in [
        ("request_submitted", "response_recorded"),
        ("response_recorded", "request_fulfilled"),
        ("request_fulfilled", "response_late"),
    ] {
        let mut entries = state.entries.clone();
        entries.swap(position(first), position(second));
        assert!(!passes(&suite, &state, entries), "{first} and {second}");
    }
}

#[test]
fn amounts_and_actors_follow_from_the_rules() {
    let suite = eventful();
    let state = Snapshot::take(&suite);
    let told_with = |change: &dyn Fn(&mut LogEntry)| {
        let mut entries = state.entries.clone();
        entries.iter_mut().for_each(change);
        retell(&suite, &state, entries).expect_err("the change is noticed")
    };
    let more_to_the_treasury = told_with(&|entry| {
        if let LogBody::RequestFulfilled { treasury, .. } = &mut entry.body {
            *treasury += cosmwasm_std::Uint128::new(1);
        }
    });
    assert!(more_to_the_treasury.to_string().contains("refund and treasury"), "{more_to_the_treasury}");
    let somebody_elses_share = told_with(&|entry| {
        if let LogBody::RequestFulfilled { credits, .. } = &mut entry.body {
            credits[0].address = Some(suite.stranger().to_string());
        }
    });
    assert!(somebody_elses_share.to_string().contains("credited"), "{somebody_elses_share}");
    let anothers_withdrawal = told_with(&|entry| {
        if matches!(entry.body, LogBody::Withdrawn { .. }) {
            entry.actor = suite.stranger().to_string();
        }
    });
    assert!(matches!(anothers_withdrawal, ReplayError::Entry { violation: Violation::Actor { .. }, .. }));
    let a_strangers_decryption = told_with(&|entry| {
        if let LogBody::RequestDenied { operation, key_id, price, request_hash, .. } = entry.body.clone() {
            let (deadline, epoch) = (entry.time + 60, EpochId(1));
            entry.body =
                LogBody::RequestSubmitted { operation, key_id, price, deadline, epoch, request_hash };
        }
    });
    assert!(matches!(a_strangers_decryption, ReplayError::Entry { kind: "request_submitted", .. }));
}

#[test]
fn a_body_that_is_missing_or_another_one_is_noticed() {
    let suite = eventful();
    let state = Snapshot::take(&suite);
    let tell = |bodies: &dyn Fn(RequestId) -> Option<Vec<u8>>| {
        let mut replay = Replay::new(CHAIN_ID, suite.contract.as_str());
        state.log.values().find_map(|entry| replay.push(entry, bodies).err()).expect("noticed")
    };
    let none = tell(&|_| None);
    assert!(matches!(none, ReplayError::Entry { violation: Violation::NoBody(RequestId(1)), .. }));
    let other = tell(&|_| Some(state.bodies[&2].0.clone()));
    assert!(other.to_string().contains("hash"), "{other}");
}

#[test]
fn an_operators_record_is_told_by_the_log() {
    let suite = eventful();
    let ledger = replay(suite.contract.as_str(), &Snapshot::take(&suite));
    let record = |party: u32| -> OperatorRecord {
        ledger.operators().into_iter().find(|record| record.party == PartyId(party)).unwrap()
    };
    let told = |record: &OperatorRecord| {
        (record.answered, record.failed, record.late, record.missed, record.equivocated)
    };
    assert_eq!(told(&record(1)), (2, 1, 0, 1, 1));
    assert_eq!(told(&record(2)), (2, 1, 0, 1, 0));
    assert_eq!(told(&record(3)), (2, 0, 0, 2, 0));
    assert_eq!(told(&record(4)), (0, 0, 1, 3, 0));
    assert_eq!(record(1).earned, record(3).earned);
    assert_eq!(record(4).earned.u128(), 0);
}
