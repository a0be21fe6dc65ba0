//! Callbacks: who gets one, with what, when; and what a hostile receiver can do with it, which is nothing.

use cosmwasm_std::{Addr, coins};
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{
    Callback, CloseOutcome, EndState, ExecuteMsg, FailureCode, ItemOutcome, KeyId, KmsResult, Operation,
    RequestId, Solvency, State, operators_share,
};
use kms_test_receiver::Manner;

use crate::suite::{
    CALLBACK_GAS, DENOM, START, Suite, account, ciphertext, key_gen, payout, public_decrypt, word,
};

/// A contract that owns a key, made at its request.
fn with_key(suite: &mut Suite) -> (Addr, KeyId) {
    let receiver = suite.receiver();
    let id = suite.ask_as(&receiver, key_gen());
    let payload = suite.key_payload(id);
    let majority = suite.epoch.majority;
    suite.respond((1..=majority).map(|party| suite.answer(id, party, &payload)).collect());
    (receiver, KeyId::from(id))
}

fn decryption(key_id: KeyId) -> Operation {
    public_decrypt(key_id, vec![ciphertext(1)])
}

fn result(id: RequestId, state: EndState, outcome: u32, payload: Option<Vec<u8>>) -> KmsResult {
    KmsResult { request_id: id.get(), state, outcome, payload: payload.map(Into::into) }
}

#[test]
fn a_contract_is_called_with_the_answer_and_pays_for_the_gas() {
    let mut suite = Suite::threshold();
    let (receiver, key_id) = with_key(&mut suite);
    let key_payload = suite.key_payload(RequestId(key_id.get()));
    let made = result(RequestId(key_id.get()), EndState::Fulfilled, 0, Some(key_payload));
    assert_eq!(suite.results(&receiver), std::slice::from_ref(&made));

    let (before, earned) = (suite.balance(&receiver), suite.credit(&payout(1)));
    let id = suite.ask_as(&receiver, decryption(key_id));
    // 101 + 10 + 2 KiB of 3, and 200 times 1,000 gas at 2.
    assert_eq!(before - suite.balance(&receiver), 117 + 400);
    suite.respond((1..=2).map(|party| suite.answer(id, party, &word(7))).collect());
    assert_eq!(suite.results(&receiver).len(), 1, "two of four decide nothing");
    suite.respond(vec![suite.answer(id, 3, &word(7))]);
    assert_eq!(suite.results(&receiver), [made, result(id, EndState::Fulfilled, 0, Some(word(7)))]);
    let callback = Some(Callback { gas_limit: CALLBACK_GAS });
    let share = operators_share(&suite.config, 517u128.into(), callback.as_ref()).unwrap().u128();
    assert_eq!(share, 117 * 9 / 10 + 400, "operators get all of the callback's price");
    assert_eq!(suite.credit(&payout(1)) - earned, share / 3);
    assert_eq!(suite.respond(vec![suite.answer(id, 4, &word(7))]), [ItemOutcome::Late]);
    assert_eq!(suite.results(&receiver).len(), 2, "a request ends once");
}

#[test]
fn every_end_calls_back_after_the_refund() {
    let mut suite = Suite::new();
    let (receiver, key_id) = with_key(&mut suite);
    let start = suite.balance(&receiver);
    let wrong_type = suite.ask_as(&receiver, decryption(key_id));
    suite.report(vec![suite.failure(wrong_type, 1, FailureCode::WrongType, 0)]);
    let expected = result(wrong_type, EndState::Failed, 4, None);
    assert_eq!(suite.results(&receiver).pop(), Some(expected));
    assert_eq!(start - suite.balance(&receiver), 10, "the failure fee");

    let cancelled = suite.ask_as(&receiver, decryption(key_id));
    let expired = suite.ask_as(&receiver, decryption(key_id));
    let cancel = suite.message(&ExecuteMsg::Cancel { request_id: cancelled }, vec![]);
    suite.send_as(&receiver, vec![cancel]).unwrap();
    suite.at(START + 60);
    suite.close(&[cancelled, expired]);
    let results = suite.results(&receiver);
    let expected =
        [result(cancelled, EndState::Cancelled, 0, None), result(expired, EndState::Expired, 0, None)];
    assert_eq!(results[results.len() - 2..], expected);
    assert_eq!(start - suite.balance(&receiver), 10);

    let revoked = suite.ask_as(&receiver, decryption(key_id));
    suite.revoke_epoch(suite.epoch.id);
    suite.close(&[revoked]);
    assert_eq!(suite.results(&receiver).pop(), Some(result(revoked, EndState::Failed, 5, None)));
}

#[test]
fn a_denied_request_calls_nobody_back() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let receiver = suite.receiver();
    let submission = suite.submission_with(decryption(key_id), CALLBACK_GAS);
    let done = suite.send_as(&receiver, vec![submission]).unwrap();
    let [Event::Request { state, .. }] = done.events[..] else { panic!("{:?}", done.events) };
    assert_eq!(state, State::Denied);
    assert_eq!(suite.results(&receiver), []);
}

#[test]
fn only_a_contract_is_called_and_only_within_the_limit_of_gas() {
    let mut suite = Suite::new();
    let receiver = suite.receiver();
    let limit = suite.config.limits.callback_gas;
    let submit = |gas_limit| ExecuteMsg::SubmitRequest {
        operation: Box::new(key_gen()),
        ttl: None,
        callback: Some(Callback { gas_limit }),
    };
    for sender in [suite.owner(), account("admin")] {
        let funds = if sender == suite.owner() { coins(10_000, DENOM) } else { vec![] };
        let refusal = suite.execute(&sender, &submit(1), &funds).unwrap_err();
        assert_eq!(refusal.code, "callback_refused");
    }
    for gas_limit in [0, limit + 1, u64::MAX] {
        let message = suite.message(&submit(gas_limit), coins(10_000, DENOM));
        assert_eq!(suite.send_as(&receiver, vec![message]).unwrap_err().code, "callback_refused");
    }
    for gas_limit in [1, limit] {
        let submission = suite.submission_with(key_gen(), gas_limit);
        suite.send_as(&receiver, vec![submission]).unwrap();
    }
}

#[test]
fn a_callback_that_fails_is_logged_and_changes_nothing_else() {
    let mut suite = Suite::new();
    let (receiver, key_id) = with_key(&mut suite);
    suite.behave(&receiver, Manner::Fail("e".repeat(1000)));
    let earned = suite.credit(&payout(1));
    let id = suite.ask_as(&receiver, decryption(key_id));
    assert_eq!(suite.respond(vec![suite.answer(id, 1, &word(7))]), [ItemOutcome::Recorded]);
    assert_eq!(suite.view(id).state, State::Fulfilled);
    assert!(suite.credit(&payout(1)) > earned);
    assert_eq!(suite.newest_kinds(3), ["response_recorded", "request_fulfilled", "callback_failed"]);
    let entry = suite.log().pop().unwrap();
    assert_eq!((entry.actor, entry.request_id), (suite.contract.to_string(), Some(id)));
    let LogBody::CallbackFailed { error } = entry.body else { panic!() };
    assert!(!error.is_empty() && error.len() <= 256, "{} bytes", error.len());
    assert_eq!(suite.results(&receiver).len(), 1, "what it wrote is undone");
}

/// The chain's word may be of any characters; it is cut between two of them.
#[test]
fn a_long_error_is_cut_at_a_character() {
    let mut suite = Suite::new();
    let (receiver, key_id) = with_key(&mut suite);
    for shift in 0..4 {
        suite.behave(&receiver, Manner::Fail("x".repeat(shift) + &"\u{1f511}".repeat(300)));
        let id = suite.ask_as(&receiver, decryption(key_id));
        suite.respond(vec![suite.answer(id, 1, &word(7))]);
        assert_eq!(suite.newest_kinds(1), ["callback_failed"]);
    }
}

#[test]
fn a_hostile_callback_harms_no_neighbour_in_its_batch() {
    let mut suite = Suite::new();
    let (hostile, key_id) = with_key(&mut suite);
    suite.behave(&hostile, Manner::Fail("no".to_owned()));
    let (kind, kinds_key) = with_key(&mut suite);
    let neighbour = suite.key();
    let ids = [
        suite.decryption(neighbour),
        suite.ask_as(&hostile, decryption(key_id)),
        suite.ask_as(&kind, decryption(kinds_key)),
        suite.decryption(neighbour),
    ];
    let answers = ids.iter().map(|id| suite.answer(*id, 1, &word(7))).collect();
    assert_eq!(suite.respond(answers), [ItemOutcome::Recorded; 4]);
    assert!(ids.iter().all(|id| suite.view(*id).state == State::Fulfilled));
    assert_eq!(suite.results(&kind).pop(), Some(result(ids[2], EndState::Fulfilled, 0, Some(word(7)))));

    let owner = suite.owner();
    let ids = [suite.ask_as(&hostile, decryption(key_id)), suite.decryption(neighbour)];
    let before = suite.balance(&owner);
    suite.at(START + 60);
    assert_eq!(suite.close(&ids), [CloseOutcome::Closed(State::Expired); 2]);
    assert_eq!(suite.balance(&owner), before + 117);
}

#[test]
fn a_receiver_whose_refund_the_bank_refuses_is_called_after_it_became_credit() {
    let mut suite = Suite::new();
    let receiver = suite.receiver();
    let id = suite.ask_as(&receiver, key_gen());
    // Called back, it takes the credit that its refund has become by then.
    let elsewhere = account("elsewhere");
    let withdraw = ExecuteMsg::Withdraw { to: Some(elsewhere.to_string()) };
    let withdraw = suite.message(&withdraw, vec![]);
    suite.behave(&receiver, Manner::Send(vec![withdraw]));
    suite.block_address(&receiver);
    suite.at(START + 60);
    suite.close(&[id]);
    assert_eq!(suite.newest_kinds(3), ["request_expired", "refund_credited", "withdrawn"]);
    assert_eq!(suite.balance(&elsewhere), 1003 + 400);
    assert_eq!(suite.results(&receiver).len(), 1);
}

#[test]
fn a_receiver_may_ask_again_and_close_from_its_callback() {
    let mut suite = Suite::new();
    let (receiver, key_id) = with_key(&mut suite);
    let first = suite.ask_as(&receiver, decryption(key_id));
    let second = suite.ask_as(&receiver, decryption(key_id));
    let close = ExecuteMsg::Close { request_ids: vec![first, second] };
    let again = suite.submission_with(decryption(key_id), CALLBACK_GAS);
    let messages = vec![suite.message(&close, vec![]), again];
    suite.behave(&receiver, Manner::Send(messages));
    suite.at(START + 60);
    let before = suite.balance(&receiver);
    // Closing the first calls the receiver, which closes the second, which calls the receiver.
    assert_eq!(suite.close(&[first]), [CloseOutcome::Closed(State::Expired)]);
    assert_eq!((suite.view(first).state, suite.view(second).state), (State::Expired, State::Expired));
    let results = suite.results(&receiver);
    let ends: Vec<_> = results.iter().map(|result| result.request_id).collect();
    assert_eq!(ends[1..], [first.get(), second.get()]);
    let newest: Vec<_> = (second.get() + 1..=second.get() + 2).map(RequestId).collect();
    assert!(newest.iter().all(|id| suite.view(*id).state == State::Pending), "each call asked once more");
    assert_eq!(suite.balance(&receiver), before, "two refunds paid for two requests");
}

/// When foreign code runs, no money is on its way: what looks like surplus is surplus. Else an admin that is a contract
/// could sweep a neighbour's refund.
#[test]
fn a_receiver_sees_no_refund_of_a_neighbour_as_surplus() {
    let mut suite = Suite::new();
    let receiver = suite.receiver();
    let called = suite.ask_as(&receiver, key_gen());
    let owner = suite.owner();
    let neighbour = suite.request(&owner, key_gen());
    let before = suite.balance(&owner);
    suite.at(START + 60);
    let msg = ExecuteMsg::Close { request_ids: vec![called, neighbour] };
    let msg = suite.message(&msg, vec![]);
    let responses = suite.app.execute_multi(account("passer-by"), vec![msg]).unwrap();
    let position =
        |wanted: &dyn Fn(&cosmwasm_std::Event) -> bool| responses[0].events.iter().position(wanted).unwrap();
    let refunded = position(&|event| {
        event.ty == "transfer" && event.attributes.iter().any(|a| a.value == owner.as_str())
    });
    let called_back = position(&|event| {
        event.ty == "execute" && event.attributes.iter().any(|a| a.value == receiver.as_str())
    });
    assert!(refunded < called_back, "{:?}", responses[0].events);
    assert_eq!(suite.balance(&owner), before + 1003);
    let solvency: Solvency = suite.query(&kms_asc_api::QueryMsg::Solvency {}).unwrap();
    assert!(solvency.surplus.is_zero());
    suite.check_state();
}
