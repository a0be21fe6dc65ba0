//! The call of a requesting contract at the end of its request.

use cosmwasm_std::{Addr, SubMsg, from_json, to_json_binary};
use kms_asc_api::log::LogBody;
use kms_asc_api::{Callback, KmsResult, OperationKind, PartyId, RequestBody, RequestId, State, Status};

use crate::ContractError;
use crate::session::Session;
use crate::settlement;

/// The requesting contract could not take its result.
pub const CALLBACK_REPLY: u64 = 3;

/// Most bytes of the chain's word on a failed call that are logged.
const MAX_ERROR: usize = 256;

/// Refuses a callback that cannot be kept: only a contract is called, with gas between 1 and the limit.
pub fn check(session: &Session, requester: &Addr, callback: &Callback) -> Result<(), ContractError> {
    let (given, allowed) = (callback.gas_limit, session.config.limits.callback_gas);
    if given == 0 || given > allowed {
        let why = format!("callback gas of {given} given, 1 to {allowed} allowed");
        return Err(ContractError::CallbackRefused(why));
    }
    if session.deps.querier.query_wasm_contract_info(requester).is_err() {
        let why = format!("{requester} is no contract: only a contract is called back");
        return Err(ContractError::CallbackRefused(why));
    }
    Ok(())
}

/// Has the requester called, if it asked for that: after everything else that the message sends, so that the
/// called contract finds all state written and all money where it belongs.
///
/// The chain replies on failure alone. A reply on success would carry the called contract's data and events, which
/// this contract would have to read with gas that nobody paid, and could choke on.
pub fn call(session: &mut Session, body: &RequestBody, status: &Status) -> Result<(), ContractError> {
    let (Some(callback), Some(state)) = (&body.callback, status.state.end()) else { return Ok(()) };
    let to_all = body.operation.kind() != OperationKind::UserDecrypt;
    let payload = if status.state == State::Fulfilled && to_all {
        let winner = PartyId(status.winner);
        Some(settlement::load_response(session, body, winner)?.payload.into())
    } else {
        None
    };
    let result = KmsResult { request_id: body.id.get(), state, outcome: u32::from(status.code), payload };
    let call = SubMsg::reply_on_error(result.call(&body.requester)?, CALLBACK_REPLY)
        .with_gas_limit(callback.gas_limit)
        .with_payload(to_json_binary(&body.id)?);
    session.send_last(call);
    Ok(())
}

/// Logs that a call failed; nothing else changes.
pub fn failed(session: &mut Session, payload: &[u8], error: &str) -> Result<(), ContractError> {
    let id: RequestId = from_json(payload)?;
    let cut = error.floor_char_boundary(MAX_ERROR);
    let error = error.get(..cut).unwrap_or_default().to_owned();
    session.record(Some(id), LogBody::CallbackFailed { error })
}
