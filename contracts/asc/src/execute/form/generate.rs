//! New keys and reference strings.

use kms_asc_api::{
    CrsGen, CrsSource, EpochId, EpochMode, KeyDigest, KeyGen, KeyId, KeyRecord, KeySource, payload, state_key,
};

use super::malformed;
use crate::ContractError;
use crate::domain;
use crate::session::Session;

/// Largest input, in bits, that a reference string may be asked for.
const MAX_CRS_BITS: u32 = 4096;

pub fn key_gen(session: &mut Session, op: &KeyGen, key: Option<&KeyRecord>) -> Result<(), ContractError> {
    match (&op.source, key) {
        (KeySource::Takeover { .. }, Some(key)) => takeover(session.newest_epoch()?, op, key),
        (KeySource::Takeover { key_id }, None) => Err(ContractError::UnknownKey(*key_id)),
        (KeySource::Import { digests }, _) => {
            published_parts(digests)?;
            default_domain_is_free(session)
        }
        (KeySource::Generate, _) => {
            may_generate(session)?;
            default_domain_is_free(session)
        }
    }
}

pub fn crs_gen(session: &mut Session, op: &CrsGen) -> Result<(), ContractError> {
    if op.max_bits == 0 || op.max_bits > MAX_CRS_BITS {
        return malformed(format!("max_bits {} given, 1 to {MAX_CRS_BITS} allowed", op.max_bits));
    }
    match op.source {
        CrsSource::Generate => may_generate(session),
        CrsSource::Import { .. } => Ok(()),
    }
}

/// Operators who each hold the whole key would each make another one.
fn may_generate(session: &mut Session) -> Result<(), ContractError> {
    let newest = session.newest_epoch()?;
    if session.epoch(newest)?.mode == EpochMode::Replicated {
        return Err(ContractError::GenerateRefused);
    }
    Ok(())
}

/// A key's parts as its operators publish them: their payload must be able to name them.
fn published_parts(digests: &[KeyDigest]) -> Result<(), ContractError> {
    match payload::decode_key_digests(&payload::encode_key_digests(digests)) {
        Ok(_) => Ok(()),
        Err(error) => malformed(format!("digests: {error}")),
    }
}

/// The admin may have given the coming key's domain to another key: nobody could answer then.
fn default_domain_is_free(session: &Session) -> Result<(), ContractError> {
    let id = KeyId(state_key::NEXT_ID.load(session.deps.storage)?);
    let domain = domain::default_domain(session, id)?;
    match domain::owner(session.deps.storage, &domain)? {
        Some(key_id) => Err(ContractError::DomainRegistered { separator: domain.separator(), key_id }),
        None => Ok(()),
    }
}

fn takeover(newest: EpochId, op: &KeyGen, key: &KeyRecord) -> Result<(), ContractError> {
    if op.params != key.params {
        return malformed(format!("params {:?} given, key {} has {:?}", op.params, key.id, key.params));
    }
    if key.epoch == newest {
        return malformed(format!("key {} is in the newest epoch {newest} already", key.id));
    }
    Ok(())
}
