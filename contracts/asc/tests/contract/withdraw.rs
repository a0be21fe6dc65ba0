//! `withdraw`: credit becomes money.

use cosmwasm_std::Uint128;
use kms_asc_api::event::{Event, MoneyEvent};
use kms_asc_api::log::LogBody;
use kms_asc_api::{ExecuteMsg, state_key};

use crate::suite::{Suite, account, payout};

/// A suite whose operator has earned 902.
fn earned() -> Suite {
    let mut suite = Suite::new();
    suite.key();
    assert_eq!(suite.credit(&payout(1)), 902);
    suite
}

#[test]
fn an_operator_takes_its_earnings_home() {
    let mut suite = earned();
    let done = suite.withdraw(&payout(1), None).unwrap();
    let address = payout(1).to_string();
    assert_eq!(done.events, [Event::Money { what: MoneyEvent::Withdrawn, address: address.clone() }]);
    assert_eq!((suite.balance(&payout(1)), suite.credit(&payout(1))), (902, 0));
    let entry = suite.log().pop().unwrap();
    let withdrawn = LogBody::Withdrawn { address: address.clone(), to: address, amount: Uint128::new(902) };
    assert_eq!((entry.body, entry.request_id), (withdrawn, None));
    assert!(!state_key::CREDIT.has(&*suite.storage(), &payout(1)));
}

#[test]
fn earnings_can_go_to_another_address() {
    let mut suite = earned();
    let cold = account("cold");
    suite.withdraw(&payout(1), Some(&cold)).unwrap();
    assert_eq!((suite.balance(&payout(1)), suite.balance(&cold)), (0, 902));
    let LogBody::Withdrawn { address, to, .. } = suite.log().pop().unwrap().body else { panic!("withdrawn") };
    assert_eq!((address, to), (payout(1).to_string(), cold.to_string()));
}

#[test]
fn without_credit_there_is_nothing_to_withdraw() {
    let mut suite = earned();
    assert_eq!(suite.withdraw(&suite.stranger(), None).unwrap_err().code, "no_credit");
    suite.withdraw(&payout(1), None).unwrap();
    assert_eq!(suite.withdraw(&payout(1), None).unwrap_err().code, "no_credit");
}

#[test]
fn a_payment_that_the_bank_refuses_leaves_the_credit() {
    let mut suite = earned();
    suite.block_address(&payout(1));
    let refusal = suite.withdraw(&payout(1), None).unwrap_err();
    assert!(refusal.text.contains("not allowed to receive"), "{}", refusal.text);
    assert_eq!(suite.credit(&payout(1)), 902);
    suite.withdraw(&payout(1), Some(&account("cold"))).unwrap();
}

#[test]
fn an_address_that_is_none_is_refused() {
    let mut suite = earned();
    let msg = ExecuteMsg::Withdraw { to: Some("nowhere".to_owned()) };
    assert_eq!(suite.execute(&payout(1), &msg, &[]).unwrap_err().code, "invalid_address");
    assert_eq!(suite.credit(&payout(1)), 902);
}
