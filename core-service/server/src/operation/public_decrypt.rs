//! Public decryption. What the body alone decides is decided first, so that all parties find the same fault.

use bytes::Bytes;
use kms_asc_api::{FailureCode, PublicDecrypt, eip712};
use kms_core_engine::Engine;

use super::{Failure, Finding, Workshop, answer_domain, ciphertexts, compute};
use crate::{Error, request::Request};

pub(super) async fn perform<E: Engine>(
    shop: &Workshop<E>,
    request: &Request,
    asked: &PublicDecrypt,
    blobs: Vec<Bytes>,
) -> Result<Finding, Error> {
    let plan = match ciphertexts::plan(&asked.ciphertexts, blobs, shop.max_ciphertext_bytes) {
        Ok(plan) => plan,
        Err(failure) => return Ok(Finding::Failure(failure)),
    };
    let Some(key) = shop.vault.get(asked.key_id.get()) else {
        return Ok(Finding::Failure(Failure::of(FailureCode::KeyUnavailable)));
    };
    let (vault, metrics) = (shop.vault.clone(), shop.metrics.clone());
    let decrypt = move || ciphertexts::decrypt(&metrics, vault.engine(), &key.key, &plan);
    let plaintexts = match compute(decrypt).await? {
        Ok(plaintexts) => plaintexts,
        Err(failure) => return Ok(Finding::Failure(failure)),
    };

    let payload = kms_core_engine::payload(&plaintexts);
    let domain = answer_domain(request)?;
    let handles = asked.ciphertexts.iter().map(|ciphertext| &ciphertext.handle);
    let statement = eip712::public_decrypt_hash(&domain, handles, &payload, &asked.extra_data);
    Ok(Finding::Answer { payload, statement: Some(statement) })
}
