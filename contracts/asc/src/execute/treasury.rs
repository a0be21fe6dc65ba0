//! Money that is nobody's but the treasury's.

use cosmwasm_std::{Binary, Uint128};

use crate::ContractError;
use crate::session::Session;

/// Pays out of the treasury.
pub fn withdraw_treasury(
    _session: &mut Session,
    _to: Option<String>,
    _amount: Uint128,
) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("withdraw_treasury"))
}

/// Pays out what no request has brought.
pub fn sweep_surplus(
    _session: &mut Session,
    _denom: String,
    _to: Option<String>,
) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("sweep_surplus"))
}
