//! Money that is nobody's but the treasury's.

use cosmwasm_std::{Addr, BankMsg, Binary, Coin, Uint128, Uint256};
use kms_asc_api::event::{Event, MoneyEvent};
use kms_asc_api::log::LogBody;

use crate::session::Session;
use crate::{ContractError, validate};

/// Pays out of the treasury.
pub fn withdraw_treasury(
    session: &mut Session,
    to: Option<String>,
    amount: Uint128,
) -> Result<Binary, ContractError> {
    session.require_admin()?;
    let to = receiver(session, to)?;
    if amount.is_zero() {
        return Err(ContractError::Malformed("an amount of 0 given".to_owned()));
    }
    session.take_from_treasury(amount)?;
    session.pay(&to, amount);
    let to = to.into_string();
    session.emit(Event::Money { what: MoneyEvent::TreasuryWithdrawn, address: to.clone() });
    session.record(None, LogBody::TreasuryWithdrawn { to, amount })?;
    Ok(Binary::default())
}

/// Pays out what no request has brought: of the configured denomination what is over all that is owed, of any
/// other everything.
pub fn sweep_surplus(
    session: &mut Session,
    denom: String,
    to: Option<String>,
) -> Result<Binary, ContractError> {
    session.require_admin()?;
    let to = receiver(session, to)?;
    let amount = surplus(session, &denom)?;
    if amount.is_zero() {
        return Err(ContractError::NoSurplus(denom));
    }
    let (to, coin) = (to.into_string(), Coin::new(amount, denom.clone()));
    session.send(BankMsg::Send { to_address: to.clone(), amount: vec![coin] });
    session.emit(Event::Money { what: MoneyEvent::SurplusSwept, address: to.clone() });
    session.record(None, LogBody::SurplusSwept { to, denom, amount })?;
    Ok(Binary::default())
}

/// At most what 128 bits hold; more of it can be swept again.
fn surplus(session: &mut Session, denom: &str) -> Result<Uint128, ContractError> {
    let contract = &session.env.contract.address;
    let balance = session.deps.querier.query_balance(contract, denom)?.amount;
    let owed = if denom == session.config.denom { session.totals()?.owed()? } else { Uint128::zero() };
    let surplus = balance.checked_sub(Uint256::from(owed))?;
    Ok(Uint128::try_from(surplus).unwrap_or(Uint128::MAX))
}

fn receiver(session: &Session, to: Option<String>) -> Result<Addr, ContractError> {
    match to {
        Some(to) => validate::address(session.deps.api, &to),
        None => Ok(session.actor().clone()),
    }
}
