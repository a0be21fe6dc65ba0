//! Whether a request may be put to the operators. A refusal is recorded: the log shows attempts too.

use cosmwasm_std::{Addr, Storage};
use kms_asc_api::{DenialReason, KeyRecord, Provenance, PublicDecrypt, state_key};

use crate::ContractError;

/// Judges a public decryption, once, at submission; what may change later does not change the verdict.
pub fn judge_public_decrypt(
    storage: &dyn Storage,
    sender: &Addr,
    key: &KeyRecord,
    request: &PublicDecrypt,
) -> Result<Option<DenialReason>, ContractError> {
    if !key.state.allows_decryption() {
        return Ok(Some(DenialReason::KeyState));
    }
    if let Some(domain) = &request.domain {
        let owner = state_key::DOMAIN.may_load(storage, domain.separator().as_bytes().as_slice())?;
        if owner != Some(key.id) {
            return Ok(Some(DenialReason::Domain));
        }
    }
    // Whoever may have ciphertexts of his choice decrypted can compute the secret key, so only a grantee may
    // ask without evidence; the owner is the only grantee of this version.
    let unproven = request.ciphertexts.iter().any(|c| c.provenance == Provenance::Unproven);
    if unproven && key.owner != sender.as_str() {
        return Ok(Some(DenialReason::Permission));
    }
    Ok(None)
}
