//! `submit_failures`: which codes an operator may sign, when they count, and who pays.

use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{
    ExecuteMsg, Failure, FailureCode, ItemOutcome, PartyId, RejectReason, RequestId, State, StoredResponse,
    state_key,
};

use crate::suite::{START, Suite, ciphertext, key_gen, payout, public_decrypt, signature, word};

const NO_INDEX: u16 = Failure::NO_INDEX;
const RECORDED: ItemOutcome = ItemOutcome::Recorded;

fn rejected(reason: RejectReason) -> ItemOutcome {
    ItemOutcome::Rejected(reason)
}

/// Codes that operators sign, and what each finder earns.
const CODES: [(FailureCode, u128); 10] = [
    (FailureCode::CiphertextUnavailable, 0),
    (FailureCode::CiphertextMismatch, 10),
    (FailureCode::CiphertextMalformed, 10),
    (FailureCode::WrongType, 10),
    (FailureCode::KeyUnavailable, 0),
    (FailureCode::UserSignature, 10),
    (FailureCode::NotPermitted, 10),
    (FailureCode::TooLarge, 10),
    (FailureCode::Unsupported, 0),
    (FailureCode::Internal, 0),
];

#[test]
fn each_code_fails_the_request_and_pays_those_who_found_the_requesters_fault() {
    for (code, fee) in CODES {
        let mut suite = Suite::new();
        let key_id = suite.key();
        let id = suite.decryption(key_id);
        let (before, earned) = (suite.balance(&suite.owner()), suite.credit(&payout(1)));
        suite.at(START + 30);
        assert_eq!(suite.report(vec![suite.failure(id, 1, code, 0)]), [RECORDED]);
        let view = suite.view(id);
        assert_eq!((view.state, view.reason.as_deref()), (State::Failed, Some(code.name())));
        assert_eq!(suite.balance(&suite.owner()), before + 117 - fee, "{code}");
        assert_eq!(suite.credit(&payout(1)), earned + fee, "{code}");
        assert_eq!(suite.newest_kinds(2), ["failure_recorded", "request_failed"]);
    }
}

#[test]
fn a_failure_is_kept_with_the_position_it_blames_and_told_as_an_event() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let id = suite.request(&suite.owner(), public_decrypt(key_id, vec![ciphertext(1), ciphertext(2)]));
    let failure = suite.failure(id, 1, FailureCode::WrongType, 1);
    let msg = ExecuteMsg::SubmitFailures { failures: vec![failure.clone()] };
    let done = suite.execute(&suite.stranger(), &msg, &[]).unwrap();
    let (party, code) = (PartyId(1), FailureCode::WrongType);
    let events = [
        Event::Failure { request_id: id, party, outcome: RECORDED, code },
        Event::Finished { request_id: id, state: State::Failed },
    ];
    assert_eq!(done.events, events);
    let raw = state_key::RESPONSE.may_load(&*suite.storage(), (id.get(), 1)).unwrap();
    let stored = StoredResponse::decode(&raw).unwrap();
    assert_eq!((stored.failure_index(), stored.receipt), (Some(1), signature(&failure.receipt)));
    assert_eq!(raw[raw.len() - 3..], [0, 0, 1]);
}

#[test]
fn codes_that_waiting_may_mend_count_from_half_the_time_on() {
    for (code, _) in CODES {
        let mut suite = Suite::threshold();
        let key_id = suite.key();
        let id = suite.decryption(key_id);
        suite.at(START + 29);
        let early = suite.report(vec![suite.failure(id, 1, code, NO_INDEX)]);
        if code.may_mend() {
            assert_eq!(early, [rejected(RejectReason::TooEarly)], "{code}");
            suite.at(START + 30);
            assert_eq!(suite.report(vec![suite.failure(id, 1, code, NO_INDEX)]), [RECORDED], "{code}");
        } else {
            assert_eq!(early, [RECORDED], "{code}");
        }
    }
}

#[test]
fn a_failure_that_is_not_one_is_rejected_for_its_own_reason_and_changes_nothing() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    let generation = suite.request(&suite.owner(), key_gen());
    let denied = suite.submit(&suite.stranger(), public_decrypt(key_id, vec![ciphertext(1)]), 117).unwrap();
    let honest = suite.failure(id, 1, FailureCode::WrongType, 0);
    let changed = |change: &dyn Fn(&mut Failure)| {
        let mut failure = honest.clone();
        change(&mut failure);
        failure
    };
    let cases = [
        (changed(&|f| f.code = 0), RejectReason::UnknownCode),
        (changed(&|f| f.code = 13), RejectReason::UnknownCode),
        (changed(&|f| f.code = 255), RejectReason::UnknownCode),
        (suite.failure(id, 1, FailureCode::ProofInvalid, 0), RejectReason::UnknownCode),
        (suite.failure(id, 1, FailureCode::Disagreement, 0), RejectReason::UnknownCode),
        (changed(&|f| f.code = 2), RejectReason::Receipt),
        (changed(&|f| f.index = NO_INDEX.into()), RejectReason::Receipt),
        (changed(&|f| f.party = PartyId(2)), RejectReason::Receipt),
        (changed(&|f| f.party = PartyId(5)), RejectReason::UnknownParty),
        (changed(&|f| f.epoch.0 = 2), RejectReason::WrongEpoch),
        (changed(&|f| f.request_id = RequestId(99)), RejectReason::UnknownRequest),
        (changed(&|f| f.request_id = denied.request_id), RejectReason::Denied),
        (suite.failure(id, 1, FailureCode::WrongType, 1), RejectReason::Index),
        (suite.failure(id, 1, FailureCode::WrongType, NO_INDEX - 1), RejectReason::Index),
        (suite.failure(generation, 1, FailureCode::Unsupported, 0), RejectReason::Index),
        (suite.failure(id, 1, FailureCode::Internal, 0), RejectReason::TooEarly),
    ];
    for (failure, reason) in cases {
        let before = suite.app.dump_wasm_raw(&suite.contract);
        assert_eq!(suite.report(vec![failure.clone()]), [rejected(reason)], "{failure:?}");
        assert_eq!(suite.app.dump_wasm_raw(&suite.contract), before, "{reason:?}");
    }
    assert_eq!(suite.report(vec![honest]), [RECORDED]);
}

#[test]
fn a_request_fails_as_soon_as_the_silent_cannot_save_it() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    suite.report(vec![suite.failure(id, 1, FailureCode::WrongType, 0)]);
    assert_eq!(suite.view(id).state, State::Pending);
    suite.respond(vec![suite.answer(id, 2, &word(7))]);
    assert_eq!(suite.view(id).state, State::Pending);
    suite.report(vec![suite.failure(id, 3, FailureCode::TooLarge, 0)]);
    let view = suite.view(id);
    assert_eq!((view.state, view.code), (State::Failed, Some(4)), "the lowest of equal codes");
    assert_eq!((view.answered, view.failed), (vec![PartyId(2)], vec![PartyId(1), PartyId(3)]));
}

/// The second failure already decides, so three finders only meet where two silent ones cannot be waited for.
#[test]
fn finders_below_a_majority_earn_nothing() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    let before = suite.balance(&suite.owner());
    suite.report(vec![
        suite.failure(id, 1, FailureCode::WrongType, 0),
        suite.failure(id, 2, FailureCode::WrongType, 0),
    ]);
    assert_eq!(suite.view(id).state, State::Failed);
    assert_eq!(suite.balance(&suite.owner()), before + 117);
    let LogBody::RequestFailed { credits, refund, treasury, .. } = suite.log().pop().unwrap().body else {
        panic!("request_failed")
    };
    assert_eq!((credits.len(), refund.u128(), treasury.u128()), (0, 117, 0));
}

#[test]
fn the_most_named_code_is_the_requests() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    suite.respond(vec![suite.answer(id, 1, &word(1)), suite.answer(id, 2, &word(2))]);
    suite.report(vec![suite.failure(id, 3, FailureCode::NotPermitted, NO_INDEX)]);
    let view = suite.view(id);
    assert_eq!((view.state, view.reason.as_deref()), (State::Failed, Some("not_permitted")));
}

#[test]
fn a_key_that_nobody_can_make_is_refunded_in_full() {
    let mut suite = Suite::new();
    let before = suite.balance(&suite.owner());
    let id = suite.request(&suite.owner(), key_gen());
    suite.report(vec![suite.failure(id, 1, FailureCode::Unsupported, NO_INDEX)]);
    assert_eq!(suite.view(id).state, State::Failed);
    assert_eq!(suite.balance(&suite.owner()), before);
}

#[test]
fn a_late_failure_is_kept_by_its_digest_and_fails_nothing() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    suite.at(START + 60);
    let failure = suite.failure(id, 1, FailureCode::WrongType, 0);
    assert_eq!(suite.report(vec![failure.clone()]), [ItemOutcome::Late]);
    assert_eq!(suite.report(vec![failure]), [ItemOutcome::Duplicate]);
    let raw = state_key::RESPONSE.may_load(&*suite.storage(), (id.get(), 1)).unwrap();
    assert_eq!(raw[76..], *kms_asc_api::Digest::sha256(&[0, 0]).as_bytes());
    assert_eq!(suite.view(id).failed, []);
}

#[test]
fn a_bad_failure_never_fails_its_neighbours() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let (first, second) = (suite.decryption(key_id), suite.decryption(key_id));
    let batch = vec![
        Failure { code: 0, ..suite.failure(first, 1, FailureCode::WrongType, 0) },
        suite.failure(second, 1, FailureCode::WrongType, 0),
    ];
    assert_eq!(suite.report(batch), [rejected(RejectReason::UnknownCode), RECORDED]);
    assert_eq!((suite.view(first).state, suite.view(second).state), (State::Pending, State::Failed));
}
