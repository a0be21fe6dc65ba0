//! What a user's wallet has signed. Externally owned accounts only: a contract's signature is its chain's word.

use kms_asc_api::eip712::user_request_hash;
use kms_asc_api::{DenialReason, KeyRecord, UserDecrypt};

use super::Refused;
use crate::session::Session;
use crate::signer::wallet_of;

/// Whether the user signed this request's key, applications and window, and the window is open.
pub fn consents(session: &Session, key: &KeyRecord, op: &UserDecrypt) -> Result<(), Refused> {
    let now = session.now();
    if now < op.valid_from || op.valid_until().is_none_or(|end| now >= end) {
        return Err(DenialReason::Window.into());
    }
    let hash = user_request_hash(op.domain.as_ref().unwrap_or(&key.domain), op);
    if wallet_of(session.deps.api, &hash, &op.user_signature) != Some(op.user) {
        return Err(DenialReason::UserSignature.into());
    }
    Ok(())
}
