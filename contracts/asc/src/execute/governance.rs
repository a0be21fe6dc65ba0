//! Parameters, domains, the pause and the office of the admin.

use cosmwasm_std::Binary;
use kms_asc_api::{Config, Eip712Domain, KeyId};

use crate::ContractError;
use crate::session::Session;

/// Replaces the parameters.
pub fn update_config(_session: &mut Session, _config: Config) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("update_config"))
}

/// Gives a domain to a key, for good.
pub fn register_domain(
    _session: &mut Session,
    _key_id: KeyId,
    _domain: Eip712Domain,
) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("register_domain"))
}

/// Stops new requests, and nothing else.
pub fn pause(_session: &mut Session) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("pause"))
}

/// Takes new requests again.
pub fn unpause(_session: &mut Session) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("unpause"))
}

/// Offers the office.
pub fn propose_admin(_session: &mut Session, _admin: &str) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("propose_admin"))
}

/// Takes the office that was offered.
pub fn accept_admin(_session: &mut Session) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("accept_admin"))
}
