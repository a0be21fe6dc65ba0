//! Sets of operators.

use cosmwasm_std::Binary;
use kms_asc_api::{Epoch, EpochId};

use crate::ContractError;
use crate::session::Session;

/// Puts the next set of operators in office.
pub fn set_epoch(_session: &mut Session, _epoch: Epoch) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("set_epoch"))
}

/// Ends an epoch: its answers are late from now on.
pub fn revoke_epoch(_session: &mut Session, _id: EpochId) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("revoke_epoch"))
}
