//! `cancel`: who may, when it takes effect, what ends it.

use cosmwasm_std::{Addr, Uint128};
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{CloseOutcome, EpochId, ExecuteMsg, FailureCode, ItemOutcome, RequestId, State, state_key};

use crate::suite::{Done, Refusal, START, Suite, account, ciphertext, key_gen, payout, public_decrypt, word};

const DELAY: u64 = 10;
const DEADLINE: u64 = START + 60;

fn cancel(suite: &mut Suite, sender: &Addr, request_id: RequestId) -> Result<Done, Refusal> {
    suite.execute(sender, &ExecuteMsg::Cancel { request_id }, &[])
}

#[test]
fn a_request_taken_back_ends_when_the_delay_has_passed_and_no_second_earlier() {
    let mut suite = Suite::new();
    let owner = suite.owner();
    let before = suite.balance(&owner);
    let id = suite.request(&owner, key_gen());
    suite.at(START + 5);
    let done = cancel(&mut suite, &owner, id).unwrap();
    assert!(done.data.is_none());
    assert_eq!(suite.log().pop().unwrap().body, LogBody::CancelRequested { cancel_at: START + 15 });
    assert_eq!(suite.view(id).cancel_at, Some(START + 15));
    assert_eq!(suite.balance(&owner), before - 1003, "money stays in escrow until then");

    suite.at(START + 5 + DELAY - 1);
    assert_eq!((suite.view(id).state, suite.view(id).due), (State::Pending, false));
    assert_eq!(suite.close(&[id]), [CloseOutcome::NotDue]);
    suite.at(START + 5 + DELAY);
    assert_eq!((suite.view(id).state, suite.view(id).due), (State::Cancelled, true));
    let msg = ExecuteMsg::Close { request_ids: vec![id, id] };
    let done = suite.execute(&account("passer-by"), &msg, &[]).unwrap();
    assert_eq!(done.events, [Event::Finished { request_id: id, state: State::Cancelled }]);
    assert_eq!(suite.balance(&owner), before, "all of the price comes back");
    let (refund, credits, treasury) = (Uint128::new(1003), vec![], Uint128::zero());
    assert_eq!(suite.log().pop().unwrap().body, LogBody::RequestCancelled { refund, credits, treasury });
    assert_eq!(suite.close(&[id]), [CloseOutcome::Already(State::Cancelled)]);
}

#[test]
fn only_the_requester_takes_a_request_back() {
    let mut suite = Suite::new();
    let id = suite.request(&suite.owner(), key_gen());
    for sender in [suite.stranger(), account("admin"), payout(1)] {
        assert_eq!(cancel(&mut suite, &sender, id).unwrap_err().code, "unauthorized");
    }
    let owner = suite.owner();
    assert_eq!(cancel(&mut suite, &owner, RequestId(9)).unwrap_err().code, "unknown_request");
}

#[test]
fn a_cancellation_under_way_cannot_be_put_off_or_hurried() {
    let mut suite = Suite::new();
    let owner = suite.owner();
    let id = suite.request(&owner, key_gen());
    cancel(&mut suite, &owner, id).unwrap();
    suite.at(START + 3);
    let refusal = cancel(&mut suite, &owner, id).unwrap_err();
    assert_eq!(refusal.code, "cancel_pending");
    assert!(refusal.text.contains(&(START + DELAY).to_string()), "{}", refusal.text);
}

#[test]
fn what_has_ended_or_is_due_cannot_be_taken_back() {
    let mut suite = Suite::new();
    let owner = suite.owner();
    let key_id = suite.key();
    let fulfilled = RequestId(key_id.get());
    let denied = suite.submit(&suite.stranger(), public_decrypt(key_id, vec![ciphertext(1)]), 117).unwrap();
    let (expired, due) = (suite.decryption(key_id), suite.decryption(key_id));
    suite.at(DEADLINE);
    suite.close(&[expired]);
    let stranger = suite.stranger();
    for (sender, id) in
        [(&owner, fulfilled), (&stranger, denied.request_id), (&owner, expired), (&owner, due)]
    {
        let refusal = cancel(&mut suite, sender, id).unwrap_err();
        assert_eq!(refusal.code, "not_pending", "request {id}");
    }
}

/// Of cancellation and deadline, the earlier one decides what the request becomes.
#[test]
fn a_deadline_before_the_cancellation_expires_the_request() {
    for (asked_at, end, state) in [
        (DEADLINE - DELAY - 1, DEADLINE - 1, State::Cancelled),
        (DEADLINE - DELAY, DEADLINE, State::Expired),
        (DEADLINE - 1, DEADLINE, State::Expired),
    ] {
        let mut suite = Suite::new();
        let owner = suite.owner();
        let id = suite.request(&owner, key_gen());
        suite.at(asked_at);
        cancel(&mut suite, &owner, id).unwrap();
        suite.at(end - 1);
        assert_eq!(suite.close(&[id]), [CloseOutcome::NotDue]);
        suite.at(end);
        assert_eq!(suite.close(&[id]), [CloseOutcome::Closed(state)]);
    }
}

#[test]
fn an_answer_or_a_failure_recorded_in_time_ends_the_cancellation() {
    let mut suite = Suite::threshold();
    let owner = suite.owner();
    let key_id = suite.key();
    let (answered, failed) = (suite.decryption(key_id), suite.decryption(key_id));
    for id in [answered, failed] {
        cancel(&mut suite, &owner, id).unwrap();
    }
    suite.at(START + DELAY - 1);
    suite.respond(vec![suite.answer(answered, 1, &word(7))]);
    assert_eq!(suite.newest_kinds(2), ["response_recorded", "cancel_lapsed"]);
    assert_eq!(suite.log().pop().unwrap().body, LogBody::CancelLapsed { cancel_at: START + DELAY });
    suite.report(vec![suite.failure(failed, 1, FailureCode::WrongType, 0)]);
    assert_eq!(suite.newest_kinds(2), ["failure_recorded", "cancel_lapsed"]);
    suite.at(START + DELAY);
    for id in [answered, failed] {
        let view = suite.view(id);
        assert_eq!((view.state, view.due, view.cancel_at), (State::Pending, false, None));
    }
    assert_eq!(suite.close(&[answered, failed]), [CloseOutcome::NotDue; 2]);

    // It may be asked for again, and lapses again.
    cancel(&mut suite, &owner, answered).unwrap();
    suite.respond((2..=3).map(|party| suite.answer(answered, party, &word(7))).collect());
    assert_eq!(suite.view(answered).state, State::Fulfilled);
    assert_eq!(
        suite.newest_kinds(4),
        ["response_recorded", "cancel_lapsed", "response_recorded", "request_fulfilled"]
    );
}

#[test]
fn what_is_not_recorded_in_time_does_not_end_the_cancellation() {
    let mut suite = Suite::threshold();
    let owner = suite.owner();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    suite.respond(vec![suite.answer(id, 1, &word(7))]);
    cancel(&mut suite, &owner, id).unwrap();
    let cancel_at = Some(START + DELAY);
    // A duplicate, an equivocation, a rejected answer: none of them is a new word.
    let mut foreign = suite.answer(id, 2, &word(7));
    foreign.external_signature = None;
    suite.respond(vec![suite.answer(id, 1, &word(7)), suite.answer(id, 1, &word(8)), foreign]);
    assert_eq!(suite.view(id).cancel_at, cancel_at);
    suite.at(START + DELAY);
    assert_eq!(suite.respond(vec![suite.answer(id, 2, &word(7))]), [ItemOutcome::Late]);
    assert_eq!(suite.view(id).cancel_at, cancel_at);
    assert_eq!(suite.close(&[id]), [CloseOutcome::Closed(State::Cancelled)]);
    assert_eq!(suite.respond(vec![suite.answer(id, 3, &word(7))]), [ItemOutcome::Late]);
}

#[test]
fn a_pause_does_not_keep_anybody_from_taking_a_request_back() {
    let mut suite = Suite::new();
    let owner = suite.owner();
    let id = suite.request(&owner, key_gen());
    suite.change_state(|storage| state_key::PAUSED.save(storage, &true).unwrap());
    cancel(&mut suite, &owner, id).unwrap();
    suite.at(START + DELAY);
    assert_eq!(suite.close(&[id]), [CloseOutcome::Closed(State::Cancelled)]);
}

fn revoke(suite: &mut Suite, at: u64) {
    suite.at(at);
    suite.change_state(|storage| {
        let mut epoch = state_key::EPOCH.load(storage, EpochId(1).get()).unwrap();
        epoch.revoked_at = Some(at);
        state_key::EPOCH.save(storage, EpochId(1).get(), &epoch).unwrap();
    });
}

#[test]
fn requests_of_a_revoked_epoch_are_closed_at_once_as_failed_and_refunded() {
    let mut suite = Suite::threshold();
    let owner = suite.owner();
    let key_id = suite.key();
    let before = suite.balance(&owner);
    let id = suite.decryption(key_id);
    suite.report(vec![suite.failure(id, 1, FailureCode::WrongType, 0)]);
    let earned = suite.credit(&payout(1));
    revoke(&mut suite, START + 7);
    assert_eq!(cancel(&mut suite, &owner, id).unwrap_err().code, "not_pending");
    assert_eq!(suite.close(&[id]), [CloseOutcome::Closed(State::Failed)]);
    assert_eq!(suite.view(id).reason.as_deref(), Some("key_unavailable"));
    assert_eq!(suite.balance(&owner), before, "nobody is paid for what was not decided");
    assert_eq!(suite.credit(&payout(1)), earned);
    let LogBody::RequestFailed { code, refund, credits, .. } = suite.log().pop().unwrap().body else {
        panic!()
    };
    assert_eq!((code, refund.u128(), credits.len()), (FailureCode::KeyUnavailable, 117, 0));
}

/// Whoever closes, and whenever: the earlier of revocation, cancellation and deadline decides.
#[test]
fn of_cancellation_and_revocation_the_earlier_decides() {
    for (revoked_at, state) in [(START + 9, State::Failed), (START + 10, State::Cancelled)] {
        let mut suite = Suite::new();
        let owner = suite.owner();
        let id = suite.request(&owner, key_gen());
        cancel(&mut suite, &owner, id).unwrap();
        revoke(&mut suite, revoked_at);
        suite.at(START + 100);
        assert_eq!(suite.close(&[id]), [CloseOutcome::Closed(state)]);
    }
}
