//! `submit_requests`: several requests in one message, each as if it came alone, or none.

use cosmwasm_std::coins;
use kms_asc_api::{ExecuteMsg, MAX_REQUESTS, NewRequest, Operation, RequestId, State, SubmitRequestsData};

use crate::suite::{DENOM, Suite, SuiteBuilder, ciphertext, key_gen, public_decrypt};

fn alone(operation: Operation) -> NewRequest {
    NewRequest { operation, ttl: None, callback: None }
}

fn together(operations: Vec<Operation>) -> ExecuteMsg {
    ExecuteMsg::SubmitRequests { requests: operations.into_iter().map(alone).collect() }
}

/// Two chains with one key, and what is asked of both.
fn two_chains() -> (Suite, Suite, Vec<Operation>) {
    let (mut one, mut other) = (Suite::new(), Suite::new());
    let key_id = one.key();
    assert_eq!(other.key(), key_id);
    let decrypt = |number| public_decrypt(key_id, vec![ciphertext(number)]);
    (one, other, vec![decrypt(1), key_gen(), decrypt(2)])
}

fn state(suite: &Suite) -> Vec<(Vec<u8>, Vec<u8>)> {
    suite.storage().range(None, None, cosmwasm_std::Order::Ascending).collect()
}

#[test]
fn requests_of_one_message_leave_what_they_leave_when_they_come_one_by_one_in_a_block() {
    let (mut one, mut other, operations) = two_chains();
    let owner = one.owner();
    let prices: Vec<u128> = operations.iter().map(|operation| one.price(operation)).collect();
    let messages = operations.iter().zip(&prices).map(|(operation, price)| {
        let operation = Box::new(operation.clone());
        let message = ExecuteMsg::SubmitRequest { operation, ttl: None, callback: None };
        one.message(&message, coins(*price, DENOM))
    });
    let messages = messages.collect();
    let apart = one.execute_all(&owner, messages).unwrap();
    let done = other.execute(&owner, &together(operations), &coins(prices.iter().sum(), DENOM)).unwrap();

    assert_eq!(state(&one), state(&other));
    let events: Vec<_> = apart.iter().flat_map(|done| done.events.clone()).collect();
    assert_eq!(done.events, events);
    assert_eq!(
        done.data::<SubmitRequestsData>().requests,
        apart.iter().map(|done| done.data()).collect::<Vec<_>>()
    );
}

#[test]
fn what_is_sent_above_the_sum_comes_back_at_once_and_a_denial_costs_its_fee_alone() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let (stranger, treasury) = (suite.stranger(), suite.balance(&suite.contract));
    let before = suite.balance(&stranger);
    let denied = public_decrypt(key_id, vec![ciphertext(1)]);
    let sent = suite.price(&denied) + 2 * suite.price(&key_gen()) + 50;
    let message = together(vec![key_gen(), denied, key_gen()]);
    let data: SubmitRequestsData = suite.execute(&stranger, &message, &coins(sent, DENOM)).unwrap().data();

    let told = data.requests.iter().map(|one| (one.request_id, one.state, one.charged.u128()));
    let denial_fee = suite.config.denial_fee.u128();
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (RequestId(2), State::Pending, 1003),
            (RequestId(3), State::Denied, denial_fee),
            (RequestId(4), State::Pending, 1003)
        ]
    );
    assert_eq!(suite.balance(&stranger), before - 2 * 1003 - denial_fee);
    assert_eq!(suite.balance(&suite.contract), treasury + 2 * 1003 + denial_fee);
}

#[test]
fn one_request_that_is_none_fails_all_and_nothing_is_recorded() {
    let mut suite = SuiteBuilder::centralized().config(|c| c.limits.pending_per_requester = 2).build();
    let key_id = suite.key();
    let owner = suite.owner();
    let good = || public_decrypt(key_id, vec![ciphertext(1)]);
    let before = (state(&suite), suite.balance(&owner));
    let empty = public_decrypt(key_id, vec![]);
    let unknown = public_decrypt(kms_asc_api::KeyId(99), vec![ciphertext(1)]);
    let cases = [
        (vec![good(), empty], 10_000, "malformed"),
        (vec![good(), unknown], 10_000, "unknown_key"),
        (vec![good(), good(), good()], 10_000, "over_limit"),
        (vec![good(), good()], 2 * suite.price(&good()) - 1, "insufficient_fee"),
        (vec![], 0, "malformed"),
        (vec![good(); usize::try_from(MAX_REQUESTS).unwrap() + 1], 100_000, "over_limit"),
    ];
    for (operations, sent, code) in cases {
        let count = operations.len();
        let funds = if sent == 0 { vec![] } else { coins(sent, DENOM) };
        let refusal = suite.execute(&owner, &together(operations), &funds).unwrap_err();
        assert_eq!(refusal.code, code, "{count} requests: {}", refusal.text);
        assert_eq!((state(&suite), suite.balance(&owner)), before, "{count} requests, {code}");
    }
}

#[test]
fn each_request_has_a_time_to_answer_of_its_own() {
    let mut suite = Suite::new();
    let requests = [Some(10), None].map(|ttl| NewRequest { ttl, ..alone(key_gen()) });
    let message = ExecuteMsg::SubmitRequests { requests: requests.to_vec() };
    suite.execute(&suite.owner(), &message, &coins(2 * 1003, DENOM)).unwrap();
    let ends = [1, 2].map(|id| suite.body(RequestId(id)));
    let ttl = |at: usize| ends[at].deadline.unwrap() - ends[at].time;
    assert_eq!((ttl(0), ttl(1)), (10, 60));
}
