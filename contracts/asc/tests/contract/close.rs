//! `close`: due requests end and are refunded, whoever asks.

use cosmwasm_std::Uint128;
use kms_asc_api::event::{Event, MoneyEvent};
use kms_asc_api::log::LogBody;
use kms_asc_api::{CloseOutcome, ExecuteMsg, OutcomesData, RequestId, State};

use crate::suite::{START, Suite, account, ciphertext, key_gen, public_decrypt, word};

#[test]
fn a_request_is_due_from_its_end_on_and_no_second_earlier() {
    let mut suite = Suite::new();
    let before = suite.balance(&suite.owner());
    let id = suite.request(&suite.owner(), key_gen());
    suite.at(START + 59);
    assert_eq!(suite.close(&[id]), [CloseOutcome::NotDue]);
    assert_eq!(suite.balance(&suite.owner()), before - 1003);
    suite.at(START + 60);
    let msg = ExecuteMsg::Close { request_ids: vec![id] };
    let done = suite.execute(&account("passer-by"), &msg, &[]).unwrap();
    assert_eq!(done.data::<OutcomesData<CloseOutcome>>().outcomes, [CloseOutcome::Closed(State::Expired)]);
    assert_eq!(done.events, [Event::Finished { request_id: id, state: State::Expired }]);
    assert_eq!(suite.balance(&suite.owner()), before);
    let entry = suite.log().pop().unwrap();
    assert_eq!((entry.actor, entry.request_id), (account("passer-by").to_string(), Some(id)));
    let (refund, credits, treasury) = (Uint128::new(1003), vec![], Uint128::zero());
    assert_eq!(entry.body, LogBody::RequestExpired { refund, credits, treasury });
    let view = suite.view(id);
    assert_eq!((view.state, view.due, view.time), (State::Expired, false, START + 60));
}

#[test]
fn what_is_closed_stays_closed_and_is_refunded_once() {
    let mut suite = Suite::new();
    let before = suite.balance(&suite.owner());
    let id = suite.request(&suite.owner(), key_gen());
    suite.at(START + 60);
    let twice = [CloseOutcome::Closed(State::Expired), CloseOutcome::Already(State::Expired)];
    assert_eq!(suite.close(&[id, id]), twice);
    assert_eq!(suite.close(&[id]), twice[1..]);
    assert_eq!(suite.balance(&suite.owner()), before);
}

#[test]
fn each_request_of_a_list_has_its_own_outcome() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let answered = suite.decryption(key_id);
    suite.respond(vec![suite.answer(answered, 1, &word(7))]);
    let denied = suite.submit(&suite.stranger(), public_decrypt(key_id, vec![ciphertext(1)]), 117).unwrap();
    let old = suite.decryption(key_id);
    suite.at(START + 60);
    let young = suite.decryption(key_id);
    let ids = [RequestId(0), answered, denied.request_id, old, young, RequestId(99)];
    let expected = [
        CloseOutcome::UnknownRequest,
        CloseOutcome::Already(State::Fulfilled),
        CloseOutcome::Already(State::Denied),
        CloseOutcome::Closed(State::Expired),
        CloseOutcome::NotDue,
        CloseOutcome::UnknownRequest,
    ];
    assert_eq!(suite.close(&ids), expected);
}

#[test]
fn votes_that_did_not_decide_earn_nothing_at_the_end() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let id = suite.decryption(key_id);
    let earned = suite.credit(&crate::suite::payout(1));
    let before = suite.balance(&suite.owner());
    suite.respond((1..=2).map(|party| suite.answer(id, party, &word(7))).collect());
    suite.at(START + 60);
    suite.close(&[id]);
    assert_eq!(suite.balance(&suite.owner()), before + 117);
    assert_eq!(suite.credit(&crate::suite::payout(1)), earned);
}

#[test]
fn a_refund_that_the_bank_refuses_becomes_credit_on_record() {
    let mut suite = Suite::new();
    let blocked = suite.owner();
    let (first, second) = (suite.request(&blocked, key_gen()), suite.request(&blocked, key_gen()));
    let other = suite.request(&suite.stranger(), key_gen());
    let strangers = suite.balance(&suite.stranger());
    suite.block_address(&blocked);
    suite.at(START + 60);
    let msg = ExecuteMsg::Close { request_ids: vec![first, other, second] };
    let done = suite.execute(&account("passer-by"), &msg, &[]).unwrap();
    let closed = CloseOutcome::Closed(State::Expired);
    assert_eq!(done.data::<OutcomesData<CloseOutcome>>().outcomes, [closed; 3]);
    let credited = Event::Money { what: MoneyEvent::RefundCredited, address: blocked.to_string() };
    assert_eq!(done.events[3..], [credited.clone(), credited]);
    assert_eq!(suite.balance(&suite.stranger()), strangers + 1003, "its neighbour is refunded");
    assert_eq!(suite.credit(&blocked), 2006);

    let log = suite.log();
    for (entry, id) in log[log.len() - 2..].iter().zip([first, second]) {
        assert_eq!((&entry.actor, entry.request_id), (&suite.contract.to_string(), Some(id)));
        let (address, amount) = (blocked.to_string(), Uint128::new(1003));
        assert_eq!(entry.body, LogBody::RefundCredited { address, amount });
    }
    suite.unblock_address(&blocked);
    let before = suite.balance(&blocked);
    suite.withdraw(&blocked, None).unwrap();
    assert_eq!(suite.balance(&blocked), before + 2006);
}
