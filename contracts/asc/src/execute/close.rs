//! `close`: anyone makes due requests terminal, so that no requester depends on an operator or an admin.

use cosmwasm_std::{Binary, to_json_binary};
use kms_asc_api::{CloseOutcome, OutcomesData, RequestBody, RequestId, State, Status, state_key};

use crate::ContractError;
use crate::session::Session;
use crate::settlement;

/// Closes what is due and refunds it. Data: an outcome each.
pub fn close(session: &mut Session, request_ids: &[RequestId]) -> Result<Binary, ContractError> {
    let mut outcomes = Vec::with_capacity(request_ids.len());
    for id in request_ids {
        outcomes.push(close_one(session, *id)?);
    }
    Ok(to_json_binary(&OutcomesData { outcomes })?)
}

fn close_one(session: &mut Session, id: RequestId) -> Result<CloseOutcome, ContractError> {
    let Some(status) = state_key::STATUS.may_load(session.deps.storage, id.get()) else {
        return Ok(CloseOutcome::UnknownRequest);
    };
    let mut status = Status::decode(&status)?;
    if status.state.is_terminal() {
        return Ok(CloseOutcome::Already(status.state));
    }
    let Some(body) = state_key::REQUEST.may_load(session.deps.storage, id.get()) else {
        return Ok(CloseOutcome::UnknownRequest);
    };
    let body = RequestBody::parse(&body)?;
    let revoked_at = match body.epoch {
        Some(epoch) => session.epoch(epoch)?.revoked_at,
        None => None,
    };
    match status.effective(body.deadline, revoked_at, session.now()) {
        State::Expired => settlement::expire(session, &body, &mut status)?,
        State::Cancelled => settlement::cancel(session, &body, &mut status)?,
        State::Failed => settlement::give_up(session, &body, &mut status)?,
        State::Pending | State::Fulfilled | State::Denied => return Ok(CloseOutcome::NotDue),
    }
    state_key::STATUS.save(session.deps.storage, id.get(), &status.encode());
    Ok(CloseOutcome::Closed(status.state))
}
