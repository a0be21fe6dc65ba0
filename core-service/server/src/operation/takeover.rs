//! Takeover: this party holds a key already and serves it in a newer epoch. Nothing is made; the answer says which key is
//! held, in the digests that are on record for it.

use kms_asc_api::{FailureCode, KeyGen, KeyId, eip712, payload};
use kms_core_engine::Engine;

use super::{Failure, Finding, Workshop, key_gen::digests_of, key_record};
use crate::{Error, request::Request};

pub(super) fn perform<E: Engine>(
    shop: &Workshop<E>,
    request: &Request,
    asked: &KeyGen,
    key_id: KeyId,
) -> Result<Finding, Error> {
    let key = key_record(request)?;
    let Some(held) = shop.vault.get(key_id.get()) else {
        return Ok(Finding::Failure(Failure::of(FailureCode::KeyUnavailable)));
    };
    let digests = digests_of(&held.record)?;
    if key.id != key_id || key.digests != digests || key.params != asked.params {
        // A key of that id, and not the one on record: as good as none.
        tracing::error!(key_id = key_id.get(), "the vault holds another key under this id than is on record");
        return Ok(Finding::Failure(Failure::of(FailureCode::KeyUnavailable)));
    }
    tracing::info!(key_id = key_id.get(), epoch = request.membership.epoch.get(), "taking over a key");
    let statement = eip712::key_gen_hash(&key.domain, key_id, &digests);
    Ok(Finding::Answer { payload: payload::encode_key_digests(&digests), statement: Some(statement) })
}
