//! What dishonest parties, relayers and requesters try.

use cosmwasm_std::{Binary, coins};
use kms_asc_api::eip712::Receipt;
use kms_asc_api::{
    Answer, Digest, EpochId, ExecuteMsg, Failure, FailureCode, ItemOutcome, KeyId, Outcome, PartyId,
    RejectReason, RequestId, State, payload,
};

use crate::suite::{
    DENOM, START, Suite, account, ciphertext, key_gen, other_forms, payout, public_decrypt, sign, signature,
    word,
};

const RECORDED: ItemOutcome = ItemOutcome::Recorded;
const BAD_RECEIPT: ItemOutcome = ItemOutcome::Rejected(RejectReason::Receipt);
const BAD_EXTERNAL: ItemOutcome = ItemOutcome::Rejected(RejectReason::ExternalSignature);

/// Four operators with a key and a pending decryption.
fn pending() -> (Suite, KeyId, RequestId) {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    (suite, key_id, id)
}

#[test]
fn one_party_that_answers_three_times_is_one_party() {
    let (mut suite, _, id) = pending();
    let answer = suite.answer(id, 1, &word(7));
    let outcomes = suite.respond(vec![answer.clone(), answer.clone(), answer]);
    assert_eq!(outcomes, [RECORDED, ItemOutcome::Duplicate, ItemOutcome::Duplicate]);
    assert_eq!((suite.view(id).state, suite.view(id).answered), (State::Pending, vec![PartyId(1)]));
}

#[test]
fn one_party_cannot_speak_for_another() {
    let (mut suite, _, id) = pending();
    for named in 2..=4 {
        let honest = suite.answer(id, named, &word(7));
        let receipt = suite.receipt(id, named, Outcome::Answer, &word(7)).signing_hash();
        let forged = Answer { receipt: sign(1, &receipt).into(), ..honest.clone() };
        assert_eq!(suite.respond(vec![forged]), [BAD_RECEIPT]);
        let external = sign(1, &suite.external_hash(id, &word(7)));
        let forged = Answer { external_signature: Some(external.into()), ..honest };
        assert_eq!(suite.respond(vec![forged]), [BAD_EXTERNAL]);
    }
    assert_eq!(suite.view(id).answered, []);
}

#[test]
fn somebody_outside_the_epoch_is_nobody() {
    let (mut suite, _, id) = pending();
    let stranger = suite.answer(id, 9, &word(7));
    let unknown = ItemOutcome::Rejected(RejectReason::UnknownParty);
    assert_eq!(suite.respond(vec![stranger.clone()]), [unknown]);
    assert_eq!(suite.respond(vec![Answer { party: PartyId(1), ..stranger }]), [BAD_RECEIPT]);
}

/// Each fact that a receipt signs, replaced by another's.
#[test]
fn a_receipt_of_another_chain_contract_request_epoch_party_or_outcome_is_worthless() {
    let (mut suite, key_id, id) = pending();
    let other = suite.request(&suite.owner(), public_decrypt(key_id, vec![ciphertext(2)]));
    let elsewhere = account("another contract").to_string();
    let honest = suite.answer(id, 1, &word(7));
    let true_one = || suite.receipt(id, 1, Outcome::Answer, &word(7));
    let others_hash = suite.receipt(other, 1, Outcome::Answer, &word(7)).request_hash;
    let replaced = [
        Receipt { chain_id: "kms-test-2", ..true_one() },
        Receipt { contract: &elsewhere, ..true_one() },
        Receipt { request_id: other, ..true_one() },
        Receipt { request_hash: others_hash, ..true_one() },
        Receipt { epoch: EpochId(2), ..true_one() },
        Receipt { party: PartyId(2), ..true_one() },
        Receipt { outcome: Outcome::Failure(FailureCode::WrongType), ..true_one() },
        Receipt { payload_digest: Digest::sha256(&word(8)), ..true_one() },
    ];
    let replayed: Vec<_> = replaced
        .iter()
        .map(|receipt| Answer { receipt: sign(1, &receipt.signing_hash()).into(), ..honest.clone() })
        .collect();
    assert_eq!(suite.respond(replayed), [BAD_RECEIPT; 8]);
    assert_eq!(suite.respond(vec![honest]), [RECORDED]);
}

#[test]
fn an_answer_to_one_request_does_not_answer_an_equal_one() {
    let (mut suite, key_id, id) = pending();
    let equal = suite.decryption(key_id);
    let moved = Answer { request_id: equal, ..suite.answer(id, 1, &word(7)) };
    assert_eq!(suite.respond(vec![moved]), [BAD_RECEIPT]);
}

#[test]
fn a_signature_has_one_form_only() {
    let (mut suite, _, id) = pending();
    let honest = suite.answer(id, 1, &word(7));
    for receipt in other_forms(&signature(&honest.receipt)).map(Binary::from) {
        assert_eq!(suite.respond(vec![Answer { receipt, ..honest.clone() }]), [BAD_RECEIPT]);
    }
    for external in other_forms(&signature(honest.external_signature.as_ref().unwrap())).map(Binary::from) {
        let answer = Answer { external_signature: Some(external), ..honest.clone() };
        assert_eq!(suite.respond(vec![answer]), [BAD_EXTERNAL]);
    }
    for bytes in [vec![0; 65], vec![0xff; 65], vec![1; 64], vec![1; 66], vec![]] {
        let answer = Answer { receipt: bytes.into(), ..honest.clone() };
        assert_eq!(suite.respond(vec![answer]), [BAD_RECEIPT]);
    }
    assert_eq!(suite.respond(vec![honest]), [RECORDED]);
}

/// Who sends an answer neither adds to it nor takes from it: anyone may relay, and only the party earns.
#[test]
fn the_sender_of_an_answer_is_irrelevant() {
    let (mut suite, _, id) = pending();
    let earned = suite.credit(&payout(2));
    for (party, sender) in [(1, payout(2)), (2, account("admin")), (3, suite.stranger())] {
        let msg = ExecuteMsg::SubmitResponses { responses: vec![suite.answer(id, party, &word(7))] };
        suite.execute(&sender, &msg, &[]).unwrap();
    }
    assert_eq!(suite.view(id).answered, [1, 2, 3].map(PartyId));
    assert_eq!(suite.credit(&payout(2)), earned + 35);
    assert_eq!((suite.credit(&account("admin")), suite.credit(&suite.stranger())), (0, 0));
}

#[test]
fn the_operators_themselves_may_not_decrypt_what_is_not_theirs() {
    let (mut suite, key_id, _) = pending();
    suite.respond(vec![]);
    suite.withdraw(&payout(1), None).unwrap();
    for asking in [payout(1), account("stranger")] {
        let operation = public_decrypt(key_id, vec![ciphertext(1)]);
        let data = suite.submit(&asking, operation, 117).unwrap();
        assert_eq!(suite.view(data.request_id).reason.as_deref(), Some("permission"));
        let answer = Answer { request_id: data.request_id, ..suite.answer(RequestId(2), 1, &word(7)) };
        assert_eq!(suite.respond(vec![answer]), [ItemOutcome::Rejected(RejectReason::Denied)]);
    }
}

#[test]
fn who_signs_two_answers_is_recorded_once_and_the_first_stands() {
    let (mut suite, _, id) = pending();
    let [first, second, third] = [7, 8, 9].map(|value| suite.answer(id, 1, &word(value)));
    assert_eq!(suite.respond(vec![first.clone()]), [RECORDED]);
    assert_eq!(suite.respond(vec![second.clone()]), [ItemOutcome::Equivocation]);
    let before = suite.app.dump_wasm_raw(&suite.contract);
    assert_eq!(suite.respond(vec![second, third]), [ItemOutcome::Equivocation; 2]);
    assert_eq!(suite.respond(vec![first]), [ItemOutcome::Duplicate]);
    assert_eq!(suite.app.dump_wasm_raw(&suite.contract), before);
    assert_eq!(suite.view(id).equivocated, [PartyId(1)]);
    suite.respond((2..=3).map(|party| suite.answer(id, party, &word(7))).collect());
    assert_eq!((suite.view(id).state, suite.view(id).winner), (State::Fulfilled, Some(PartyId(1))));
}

#[test]
fn answering_and_failing_is_equivocation_in_either_order_and_also_when_late() {
    let (mut suite, key_id, id) = pending();
    let failure = suite.failure(id, 1, FailureCode::WrongType, 0);
    assert_eq!(suite.respond(vec![suite.answer(id, 1, &word(7))]), [RECORDED]);
    assert_eq!(suite.report(vec![failure]), [ItemOutcome::Equivocation]);
    assert_eq!(suite.report(vec![suite.failure(id, 2, FailureCode::WrongType, 0)]), [RECORDED]);
    let other = suite.failure(id, 2, FailureCode::TooLarge, 0);
    assert_eq!(suite.report(vec![other]), [ItemOutcome::Equivocation]);
    assert_eq!(suite.respond(vec![suite.answer(id, 2, &word(7))]), [ItemOutcome::Equivocation]);

    let expired = suite.decryption(key_id);
    suite.at(START + 60);
    suite.close(&[expired]);
    assert_eq!(suite.respond(vec![suite.answer(expired, 3, &word(7))]), [ItemOutcome::Late]);
    assert_eq!(suite.respond(vec![suite.answer(expired, 3, &word(8))]), [ItemOutcome::Equivocation]);
    let view = suite.view(expired);
    assert_eq!((view.state, view.equivocated), (State::Expired, vec![PartyId(3)]));
}

/// Otherwise a later key could pass for an earlier one.
#[test]
fn digests_of_one_key_never_become_anothers() {
    let mut suite = Suite::new();
    let first = suite.key();
    let second = suite.request(&suite.owner(), key_gen());
    let firsts = suite.key_payload(RequestId(first.get()));
    let own = suite.key_payload(second);
    let registered = ItemOutcome::Rejected(RejectReason::DigestRegistered);
    for bytes in [firsts.clone(), [&own[..33], &firsts[33..]].concat(), [&firsts[..33], &own[33..]].concat()]
    {
        assert_eq!(suite.respond(vec![suite.answer(second, 1, &bytes)]), [registered]);
    }
    assert!(payload::decode_key_digests(&own).is_ok());
    assert_eq!(suite.respond(vec![suite.answer(second, 1, &own)]), [RECORDED]);
}

/// Two requests, equal answers, one batch: the first makes the key, the second is refused from then on.
#[test]
fn equal_keys_in_one_batch_are_one_key() {
    let mut suite = Suite::new();
    let (first, second) =
        (suite.request(&suite.owner(), key_gen()), suite.request(&suite.owner(), key_gen()));
    let bytes = suite.key_payload(first);
    let batch = vec![suite.answer(first, 1, &bytes), suite.answer(second, 1, &bytes)];
    let registered = ItemOutcome::Rejected(RejectReason::DigestRegistered);
    assert_eq!(suite.respond(batch), [RECORDED, registered]);
    assert_eq!(suite.view(second).state, State::Pending);
}

#[test]
fn a_key_exists_at_quorum_and_not_before() {
    let mut suite = Suite::threshold();
    let id = suite.request(&suite.owner(), key_gen());
    let bytes = suite.key_payload(id);
    suite.respond((1..=2).map(|party| suite.answer(id, party, &bytes)).collect());
    let operation = public_decrypt(KeyId::from(id), vec![ciphertext(1)]);
    assert_eq!(suite.submit(&suite.owner(), operation, 10_000).unwrap_err().code, "unknown_key");
}

#[test]
fn messages_that_are_none_change_nothing() {
    let (mut suite, _, _) = pending();
    let texts = [
        "".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        r#"{"mint":{}}"#.to_owned(),
        r#"{"withdraw":{"amount":"1"}}"#.to_owned(),
        r#"{"withdraw":{},"pause":{}}"#.to_owned(),
        r#"{"close":{"request_ids":["1"]}}"#.to_owned(),
        r#"{"close":{"request_ids":[-1]}}"#.to_owned(),
        r#"{"submit_request":{"operation":{"key_gen":{"params":"default"}}}}"#.to_owned(),
    ];
    for text in texts {
        let refusal = suite.execute_raw(&suite.owner(), Binary::from(text.as_bytes()), &[]);
        assert!(refusal.is_err(), "{text}");
    }
    let well_formed =
        br#"{"submit_request":{"operation":{"key_gen":{"params":"default","source":"generate"}}}}"#;
    let sent = suite.execute_raw(&suite.owner(), Binary::from(well_formed), &coins(1003, DENOM));
    assert!(sent.is_ok(), "ttl and callback may be absent");
}

#[test]
fn an_item_of_the_wrong_shape_fails_alone() {
    let (mut suite, _, id) = pending();
    let [first, second] = [1, 2].map(|party| suite.answer(id, party, &word(7)));
    let short = Binary::from([1; 64]);
    let bad_receipt = Answer { receipt: short.clone(), ..second.clone() };
    let bad_external = Answer { external_signature: Some(short.clone()), ..second.clone() };
    let outcomes = suite.respond(vec![bad_receipt, bad_external, first]);
    assert_eq!(outcomes, [BAD_RECEIPT, BAD_EXTERNAL, RECORDED]);
    let failure = suite.failure(id, 2, FailureCode::WrongType, 0);
    let bad = [
        (Failure { receipt: short, ..failure.clone() }, RejectReason::Receipt),
        (Failure { code: 256 + 4, ..failure.clone() }, RejectReason::UnknownCode),
        (Failure { index: 65_536, ..failure.clone() }, RejectReason::Index),
    ];
    let (items, reasons): (Vec<_>, Vec<_>) = bad.into_iter().unzip();
    let outcomes = suite.report([items, vec![failure]].concat());
    let expected: Vec<_> = reasons.into_iter().map(ItemOutcome::Rejected).chain([RECORDED]).collect();
    assert_eq!(outcomes, expected);
}
