//! Public decryption. What the body alone decides is decided first, so that all parties find the same fault.

use std::sync::Arc;

use bytes::Bytes;
use kms_asc_api::{Ciphertext, CiphertextFormat, Digest, FailureCode, Handle, PublicDecrypt, eip712};
use kms_core_engine::{CiphertextError, Element, Engine, FheType, Plaintext};

use super::{Failure, Finding, Workshop, compute, default_domain};
use crate::{
    Error,
    vault::{HeldKey, Vault},
};

/// A ciphertext that this version can decrypt, with its bytes.
struct Job {
    declared: FheType,
    digest: Digest,
    size: u64,
    bytes: Bytes,
}

pub(super) async fn perform<E: Engine>(
    shop: &Workshop<E>,
    asked: &PublicDecrypt,
    blobs: Vec<Bytes>,
) -> Result<Finding, Error> {
    let jobs = match plan(&asked.ciphertexts, blobs, shop.max_ciphertext_bytes) {
        Ok(jobs) => jobs,
        Err(failure) => return Ok(Finding::Failure(failure)),
    };
    let Some(key) = shop.vault.get(asked.key_id.get()) else {
        return Ok(Finding::Failure(Failure::of(FailureCode::KeyUnavailable)));
    };
    let vault = shop.vault.clone();
    let plaintexts = match compute(&shop.decryptions, move || decrypt_all(&vault, &key, &jobs)).await? {
        Ok(plaintexts) => plaintexts,
        Err(failure) => return Ok(Finding::Failure(failure)),
    };

    let payload = kms_core_engine::payload(&plaintexts);
    let domain = match &asked.domain {
        Some(domain) => domain.clone(),
        None => default_domain(&shop.identity, asked.key_id)?,
    };
    let handles = asked.ciphertexts.iter().map(|ciphertext| &ciphertext.handle);
    let statement = eip712::public_decrypt_hash(&domain, handles, &payload, &asked.extra_data);
    Ok(Finding::Answer { payload, statement })
}

/// Judges each ciphertext by what the body says of it.
fn plan(ciphertexts: &[Ciphertext], blobs: Vec<Bytes>, max_bytes: u64) -> Result<Vec<Job>, Failure> {
    let judge = |index: usize, ciphertext: &Ciphertext, bytes| {
        let failure = |code| Failure::at(code, index);
        let supported = FheType::from_number(ciphertext.fhe_type.number());
        let declared = match ciphertext.format {
            CiphertextFormat::Raw => supported.ok_or_else(|| failure(FailureCode::Unsupported))?,
            CiphertextFormat::Compressed | CiphertextFormat::Compact => {
                return Err(failure(FailureCode::Unsupported));
            }
        };
        if !names_type(&ciphertext.handle, declared) {
            return Err(failure(FailureCode::WrongType));
        }
        if ciphertext.index != 0 {
            return Err(failure(FailureCode::CiphertextMalformed));
        }
        if ciphertext.size > max_bytes {
            return Err(failure(FailureCode::TooLarge));
        }
        Ok(Job { declared, digest: ciphertext.digest, size: ciphertext.size, bytes })
    };
    ciphertexts
        .iter()
        .zip(blobs)
        .enumerate()
        .map(|(index, (ciphertext, bytes))| judge(index, ciphertext, bytes))
        .collect()
}

fn names_type(handle: &Handle, declared: FheType) -> bool {
    handle.fhe_type_number() == declared.number()
}

fn decrypt_all<E: Engine>(
    vault: &Arc<Vault<E>>,
    key: &HeldKey<E::Key>,
    jobs: &[Job],
) -> Result<Vec<Plaintext>, Failure> {
    let decrypt = |(index, job): (usize, &Job)| {
        if u64::try_from(job.bytes.len()) != Ok(job.size) || Digest::sha256(&job.bytes) != job.digest {
            return Err(Failure::at(FailureCode::CiphertextMismatch, index));
        }
        let element = Element { index: 0, declared: job.declared };
        vault
            .engine()
            .decrypt(&key.key, &job.bytes, kms_core_engine::CiphertextFormat::Raw, &[element])
            .pop()
            .unwrap_or(Err(CiphertextError::LibraryFailure))
            .map_err(|error| Failure::at(failure_code(&error), index))
    };
    jobs.iter().enumerate().map(decrypt).collect()
}

fn failure_code(error: &CiphertextError) -> FailureCode {
    match error {
        CiphertextError::TooLarge { .. } => FailureCode::TooLarge,
        CiphertextError::WrongType { .. } => FailureCode::WrongType,
        _ => FailureCode::CiphertextMalformed,
    }
}
