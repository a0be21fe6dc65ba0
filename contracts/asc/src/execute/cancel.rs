//! `cancel`: a requester takes a request back, if no operator has spoken before that takes effect.

use cosmwasm_std::Binary;
use kms_asc_api::RequestId;

use crate::ContractError;
use crate::session::Session;

/// Asks to take a request back.
pub fn cancel(_session: &mut Session, _request_id: RequestId) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("cancel"))
}
