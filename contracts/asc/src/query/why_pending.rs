//! What keeps a request pending, or what ended it: who has spoken, who is silent, how long they have.

use cosmwasm_std::{Env, Storage};
use kms_asc_api::{
    Epoch, EpochMode, OperationKind, Outcome, Party, PartyStanding, RequestBody, RequestId, Standing, Status,
    StoredResponse, WhyPending, state_key,
};

use super::request;
use crate::ContractError;

/// Tells it, from one request, its epoch and what failing parties said.
pub fn why_pending(
    storage: &dyn Storage,
    env: &Env,
    request_id: RequestId,
) -> Result<WhyPending, ContractError> {
    let status = request::status(storage, request_id)?;
    let unknown = || ContractError::UnknownRequest(request_id);
    let body = state_key::REQUEST.may_load(storage, request_id.get()).ok_or_else(unknown)?;
    let body = RequestBody::parse(&body)?;
    let (Some(epoch), Some(deadline)) = (body.epoch, body.deadline) else {
        let (state, parties) = (status.state, Vec::new());
        return Ok(WhyPending {
            request_id,
            state,
            due: false,
            end: None,
            seconds_left: 0,
            needed: 0,
            parties,
        });
    };
    let epoch = state_key::EPOCH.load(storage, epoch.get())?;
    let now = env.block.time.seconds();
    let state = status.effective(Some(deadline), epoch.revoked_at, now);
    let end = status.end(deadline);
    let end = epoch.revoked_at.map_or(end, |revoked_at| end.min(revoked_at));
    let parties = epoch.parties.iter().map(|party| standing(storage, request_id, &status, party));
    Ok(WhyPending {
        request_id,
        state,
        due: state != status.state,
        end: Some(end),
        seconds_left: if state.is_terminal() { 0 } else { end.saturating_sub(now) },
        needed: needed(&epoch, body.operation.kind()),
        parties: parties.collect::<Result<_, _>>()?,
    })
}

/// How many answers decide: a user puts its own together from `reconstruction` of them, where they differ.
const fn needed(epoch: &Epoch, operation: OperationKind) -> u32 {
    match (operation, epoch.mode) {
        (OperationKind::UserDecrypt, EpochMode::Centralized | EpochMode::Threshold) => epoch.reconstruction,
        _ => epoch.majority,
    }
}

fn standing(
    storage: &dyn Storage,
    id: RequestId,
    status: &Status,
    party: &Party,
) -> Result<PartyStanding, ContractError> {
    let bit = party.party.bit();
    let standing = if status.answered & bit != 0 {
        Standing::Answered
    } else if status.failed & bit != 0 {
        let missing =
            || ContractError::NotFound(format!("response of party {} to request {id}", party.party));
        let stored = state_key::RESPONSE.may_load(storage, (id.get(), party.party.get()));
        match StoredResponse::decode(&stored.ok_or_else(missing)?)?.outcome {
            Outcome::Failure(code) => Standing::Failed { code },
            Outcome::Answer => Standing::Answered,
        }
    } else {
        Standing::Silent
    };
    Ok(PartyStanding { party: party.party, name: party.name.clone(), standing })
}
