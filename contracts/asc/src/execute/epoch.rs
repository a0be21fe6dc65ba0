//! Sets of operators.

use cosmwasm_std::Binary;
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{Epoch, EpochId, state_key};

use crate::session::Session;
use crate::{ContractError, validate};

/// Puts the next set of operators in office. Keys stay where they are until their owners have them taken over.
pub fn set_epoch(session: &mut Session, epoch: Epoch) -> Result<Binary, ContractError> {
    session.require_admin()?;
    let newest = session.newest_epoch()?;
    let next = EpochId(newest.get().checked_add(1).ok_or(ContractError::Overflow)?);
    if epoch.id != next {
        return Err(ContractError::InvalidEpoch(format!("the next epoch is {next}, not {}", epoch.id)));
    }
    validate::epoch(session.deps.api, &epoch)?;
    validate::fees(&session.config, &epoch)?;
    state_key::EPOCH.save(session.deps.storage, next.get(), &epoch)?;
    state_key::NEWEST_EPOCH.save(session.deps.storage, &next.get())?;
    session.emit(Event::Epoch { epoch: next });
    session.record(None, LogBody::EpochSet { epoch })?;
    Ok(Binary::default())
}

/// Ends an epoch, for good: its answers are late from now on, and `close` makes its requests `failed`. A flag,
/// however many requests are pending.
pub fn revoke_epoch(session: &mut Session, id: EpochId) -> Result<Binary, ContractError> {
    session.require_admin()?;
    let epoch = state_key::EPOCH.may_load(session.deps.storage, id.get())?;
    let mut epoch = epoch.ok_or_else(|| ContractError::NotFound(format!("epoch {id}")))?;
    if let Some(revoked_at) = epoch.revoked_at {
        return Err(ContractError::InvalidEpoch(format!("epoch {id} was revoked at {revoked_at} already")));
    }
    epoch.revoked_at = Some(session.now());
    session.set_revoked(&epoch)?;
    session.emit(Event::Epoch { epoch: id });
    session.record(None, LogBody::EpochRevoked { epoch })?;
    Ok(Binary::default())
}
