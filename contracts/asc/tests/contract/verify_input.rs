//! `verify_input`: which reference string, which handles, and an answer that says no.

use kms_asc_api::payload::InputVerdict;
use kms_asc_api::{
    Answer, CrsId, EvmAddress, FailureCode, ItemOutcome, KeyState, Operation, PartyId, RejectReason,
    RequestId, State, VerifyInput, state_key,
};

use crate::suite::evidence::{accepted, element_handle, verify_input};
use crate::suite::{Suite, sign};

const RECORDED: ItemOutcome = ItemOutcome::Recorded;
const MALFORMED: ItemOutcome = ItemOutcome::Rejected(RejectReason::Payload);

fn pending(suite: &mut Suite) -> RequestId {
    let (key, crs) = (suite.key(), suite.crs());
    suite.set_crs(key, &[crs]);
    suite.request(&suite.stranger(), Operation::VerifyInput(verify_input(key, crs)))
}

#[test]
fn equal_handles_of_a_majority_are_the_verdict() {
    let mut suite = Suite::threshold();
    let id = pending(&mut suite);
    let (two, one) = (accepted(9000, 2), accepted(9000, 1));
    suite.respond(vec![suite.answer(id, 1, &one), suite.answer(id, 2, &two), suite.answer(id, 3, &two)]);
    assert_eq!(suite.view(id).state, State::Pending);
    assert_eq!(suite.respond(vec![suite.answer(id, 4, &two)]), [RECORDED]);
    assert_eq!((suite.view(id).state, suite.view(id).winner), (State::Fulfilled, Some(PartyId(2))));
}

#[test]
fn a_refusal_is_an_answer_that_states_nothing_to_the_outside_world() {
    let mut suite = Suite::new();
    let id = pending(&mut suite);
    let no = InputVerdict::Refused.encode();
    let honest = suite.answer(id, 1, &no);
    assert_eq!(honest.external_signature, None);
    let signed =
        Answer { external_signature: Some(sign(1, &suite.external_hash(id, &no)).into()), ..honest.clone() };
    let bad = ItemOutcome::Rejected(RejectReason::ExternalSignature);
    assert_eq!(suite.respond(vec![signed]), [bad]);
    assert_eq!(suite.respond(vec![honest]), [RECORDED]);
    assert_eq!(suite.view(id).state, State::Fulfilled);
    let before = suite.credit(&crate::suite::payout(1));
    assert!(before > 0, "who found out is paid");
}

#[test]
fn an_acceptance_needs_its_signature() {
    let mut suite = Suite::new();
    let id = pending(&mut suite);
    let unsigned = Answer { external_signature: None, ..suite.answer(id, 1, &accepted(9000, 1)) };
    assert_eq!(suite.respond(vec![unsigned]), [ItemOutcome::Rejected(RejectReason::ExternalSignature)]);
}

#[test]
fn handles_name_their_position_chain_type_and_version_or_are_none() {
    let mut suite = Suite::threshold();
    let id = pending(&mut suite);
    let good = accepted(9000, 2);
    let mut bad = vec![
        ("nothing", vec![]),
        ("another verdict", vec![2]),
        ("a refusal with more behind it", vec![0, 0]),
        ("no handle", vec![1]),
        ("half a handle", good[..49].to_vec()),
        ("handles of another chain", accepted(9001, 2)),
        ("a first handle that is the second", [&[1][..], element_handle(9000, 1).as_bytes()].concat()),
    ];
    for (sentence, at, value) in [
        ("a position twice", 32 + 1 + 21, 0),
        ("a type that does not exist", 1 + 30, 12),
        ("a version", 1 + 31, 1),
    ] {
        let mut changed = good.clone();
        changed[at] = value;
        bad.push((sentence, changed));
    }
    for (sentence, payload) in bad {
        assert_eq!(suite.respond(vec![suite.answer(id, 1, &payload)]), [MALFORMED], "{sentence}");
    }
    assert_eq!(suite.respond(vec![suite.answer(id, 1, &good)]), [RECORDED]);
}

#[test]
fn the_keys_owner_decides_which_strings_prove_inputs_and_the_key_must_be_active() {
    let mut suite = Suite::new();
    let (key, allowed, other) = (suite.key(), suite.crs(), suite.crs());
    suite.set_crs(key, &[allowed]);
    let reason = |suite: &mut Suite, op| {
        let id = suite.submit(&suite.stranger(), Operation::VerifyInput(op), 1000).unwrap().request_id;
        suite.view(id).reason
    };
    assert_eq!(reason(&mut suite, verify_input(key, allowed)), None, "anyone who pays");
    let not_allowed = reason(&mut suite, verify_input(key, other));
    assert_eq!(not_allowed.as_deref(), Some("crs_not_allowed"));
    let foreign = Some(suite.default_domain(kms_asc_api::KeyId(9)));
    let op = VerifyInput { domain: foreign, ..verify_input(key, allowed) };
    assert_eq!(reason(&mut suite, op).as_deref(), Some("domain"));
    let own = Some(suite.default_domain(key));
    assert_eq!(reason(&mut suite, VerifyInput { domain: own, ..verify_input(key, allowed) }), None);
    for state in [KeyState::Suspended, KeyState::Deactivated, KeyState::Destroyed] {
        suite.set_key_state(key, state);
        assert_eq!(reason(&mut suite, verify_input(key, allowed)).as_deref(), Some("key_state"), "{state:?}");
    }
}

#[test]
fn an_input_that_is_none_is_refused() {
    let mut suite = Suite::new();
    let (key, crs) = (suite.key(), suite.crs());
    let good = verify_input(key, crs);
    let rows = [
        ("nobody's input", VerifyInput { user: EvmAddress::ZERO, ..good.clone() }, "malformed"),
        ("no bytes", VerifyInput { size: 0, ..good.clone() }, "malformed"),
        ("too many bytes", VerifyInput { size: 65_537, ..good.clone() }, "over_limit"),
        ("an unknown string", VerifyInput { crs_id: CrsId(key.get()), ..good.clone() }, "unknown_crs"),
        ("an unknown key", VerifyInput { key_id: kms_asc_api::KeyId(99), ..good.clone() }, "unknown_key"),
        ("extra data", VerifyInput { extra_data: vec![0; 1025].into(), ..good }, "over_limit"),
    ];
    for (sentence, op, code) in rows {
        let refusal = suite.submit(&suite.owner(), Operation::VerifyInput(op), 1000).unwrap_err();
        assert_eq!(refusal.code, code, "{sentence}: {}", refusal.text);
    }
}

#[test]
fn a_failure_to_verify_blames_no_ciphertext() {
    let mut suite = Suite::new();
    let id = pending(&mut suite);
    let blamed = suite.failure(id, 1, FailureCode::TooLarge, 0);
    assert_eq!(suite.report(vec![blamed]), [ItemOutcome::Rejected(RejectReason::Index)]);
    assert_eq!(suite.report(vec![suite.failure(id, 1, FailureCode::TooLarge, u16::MAX)]), [RECORDED]);
    assert!(!state_key::OPEN.has(&*suite.storage(), id.get()));
}
