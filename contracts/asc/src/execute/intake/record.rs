//! What an item leaves behind: a stored response, an entry in the log, an event, and perhaps a decision.

use kms_asc_api::event::Event;
use kms_asc_api::log::{LogBody, SignedReceipt};
use kms_asc_api::{Digest, ItemOutcome, Outcome, StoredResponse, state_key};

use super::{Item, Stored};
use crate::ContractError;
use crate::decision::Vote;
use crate::execute::cancel;
use crate::session::Session;
use crate::settlement;

/// The party spoke before: the same again is nothing, something else is equivocation, recorded once.
pub fn repeated(
    session: &mut Session,
    item: &Item,
    stored: Stored,
    first: &StoredResponse,
    payload_digest: Digest,
) -> Result<ItemOutcome, ContractError> {
    if (first.outcome, first.payload_digest()) == (item.outcome, payload_digest) {
        return Ok(ItemOutcome::Duplicate);
    }
    let mut status = stored.status;
    if status.equivocated & item.party.bit() == 0 {
        status.equivocated |= item.party.bit();
        state_key::STATUS.save(session.deps.storage, item.request_id.get(), &status.encode());
        let first = SignedReceipt {
            outcome: first.outcome.number(),
            payload_digest: first.payload_digest(),
            receipt: first.receipt,
        };
        let second = SignedReceipt { outcome: item.outcome.number(), payload_digest, receipt: item.receipt };
        let (party, epoch) = (item.party, item.epoch);
        session.record(Some(item.request_id), LogBody::Equivocation { party, epoch, first, second })?;
        emit(session, item, ItemOutcome::Equivocation);
    }
    Ok(ItemOutcome::Equivocation)
}

/// Too late to count: digest and receipt are kept, so that the record shows who could have answered.
pub fn late(session: &mut Session, item: Item, payload_digest: Digest) -> Result<ItemOutcome, ContractError> {
    let (party, epoch, outcome) = (item.party, item.epoch, item.outcome.number());
    emit(session, &item, ItemOutcome::Late);
    let payload = payload_digest.as_bytes().to_vec();
    let response_hash = store(session, Item { payload, external_signature: None, ..item }, true);
    session.record(Some(item.request_id), LogBody::ResponseLate { party, epoch, outcome, response_hash })?;
    Ok(ItemOutcome::Late)
}

/// Counts the item, and settles the request if it decides.
pub fn count(
    session: &mut Session,
    item: Item,
    stored: Stored,
    payload_digest: Digest,
) -> Result<ItemOutcome, ContractError> {
    let (id, party, epoch) = (item.request_id, item.party, item.epoch);
    let vote = Vote { party, outcome: item.outcome, digest: payload_digest };
    let mut status = stored.status;
    match item.outcome {
        Outcome::Answer => status.answered |= party.bit(),
        Outcome::Failure(_) => status.failed |= party.bit(),
    }
    emit(session, &item, ItemOutcome::Recorded);
    let outcome = item.outcome.number();
    let failed = item.outcome != Outcome::Answer;
    let response_hash = store(session, item, false);
    let recorded = if failed {
        LogBody::FailureRecorded { party, epoch, outcome, response_hash }
    } else {
        LogBody::ResponseRecorded { party, epoch, outcome, response_hash }
    };
    session.record(Some(id), recorded)?;
    cancel::lapse(session, id, &mut status)?;
    settlement::settle_if_decided(session, &stored.body, &mut status, vote)?;
    state_key::STATUS.save(session.deps.storage, id.get(), &status.encode());
    Ok(ItemOutcome::Recorded)
}

/// Writes the item once; gives the hash of what is stored.
fn store(session: &mut Session, item: Item, late: bool) -> Digest {
    let key = (item.request_id.get(), item.party.get());
    let response = StoredResponse {
        epoch: item.epoch,
        outcome: item.outcome,
        late,
        receipt: item.receipt,
        external_signature: item.external_signature,
        payload: item.payload,
    };
    let bytes = response.encode();
    state_key::RESPONSE.save(session.deps.storage, key, &bytes);
    Digest::sha256(&bytes)
}

fn emit(session: &mut Session, item: &Item, outcome: ItemOutcome) {
    let (request_id, party) = (item.request_id, item.party);
    session.emit(match item.outcome {
        Outcome::Answer => Event::Response { request_id, party, outcome },
        Outcome::Failure(code) => Event::Failure { request_id, party, outcome, code },
    });
}
