//! Whether an item says what it must, in its operation's form.

use cosmwasm_std::StdError;
use kms_asc_api::eip712::{
    crs_gen_hash, key_gen_hash, public_decrypt_hash, user_decrypt_hash, user_link, verify_input_hash,
};
use kms_asc_api::payload::{
    InputVerdict, PayloadError, UserPayload, decode_crs_digest, decode_key_digests, encode_key_digests,
    public_decrypt_len,
};
use kms_asc_api::{
    CrsGen, CrsId, CrsSource, Digest, Eip712Domain, Failure, FailureCode, KeyGen, KeyId, KeyRecord,
    KeySource, Operation, Outcome, PublicDecrypt, PublicKey, RejectReason, RequestBody, UserDecrypt,
    VerifyInput, state_key,
};

use super::Item;
use crate::ContractError;
use crate::domain;
use crate::session::Session;
use crate::signer::signed_by;

/// Why an item is not taken in.
enum Refused {
    /// It is not what it should be.
    Rejected(RejectReason),
    /// The contract's own fault, never the item's.
    Error(ContractError),
}

impl From<RejectReason> for Refused {
    fn from(reason: RejectReason) -> Self {
        Self::Rejected(reason)
    }
}

impl From<PayloadError> for Refused {
    fn from(_: PayloadError) -> Self {
        Self::Rejected(RejectReason::Payload)
    }
}

impl From<ContractError> for Refused {
    fn from(error: ContractError) -> Self {
        Self::Error(error)
    }
}

impl From<StdError> for Refused {
    fn from(error: StdError) -> Self {
        Self::Error(error.into())
    }
}

/// Whether the item may count. The receipt was checked before.
pub fn check(
    session: &mut Session,
    item: &Item,
    body: &RequestBody,
    signer: &PublicKey,
) -> Result<Result<(), RejectReason>, ContractError> {
    let checked = match item.outcome {
        Outcome::Answer => answer(session, item, body, signer),
        Outcome::Failure(code) => failure(session, item, body, code).map_err(Refused::from),
    };
    match checked {
        Ok(()) => Ok(Ok(())),
        Err(Refused::Rejected(reason)) => Ok(Err(reason)),
        Err(Refused::Error(error)) => Err(error),
    }
}

fn answer(session: &mut Session, item: &Item, body: &RequestBody, signer: &PublicKey) -> Result<(), Refused> {
    let limit = usize::try_from(session.config.limits.payload).unwrap_or(usize::MAX);
    if item.payload.len() > limit {
        return Err(RejectReason::PayloadTooLarge.into());
    }
    let statement = match &body.operation {
        Operation::KeyGen(op) => Some(key_gen(session, body, op, &item.payload)?),
        Operation::CrsGen(op) => Some(crs_gen(session, body, op, &item.payload)?),
        Operation::PublicDecrypt(op) => Some(public_decrypt(session, op, &item.payload)?),
        Operation::UserDecrypt(op) => Some(user_decrypt(session, item, op)?),
        Operation::VerifyInput(op) => verify_input(session, op, &item.payload)?,
    };
    let valid = match (&statement, &item.external_signature) {
        (Some(hash), Some(signature)) => signed_by(session.deps.api, hash, signature, signer),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    if valid { Ok(()) } else { Err(RejectReason::ExternalSignature.into()) }
}

fn key_gen(session: &Session, body: &RequestBody, op: &KeyGen, payload: &[u8]) -> Result<Digest, Refused> {
    let digests = decode_key_digests(payload)?;
    let asked = match &op.source {
        KeySource::Takeover { key_id } => {
            let key = load_key(session, *key_id)?;
            if digests != key.digests {
                return Err(RejectReason::Payload.into());
            }
            return Ok(key_gen_hash(&key.domain, key.id, &digests));
        }
        KeySource::Import { digests } => Some(digests),
        KeySource::Generate => None,
    };
    if asked.is_some_and(|asked| payload != encode_key_digests(asked)) {
        return Err(RejectReason::Payload.into());
    }
    unregistered(session, digests.iter().map(|part| &part.digest))?;
    let id = KeyId::from(body.id);
    let domain = domain::default_domain(session, id)?;
    if domain::owner(session.deps.storage, &domain)?.is_some() {
        return Err(RejectReason::DomainRegistered.into());
    }
    Ok(key_gen_hash(&domain, id, &digests))
}

fn crs_gen(session: &Session, body: &RequestBody, op: &CrsGen, payload: &[u8]) -> Result<Digest, Refused> {
    let digest = decode_crs_digest(payload)?;
    if matches!(&op.source, CrsSource::Import { digest: asked } if *asked != digest) {
        return Err(RejectReason::Payload.into());
    }
    unregistered(session, [&digest])?;
    let domain = domain::default_domain(session, KeyId::from(body.id))?;
    Ok(crs_gen_hash(&domain, CrsId::from(body.id), op.max_bits, &digest))
}

/// Another request may have been faster with the same material.
fn unregistered<'a>(
    session: &Session,
    digests: impl IntoIterator<Item = &'a Digest>,
) -> Result<(), RejectReason> {
    let storage = &*session.deps.storage;
    let mut digests = digests.into_iter();
    if digests.any(|digest| state_key::DIGEST.has(storage, digest.as_bytes().as_slice())) {
        return Err(RejectReason::DigestRegistered);
    }
    Ok(())
}

fn public_decrypt(session: &mut Session, op: &PublicDecrypt, payload: &[u8]) -> Result<Digest, Refused> {
    if payload.len() != public_decrypt_len(&op.ciphertexts) {
        return Err(RejectReason::Payload.into());
    }
    let domain = answer_domain(session, op.key_id, op.domain.as_ref())?;
    let handles = op.ciphertexts.iter().map(|ciphertext| &ciphertext.handle);
    Ok(public_decrypt_hash(&domain, handles, payload, &op.extra_data))
}

fn user_decrypt(session: &mut Session, item: &Item, op: &UserDecrypt) -> Result<Digest, Refused> {
    let domain = answer_domain(session, op.key_id, op.domain.as_ref())?;
    let payload = UserPayload::decode(&item.payload)?;
    payload.check(op, &user_link(&domain, op), session.epoch(item.epoch)?, item.party)?;
    Ok(user_decrypt_hash(&domain, op, &item.payload))
}

/// A refused input has no statement for the outside world.
fn verify_input(session: &mut Session, op: &VerifyInput, payload: &[u8]) -> Result<Option<Digest>, Refused> {
    let InputVerdict::Accepted(handles) = InputVerdict::decode(payload, op.chain_id)? else {
        return Ok(None);
    };
    let domain = answer_domain(session, op.key_id, op.domain.as_ref())?;
    Ok(Some(verify_input_hash(&domain, op, &handles)))
}

/// The request's domain; it was the key's at submission, and belongs to it for good.
fn answer_domain(
    session: &mut Session,
    key_id: KeyId,
    domain: Option<&Eip712Domain>,
) -> Result<Eip712Domain, ContractError> {
    match domain {
        Some(domain) => Ok(domain.clone()),
        None => Ok(session.key_domain(key_id)?.clone()),
    }
}

fn load_key(session: &Session, id: KeyId) -> Result<KeyRecord, ContractError> {
    Ok(state_key::KEY.load(session.deps.storage, id.get())?)
}

fn failure(
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
