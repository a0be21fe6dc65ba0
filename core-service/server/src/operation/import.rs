//! Import: material that was made elsewhere and staged in this core, for the named owner and request, becomes a key or a
//! reference string of the contract. Its digests must be those that the request names.
//!
//! What is not staged yet may still be: until half of the request's time is over the caller is told to ask again.

use kms_asc_api::{Digest, FailureCode, KeyDigest, KeyGen};
use kms_core_engine::{Engine, ParameterSet, SecretKey, crs_digest};

use super::{Failure, Workshop, compute, key_gen::key_digest_of, params};
use crate::{
    Error,
    request::Request,
    vault::{Record, Staged, StagedKey},
};

/// The record of the imported key, which is in the vault then.
pub(super) async fn key<E: Engine>(
    shop: &Workshop<E>,
    request: &Request,
    asked: &KeyGen,
    digests: &[KeyDigest],
) -> Result<Result<Record, Failure>, Error> {
    let request_id = request.id();
    let Some(Staged::Key { key, secret }) = staged(shop, request).await? else {
        return Ok(Err(nothing_fits(request_id, "no key is staged for this owner and request")));
    };
    if !is_what_was_asked(&key, params(asked.params), digests)? {
        return Ok(Err(nothing_fits(request_id, "another key is staged than the request names")));
    }
    keep(shop, request, key, params(asked.params), secret).await.map(Ok)
}

fn is_what_was_asked(key: &StagedKey, params: ParameterSet, digests: &[KeyDigest]) -> Result<bool, Error> {
    let staged = key.parts.iter().map(key_digest_of).collect::<Result<Vec<_>, _>>()?;
    Ok(key.params == params.name() && staged == digests)
}

/// Puts the key into the vault; what was staged is not needed then.
async fn keep<E: Engine>(
    shop: &Workshop<E>,
    request: &Request,
    key: StagedKey,
    params: ParameterSet,
    secret: SecretKey,
) -> Result<Record, Error> {
    let (vault, key_id) = (shop.vault.clone(), request.id());
    let record =
        Record::new(&shop.identity, request.membership.epoch, key_id, request.hash, params, key.parts);
    let held = compute(move || {
        let held = vault.add(record, &secret)?;
        vault.unstage(key_id)?;
        Ok::<_, crate::VaultError>(held)
    });
    let held = held.await?.map_err(|error| Error::internal("keeping an imported key", &error))?;
    tracing::info!(key_id, "an imported key is in the vault");
    Ok(held.record.clone())
}

/// The digest of the imported string, which is published then. It stays staged: the answer is not recorded yet.
pub(super) async fn crs<E: Engine>(
    shop: &Workshop<E>,
    request: &Request,
    max_bits: u32,
    digest: &Digest,
) -> Result<Result<Digest, Failure>, Error> {
    let request_id = request.id();
    let Some(Staged::Crs { crs, bytes }) = staged(shop, request).await? else {
        return Ok(Err(nothing_fits(request_id, "no string is staged for this owner and request")));
    };
    if (crs.max_bits, crs.digest) != (max_bits, *digest) {
        return Ok(Err(nothing_fits(request_id, "another string is staged than the request names")));
    }
    let published = shop
        .store
        .put_public(bytes, crs_digest)
        .await
        .map_err(|error| Error::internal("publishing a reference string", &error))?;
    match published.to_bytes() == *digest.as_bytes() {
        true => Ok(Ok(*digest)),
        false => Err(Error::Internal { cause: "a staged string has another digest than it says".to_owned() }),
    }
}

async fn staged<E: Engine>(shop: &Workshop<E>, request: &Request) -> Result<Option<Staged>, Error> {
    let (vault, owner, id) = (shop.vault.clone(), request.body.requester.clone(), request.id());
    let staged = compute(move || vault.staged(&owner, id)).await?;
    staged.map_err(|error| Error::internal("reading what is staged", &error))
}

fn nothing_fits(request_id: u64, why: &str) -> Failure {
    tracing::warn!(request_id, why, "nothing to import");
    Failure::of(FailureCode::KeyUnavailable)
}
