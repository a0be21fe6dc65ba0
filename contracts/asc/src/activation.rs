//! What a fulfilled `key_gen` or `crs_gen` brings into being. Its deciding answer was checked in this very
//! message: digests and domain are free, or are those of the key that is taken over.

use cosmwasm_std::Storage;
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::payload::{PayloadError, decode_crs_digest, decode_key_digests};
use kms_asc_api::{
    CrsGen, CrsId, CrsRecord, CrsSource, Digest, KeyGen, KeyId, KeyRecord, KeySource, KeyState, Operation,
    RequestBody, RequestId, state_key,
};

use crate::ContractError;
use crate::domain::default_domain;
use crate::session::Session;
use crate::settlement::assigned_epoch;

/// Acts on the payload that decided; other operations leave nothing behind.
pub fn activate(session: &mut Session, body: &RequestBody, payload: &[u8]) -> Result<(), ContractError> {
    match &body.operation {
        Operation::KeyGen(KeyGen { source: KeySource::Takeover { key_id }, .. }) => {
            take_over(session, body, *key_id)
        }
        Operation::KeyGen(op) => activate_key(session, body, op, payload),
        Operation::CrsGen(op) => activate_crs(session, body, op, payload),
        Operation::PublicDecrypt(_) | Operation::UserDecrypt(_) | Operation::VerifyInput(_) => Ok(()),
    }
}

/// Makes the key's record; reserves its digests and its domain.
fn activate_key(
    session: &mut Session,
    body: &RequestBody,
    op: &KeyGen,
    payload: &[u8],
) -> Result<(), ContractError> {
    let id = KeyId::from(body.id);
    let key = KeyRecord {
        id,
        state: KeyState::Active,
        epoch: assigned_epoch(body)?,
        owner: body.requester.clone(),
        generation: 1,
        params: op.params,
        imported: op.source != KeySource::Generate,
        digests: decode_key_digests(payload).map_err(unreadable)?,
        domain: default_domain(session, id)?,
        attesters: vec![],
        attester_threshold: 0,
        crs_ids: vec![],
        offered_to: None,
        height: session.height(),
        time: session.now(),
    };
    let storage = &mut *session.deps.storage;
    for part in &key.digests {
        register(storage, &part.digest, body.id)?;
    }
    state_key::DOMAIN.save(storage, key.domain.separator().as_bytes().as_slice(), &id)?;
    state_key::KEY.save(storage, id.get(), &key)?;
    session.emit(Event::Key { key_id: id, state: key.state });
    session.record(Some(body.id), LogBody::KeyActivated { key: Box::new(key) })
}

/// Makes the reference string's record; reserves its digest.
fn activate_crs(
    session: &mut Session,
    body: &RequestBody,
    op: &CrsGen,
    payload: &[u8],
) -> Result<(), ContractError> {
    let id = CrsId::from(body.id);
    let crs = CrsRecord {
        id,
        epoch: assigned_epoch(body)?,
        owner: body.requester.clone(),
        max_bits: op.max_bits,
        imported: op.source != CrsSource::Generate,
        digest: decode_crs_digest(payload).map_err(unreadable)?,
        height: session.height(),
        time: session.now(),
    };
    let storage = &mut *session.deps.storage;
    register(storage, &crs.digest, body.id)?;
    state_key::CRS.save(storage, id.get(), &crs)?;
    session.emit(Event::Crs { crs_id: id });
    session.record(Some(body.id), LogBody::CrsActivated { crs })
}

/// Moves the key to the request's epoch. What was destroyed stays so, and a later takeover may have been
/// faster: then the operators are paid for their work, and the record stands.
fn take_over(session: &mut Session, body: &RequestBody, key_id: KeyId) -> Result<(), ContractError> {
    let epoch = assigned_epoch(body)?;
    let mut key = state_key::KEY.load(session.deps.storage, key_id.get())?;
    if key.state == KeyState::Destroyed || key.epoch >= epoch {
        return Ok(());
    }
    key.epoch = epoch;
    state_key::KEY.save(session.deps.storage, key_id.get(), &key)?;
    session.emit(Event::Key { key_id, state: key.state });
    session.record(Some(body.id), LogBody::KeyTakenOver { key: Box::new(key) })
}

fn register(storage: &mut dyn Storage, digest: &Digest, id: RequestId) -> Result<(), ContractError> {
    Ok(state_key::DIGEST.save(storage, digest.as_bytes().as_slice(), &id)?)
}

fn unreadable(error: PayloadError) -> ContractError {
    ContractError::Std(error.to_string())
}
