//! `submit_responses` and `submit_failures`: what operators say, item by item. The receipt is the authority,
//! not the sender; one bad item never fails its neighbours.

mod check;
mod record;

use cosmwasm_std::{Binary, to_json_binary};
use kms_asc_api::eip712::Receipt;
use kms_asc_api::{
    Answer, Digest, EpochId, Failure, FailureCode, ItemOutcome, Outcome, OutcomesData, PartyId, PublicKey,
    RejectReason, RequestBody, RequestId, Signature, State, Status, StoredResponse, request_hash, state_key,
};

use crate::ContractError;
use crate::session::Session;
use crate::signer::signed_by;

/// An answer or a failure, in one form.
struct Item {
    request_id: RequestId,
    epoch: EpochId,
    party: PartyId,
    outcome: Outcome,
    /// The answer's payload; of a failure, the ciphertext's index (u16, big-endian).
    payload: Vec<u8>,
    external_signature: Option<Signature>,
    receipt: Signature,
}

/// What is stored of a request.
struct Stored {
    body: RequestBody,
    hash: Digest,
    status: Status,
}

/// Takes answers in. Data: an outcome each.
pub fn submit_responses(session: &mut Session, responses: Vec<Answer>) -> Result<Binary, ContractError> {
    let items = responses.into_iter().map(|answer| {
        let external = answer.external_signature.as_deref().map(Signature::try_from).transpose();
        Ok(Item {
            request_id: answer.request_id,
            epoch: answer.epoch,
            party: answer.party,
            outcome: Outcome::Answer,
            payload: answer.payload.to_vec(),
            external_signature: external.map_err(|_| RejectReason::ExternalSignature)?,
            receipt: Signature::try_from(answer.receipt.as_slice()).map_err(|_| RejectReason::Receipt)?,
        })
    });
    take_all(session, items)
}

/// Takes failures in. Data: an outcome each.
pub fn submit_failures(session: &mut Session, failures: Vec<Failure>) -> Result<Binary, ContractError> {
    let items = failures.into_iter().map(|failure| {
        let code = FailureCode::try_from(failure.code).ok().filter(|code| code.is_operators());
        let index = u16::try_from(failure.index).map_err(|_| RejectReason::Index)?;
        Ok(Item {
            request_id: failure.request_id,
            epoch: failure.epoch,
            party: failure.party,
            outcome: Outcome::Failure(code.ok_or(RejectReason::UnknownCode)?),
            payload: index.to_be_bytes().to_vec(),
            external_signature: None,
            receipt: Signature::try_from(failure.receipt.as_slice()).map_err(|_| RejectReason::Receipt)?,
        })
    });
    take_all(session, items)
}

fn take_all(
    session: &mut Session,
    items: impl Iterator<Item = Result<Item, RejectReason>>,
) -> Result<Binary, ContractError> {
    let mut outcomes = Vec::new();
    for item in items {
        outcomes.push(match item {
            Ok(item) => take(session, item)?,
            Err(reason) => ItemOutcome::Rejected(reason),
        });
    }
    Ok(to_json_binary(&OutcomesData { outcomes })?)
}

/// Takes one item in. An error here is the contract's own fault, never the item's.
fn take(session: &mut Session, item: Item) -> Result<ItemOutcome, ContractError> {
    let stored = match load(session, item.request_id)? {
        Ok(stored) => stored,
        Err(reason) => return Ok(ItemOutcome::Rejected(reason)),
    };
    if stored.body.epoch != Some(item.epoch) {
        return Ok(ItemOutcome::Rejected(RejectReason::WrongEpoch));
    }
    let epoch = session.epoch(item.epoch)?;
    let revoked = epoch.revoked_at.is_some();
    let Some(signer) = epoch.party(item.party).map(|party| party.signer) else {
        return Ok(ItemOutcome::Rejected(RejectReason::UnknownParty));
    };
    let payload_digest = Digest::sha256(&item.payload);
    if !receipt_is_valid(session, &item, &stored, payload_digest, &signer) {
        return Ok(ItemOutcome::Rejected(RejectReason::Receipt));
    }
    let due = stored.body.deadline.is_none_or(|deadline| session.now() >= stored.status.end(deadline));
    let too_late = due || revoked || stored.status.state.is_terminal();
    // Of what came in time the status knows who said it; only late items leave no bit there.
    if too_late || stored.status.heard() & item.party.bit() != 0 {
        let key = (item.request_id.get(), item.party.get());
        if let Some(first) = state_key::RESPONSE.may_load(session.deps.storage, key) {
            let first = StoredResponse::decode(&first)?;
            return record::repeated(session, &item, stored, &first, payload_digest);
        }
    }
    if too_late {
        return record::late(session, item, payload_digest);
    }
    match check::check(session, &item, &stored.body, &signer)? {
        Ok(()) => record::count(session, item, stored, payload_digest),
        Err(reason) => Ok(ItemOutcome::Rejected(reason)),
    }
}

fn load(session: &Session, id: RequestId) -> Result<Result<Stored, RejectReason>, ContractError> {
    let storage = &*session.deps.storage;
    let (Some(body), Some(status)) =
        (state_key::REQUEST.may_load(storage, id.get()), state_key::STATUS.may_load(storage, id.get()))
    else {
        return Ok(Err(RejectReason::UnknownRequest));
    };
    let status = Status::decode(&status)?;
    if status.state == State::Denied {
        return Ok(Err(RejectReason::Denied));
    }
    Ok(Ok(Stored { hash: request_hash(&body), body: RequestBody::parse(&body)?, status }))
}

fn receipt_is_valid(
    session: &Session,
    item: &Item,
    stored: &Stored,
    payload_digest: Digest,
    signer: &PublicKey,
) -> bool {
    let receipt = Receipt {
        chain_id: &session.env.block.chain_id,
        contract: session.env.contract.address.as_str(),
        request_id: item.request_id,
        request_hash: stored.hash,
        epoch: item.epoch,
        party: item.party,
        outcome: item.outcome,
        payload_digest,
    };
    signed_by(session.deps.api, &receipt.signing_hash(), &item.receipt, signer)
}
