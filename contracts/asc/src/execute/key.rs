//! What a key's owner says about it: state, attesters, reference strings, a new owner.

use cosmwasm_std::Binary;
use kms_asc_api::{CrsId, EvmAddress, KeyId, KeyState};

use crate::ContractError;
use crate::session::Session;

/// Names those who vouch for the key's ciphertexts.
pub fn set_attesters(
    _session: &mut Session,
    _key_id: KeyId,
    _attesters: Vec<EvmAddress>,
    _threshold: u32,
) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("set_attesters"))
}

/// Names the reference strings that prove the key's inputs.
pub fn set_crs(
    _session: &mut Session,
    _key_id: KeyId,
    _crs_ids: Vec<CrsId>,
) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("set_crs"))
}

/// Changes what the key may be used for.
pub fn set_key_state(
    _session: &mut Session,
    _key_id: KeyId,
    _state: KeyState,
) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("set_key_state"))
}

/// Offers the key to somebody.
pub fn offer_key(_session: &mut Session, _key_id: KeyId, _to: &str) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("offer_key"))
}

/// Takes over a key that was offered.
pub fn accept_key(_session: &mut Session, _key_id: KeyId) -> Result<Binary, ContractError> {
    Err(ContractError::Unsupported("accept_key"))
}
