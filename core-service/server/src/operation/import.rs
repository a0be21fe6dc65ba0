//! Import: material that was made elsewhere and staged in this core, for the named owner and request, becomes a key or a
//! reference string of the contract. Its digests must be those that the request names.

use kms_asc_api::{Digest, FailureCode, KeyDigest, KeyGen};
use kms_core_engine::Engine;

use super::{Failure, Workshop};
use crate::{Error, request::Request, vault::Record};

/// The record of the imported key, which is in the vault then.
pub(super) async fn key<E: Engine>(
    _shop: &Workshop<E>,
    _request: &Request,
    _asked: &KeyGen,
    _digests: &[KeyDigest],
) -> Result<Result<Record, Failure>, Error> {
    Ok(Err(Failure::of(FailureCode::Unsupported)))
}

/// The digest of the imported string, which is published then.
pub(super) async fn crs<E: Engine>(
    _shop: &Workshop<E>,
    _request: &Request,
    _max_bits: u32,
    _digest: &Digest,
) -> Result<Result<Digest, Failure>, Error> {
    Ok(Err(Failure::of(FailureCode::Unsupported)))
}
