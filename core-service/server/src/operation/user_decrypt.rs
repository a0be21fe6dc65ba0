//! User decryption: each plaintext signed and sealed to the user's key, so that everybody sees the answer and the user alone
//! reads it.
//!
//! The contract judged the user's signature at submission; it is judged here once more, because what leaves this core is up to
//! this core. The window holds at the time of submission, which is in the body: later the answer may still be on its way.

mod randomness;

use std::sync::Arc;

use bytes::Bytes;
use kms_asc_api::{
    Digest, Eip712Domain, FailureCode, UserDecrypt, eip712,
    payload::{UserItem, UserPayload},
    signing,
};
use kms_core_engine::{Engine, Plaintext};
use kms_signcrypt::Recipient;

use super::{Failure, Finding, Workshop, answer_domain, ciphertexts, compute};
use crate::{Error, Signer, metrics::Stage, request::Request};
use randomness::Randomness;

/// Where a whole answer was taken, and of which degree: see FORMATS.
const WHOLE: (u32, u32) = (1, 0);

pub(super) async fn perform<E: Engine>(
    shop: &Workshop<E>,
    signer: &Arc<Signer>,
    request: &Request,
    asked: &UserDecrypt,
    blobs: Vec<Bytes>,
) -> Result<Finding, Error> {
    let domain = answer_domain(request)?;
    let judged = recipient(asked, &domain, request.body.time).and_then(|(recipient, link)| {
        let plan = ciphertexts::plan(&asked.ciphertexts, blobs, shop.max_ciphertext_bytes)?;
        Ok((recipient, link, plan))
    });
    let (recipient, link, plan) = match judged {
        Ok(judged) => judged,
        Err(failure) => return Ok(Finding::Failure(failure)),
    };
    let Some(key) = shop.vault.get(asked.key_id.get()) else {
        return Ok(Finding::Failure(Failure::of(FailureCode::KeyUnavailable)));
    };
    let randomness = Randomness::of(shop.vault.randomness_secret(), &shop.identity, request);
    let (vault, metrics) = (shop.vault.clone(), shop.metrics.clone());
    let (signer, asked) = (signer.clone(), asked.clone());
    let work = move || {
        let plaintexts = ciphertexts::decrypt(&metrics, vault.engine(), &key.key, &plan)?;
        let seal = || payload(&asked, &plaintexts, &recipient, link, &signer, &randomness);
        Ok(metrics.time(Stage::Seal, seal).map(|payload| {
            let statement = eip712::user_decrypt_hash(&domain, &asked, &payload);
            Finding::Answer { payload, statement: Some(statement) }
        }))
    };
    match compute(work).await? {
        Ok(finding) => finding,
        Err(failure) => Ok(Finding::Failure(failure)),
    }
}

/// For whom the answer is, if he asked for it: the user's wallet signed this key, these applications and a window in which the
/// request was submitted. A key that is none is the user's fault too.
fn recipient(
    asked: &UserDecrypt,
    domain: &Eip712Domain,
    submitted: u64,
) -> Result<(Recipient, Digest), Failure> {
    let refused = || Failure::of(FailureCode::UserSignature);
    let in_window = submitted >= asked.valid_from && asked.valid_until().is_some_and(|end| submitted < end);
    let hash = eip712::user_request_hash(domain, asked);
    let by_user = signing::recover_address(&hash, &asked.user_signature) == Ok(asked.user);
    if !in_window || !by_user {
        return Err(refused());
    }
    let link = eip712::user_link(domain, asked);
    let recipient = Recipient::new(&asked.enc_key, asked.user, link).map_err(|_| refused())?;
    Ok((recipient, link))
}

/// The payload of FORMATS section 2.4. `plaintexts` are as many as the request's ciphertexts.
fn payload(
    asked: &UserDecrypt,
    plaintexts: &[Plaintext],
    recipient: &Recipient,
    link: Digest,
    signer: &Signer,
    randomness: &Randomness,
) -> Result<Vec<u8>, Error> {
    let mut wires = Vec::with_capacity(plaintexts.len());
    for (position, (ciphertext, plaintext)) in (0u16..).zip(asked.ciphertexts.iter().zip(plaintexts)) {
        let coins = randomness.coins(position)?;
        let value = zeroize::Zeroizing::new(plaintext.little_endian());
        let wire = recipient
            .seal(signer.key(), &coins, ciphertext.fhe_type, &value)
            .map_err(|error| Error::internal("sealing an answer", &error))?;
        wires.push(wire);
    }
    let items = asked.ciphertexts.iter().zip(&wires).map(|(ciphertext, wire)| UserItem {
        fhe_type: ciphertext.fhe_type,
        wire,
        handle: ciphertext.handle,
        packing_factor: 1,
    });
    let (party_id, degree) = WHOLE;
    let verification_key = signer.public_key();
    Ok(UserPayload { verification_key, link, items: items.collect(), party_id, degree }.encode())
}

#[cfg(test)]
mod tests;
