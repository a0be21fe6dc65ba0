//! The end of a request: its state, its money, its entry in the log. Every path out of `pending` is here.

use cosmwasm_std::{Addr, Uint128};
use kms_asc_api::event::Event;
use kms_asc_api::log::{LogBody, PartyCredit};
use kms_asc_api::payload::decode_key_digests;
use kms_asc_api::{
    Digest, EpochId, FailureCode, KeyGen, KeyId, KeyRecord, KeySource, KeyState, Operation, PartyId,
    RequestBody, State, Status, StoredResponse, operators_share, state_key,
};

use crate::ContractError;
use crate::decision::{Decision, Vote, decide_by_majority, may_decide};
use crate::session::Session;

/// Decides the request if what was said so far is enough, and settles it. `newest` was said just now. The caller
/// stores the status.
pub fn settle_if_decided(
    session: &mut Session,
    body: &RequestBody,
    status: &mut Status,
    newest: Vote,
) -> Result<(), ContractError> {
    let epoch = assigned_epoch(body)?;
    if !may_decide(session.epoch(epoch)?, status.heard(), status.answered) {
        return Ok(());
    }
    let votes = votes(session, body, status, newest)?;
    match decide_by_majority(session.epoch(epoch)?, &votes) {
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

fn load_response(
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
    payload_digest: Digest,
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
    if let (Operation::KeyGen(op), Some(winner)) = (&body.operation, supporters.first()) {
        let payload = load_response(session, body, *winner)?.payload;
        activate_key(session, body, op, &payload)?;
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
    let fee = session.config.failure_fee;
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

/// What every end has in common: the price leaves escrow, the request leaves the open ones.
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
    Ok(())
}

/// The epoch that has to answer: every request has one that was not denied.
fn assigned_epoch(body: &RequestBody) -> Result<EpochId, ContractError> {
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
        credits.push(PartyCredit { party: *party, amount });
    }
    Ok(credits)
}

/// Makes the key that the deciding payload describes a record, and reserves its digests and its domain.
fn activate_key(
    session: &mut Session,
    body: &RequestBody,
    op: &KeyGen,
    payload: &[u8],
) -> Result<(), ContractError> {
    let epoch = assigned_epoch(body)?;
    let id = KeyId::from(body.id);
    let digests = decode_key_digests(payload).map_err(|error| ContractError::Std(error.to_string()))?;
    let (chain_id, contract) = (&session.env.block.chain_id, session.env.contract.address.as_str());
    let domain =
        session.config.key_domain.for_key(chain_id, contract, id).map_err(|_| ContractError::Overflow)?;
    let key = KeyRecord {
        id,
        state: KeyState::Active,
        epoch,
        owner: body.requester.clone(),
        generation: 1,
        params: op.params,
        imported: op.source != KeySource::Generate,
        digests,
        domain,
        attesters: vec![],
        attester_threshold: 0,
        crs_ids: vec![],
        offered_to: None,
        height: session.height(),
        time: session.now(),
    };
    let storage = &mut *session.deps.storage;
    for part in &key.digests {
        state_key::DIGEST.save(storage, part.digest.as_bytes().as_slice(), &body.id)?;
    }
    state_key::DOMAIN.save(storage, key.domain.separator().as_bytes().as_slice(), &id)?;
    state_key::KEY.save(storage, id.get(), &key)?;
    session.emit(Event::Key { key_id: id, state: key.state });
    session.record(Some(body.id), LogBody::KeyActivated { key: Box::new(key) })
}
