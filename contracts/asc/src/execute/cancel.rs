//! `cancel`: a requester takes a request back, if no operator has spoken before that takes effect.

use cosmwasm_std::Binary;
use kms_asc_api::log::LogBody;
use kms_asc_api::{RequestBody, RequestId, State, Status, state_key};

use crate::ContractError;
use crate::session::Session;

/// Asks to take a request back. It ends `cancel_delay` from now, unless an answer or a failure comes before.
pub fn cancel(session: &mut Session, request_id: RequestId) -> Result<Binary, ContractError> {
    let storage = &*session.deps.storage;
    let (Some(body), Some(status)) = (
        state_key::REQUEST.may_load(storage, request_id.get()),
        state_key::STATUS.may_load(storage, request_id.get()),
    ) else {
        return Err(ContractError::UnknownRequest(request_id));
    };
    let (body, mut status) = (RequestBody::parse(&body)?, Status::decode(&status)?);
    if body.requester != session.actor().as_str() {
        let sender = session.actor().to_string();
        return Err(ContractError::Unauthorized { sender, needed: "the requester" });
    }
    let revoked_at = match body.epoch {
        Some(epoch) => session.epoch(epoch)?.revoked_at,
        None => None,
    };
    match status.effective(body.deadline, revoked_at, session.now()) {
        State::Pending if status.cancel_at == 0 => {}
        State::Pending => return Err(ContractError::CancelPending { cancel_at: status.cancel_at }),
        state => return Err(ContractError::NotPending { id: request_id, state }),
    }
    let cancel_at = session.now().checked_add(session.config.cancel_delay);
    status.cancel_at = cancel_at.ok_or(ContractError::Overflow)?;
    state_key::STATUS.save(session.deps.storage, request_id.get(), &status.encode());
    session.record(Some(request_id), LogBody::CancelRequested { cancel_at: status.cancel_at })?;
    Ok(Binary::default())
}

/// An operator has spoken in time: a cancellation that is under way is none any more. The caller stores the status.
pub fn lapse(session: &mut Session, id: RequestId, status: &mut Status) -> Result<(), ContractError> {
    let cancel_at = std::mem::take(&mut status.cancel_at);
    if cancel_at == 0 {
        return Ok(());
    }
    session.record(Some(id), LogBody::CancelLapsed { cancel_at })
}
