//! Under which EIP-712 domain a key answers.

use cosmwasm_std::Storage;
use kms_asc_api::{Eip712Domain, KeyId, KeyRecord, state_key};

use crate::ContractError;
use crate::session::Session;

/// The domain that a key or reference string of this id has from birth.
pub fn default_domain(session: &Session, id: KeyId) -> Result<Eip712Domain, ContractError> {
    let (chain_id, contract) = (&session.env.block.chain_id, session.env.contract.address.as_str());
    session.config.key_domain.for_key(chain_id, contract, id).map_err(|_| ContractError::Overflow)
}

/// Whether the key may answer under the domain that a request names.
pub fn may_answer_under(
    storage: &dyn Storage,
    key: &KeyRecord,
    domain: Option<&Eip712Domain>,
) -> Result<bool, ContractError> {
    let Some(domain) = domain else { return Ok(true) };
    Ok(owner(storage, domain)? == Some(key.id))
}

/// The key that a domain belongs to.
pub fn owner(storage: &dyn Storage, domain: &Eip712Domain) -> Result<Option<KeyId>, ContractError> {
    Ok(state_key::DOMAIN.may_load(storage, domain.separator().as_bytes().as_slice())?)
}
