//! Exact amounts: what things cost, and who gets how much of it.

use cosmwasm_std::{Uint128, coins};
use cw_multi_test::Executor;
use kms_asc_api::log::LogBody;
use kms_asc_api::{
    Ciphertext, Digest, ExecuteMsg, FailureCode, Operation, QueryMsg, RequestId, Solvency, State,
    SubmitRequestData,
};

use crate::suite::{
    DENOM, START, Suite, SuiteBuilder, account, ciphertext, key_gen, payout, public_decrypt, word,
};

/// 101 for the request, 10 for each ciphertext, 3 for each KiB begun of the distinct digests.
#[test]
fn the_price_counts_each_ciphertext_and_each_kib_of_distinct_bytes() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let sized = |number: u8, size| Ciphertext { size, ..ciphertext(number) };
    let cases = [
        (vec![sized(1, 1)], 101 + 10 + 3),
        (vec![sized(1, 1024)], 101 + 10 + 3),
        (vec![sized(1, 1025)], 101 + 10 + 6),
        (vec![sized(1, 1500), sized(2, 1500)], 101 + 20 + 9),
        (vec![sized(1, 1500), sized(1, 1500)], 101 + 20 + 6),
        (vec![sized(1, 65_536)], 101 + 10 + 192),
    ];
    for (ciphertexts, price) in cases {
        let operation = public_decrypt(key_id, ciphertexts);
        assert_eq!(suite.price(&operation), price, "{operation:?}");
        let refusal = suite.submit(&suite.owner(), operation.clone(), price - 1).unwrap_err();
        assert_eq!(refusal.code, "insufficient_fee");
        let before = suite.balance(&suite.owner());
        assert_eq!(suite.submit(&suite.owner(), operation, price + 50).unwrap().charged.u128(), price);
        assert_eq!(suite.balance(&suite.owner()), before - price);
    }
}

#[test]
fn a_request_that_costs_nothing_needs_no_funds() {
    let mut suite = SuiteBuilder::centralized()
        .config(|c| {
            (c.failure_fee, c.denial_fee) = (Uint128::zero(), Uint128::zero());
            c.fees.key_gen.base = Uint128::zero();
        })
        .build();
    let id = suite.submit(&suite.owner(), key_gen(), 0).unwrap().request_id;
    let payload = suite.key_payload(id);
    suite.respond(vec![suite.answer(id, 1, &payload)]);
    assert_eq!(suite.view(id).state, State::Fulfilled);
    assert_eq!(suite.credit(&payout(1)), 0);
    let expiring = suite.submit(&suite.owner(), key_gen(), 0).unwrap().request_id;
    suite.at(START + 60);
    suite.close(&[expiring]);
    assert_eq!(suite.balance(&suite.contract), 0);
}

fn treasury(suite: &Suite) -> u128 {
    suite.query::<Solvency>(&QueryMsg::Solvency {}).unwrap().treasury.u128()
}

/// Of 1003, nine tenths are 902; of 117, they are 105.
#[test]
fn one_operator_gets_the_whole_share_and_the_treasury_the_rest() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    assert_eq!((suite.credit(&payout(1)), treasury(&suite)), (902, 101));
    let id = suite.decryption(key_id);
    suite.respond(vec![suite.answer(id, 1, &word(7))]);
    assert_eq!((suite.credit(&payout(1)), treasury(&suite)), (902 + 105, 101 + 12));
}

/// 902 in three parts of 300 leaves 2 of dust; 105 in three parts of 35 leaves none.
#[test]
fn three_of_four_operators_get_equal_parts_and_the_dust_is_the_treasurys() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let earned = |suite: &Suite| [1, 2, 3, 4].map(|party| suite.credit(&payout(party)));
    assert_eq!((earned(&suite), treasury(&suite)), ([300, 300, 300, 0], 103));
    let id = suite.decryption(key_id);
    suite.respond([4, 2, 3, 1].map(|party| suite.answer(id, party, &word(7))).to_vec());
    assert_eq!((earned(&suite), treasury(&suite)), ([300, 335, 335, 35], 103 + 12));
    let LogBody::RequestFulfilled { credits, treasury, refund, .. } =
        suite.log().into_iter().rev().nth(1).unwrap().body
    else {
        panic!("request_fulfilled, then the late fourth answer")
    };
    assert_eq!((refund.u128(), treasury.u128()), (0, 12));
    let credits: Vec<_> = credits.into_iter().map(|c| (c.party.get(), c.amount.u128())).collect();
    assert_eq!(credits, [2, 3, 4].map(|party| (party, 35)));
}

#[test]
fn operators_with_one_payout_address_earn_there_together() {
    let shared = account("shared").to_string();
    let mut suite = SuiteBuilder::threshold()
        .epoch(|e| e.parties.iter_mut().for_each(|party| party.payout.clone_from(&shared)))
        .build();
    suite.key();
    assert_eq!(suite.credit(&account("shared")), 900);
    suite.withdraw(&account("shared"), None).unwrap();
    assert_eq!(suite.balance(&account("shared")), 900);
}

#[test]
fn everything_that_comes_in_goes_out_again_or_is_the_treasurys() {
    let mut suite = Suite::threshold();
    let key_id = suite.key();
    let (fulfilled, failed, expired) =
        (suite.decryption(key_id), suite.decryption(key_id), suite.decryption(key_id));
    let refused = suite.submit(&suite.stranger(), public_decrypt(key_id, vec![ciphertext(1)]), 117).unwrap();
    assert_eq!(suite.balance(&suite.contract), 1003 + 3 * 117 + 21);
    suite.respond((1..=3).map(|party| suite.answer(fulfilled, party, &word(7))).collect());
    suite.report((1..=2).map(|party| suite.failure(failed, party, FailureCode::WrongType, 0)).collect());
    suite.at(START + 60);
    suite.close(&[expired, refused.request_id]);
    for party in 1..=3 {
        suite.withdraw(&payout(party), None).unwrap();
        assert_eq!(suite.balance(&payout(party)), 300 + 35);
    }
    assert_eq!(suite.balance(&suite.contract), 103 + 12 + 21);
    assert_eq!(treasury(&suite), 103 + 12 + 21);
}

#[test]
fn money_that_nobody_asked_for_is_surplus_and_pays_for_nothing() {
    let mut suite = Suite::new();
    let (contract, stranger) = (suite.contract.clone(), suite.stranger());
    suite.app.send_tokens(stranger, contract, &coins(5000, DENOM)).unwrap();
    suite.check_state();
    let surplus = |suite: &Suite| suite.query::<Solvency>(&QueryMsg::Solvency {}).unwrap().surplus.u128();
    assert_eq!(surplus(&suite), 5000);
    assert_eq!(suite.submit(&suite.owner(), key_gen(), 0).unwrap_err().code, "insufficient_fee");
    assert_eq!(suite.withdraw(&suite.stranger(), None).unwrap_err().code, "no_credit");
    suite.key();
    assert_eq!(surplus(&suite), 5000);
}

#[test]
fn only_a_request_takes_funds() {
    let mut suite = Suite::new();
    suite.key();
    let msgs = [
        ExecuteMsg::SubmitResponses { responses: vec![] },
        ExecuteMsg::SubmitFailures { failures: vec![] },
        ExecuteMsg::Close { request_ids: vec![] },
        ExecuteMsg::Withdraw { to: None },
        ExecuteMsg::Pause {},
        ExecuteMsg::MigrateNow {},
    ];
    for msg in msgs {
        let refusal = suite.execute(&suite.owner(), &msg, &coins(1, DENOM)).unwrap_err();
        assert_eq!(refusal.code, "unexpected_funds", "{}", msg.name());
    }
}

/// A price is what the parameters say at submission; the most that an account has does not overflow it.
#[test]
fn sizes_beyond_all_prices_are_refused_without_overflow() {
    let mut suite = SuiteBuilder::centralized().config(|c| c.limits.bytes = u64::MAX).build();
    let key_id = suite.key();
    let huge = |number: u8| Ciphertext {
        size: u64::MAX / 2 + 1,
        digest: Digest::sha256(&[number, 1]),
        ..ciphertext(number)
    };
    let operation = public_decrypt(key_id, vec![huge(1), huge(2)]);
    assert_eq!(suite.submit(&suite.owner(), operation, 10_000).unwrap_err().code, "overflow");
    let operation = public_decrypt(key_id, vec![huge(1)]);
    assert_eq!(suite.submit(&suite.owner(), operation, 10_000).unwrap_err().code, "insufficient_fee");
}

#[test]
fn the_quote_is_what_is_charged() {
    let mut suite = Suite::new();
    let key_id = suite.key();
    let operations: [Operation; 3] = [
        key_gen(),
        public_decrypt(key_id, vec![ciphertext(1)]),
        public_decrypt(key_id, (1..=8).map(ciphertext).collect()),
    ];
    for operation in operations {
        let quoted = suite.price(&operation);
        let msg = ExecuteMsg::SubmitRequest { operation: Box::new(operation), ttl: None, callback: None };
        let done = suite.execute(&suite.owner(), &msg, &coins(100_000, DENOM)).unwrap();
        let data: SubmitRequestData = done.data();
        assert_eq!(data.charged.u128(), quoted);
        assert_eq!(suite.body(RequestId(data.request_id.get())).price.u128(), quoted);
    }
}
