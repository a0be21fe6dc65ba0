//! The states of a key and what its owner says of it.

use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{CrsId, EvmAddress, ExecuteMsg, KeyId, KeyRecord, KeyState};

use crate::suite::{Suite, account, ciphertext, public_decrypt};

use KeyState::{Active, Deactivated, Destroyed, Suspended};

fn set(key_id: KeyId, state: KeyState) -> ExecuteMsg {
    ExecuteMsg::SetKeyState { key_id, state }
}

fn attesters(numbers: &[u8]) -> Vec<EvmAddress> {
    numbers.iter().map(|number| EvmAddress::new([*number; 20])).collect()
}

/// The table of docs/contract.md, every pair of it.
#[test]
fn of_all_pairs_of_states_only_the_documented_ones_follow_each_other() {
    let allowed = [
        (Active, Suspended),
        (Active, Deactivated),
        (Suspended, Active),
        (Suspended, Deactivated),
        (Suspended, Destroyed),
        (Deactivated, Destroyed),
    ];
    for from in KeyState::ALL {
        for to in KeyState::ALL {
            let mut suite = Suite::new();
            let key_id = suite.key();
            suite.set_key_state(key_id, from);
            let (owner, entries) = (suite.owner(), suite.log().len());
            if allowed.contains(&(from, to)) {
                let done = suite.done(&owner, &set(key_id, to));
                assert_eq!(done.events, [Event::Key { key_id, state: to }]);
                let LogBody::KeyStateSet { key } = suite.log().pop().unwrap().body else { panic!("{to:?}") };
                assert_eq!((key.state, *key), (to, suite.key_record(key_id)));
                assert_eq!(suite.log().len(), entries + 1);
            } else {
                assert_eq!(suite.refused(&owner, &set(key_id, to)), "key_state", "{from:?} to {to:?}");
                assert_eq!(suite.key_record(key_id).state, from);
            }
        }
    }
}

#[test]
fn a_state_says_what_a_key_may_be_used_for() {
    for (state, denied) in
        [(Active, None), (Deactivated, None), (Suspended, Some("key_state")), (Destroyed, Some("key_state"))]
    {
        let mut suite = Suite::new();
        let key_id = suite.key();
        suite.set_key_state(key_id, state);
        let data = suite.submit(&suite.owner(), public_decrypt(key_id, vec![ciphertext(1)]), 117).unwrap();
        assert_eq!(suite.view(data.request_id).reason.as_deref(), denied, "{state:?}");
    }
}

#[test]
fn a_key_that_does_not_exist_has_no_owner() {
    let mut suite = Suite::new();
    let owner = suite.owner();
    for msg in owners_messages(KeyId(9)) {
        assert_eq!(suite.refused(&owner, &msg), "unknown_key", "{}", msg.name());
    }
    assert_eq!(suite.refused(&owner, &ExecuteMsg::AcceptKey { key_id: KeyId(9) }), "unknown_key");
}

fn owners_messages(key_id: KeyId) -> Vec<ExecuteMsg> {
    let somebody = || account("somebody").to_string();
    vec![
        ExecuteMsg::Grant { key_id, grantee: somebody(), until: None },
        ExecuteMsg::Revoke { key_id, grantee: somebody() },
        ExecuteMsg::SetAttesters { key_id, attesters: attesters(&[1]), threshold: 1 },
        ExecuteMsg::SetCrs { key_id, crs_ids: vec![] },
        ExecuteMsg::SetKeyState { key_id, state: Suspended },
        ExecuteMsg::OfferKey { key_id, to: somebody() },
    ]
}

/// The admin, an operator, a grantee and the one to whom the key is offered are nobody here.
#[test]
fn only_the_owner_speaks_for_a_key() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let (owner, somebody) = (suite.owner(), account("somebody"));
    suite.done(&owner, &ExecuteMsg::Grant { key_id, grantee: somebody.to_string(), until: None });
    suite.done(&owner, &ExecuteMsg::OfferKey { key_id, to: somebody.to_string() });
    for sender in [suite.admin(), crate::suite::payout(1), somebody, suite.stranger()] {
        for msg in owners_messages(key_id) {
            assert_eq!(suite.refused(&sender, &msg), "unauthorized", "{}", msg.name());
        }
    }
}

#[test]
fn nothing_but_taking_trust_back_is_said_of_a_destroyed_key() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let (owner, somebody) = (suite.owner(), account("somebody"));
    suite.done(&owner, &ExecuteMsg::Grant { key_id, grantee: somebody.to_string(), until: None });
    suite.done(&owner, &ExecuteMsg::OfferKey { key_id, to: somebody.to_string() });
    suite.set_key_state(key_id, Destroyed);
    for msg in owners_messages(key_id) {
        if matches!(msg, ExecuteMsg::Revoke { .. }) {
            suite.done(&owner, &msg);
        } else {
            assert_eq!(suite.refused(&owner, &msg), "key_state", "{}", msg.name());
        }
    }
    assert_eq!(suite.refused(&somebody, &ExecuteMsg::AcceptKey { key_id }), "key_state");
}

#[test]
fn attesters_are_distinct_not_zero_and_enough_for_their_threshold() {
    let mut suite = Suite::new();
    let (key_id, owner) = (suite.key(), suite.owner());
    let many: Vec<u8> = (1..=32).collect();
    let set = |attesters, threshold| ExecuteMsg::SetAttesters { key_id, attesters, threshold };
    for (numbers, threshold) in [(&[1][..], 1), (&[3, 1, 2], 2), (&[3, 1, 2], 3), (&many, 32), (&[], 0)] {
        suite.done(&owner, &set(attesters(numbers), threshold));
        let key = suite.key_record(key_id);
        assert_eq!((key.attesters, key.attester_threshold), (attesters(numbers), threshold));
        let LogBody::AttestersSet { key } = suite.log().pop().unwrap().body else { panic!("attesters_set") };
        assert_eq!(*key, suite.key_record(key_id));
    }
    let too_many: Vec<u8> = (1..=33).collect();
    for (what, numbers, threshold, code) in [
        ("a threshold of none", &[][..], 1, "malformed"),
        ("no threshold", &[1], 0, "malformed"),
        ("a threshold that cannot be met", &[1, 2], 3, "malformed"),
        ("one twice", &[1, 2, 1], 1, "malformed"),
        ("nobody", &[1, 0], 1, "malformed"),
        ("too many", &too_many, 1, "over_limit"),
    ] {
        assert_eq!(suite.refused(&owner, &set(attesters(numbers), threshold)), code, "{what}");
    }
}

#[test]
fn a_key_is_proven_under_at_most_eight_distinct_strings_that_exist() {
    let mut suite = Suite::new();
    let (key_id, owner) = (suite.key(), suite.owner());
    let made: Vec<CrsId> = (0..9).map(|_| suite.crs()).collect();
    let set = |crs_ids: &[CrsId]| ExecuteMsg::SetCrs { key_id, crs_ids: crs_ids.to_vec() };
    for crs_ids in [&made[1..2], &made[..8], &[]] {
        suite.done(&owner, &set(crs_ids));
        let LogBody::CrsAllowed { key } = suite.log().pop().unwrap().body else { panic!("crs_allowed") };
        assert_eq!((key.crs_ids.as_slice(), *key.clone()), (crs_ids, suite.key_record(key_id)));
    }
    assert_eq!(suite.refused(&owner, &set(&[made[0], CrsId(99)])), "unknown_crs");
    assert_eq!(suite.refused(&owner, &set(&[made[0], made[1], made[0]])), "malformed");
    assert_eq!(suite.refused(&owner, &set(&made)), "over_limit");
}

#[test]
fn a_key_is_handed_over_by_an_offer_and_its_acceptance() {
    let mut suite = Suite::new();
    let (key_id, owner, next) = (suite.key(), suite.owner(), account("next owner"));
    let crs = suite.crs();
    suite.set_crs(key_id, &[crs]);
    suite.done(&owner, &ExecuteMsg::SetAttesters { key_id, attesters: attesters(&[1, 2]), threshold: 2 });
    let offer = |to: &str| ExecuteMsg::OfferKey { key_id, to: to.to_owned() };
    let accept = ExecuteMsg::AcceptKey { key_id };

    assert_eq!(suite.refused(&owner, &offer(owner.as_str())), "malformed");
    assert_eq!(suite.refused(&owner, &offer("nobody")), "invalid_address");
    assert_eq!(suite.refused(&next, &accept), "not_offered");
    suite.done(&owner, &offer(account("somebody").as_str()));
    suite.done(&owner, &offer(next.as_str()));
    assert_eq!(suite.refused(&account("somebody"), &accept), "not_offered");
    assert_eq!(suite.refused(&owner, &accept), "not_offered");
    let before = suite.key_record(key_id);
    assert_eq!(before.offered_to, Some(next.to_string()));

    suite.done(&next, &accept);
    let expected = KeyRecord {
        owner: next.to_string(),
        generation: 2,
        offered_to: None,
        attesters: vec![],
        attester_threshold: 0,
        crs_ids: vec![],
        ..before
    };
    assert_eq!(suite.key_record(key_id), expected);
    let LogBody::KeyAccepted { key } = suite.log().pop().unwrap().body else { panic!("key_accepted") };
    assert_eq!(*key, expected);
    assert_eq!(suite.refused(&next, &accept), "not_offered");
    assert_eq!(suite.refused(&owner, &set(key_id, Suspended)), "unauthorized");
    suite.done(&next, &set(key_id, Suspended));
}
