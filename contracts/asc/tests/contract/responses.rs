//! `submit_responses`: what counts, what does not, and what a quorum brings about.

use cosmwasm_std::Binary;
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{
    Digest, Eip712Domain, FheType, ItemOutcome, KeyId, KeyState, Operation, PartyId, PublicDecrypt,
    RejectReason, RequestId, State, StoredResponse, payload, state_key,
};

use crate::suite::{
    START, Suite, SuiteBuilder, ciphertext, key_gen, public_decrypt, sign, signature, typed_ciphertext, word,
};

const RECORDED: ItemOutcome = ItemOutcome::Recorded;

fn rejected(reason: RejectReason) -> ItemOutcome {
    ItemOutcome::Rejected(reason)
}

#[test]
fn one_operators_answer_makes_a_key_and_reserves_its_digests_and_domain() {
    let mut suite = Suite::new();
    let id = suite.request(&suite.owner(), key_gen());
    suite.at(START + 9);
    let bytes = suite.key_payload(id);
    let msg = kms_asc_api::ExecuteMsg::SubmitResponses { responses: vec![suite.answer(id, 1, &bytes)] };
    let done = suite.execute(&suite.stranger(), &msg, &[]).unwrap();
    let key_id = KeyId::from(id);
    let events = [
        Event::Response { request_id: id, party: PartyId(1), outcome: RECORDED },
        Event::Finished { request_id: id, state: State::Fulfilled },
        Event::Key { key_id, state: KeyState::Active },
    ];
    assert_eq!(done.events, events);
    assert_eq!(suite.newest_kinds(3), ["response_recorded", "request_fulfilled", "key_activated"]);

    let LogBody::KeyActivated { key } = suite.log().pop().unwrap().body else { panic!("key_activated") };
    assert_eq!((key.id, key.state, key.owner.as_str()), (key_id, KeyState::Active, suite.owner().as_str()));
    assert_eq!((key.generation, key.imported, key.epoch), (1, false, suite.epoch.id));
    assert_eq!((key.height, key.time), (101, START + 9));
    assert_eq!(key.digests, payload::decode_key_digests(&bytes).unwrap());
    assert_eq!(key.domain, suite.default_domain(key_id));
    let storage = suite.storage();
    for part in &key.digests {
        assert_eq!(state_key::DIGEST.load(&*storage, part.digest.as_bytes()).unwrap(), id);
    }
    assert_eq!(state_key::DOMAIN.load(&*storage, key.domain.separator().as_bytes()).unwrap(), key_id);
}

#[test]
fn a_decryption_is_fulfilled_and_its_answer_kept_byte_for_byte() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let operation = public_decrypt(key_id, vec![ciphertext(1), typed_ciphertext(2, FheType::Uint512)]);
    let id = suite.request(&suite.owner(), operation);
    let bytes = [word(7), word(1), word(2)].concat();
    let answer = suite.answer(id, 1, &bytes);
    assert_eq!(suite.respond(vec![answer.clone()]), [RECORDED]);

    let raw = state_key::RESPONSE.may_load(&*suite.storage(), (id.get(), 1)).unwrap();
    let expected = StoredResponse {
        epoch: answer.epoch,
        outcome: kms_asc_api::Outcome::Answer,
        late: false,
        receipt: signature(&answer.receipt),
        external_signature: answer.external_signature.as_ref().map(signature),
        payload: bytes.clone(),
    };
    assert_eq!(raw, expected.encode());
    let view = suite.view(id);
    assert_eq!((view.state, view.winner), (State::Fulfilled, Some(PartyId(1))));
    assert_eq!(view.answered, [PartyId(1)]);
    let LogBody::RequestFulfilled { payload_digest, .. } = suite.log().pop().unwrap().body else {
        panic!("request_fulfilled")
    };
    assert_eq!(payload_digest, Some(Digest::sha256(&bytes)));
}

#[test]
fn the_answer_is_signed_under_the_requests_domain_over_its_extra_data() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let other = Eip712Domain { name: "Other".to_owned(), ..suite.default_domain(key_id) };
    let separator = other.separator();
    suite.change_state(|storage| state_key::DOMAIN.save(storage, separator.as_bytes(), &key_id).unwrap());
    let request = PublicDecrypt {
        key_id,
        ciphertexts: vec![ciphertext(1)],
        domain: Some(other),
        extra_data: Binary::from(b"extra"),
    };
    let id = suite.request(&suite.owner(), Operation::PublicDecrypt(request.clone()));
    let honest = suite.answer(id, 1, &word(7));
    let handles = || request.ciphertexts.iter().map(|c| &c.handle);
    let default = suite.default_domain(key_id);
    let under_default = kms_asc_api::eip712::public_decrypt_hash(&default, handles(), &word(7), b"extra");
    let domain = request.domain.clone().unwrap();
    let without_extra = kms_asc_api::eip712::public_decrypt_hash(&domain, handles(), &word(7), b"");
    for wrong in [under_default, without_extra] {
        let mut answer = honest.clone();
        answer.external_signature = Some(sign(1, &wrong).into());
        assert_eq!(suite.respond(vec![answer]), [rejected(RejectReason::ExternalSignature)]);
    }
    assert_eq!(suite.respond(vec![honest]), [RECORDED]);
}

#[test]
fn three_equal_answers_of_four_decide_and_two_do_not() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    assert_eq!(suite.respond(vec![suite.answer(id, 4, &word(7))]), [RECORDED]);
    assert_eq!(suite.respond(vec![suite.answer(id, 2, &word(7))]), [RECORDED]);
    assert_eq!(suite.view(id).state, State::Pending);
    assert_eq!(suite.respond(vec![suite.answer(id, 3, &word(7))]), [RECORDED]);
    let view = suite.view(id);
    assert_eq!((view.state, view.winner), (State::Fulfilled, Some(PartyId(2))));
    assert_eq!(view.answered, [2, 3, 4].map(PartyId));
}

#[test]
fn a_lonely_answer_neither_counts_for_the_others_nor_earns() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    let answers =
        [(1, 9), (2, 7), (3, 7), (4, 7)].map(|(party, value)| suite.answer(id, party, &word(value)));
    assert_eq!(suite.respond(answers.to_vec()), [RECORDED; 4]);
    let LogBody::RequestFulfilled { payload_digest, credits, .. } = suite.log().pop().unwrap().body else {
        panic!("request_fulfilled")
    };
    assert_eq!(payload_digest, Some(Digest::sha256(&word(7))));
    assert_eq!(credits.iter().map(|c| c.party.get()).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(suite.view(id).winner, Some(PartyId(2)));
}

#[test]
fn answers_that_can_no_longer_agree_end_in_disagreement() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    suite.respond(vec![suite.answer(id, 1, &word(1)), suite.answer(id, 2, &word(2))]);
    assert_eq!(suite.view(id).state, State::Pending);
    let before = suite.balance(&suite.owner());
    suite.respond(vec![suite.answer(id, 3, &word(3))]);
    let view = suite.view(id);
    assert_eq!(
        (view.state, view.code, view.reason.as_deref()),
        (State::Failed, Some(12), Some("disagreement"))
    );
    assert_eq!(suite.balance(&suite.owner()), before + 117);
}

#[test]
fn the_same_receipt_again_changes_nothing() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    let answer = suite.answer(id, 1, &word(7));
    assert_eq!(suite.respond(vec![answer.clone(), answer.clone()]), [RECORDED, ItemOutcome::Duplicate]);
    let before = suite.app.dump_wasm_raw(&suite.contract);
    assert_eq!(suite.respond(vec![answer]), [ItemOutcome::Duplicate]);
    assert_eq!(suite.app.dump_wasm_raw(&suite.contract), before);
}

#[test]
fn an_answer_counts_up_to_the_last_second_and_is_late_from_the_end_on() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    let end = suite.body(id).deadline.unwrap();
    suite.at(end - 1);
    assert_eq!(suite.respond(vec![suite.answer(id, 1, &word(7))]), [RECORDED]);
    suite.at(end);
    let late: Vec<_> = [2, 3, 4].map(|party| suite.answer(id, party, &word(7))).into();
    assert_eq!(suite.respond(late.clone()), [ItemOutcome::Late; 3]);
    assert_eq!(suite.newest_kinds(3), ["response_late"; 3]);
    assert_eq!(suite.respond(late), [ItemOutcome::Duplicate; 3]);
    let view = suite.view(id);
    assert_eq!((view.state, view.due, view.answered), (State::Expired, true, vec![PartyId(1)]));
}

#[test]
fn an_answer_after_the_decision_leaves_digest_and_receipt_and_earns_nothing() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    suite.respond((1..=3).map(|party| suite.answer(id, party, &word(7))).collect());
    let answer = suite.answer(id, 4, &word(7));
    let msg = kms_asc_api::ExecuteMsg::SubmitResponses { responses: vec![answer.clone()] };
    let done = suite.execute(&suite.stranger(), &msg, &[]).unwrap();
    let event = Event::Response { request_id: id, party: PartyId(4), outcome: ItemOutcome::Late };
    assert_eq!(done.events, [event]);
    let raw = state_key::RESPONSE.may_load(&*suite.storage(), (id.get(), 4)).unwrap();
    let stored = StoredResponse::decode(&raw).unwrap();
    assert!(stored.late);
    assert_eq!((stored.receipt, stored.external_signature), (signature(&answer.receipt), None));
    assert_eq!(stored.payload, Digest::sha256(&word(7)).as_bytes());
    assert_eq!(suite.view(id).answered, [1, 2, 3].map(PartyId));
}

#[test]
fn a_bad_item_never_fails_its_neighbours() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let (first, second) = (suite.decryption(key_id), suite.decryption(key_id));
    let mut bad = suite.answer(second, 1, &word(8));
    bad.request_id = RequestId(77);
    let batch = vec![suite.answer(first, 1, &word(7)), bad, suite.answer(second, 1, &word(8))];
    assert_eq!(suite.respond(batch), [RECORDED, rejected(RejectReason::UnknownRequest), RECORDED]);
    assert_eq!((suite.view(first).state, suite.view(second).state), (State::Fulfilled, State::Fulfilled));
}

#[test]
fn an_item_that_is_not_one_is_rejected_for_its_own_reason_and_changes_nothing() {
    let mut suite = SuiteBuilder::threshold().config(|c| c.limits.payload = 128).build();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    let generation = suite.request(&suite.owner(), key_gen());
    let denied = suite.submit(&suite.stranger(), public_decrypt(key_id, vec![ciphertext(1)]), 117).unwrap();
    let honest = suite.answer(id, 1, &word(7));
    let changed = |change: &dyn Fn(&mut kms_asc_api::Answer)| {
        let mut answer = honest.clone();
        change(&mut answer);
        answer
    };
    let swapped = {
        let bytes = suite.key_payload(generation);
        [&bytes[33..], &bytes[..33]].concat()
    };
    let registered = suite.key_payload(key_id.get().to_string().parse().unwrap());
    let cases = [
        (changed(&|a| a.request_id = RequestId(99)), RejectReason::UnknownRequest),
        (changed(&|a| a.request_id = denied.request_id), RejectReason::Denied),
        (changed(&|a| a.epoch.0 = 2), RejectReason::WrongEpoch),
        (changed(&|a| a.party = PartyId(0)), RejectReason::UnknownParty),
        (changed(&|a| a.party = PartyId(5)), RejectReason::UnknownParty),
        (changed(&|a| a.party = PartyId(u32::MAX)), RejectReason::UnknownParty),
        (changed(&|a| a.payload = word(8).into()), RejectReason::Receipt),
        (changed(&|a| a.party = PartyId(2)), RejectReason::Receipt),
        (changed(&|a| a.external_signature = None), RejectReason::ExternalSignature),
        (changed(&|a| a.external_signature = Some(a.receipt.clone())), RejectReason::ExternalSignature),
        (suite.answer(id, 1, &[]), RejectReason::Payload),
        (suite.answer(id, 1, &[0; 31]), RejectReason::Payload),
        (suite.answer(id, 1, &[0; 64]), RejectReason::Payload),
        (suite.answer(id, 1, &[0; 129]), RejectReason::PayloadTooLarge),
        (suite.answer(generation, 1, &swapped), RejectReason::Payload),
        (suite.answer(generation, 1, &[]), RejectReason::Payload),
        (suite.answer(generation, 1, &registered), RejectReason::DigestRegistered),
    ];
    for (answer, reason) in cases {
        let before = suite.app.dump_wasm_raw(&suite.contract);
        assert_eq!(suite.respond(vec![answer.clone()]), [rejected(reason)], "{answer:?}");
        assert_eq!(suite.app.dump_wasm_raw(&suite.contract), before, "{reason:?}");
    }
    assert_eq!(suite.respond(vec![honest]), [RECORDED]);
}

#[test]
fn an_empty_batch_has_no_outcomes() {
    let mut suite = Suite::new();
    assert_eq!(suite.respond(vec![]), []);
    assert_eq!(suite.report(vec![]), []);
}
