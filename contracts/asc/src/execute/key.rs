//! What a key's owner says about it: state, attesters, reference strings, a new owner.

use std::collections::BTreeSet;

use cosmwasm_std::Binary;
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{CrsId, EvmAddress, KeyId, KeyRecord, KeyState, state_key};

use super::form::at_most;
use crate::session::Session;
use crate::{ContractError, validate};

/// Most attesters of a key: each attested ciphertext may carry a signature of every one.
const MAX_ATTESTERS: u64 = 32;
/// Most reference strings of a key.
const MAX_CRS: u64 = 8;

/// Names those who vouch for the key's ciphertexts.
pub fn set_attesters(
    session: &mut Session,
    key_id: KeyId,
    attesters: Vec<EvmAddress>,
    threshold: u32,
) -> Result<Binary, ContractError> {
    let mut key = living_key(session, key_id, "be given attesters")?;
    check_attesters(&attesters, threshold)?;
    (key.attesters, key.attester_threshold) = (attesters, threshold);
    store(session, key, |key| LogBody::AttestersSet { key })
}

fn check_attesters(attesters: &[EvmAddress], threshold: u32) -> Result<(), ContractError> {
    at_most("attesters", attesters.len(), MAX_ATTESTERS)?;
    let malformed = |why: &str| Err(ContractError::Malformed(why.to_owned()));
    if attesters.contains(&EvmAddress::ZERO) {
        return malformed("the zero address signs nothing, so it is no attester");
    }
    if attesters.iter().collect::<BTreeSet<_>>().len() != attesters.len() {
        return malformed("an attester is named twice");
    }
    let count = u32::try_from(attesters.len()).map_err(|_| ContractError::Overflow)?;
    if threshold > count || (threshold == 0) != attesters.is_empty() {
        return Err(ContractError::Malformed(format!(
            "threshold {threshold} of {count} attesters given, 1 to {count} allowed, and 0 of none"
        )));
    }
    Ok(())
}

/// Names the reference strings that prove the key's inputs.
pub fn set_crs(session: &mut Session, key_id: KeyId, crs_ids: Vec<CrsId>) -> Result<Binary, ContractError> {
    let mut key = living_key(session, key_id, "be given reference strings")?;
    at_most("reference strings", crs_ids.len(), MAX_CRS)?;
    if crs_ids.iter().collect::<BTreeSet<_>>().len() != crs_ids.len() {
        return Err(ContractError::Malformed("a reference string is named twice".to_owned()));
    }
    let storage = &*session.deps.storage;
    if let Some(unknown) = crs_ids.iter().find(|id| !state_key::CRS.has(storage, id.get())) {
        return Err(ContractError::UnknownCrs(*unknown));
    }
    key.crs_ids = crs_ids;
    store(session, key, |key| LogBody::CrsAllowed { key })
}

/// Changes what the key may be used for.
pub fn set_key_state(session: &mut Session, key_id: KeyId, state: KeyState) -> Result<Binary, ContractError> {
    let mut key = session.owned_key(key_id)?;
    if !state.may_follow(key.state) {
        let wanted = match state {
            KeyState::Active => "become active",
            KeyState::Suspended => "become suspended",
            KeyState::Deactivated => "become deactivated",
            KeyState::Destroyed => "become destroyed",
        };
        return Err(ContractError::KeyState { from: key.state, wanted });
    }
    key.state = state;
    store(session, key, |key| LogBody::KeyStateSet { key })
}

/// Offers the key to somebody, and to nobody else any more.
pub fn offer_key(session: &mut Session, key_id: KeyId, to: &str) -> Result<Binary, ContractError> {
    let mut key = living_key(session, key_id, "be offered")?;
    let to = validate::address(session.deps.api, to)?;
    if to == session.actor() {
        return Err(ContractError::Malformed("the key is its owner's already".to_owned()));
    }
    key.offered_to = Some(to.into_string());
    store(session, key, |key| LogBody::KeyOffered { key })
}

/// Takes over a key that was offered. Whom the last owner trusted, the new one does not yet: grants end with
/// the generation, and attesters and reference strings are cleared.
pub fn accept_key(session: &mut Session, key_id: KeyId) -> Result<Binary, ContractError> {
    let mut key = session.existing_key(key_id)?;
    if key.offered_to.as_deref() != Some(session.actor().as_str()) {
        return Err(ContractError::NotOffered(format!("key {key_id}")));
    }
    refuse_destroyed(&key, "change its owner")?;
    key.owner = session.actor().to_string();
    key.generation = key.generation.checked_add(1).ok_or(ContractError::Overflow)?;
    key.offered_to = None;
    (key.attesters, key.attester_threshold) = (vec![], 0);
    key.crs_ids = vec![];
    store(session, key, |key| LogBody::KeyAccepted { key })
}

/// The record of a key that still is one, for its owner alone.
pub fn living_key(session: &Session, id: KeyId, wanted: &'static str) -> Result<KeyRecord, ContractError> {
    let key = session.owned_key(id)?;
    refuse_destroyed(&key, wanted)?;
    Ok(key)
}

fn refuse_destroyed(key: &KeyRecord, wanted: &'static str) -> Result<(), ContractError> {
    if key.state == KeyState::Destroyed {
        return Err(ContractError::KeyState { from: key.state, wanted });
    }
    Ok(())
}

fn store(
    session: &mut Session,
    key: KeyRecord,
    body: impl FnOnce(Box<KeyRecord>) -> LogBody,
) -> Result<Binary, ContractError> {
    state_key::KEY.save(session.deps.storage, key.id.get(), &key)?;
    session.emit(Event::Key { key_id: key.id, state: key.state });
    session.record(None, body(Box::new(key)))?;
    Ok(Binary::default())
}
