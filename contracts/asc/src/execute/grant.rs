//! Whom a key's owner trusts with it.

use cosmwasm_std::Binary;
use kms_asc_api::event::{Event, GrantEvent};
use kms_asc_api::log::LogBody;
use kms_asc_api::{GrantRecord, KeyId, state_key};

use super::key::living_key;
use crate::session::Session;
use crate::{ContractError, validate};

/// Trusts somebody with the key, in place of what was granted to him before.
pub fn grant(
    session: &mut Session,
    key_id: KeyId,
    grantee: &str,
    until: Option<u64>,
) -> Result<Binary, ContractError> {
    let key = living_key(session, key_id, "be granted")?;
    let grantee = validate::address(session.deps.api, grantee)?;
    if let Some(until) = until.filter(|until| *until < session.now()) {
        let now = session.now();
        return Err(ContractError::Malformed(format!("until {until} given, it is {now} already")));
    }
    let grant = GrantRecord {
        key_id,
        grantee: grantee.to_string(),
        generation: key.generation,
        until,
        height: session.height(),
        time: session.now(),
    };
    state_key::GRANT.save(session.deps.storage, (key_id.get(), &grantee), &grant)?;
    session.emit(Event::Grant { key_id, grantee: grant.grantee.clone(), what: GrantEvent::Granted });
    session.record(None, LogBody::Granted { grant })?;
    Ok(Binary::default())
}

/// Takes that trust back; of a destroyed key too, since taking back does no harm.
pub fn revoke(session: &mut Session, key_id: KeyId, grantee: &str) -> Result<Binary, ContractError> {
    session.owned_key(key_id)?;
    let grantee = validate::address(session.deps.api, grantee)?;
    let place = (key_id.get(), &grantee);
    let grant = state_key::GRANT.may_load(session.deps.storage, place)?;
    let missing = || ContractError::NotFound(format!("grant of key {key_id} to {grantee}"));
    let grant = grant.ok_or_else(missing)?;
    state_key::GRANT.remove(session.deps.storage, place);
    session.emit(Event::Grant { key_id, grantee: grant.grantee.clone(), what: GrantEvent::Revoked });
    session.record(None, LogBody::Revoked { grant })?;
    Ok(Binary::default())
}
