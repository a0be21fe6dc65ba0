//! Whom a key's owner trusts with it.

use cosmwasm_std::Binary;
use kms_asc_api::KeyId;

use crate::ContractError;
use crate::session::Session;

/// Trusts somebody with the key.
pub fn grant(
    _session: &mut Session,
    _key_id: KeyId,
    _grantee: &str,
    _until: Option<u64>,
) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("grant"))
}

/// Takes that trust back.
pub fn revoke(_session: &mut Session, _key_id: KeyId, _grantee: &str) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("revoke"))
}
