//! Parameters, domains, the pause and the office of the admin.

use cosmwasm_std::Binary;
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{Config, Eip712Domain, KeyId, state_key};

use crate::session::Session;
use crate::{ContractError, validate};

/// Replaces the parameters, for what is submitted from now on; what is pending keeps its price and deadline.
pub fn update_config(session: &mut Session, config: Config) -> Result<Binary, ContractError> {
    session.require_admin()?;
    let newest = session.newest_epoch()?;
    let newest = session.epoch(newest)?.clone();
    validate::next_config(&config, &session.config, &newest)?;
    session.set_config(config.clone())?;
    record(session, LogBody::ConfigSet { config: Box::new(config) })
}

/// Gives a domain to a key, for good.
pub fn register_domain(
    session: &mut Session,
    key_id: KeyId,
    domain: Eip712Domain,
) -> Result<Binary, ContractError> {
    session.require_admin()?;
    session.existing_key(key_id)?;
    validate::domain(&domain)?;
    let separator = domain.separator();
    let place = separator.as_bytes().as_slice();
    if let Some(key_id) = state_key::DOMAIN.may_load(session.deps.storage, place)? {
        return Err(ContractError::DomainRegistered { separator, key_id });
    }
    state_key::DOMAIN.save(session.deps.storage, place, &key_id)?;
    record(session, LogBody::DomainRegistered { key_id, domain, separator })
}

/// Stops new requests, and nothing else.
pub fn pause(session: &mut Session) -> Result<Binary, ContractError> {
    set_paused(session, true, LogBody::Paused {})
}

/// Takes new requests again.
pub fn unpause(session: &mut Session) -> Result<Binary, ContractError> {
    set_paused(session, false, LogBody::Unpaused {})
}

/// Doing it twice is no mistake, and no entry.
fn set_paused(session: &mut Session, paused: bool, body: LogBody) -> Result<Binary, ContractError> {
    session.require_admin()?;
    if session.is_paused() == paused {
        return Ok(Binary::default());
    }
    session.set_paused(paused)?;
    record(session, body)
}

/// Offers the office to somebody, and to nobody else any more.
pub fn propose_admin(session: &mut Session, admin: &str) -> Result<Binary, ContractError> {
    session.require_admin()?;
    let admin = validate::address(session.deps.api, admin)?;
    state_key::PROPOSED_ADMIN.save(session.deps.storage, &admin)?;
    record(session, LogBody::AdminProposed { admin: admin.into_string() })
}

/// Takes the office that was offered.
pub fn accept_admin(session: &mut Session) -> Result<Binary, ContractError> {
    let admin = session.actor().clone();
    if state_key::PROPOSED_ADMIN.may_load(session.deps.storage)?.as_ref() != Some(&admin) {
        return Err(ContractError::NotOffered("the office of the admin".to_owned()));
    }
    state_key::PROPOSED_ADMIN.remove(session.deps.storage);
    state_key::ADMIN.save(session.deps.storage, &admin)?;
    record(session, LogBody::AdminAccepted { admin: admin.into_string() })
}

fn record(session: &mut Session, body: LogBody) -> Result<Binary, ContractError> {
    session.emit(Event::Config { kind: body.kind().to_owned() });
    session.record(None, body)?;
    Ok(Binary::default())
}
