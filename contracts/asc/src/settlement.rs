//! The end of a request: its state, its money, its entry in the log. Every path out of `pending` is here.

use cosmwasm_std::{Addr, Uint128};
use kms_asc_api::event::Event;
use kms_asc_api::log::{LogBody, PartyCredit};
use kms_asc_api::{
    Digest, EpochId, FailureCode, Operation, PartyId, RequestBody, State, Status, StoredResponse,
    failure_fee_of, operators_share, state_key,
};

use crate::ContractError;
use crate::activation;
use crate::callback;
use crate::decision::{Decision, Outlook, Rule, Vote, decide, outlook};
use crate::session::Session;

/// Decides the request if what was said so far is enough, and settles it. `newest` was said just now. The caller
/// stores the status.
pub fn settle_if_decided(
    session: &mut Session,
    body: &RequestBody,
    status: &mut Status,
    newest: Vote,
) -> Result<(), ContractError> {
    let id = assigned_epoch(body)?;
    let epoch = session.epoch(id)?;
    let rule = Rule::of(epoch, body.operation.kind());
    let decision = match outlook(epoch, rule, status.answered, status.failed) {
        Outlook::Undecided => None,
        Outlook::Decided(decision) => Some(decision),
        Outlook::Unclear => {
            let votes = votes(session, body, status, newest)?;
            decide(session.epoch(id)?, rule, &votes)
        }
    };
    match decision {
        None => Ok(()),
        Some(Decision::Fulfilled { digest, supporters }) => {
            fulfil(session, body, status, digest, &supporters)
        }
        Some(Decision::Failed { code, paid }) => fail(session, body, status, code, &paid),
    }
}

fn votes(
    session: &Session,
    body: &RequestBody,
    status: &Status,
    newest: Vote,
) -> Result<Vec<Vote>, ContractError> {
    Status::parties(status.heard())
        .map(|party| {
            if party == newest.party {
                return Ok(newest);
            }
            let response = load_response(session, body, party)?;
            Ok(Vote { party, outcome: response.outcome, digest: response.payload_digest() })
        })
        .collect()
}

/// What a party said to a request.
pub fn load_response(
    session: &Session,
    body: &RequestBody,
    party: PartyId,
) -> Result<StoredResponse, ContractError> {
    let bytes = state_key::RESPONSE.may_load(session.deps.storage, (body.id.get(), party.get()));
    let missing = || ContractError::NotFound(format!("response of party {party} to request {}", body.id));
    Ok(StoredResponse::decode(&bytes.ok_or_else(missing)?)?)
}

/// Pays the operators' share in equal parts to those whose answers decided; the rest is the treasury's.
fn fulfil(
    session: &mut Session,
    body: &RequestBody,
    status: &mut Status,
    payload_digest: Option<Digest>,
    supporters: &[PartyId],
) -> Result<(), ContractError> {
    let share = operators_share(&session.config, body.price, body.callback.as_ref())?;
    let count = u128::try_from(supporters.len()).map_err(|_| ContractError::Overflow)?;
    let part = share.checked_div(Uint128::new(count)).map_err(|_| ContractError::Overflow)?;
    let credits = credit_parties(session, body, supporters, part)?;
    let paid = part.checked_mul(Uint128::new(count))?;
    let treasury = body.price.checked_sub(paid)?;
    session.add_to_treasury(treasury)?;
    status.winner = supporters.first().map_or(0, |party| party.get());
    finish(session, body, status, State::Fulfilled, 0)?;
    let refund = Uint128::zero();
    session.record(Some(body.id), LogBody::RequestFulfilled { payload_digest, refund, credits, treasury })?;
    if let (Operation::KeyGen(_) | Operation::CrsGen(_), Some(winner)) = (&body.operation, supporters.first())
    {
        let payload = load_response(session, body, *winner)?.payload;
        activation::activate(session, body, &payload)?;
    }
    Ok(())
}

/// Refunds the price, less a fee for each party that found the requester's input wrong.
fn fail(
    session: &mut Session,
    body: &RequestBody,
    status: &mut Status,
    code: FailureCode,
    finders: &[PartyId],
) -> Result<(), ContractError> {
    let parties = u32::try_from(session.epoch(assigned_epoch(body)?)?.parties.len());
    let parties = parties.map_err(|_| ContractError::Overflow)?;
    let fee = failure_fee_of(&session.config, body.price, body.callback.as_ref(), parties)?;
    let count = u128::try_from(finders.len()).map_err(|_| ContractError::Overflow)?;
    let credits = credit_parties(session, body, finders, fee)?;
    let refund = body.price.checked_sub(fee.checked_mul(Uint128::new(count))?)?;
    finish(session, body, status, State::Failed, code.number())?;
    let treasury = Uint128::zero();
    session.record(Some(body.id), LogBody::RequestFailed { code, refund, credits, treasury })?;
    session.refund(body.id, &requester(body), refund)
}

/// Nobody decided in time: all is refunded.
pub fn expire(session: &mut Session, body: &RequestBody, status: &mut Status) -> Result<(), ContractError> {
    finish(session, body, status, State::Expired, 0)?;
    let (refund, credits, treasury) = (body.price, Vec::new(), Uint128::zero());
    session.record(Some(body.id), LogBody::RequestExpired { refund, credits, treasury })?;
    session.refund(body.id, &requester(body), refund)
}

/// The requester took it back, and no operator spoke before that took effect: all is refunded.
pub fn cancel(session: &mut Session, body: &RequestBody, status: &mut Status) -> Result<(), ContractError> {
    finish(session, body, status, State::Cancelled, 0)?;
    let (refund, credits, treasury) = (body.price, Vec::new(), Uint128::zero());
    session.record(Some(body.id), LogBody::RequestCancelled { refund, credits, treasury })?;
    session.refund(body.id, &requester(body), refund)
}

/// Its epoch was revoked, so that nobody can answer any more: all is refunded.
pub fn give_up(session: &mut Session, body: &RequestBody, status: &mut Status) -> Result<(), ContractError> {
    fail(session, body, status, FailureCode::KeyUnavailable, &[])
}

/// What every end has in common: the price leaves escrow, the request leaves the open ones, the requesting
/// contract is called.
fn finish(
    session: &mut Session,
    body: &RequestBody,
    status: &mut Status,
    state: State,
    code: u8,
) -> Result<(), ContractError> {
    (status.state, status.code) = (state, code);
    (status.height, status.time) = (session.height(), session.now());
    session.release(body.price)?;
    state_key::OPEN.remove(session.deps.storage, body.id.get());
    let pending = session.pending(&requester(body))?;
    *pending = pending.saturating_sub(1);
    session.emit(Event::Finished { request_id: body.id, state });
    callback::call(session, body, status)
}

/// The epoch that has to answer: every request has one that was not denied.
pub fn assigned_epoch(body: &RequestBody) -> Result<EpochId, ContractError> {
    body.epoch.ok_or_else(|| ContractError::NotFound(format!("epoch of request {}", body.id)))
}

/// The requester's address: the chain gave it to us as the sender.
fn requester(body: &RequestBody) -> Addr {
    Addr::unchecked(&body.requester)
}

fn credit_parties(
    session: &mut Session,
    body: &RequestBody,
    parties: &[PartyId],
    amount: Uint128,
) -> Result<Vec<PartyCredit>, ContractError> {
    let epoch = assigned_epoch(body)?;
    let mut credits = Vec::with_capacity(parties.len());
    for party in parties {
        let missing = || ContractError::NotFound(format!("party {party} of epoch {epoch}"));
        let address = session.epoch(epoch)?.party(*party).ok_or_else(missing)?.payout.clone();
        session.credit(&Addr::unchecked(address), amount)?;
        credits.push(PartyCredit::new(*party, amount));
    }
    Ok(credits)
}
