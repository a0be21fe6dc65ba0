//! Money.

use cosmwasm_std::{Deps, Env, Uint128};
use kms_asc_api::{Credit, Solvency, state_key};

use crate::{ContractError, validate};

/// What an address can withdraw.
pub fn credit(deps: Deps, address: &str) -> Result<Credit, ContractError> {
    let address = validate::address(deps.api, address)?;
    let amount = state_key::CREDIT.may_load(deps.storage, &address)?.unwrap_or_default();
    Ok(Credit { amount, denom: state_key::CONFIG.load(deps.storage)?.denom })
}

/// Whether the contract holds what it owes.
pub fn solvency(deps: Deps, env: &Env) -> Result<Solvency, ContractError> {
    let denom = state_key::CONFIG.load(deps.storage)?.denom;
    let totals = state_key::TOTALS.load(deps.storage)?;
    let balance = deps.querier.query_balance(&env.contract.address, denom.as_str())?.amount;
    let balance = Uint128::try_from(balance).map_err(|_| ContractError::Overflow)?;
    let owed = totals.owed()?;
    let surplus = balance.checked_sub(owed)?;
    Ok(Solvency {
        denom,
        balance,
        escrow: totals.escrow,
        credits: totals.credits,
        treasury: totals.treasury,
        surplus,
    })
}
