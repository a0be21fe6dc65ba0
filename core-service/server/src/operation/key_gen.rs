//! Key generation. The vault's file is the point of no return: a rerun before it makes another key, of which nobody
//! has heard, and a rerun after it answers for the key that is there.

use kms_asc_api::{
    Digest, FailureCode, KeyDigest, KeyGen, KeyId, KeyParams, KeySource, KeyType, eip712, payload,
};
use kms_core_engine::{Engine, ParameterSet, PublishedPart, key_digest};

use super::{Failure, Finding, Workshop, compute, import, new_domain, params, takeover};
use crate::{
    Error,
    request::Request,
    vault::{Part, Record},
};

pub(super) async fn perform<E: Engine>(
    shop: &Workshop<E>,
    request: &Request,
    asked: &KeyGen,
) -> Result<Finding, Error> {
    // Test parameters protect nothing.
    if asked.params == KeyParams::Test && !shop.allow_test_parameters {
        return Ok(Finding::Failure(Failure::of(FailureCode::Unsupported)));
    }
    if let KeySource::Takeover { key_id } = asked.source {
        return takeover::perform(shop, request, asked, key_id);
    }
    if shop.destroyed.contains(request.id()) {
        return Ok(Finding::Failure(Failure::of(FailureCode::KeyUnavailable)));
    }
    let held = match shop.vault.get(request.id()) {
        Some(held) if held.record.request_hash == request.hash => {
            // A crash may have come between.
            let vault = shop.vault.clone();
            let id = request.id();
            compute(move || vault.unstage(id))
                .await?
                .map_err(|error| Error::internal("forgetting what was staged", &error))?;
            Ok(held.record.clone())
        }
        Some(_) => return Err(Error::RequestConflict { request_id: request.id() }),
        None => match &asked.source {
            KeySource::Import { digests } => import::key(shop, request, asked, digests).await?,
            _ => Ok(make(shop, request, params(asked.params)).await?),
        },
    };
    match held {
        Ok(record) => answer(shop, request, &record),
        Err(failure) => Ok(Finding::Failure(failure)),
    }
}

/// Generates, publishes, then keeps: what is in the vault has been published.
async fn make<E: Engine>(
    shop: &Workshop<E>,
    request: &Request,
    params: ParameterSet,
) -> Result<Record, Error> {
    let key_id = request.id();
    let vault = shop.vault.clone();
    tracing::info!(key_id, %params, "generating a key");
    let material = compute(move || vault.engine().generate(params, key_id))
        .await?
        .map_err(|error| Error::internal("generating a key", &error))?;

    let mut parts = Vec::with_capacity(material.published.len());
    for part in material.published {
        parts.push(publish(shop, part).await?);
    }
    let record = Record::new(&shop.identity, request.membership.epoch, key_id, request.hash, params, parts);
    let vault = shop.vault.clone();
    let held = compute(move || vault.add(record, &material.secret))
        .await?
        .map_err(|error| Error::internal("keeping a key", &error))?;
    tracing::info!(key_id, "a key is in the vault");
    Ok(held.record.clone())
}

async fn publish<E: Engine>(shop: &Workshop<E>, part: PublishedPart) -> Result<Part, Error> {
    let size = u64::try_from(part.bytes.len()).map_err(|error| Error::internal("publishing", &error))?;
    let digest = shop
        .store
        .put_public(part.bytes, key_digest)
        .await
        .map_err(|error| Error::internal("publishing a part of a key", &error))?;
    Ok(Part { key_type: part.key_type.number(), digest: Digest::new(digest.to_bytes()), size })
}

fn answer<E: Engine>(shop: &Workshop<E>, request: &Request, record: &Record) -> Result<Finding, Error> {
    let digests = digests_of(record)?;
    let key_id = KeyId(record.key_id);
    let domain = new_domain(shop, request, key_id)?;
    Ok(Finding::Answer {
        payload: payload::encode_key_digests(&digests),
        statement: Some(eip712::key_gen_hash(&domain, key_id, &digests)),
    })
}

/// The digests of a key's published parts, ascending by type.
pub(super) fn digests_of(record: &Record) -> Result<Vec<KeyDigest>, Error> {
    record.parts.iter().map(key_digest_of).collect()
}

pub(super) fn key_digest_of(part: &Part) -> Result<KeyDigest, Error> {
    let key_type = match part.key_type {
        0 => KeyType::Server,
        1 => KeyType::Public,
        other => return Err(Error::Internal { cause: format!("a key has a part of unknown type {other}") }),
    };
    Ok(KeyDigest { key_type, digest: part.digest })
}
