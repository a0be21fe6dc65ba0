//! `key_gen` with source `takeover`: the newest operators take a key over, and it stays the same key.

use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{
    Epoch, EpochId, EpochMode, ItemOutcome, KeyGen, KeyId, KeyParams, KeyRecord, KeySource, KeyState,
    Operation, PartyId, RejectReason, RequestId, State,
};

use crate::suite::{START, Suite, account, ciphertext, key_gen_from, payout, public_decrypt, terms};

fn takeover(key_id: KeyId) -> Operation {
    key_gen_from(KeySource::Takeover { key_id })
}

fn next_epoch(id: u32) -> Epoch {
    Epoch { id: EpochId(id), ..terms::epoch(EpochMode::Threshold, 4, 1, 3) }
}

/// What the key's operators published once.
fn published(suite: &Suite, key: KeyId) -> Vec<u8> {
    suite.key_payload(RequestId(key.get()))
}

/// A key of a single operator, four new operators, and a pending takeover.
fn pending() -> (Suite, KeyId, RequestId) {
    let mut suite = Suite::new();
    let key = suite.key();
    suite.set_epoch(next_epoch(2));
    let id = suite.request(&suite.owner(), takeover(key));
    (suite, key, id)
}

#[test]
fn at_quorum_the_keys_epoch_is_the_newest_and_all_else_stays() {
    let (mut suite, key, id) = pending();
    suite.grant(key, &account("grantee"), None);
    let before = suite.key_record(key);
    let payload = published(&suite, key);
    suite.at(START + 9);
    suite.respond((1..=2).map(|party| suite.answer(id, party, &payload)).collect());
    assert_eq!(suite.key_record(key), before, "no quorum, no change");
    let msg = kms_asc_api::ExecuteMsg::SubmitResponses { responses: vec![suite.answer(id, 3, &payload)] };
    let done = suite.execute(&suite.stranger(), &msg, &[]).unwrap();
    assert_eq!(done.events.last(), Some(&Event::Key { key_id: key, state: KeyState::Active }));
    let after = suite.key_record(key);
    assert_eq!(after, KeyRecord { epoch: EpochId(2), ..before });
    assert_eq!(suite.newest_kinds(2), ["request_fulfilled", "key_taken_over"]);
    let entry = suite.log().pop().unwrap();
    assert_eq!((entry.request_id, entry.body), (Some(id), LogBody::KeyTakenOver { key: Box::new(after) }));
    assert!(suite.credit(&payout(3)) > 0, "the new operators are paid");
    let decryption = suite.request(&account("grantee"), public_decrypt(key, vec![ciphertext(1)]));
    assert_eq!(suite.body(decryption).epoch, Some(EpochId(2)), "grants hold, the new operators answer");
}

#[test]
fn an_answer_states_the_existing_key_under_its_own_domain() {
    let (mut suite, key, id) = pending();
    let other = suite.key_payload(id);
    assert_eq!(
        suite.respond(vec![suite.answer(id, 1, &other)]),
        [ItemOutcome::Rejected(RejectReason::Payload)],
        "other material is another key"
    );
    let payload = published(&suite, key);
    let mut answer = suite.answer(id, 1, &payload);
    let digests = kms_asc_api::payload::decode_key_digests(&payload).unwrap();
    for hash in [
        kms_asc_api::eip712::key_gen_hash(&suite.default_domain(id.into()), key, &digests),
        kms_asc_api::eip712::key_gen_hash(&suite.default_domain(key), id.into(), &digests),
    ] {
        answer.external_signature = Some(crate::suite::sign(1, &hash).into());
        let rejected = ItemOutcome::Rejected(RejectReason::ExternalSignature);
        assert_eq!(suite.respond(vec![answer.clone()]), [rejected]);
    }
    assert_eq!(suite.respond(vec![suite.answer(id, 1, &payload)]), [ItemOutcome::Recorded]);
}

#[test]
fn a_takeover_that_makes_no_sense_or_is_not_the_owners_goes_no_further() {
    let (mut suite, key, _) = pending();
    let new_key = suite.key();
    let op = |params, key_id| Operation::KeyGen(KeyGen { params, source: KeySource::Takeover { key_id } });
    for (sentence, operation, code) in [
        ("an unknown key", takeover(KeyId(99)), "unknown_key"),
        ("other parameters", op(KeyParams::Test, key), "malformed"),
        ("a key of the newest epoch", takeover(new_key), "malformed"),
    ] {
        let refusal = suite.submit(&suite.owner(), operation, 2000).unwrap_err();
        assert_eq!(refusal.code, code, "{sentence}");
    }
    let denied = |suite: &mut Suite, sender| {
        let id = suite.submit(&sender, takeover(key), 2000).unwrap().request_id;
        suite.view(id).reason
    };
    suite.grant(key, &account("grantee"), None);
    assert_eq!(denied(&mut suite, account("grantee")).as_deref(), Some("permission"), "a grantee");
    let owner = suite.owner();
    suite.revoke_epoch(EpochId(2));
    assert_eq!(denied(&mut suite, owner.clone()).as_deref(), Some("epoch_revoked"), "by revoked operators");
    suite.set_epoch(next_epoch(3));
    for (state, expected) in
        [(KeyState::Suspended, None), (KeyState::Deactivated, None), (KeyState::Destroyed, Some("key_state"))]
    {
        suite.set_key_state(key, state);
        assert_eq!(denied(&mut suite, owner.clone()).as_deref(), expected, "{state:?}");
    }
}

/// The operators did what they were asked for, and are paid; the record stands.
#[test]
fn of_two_takeovers_the_newest_epoch_wins_in_either_order() {
    for newest_first in [true, false] {
        let (mut suite, key, second) = pending();
        suite.set_epoch(next_epoch(3));
        let third = suite.request(&suite.owner(), takeover(key));
        let payload = published(&suite, key);
        let order = if newest_first { [third, second] } else { [second, third] };
        for id in order {
            suite.fulfil(id, &payload);
            assert_eq!(suite.view(id).state, State::Fulfilled);
            assert_eq!(suite.view(id).winner, Some(PartyId(1)));
        }
        assert_eq!(suite.key_record(key).epoch, EpochId(3));
        let moves = suite.log().iter().filter(|e| e.body.kind() == "key_taken_over").count();
        assert_eq!(moves, if newest_first { 1 } else { 2 });
    }
}

#[test]
fn two_takeovers_to_one_epoch_move_the_key_once() {
    let (mut suite, key, first) = pending();
    let second = suite.request(&suite.owner(), takeover(key));
    let payload = published(&suite, key);
    for id in [first, second] {
        suite.fulfil(id, &payload);
        assert_eq!(suite.view(id).state, State::Fulfilled);
    }
    assert_eq!(suite.log().iter().filter(|e| e.body.kind() == "key_taken_over").count(), 1);
}

#[test]
fn a_key_destroyed_meanwhile_stays_where_it_was() {
    let (mut suite, key, id) = pending();
    suite.set_key_state(key, KeyState::Destroyed);
    let before = suite.key_record(key);
    let payload = published(&suite, key);
    suite.fulfil(id, &payload);
    assert_eq!((suite.view(id).state, suite.key_record(key)), (State::Fulfilled, before));
    assert_eq!(suite.newest_kinds(1), ["request_fulfilled"]);
}

#[test]
fn a_key_with_a_new_owner_meanwhile_is_taken_over_for_him() {
    let (mut suite, key, id) = pending();
    suite.hand_over(key, &account("stranger"));
    let payload = published(&suite, key);
    suite.fulfil(id, &payload);
    let record = suite.key_record(key);
    assert_eq!((record.epoch, record.owner), (EpochId(2), account("stranger").to_string()));
}
