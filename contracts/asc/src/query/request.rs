//! One request and what was said to it.

use cosmwasm_std::{Binary, Env, Storage};
use kms_asc_api::{
    Outcome, PartyId, RequestBody, RequestId, RequestView, ResponseView, Status, StoredResponse,
    request_hash, state_key,
};

use crate::ContractError;

/// A request's status.
pub fn status(storage: &dyn Storage, id: RequestId) -> Result<Status, ContractError> {
    let bytes = state_key::STATUS.may_load(storage, id.get()).ok_or(ContractError::UnknownRequest(id))?;
    Ok(Status::decode(&bytes)?)
}

/// A request with all that people ask of it.
pub fn view(storage: &dyn Storage, env: &Env, id: RequestId) -> Result<RequestView, ContractError> {
    view_and_size(storage, env, id).map(|(view, _)| view)
}

/// The same, with the length of the body that was read for it.
pub fn view_and_size(
    storage: &dyn Storage,
    env: &Env,
    id: RequestId,
) -> Result<(RequestView, usize), ContractError> {
    let status = status(storage, id)?;
    let bytes = state_key::REQUEST.may_load(storage, id.get()).ok_or(ContractError::UnknownRequest(id))?;
    let body = RequestBody::parse(&bytes)?;
    let revoked_at = match body.epoch {
        Some(epoch) => state_key::EPOCH.load(storage, epoch.get())?.revoked_at,
        None => None,
    };
    let state = status.effective(body.deadline, revoked_at, env.block.time.seconds());
    let reason = match (status.failure(), status.denial()) {
        (Some(code), _) => Some(code.name().to_owned()),
        (None, denial) => denial.map(|reason| reason.name().to_owned()),
    };
    let view = RequestView {
        request_hash: request_hash(&bytes),
        state,
        due: state != status.state,
        code: (status.code != 0).then_some(status.code),
        reason,
        height: status.height,
        time: status.time,
        cancel_at: (status.cancel_at != 0).then_some(status.cancel_at),
        answered: Status::parties(status.answered).collect(),
        failed: Status::parties(status.failed).collect(),
        equivocated: Status::parties(status.equivocated).collect(),
        winner: (status.winner != 0).then_some(PartyId(status.winner)),
        body,
    };
    Ok((view, bytes.len()))
}

/// What one party said.
pub fn response(
    storage: &dyn Storage,
    request_id: RequestId,
    party: PartyId,
) -> Result<ResponseView, ContractError> {
    let bytes = state_key::RESPONSE.may_load(storage, (request_id.get(), party.get()));
    let missing = || ContractError::NotFound(format!("response of party {party} to request {request_id}"));
    response_view(request_id, party, &bytes.ok_or_else(missing)?)
}

/// What all parties said; at most one each, so the list needs no pages.
pub fn responses(storage: &dyn Storage, request_id: RequestId) -> Result<Vec<ResponseView>, ContractError> {
    status(storage, request_id)?;
    (1..=PartyId::MAX)
        .filter_map(|party| {
            let bytes = state_key::RESPONSE.may_load(storage, (request_id.get(), party))?;
            Some(response_view(request_id, PartyId(party), &bytes))
        })
        .collect()
}

fn response_view(request_id: RequestId, party: PartyId, bytes: &[u8]) -> Result<ResponseView, ContractError> {
    let stored = StoredResponse::decode(bytes)?;
    let (payload_digest, index) = (stored.payload_digest(), stored.failure_index());
    let shown = stored.outcome == Outcome::Answer && !stored.late;
    Ok(ResponseView {
        request_id,
        party,
        epoch: stored.epoch,
        outcome: stored.outcome.number(),
        late: stored.late,
        receipt: stored.receipt,
        external_signature: stored.external_signature,
        payload: shown.then(|| Binary::new(stored.payload)),
        payload_digest,
        index,
    })
}
