//! `submit_responses` and `submit_failures`: what operators say, item by item. The receipt is the authority,
//! not the sender; one bad item never fails its neighbours.

use cosmwasm_std::{Binary, to_json_binary};
use kms_asc_api::eip712::{Receipt, key_gen_hash, public_decrypt_hash};
use kms_asc_api::event::Event;
use kms_asc_api::log::{LogBody, SignedReceipt};
use kms_asc_api::payload::{decode_key_digests, public_decrypt_len};
use kms_asc_api::{
    Answer, Digest, EpochId, Failure, FailureCode, ItemOutcome, KeyId, Operation, Outcome, OutcomesData,
    PartyId, PublicKey, RejectReason, RequestBody, RequestId, Signature, State, Status, StoredResponse,
    request_hash, state_key,
};

use crate::ContractError;
use crate::decision::Vote;
use crate::session::Session;
use crate::settlement;
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
        Ok(Item {
            request_id: answer.request_id,
            epoch: answer.epoch,
            party: answer.party,
            outcome: Outcome::Answer,
            payload: answer.payload.to_vec(),
            external_signature: answer.external_signature,
            receipt: answer.receipt,
        })
    });
    take_all(session, items)
}

/// Takes failures in. Data: an outcome each.
pub fn submit_failures(session: &mut Session, failures: Vec<Failure>) -> Result<Binary, ContractError> {
    let items = failures.into_iter().map(|failure| {
        let code = FailureCode::try_from(failure.code).ok().filter(|code| code.is_operators());
        Ok(Item {
            request_id: failure.request_id,
            epoch: failure.epoch,
            party: failure.party,
            outcome: Outcome::Failure(code.ok_or(RejectReason::UnknownCode)?),
            payload: failure.index.to_be_bytes().to_vec(),
            external_signature: None,
            receipt: failure.receipt,
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
    let Some(signer) = session.epoch(item.epoch)?.party(item.party).map(|party| party.signer) else {
        return Ok(ItemOutcome::Rejected(RejectReason::UnknownParty));
    };
    let payload_digest = Digest::sha256(&item.payload);
    if !receipt_is_valid(session, &item, &stored, payload_digest, &signer) {
        return Ok(ItemOutcome::Rejected(RejectReason::Receipt));
    }
    let due = stored.body.deadline.is_none_or(|deadline| session.now() >= stored.status.end(deadline));
    let too_late = due || stored.status.state.is_terminal();
    // Of what came in time the status knows who said it; only late items leave no bit there.
    if too_late || stored.status.heard() & item.party.bit() != 0 {
        let key = (item.request_id.get(), item.party.get());
        if let Some(first) = state_key::RESPONSE.may_load(session.deps.storage, key) {
            return repeated(session, &item, stored, &StoredResponse::decode(&first)?, payload_digest);
        }
    }
    if too_late {
        return late(session, item, payload_digest);
    }
    match check(session, &item, &stored.body, &signer)? {
        Ok(()) => count(session, item, stored, payload_digest),
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

/// The party spoke before: the same again is nothing, something else is equivocation, recorded once.
fn repeated(
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
fn late(session: &mut Session, item: Item, payload_digest: Digest) -> Result<ItemOutcome, ContractError> {
    let (party, epoch, outcome) = (item.party, item.epoch, item.outcome.number());
    emit(session, &item, ItemOutcome::Late);
    let payload = payload_digest.as_bytes().to_vec();
    let response_hash = store(session, Item { payload, external_signature: None, ..item }, true);
    session.record(Some(item.request_id), LogBody::ResponseLate { party, epoch, outcome, response_hash })?;
    Ok(ItemOutcome::Late)
}

/// Whether the item says what it must, in the operation's form.
fn check(
    session: &Session,
    item: &Item,
    body: &RequestBody,
    signer: &PublicKey,
) -> Result<Result<(), RejectReason>, ContractError> {
    if let Outcome::Failure(code) = item.outcome {
        return Ok(check_failure(session, item, body, code));
    }
    let limit = usize::try_from(session.config.limits.payload).unwrap_or(usize::MAX);
    if item.payload.len() > limit {
        return Ok(Err(RejectReason::PayloadTooLarge));
    }
    let default_domain = |key_id: KeyId| {
        let (chain_id, contract) = (&session.env.block.chain_id, session.env.contract.address.as_str());
        session.config.key_domain.for_key(chain_id, contract, key_id).map_err(|_| ContractError::Overflow)
    };
    let signed = match &body.operation {
        Operation::KeyGen(_) => {
            let Ok(digests) = decode_key_digests(&item.payload) else {
                return Ok(Err(RejectReason::Payload));
            };
            let storage = &*session.deps.storage;
            if digests.iter().any(|part| state_key::DIGEST.has(storage, part.digest.as_bytes().as_slice())) {
                return Ok(Err(RejectReason::DigestRegistered));
            }
            let key_id = KeyId::from(body.id);
            key_gen_hash(&default_domain(key_id)?, key_id, &digests)
        }
        Operation::PublicDecrypt(op) => {
            if item.payload.len() != public_decrypt_len(&op.ciphertexts) {
                return Ok(Err(RejectReason::Payload));
            }
            let domain = match &op.domain {
                Some(domain) => domain.clone(),
                None => state_key::KEY.load(session.deps.storage, op.key_id.get())?.domain,
            };
            let handles = op.ciphertexts.iter().map(|ciphertext| &ciphertext.handle);
            public_decrypt_hash(&domain, handles, &item.payload, &op.extra_data)
        }
        Operation::CrsGen(_) | Operation::UserDecrypt(_) | Operation::VerifyInput(_) => {
            return Err(ContractError::Unsupported(body.operation.kind().name()));
        }
    };
    let external = item.external_signature.as_ref();
    let valid = external.is_some_and(|signature| signed_by(session.deps.api, &signed, signature, signer));
    Ok(if valid { Ok(()) } else { Err(RejectReason::ExternalSignature) })
}

fn check_failure(
    session: &Session,
    item: &Item,
    body: &RequestBody,
    code: FailureCode,
) -> Result<(), RejectReason> {
    let index = item.payload.iter().fold(0usize, |index, byte| (index << 8) | usize::from(*byte));
    if index != usize::from(Failure::NO_INDEX) && index >= body.operation.ciphertexts().len() {
        return Err(RejectReason::Index);
    }
    let half_time = body.half_time().unwrap_or(u64::MAX);
    if code.may_mend() && session.now() < half_time {
        return Err(RejectReason::TooEarly);
    }
    Ok(())
}

/// Counts the item, and settles the request if it decides.
fn count(
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
