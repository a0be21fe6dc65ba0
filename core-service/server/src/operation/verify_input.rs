//! Verification of inputs: the zero-knowledge proof of a list, against a key, a reference string and what it must bind.
//!
//! Bytes that match digest and size and do not parse, conform or prove are an answer, `0x00`, not a failure: the contract
//! records that they are no input.

use std::sync::Arc;

use bytes::Bytes;
use kms_asc_api::{
    FailureCode, Handle, KeyType, VerifyInput, eip712,
    payload::{InputBinding, InputVerdict, MAX_INPUTS},
};
use kms_core_engine::{CrsError, Engine, FheType, KeyError};

use super::{
    Failure, Finding, Workshop, answer_domain,
    ciphertexts::is_stored,
    compute, crs_record, key_record,
    ready::{StringParts, VerifierParts},
};
use crate::{Error, request::Request};

pub(super) async fn perform<E: Engine>(
    shop: &Workshop<E>,
    request: &Request,
    asked: &VerifyInput,
    blobs: Vec<Bytes>,
) -> Result<Finding, Error> {
    if asked.size > shop.max_ciphertext_bytes {
        return Ok(Finding::Failure(Failure::of(FailureCode::TooLarge)));
    }
    let list = blobs.into_iter().next().unwrap_or_default();
    if !is_stored(&list, &asked.digest, asked.size) {
        return Ok(Finding::Failure(Failure::of(FailureCode::CiphertextMismatch)));
    }
    let verifier = match verifier(shop, request).await? {
        Ok(verifier) => verifier,
        Err(failure) => return Ok(Finding::Failure(failure)),
    };
    let (vault, binding) = (shop.vault.clone(), InputBinding::of(asked));
    let verify = move || {
        let types = vault.engine().verify_input(&verifier, &list, &binding.metadata());
        types.map(|types| handles(&list, &binding, &types))
    };
    let verdict = match compute(verify).await? {
        Ok(handles) if (1..=MAX_INPUTS).contains(&handles.len()) => InputVerdict::Accepted(handles),
        Ok(_) => InputVerdict::Refused,
        Err(error) => {
            tracing::info!(request_id = request.id(), reason = error.code(), %error, "the bytes are no input");
            InputVerdict::Refused
        }
    };
    let statement = match &verdict {
        InputVerdict::Accepted(handles) => {
            let domain = answer_domain(request)?;
            Some(eip712::verify_input_hash(&domain, asked, handles))
        }
        // There is nothing to tell the outside world.
        InputVerdict::Refused => None,
    };
    Ok(Finding::Answer { payload: verdict.encode(), statement })
}

/// What judges inputs of the key and the reference string on record: from the store, checked against their digests there.
async fn verifier<E: Engine>(
    shop: &Workshop<E>,
    request: &Request,
) -> Result<Result<Arc<E::InputVerifier>, Failure>, Error> {
    let (key, crs) = (key_record(request)?, crs_record(request)?);
    let public = key.digests.iter().find(|part| part.key_type == KeyType::Public);
    let public = public.ok_or_else(|| Error::Internal { cause: "a key without a public key".to_owned() })?;
    let string = StringParts { params: super::params(key.params), crs: crs.digest };
    let parts = VerifierParts { public_key: public.digest, string };
    if let Some(ready) = shop.verifiers.get(&parts) {
        return Ok(Ok(ready));
    }
    let Some(public_key) = shop.published(&parts.public_key, kms_core_engine::key_digest).await? else {
        return Ok(Err(Failure::of(FailureCode::KeyUnavailable)));
    };
    let string = match reference_string(shop, request, string).await? {
        Ok(string) => string,
        Err(failure) => return Ok(Err(failure)),
    };
    match shop.vault.engine().input_verifier(&public_key, &string) {
        Ok(verifier) => Ok(Ok(shop.verifiers.keep(parts, verifier))),
        Err(error @ KeyError::LibraryFailure { .. }) => {
            Err(Error::internal("making an input verifier", &error))
        }
        Err(error) => Ok(Err(misfit(request, &error))),
    }
}

/// A reference string from the store, which is checked once for all keys of its parameters.
async fn reference_string<E: Engine>(
    shop: &Workshop<E>,
    request: &Request,
    parts: StringParts,
) -> Result<Result<Arc<E::ReferenceString>, Failure>, Error> {
    if let Some(ready) = shop.strings.get(&parts) {
        return Ok(Ok(ready));
    }
    let Some(stored) = shop.published(&parts.crs, kms_core_engine::crs_digest).await? else {
        return Ok(Err(Failure::of(FailureCode::KeyUnavailable)));
    };
    let vault = shop.vault.clone();
    match compute(move || vault.engine().load_crs(parts.params, &stored)).await? {
        Ok(string) => Ok(Ok(shop.strings.keep(parts, string))),
        Err(error @ CrsError::LibraryFailure { .. }) => {
            Err(Error::internal("loading a reference string", &error))
        }
        Err(error) => Ok(Err(misfit(request, &error))),
    }
}

/// What is on record does not fit together, such as a string for keys of other parameters.
fn misfit(request: &Request, error: &dyn std::error::Error) -> Failure {
    tracing::warn!(request_id = request.id(), %error, "no input can be verified with these parts");
    Failure::of(FailureCode::Unsupported)
}

/// The handles of a list's elements, made from all its bytes.
fn handles(list: &[u8], binding: &InputBinding, types: &[FheType]) -> Vec<Handle> {
    let handle = |(position, fhe_type): (u8, &FheType)| {
        let acl = *binding.acl.as_bytes();
        let handle = kms_core_engine::Handle::derive(list, position, acl, binding.chain_id, *fhe_type);
        Handle::new(handle.to_bytes())
    };
    (0..=u8::MAX).zip(types).map(handle).collect()
}
