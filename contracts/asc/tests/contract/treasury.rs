//! Money that is nobody's but the treasury's, and money that came by no request.

use cosmwasm_std::{Addr, Uint128};
use kms_asc_api::event::{Event, MoneyEvent};
use kms_asc_api::log::LogBody;
use kms_asc_api::{ExecuteMsg, KeyId, QueryMsg, Solvency, State};

use crate::suite::{DENOM, START, Suite, account, payout, word};

fn withdraw(amount: u128, to: Option<&Addr>) -> ExecuteMsg {
    ExecuteMsg::WithdrawTreasury { to: to.map(Addr::to_string), amount: Uint128::new(amount) }
}

fn sweep(denom: &str, to: Option<&Addr>) -> ExecuteMsg {
    ExecuteMsg::SweepSurplus { denom: denom.to_owned(), to: to.map(Addr::to_string) }
}

fn solvency(suite: &Suite) -> Solvency {
    suite.query(&QueryMsg::Solvency {}).unwrap()
}

/// A key was paid for: 902 to the operator, 101 to the treasury. A decryption is pending: 117 in escrow.
fn in_business() -> (Suite, KeyId) {
    let mut suite = Suite::new();
    let key_id = suite.key();
    suite.decryption(key_id);
    let state = solvency(&suite);
    assert_eq!(
        [state.escrow, state.credits, state.treasury, state.surplus].map(|amount| amount.u128()),
        [117, 902, 101, 0]
    );
    (suite, key_id)
}

#[test]
fn the_admin_takes_what_the_treasury_holds_and_not_a_coin_more() {
    let (mut suite, _) = in_business();
    let (admin, vault) = (suite.admin(), account("vault"));
    for (amount, code) in [(0, "malformed"), (102, "over_treasury"), (u128::MAX, "over_treasury")] {
        assert_eq!(suite.refused(&admin, &withdraw(amount, None)), code);
    }
    let done = suite.done(&admin, &withdraw(100, Some(&vault)));
    let to = vault.to_string();
    assert_eq!(done.events, [Event::Money { what: MoneyEvent::TreasuryWithdrawn, address: to.clone() }]);
    let amount = Uint128::new(100);
    assert_eq!(suite.log().pop().unwrap().body, LogBody::TreasuryWithdrawn { to, amount });
    suite.done(&admin, &withdraw(1, None));
    assert_eq!((suite.balance(&vault), suite.balance(&admin)), (100, 1));
    assert_eq!(suite.refused(&admin, &withdraw(1, None)), "over_treasury");
    let nowhere = ExecuteMsg::WithdrawTreasury { to: Some("nowhere".to_owned()), amount };
    assert_eq!(suite.refused(&admin, &nowhere), "invalid_address");
}

#[test]
fn a_payment_that_the_bank_refuses_leaves_the_treasury_as_it_was() {
    let (mut suite, _) = in_business();
    let admin = suite.admin();
    suite.give(7, DENOM);
    suite.block_address(&admin);
    for msg in [withdraw(50, None), sweep(DENOM, None)] {
        assert!(suite.execute(&admin, &msg, &[]).is_err());
    }
    let state = solvency(&suite);
    assert_eq!((state.treasury.u128(), state.surplus.u128()), (101, 7));
}

#[test]
fn what_is_given_in_the_denomination_of_prices_is_surplus_and_can_be_swept() {
    let (mut suite, key_id) = in_business();
    let (admin, vault) = (suite.admin(), account("vault"));
    assert_eq!(suite.refused(&admin, &sweep(DENOM, None)), "no_surplus");
    suite.give(5000, DENOM);
    assert_eq!(solvency(&suite).surplus.u128(), 5000);
    // A gift changes nothing of what goes on.
    let id = suite.decryption(key_id);
    suite.respond(vec![suite.answer(id, 1, &word(7))]);
    assert_eq!(suite.view(id).state, State::Fulfilled);
    assert_eq!(solvency(&suite).surplus.u128(), 5000);

    let before = solvency(&suite);
    let done = suite.done(&admin, &sweep(DENOM, Some(&vault)));
    let to = vault.to_string();
    assert_eq!(done.events, [Event::Money { what: MoneyEvent::SurplusSwept, address: to.clone() }]);
    let swept = LogBody::SurplusSwept { to, denom: DENOM.to_owned(), amount: Uint128::new(5000) };
    assert_eq!(suite.log().pop().unwrap().body, swept);
    assert_eq!(suite.balance(&vault), 5000);
    let expected =
        Solvency { balance: before.balance - Uint128::new(5000), surplus: Uint128::zero(), ..before };
    assert_eq!(solvency(&suite), expected);
    assert_eq!(suite.refused(&admin, &sweep(DENOM, None)), "no_surplus");
}

#[test]
fn what_is_given_in_another_denomination_breaks_nothing_and_can_be_swept() {
    let (mut suite, key_id) = in_business();
    let (admin, before) = (suite.admin(), solvency(&suite));
    suite.give(33, "uother");
    assert_eq!(solvency(&suite), before);
    let id = suite.decryption(key_id);
    suite.at(START + 60);
    suite.close(&[id]);
    suite.withdraw(&payout(1), None).unwrap();

    suite.done(&admin, &sweep("uother", None));
    let swept =
        LogBody::SurplusSwept { to: admin.to_string(), denom: "uother".to_owned(), amount: Uint128::new(33) };
    assert_eq!(suite.log().pop().unwrap().body, swept);
    assert_eq!(suite.app.wrap().query_balance(&admin, "uother").unwrap().amount.to_string(), "33");
    for denom in ["uother", "unknown", ""] {
        assert_eq!(suite.refused(&admin, &sweep(denom, None)), "no_surplus", "{denom:?}");
    }
}

/// From the treasury to the contract itself: the books stay right, and what was paid is surplus.
#[test]
fn money_that_the_contract_pays_to_itself_is_surplus() {
    let (mut suite, _) = in_business();
    let (admin, contract) = (suite.admin(), suite.contract.clone());
    suite.done(&admin, &withdraw(100, Some(&contract)));
    let state = solvency(&suite);
    assert_eq!((state.treasury.u128(), state.surplus.u128()), (1, 100));
    suite.done(&admin, &sweep(DENOM, Some(&contract)));
    assert_eq!(solvency(&suite), state);
}

#[test]
fn nobody_but_the_admin_takes_money_that_is_not_his() {
    let (mut suite, _) = in_business();
    suite.give(5, DENOM);
    for sender in [suite.owner(), suite.stranger(), payout(1), suite.contract.clone()] {
        for msg in [withdraw(1, None), sweep(DENOM, None), sweep("uother", None)] {
            assert_eq!(suite.refused(&sender, &msg), "unauthorized");
        }
    }
}
