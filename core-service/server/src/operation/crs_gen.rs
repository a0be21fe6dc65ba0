//! Common reference strings. Nothing of one is secret once it is made: its bytes are in the public store, under the digest
//! that the contract records. The recorded answer is the point of no return: a rerun before it makes another string, and
//! of the first nobody has heard.

use kms_asc_api::{CrsGen, CrsId, CrsSource, Digest, FailureCode, KeyId, eip712};
use kms_core_engine::{CrsError, Engine, ParameterSet, crs_digest};

use super::{Failure, Finding, Workshop, compute, import, new_domain};
use crate::{Error, request::Request};

/// A string proves inputs of keys of one parameter set. The request names none: it is that of production.
const PARAMS: ParameterSet = ParameterSet::Default;

pub(super) async fn perform<E: Engine>(
    shop: &Workshop<E>,
    request: &Request,
    asked: &CrsGen,
) -> Result<Finding, Error> {
    let digest = match &asked.source {
        CrsSource::Generate => generate(shop, request, asked.max_bits).await?,
        CrsSource::Import { digest } => import::crs(shop, request, asked.max_bits, digest).await?,
    };
    let digest = match digest {
        Ok(digest) => digest,
        Err(failure) => return Ok(Finding::Failure(failure)),
    };
    // Its domain is that of the key that would have its id.
    let domain = new_domain(shop, request, KeyId::from(request.body.id))?;
    let statement = eip712::crs_gen_hash(&domain, CrsId::from(request.body.id), asked.max_bits, &digest);
    Ok(Finding::Answer { payload: digest.as_bytes().to_vec(), statement: Some(statement) })
}

async fn generate<E: Engine>(
    shop: &Workshop<E>,
    request: &Request,
    max_bits: u32,
) -> Result<Result<Digest, Failure>, Error> {
    tracing::info!(request_id = request.id(), max_bits, "making a reference string");
    let vault = shop.vault.clone();
    let made = compute(move || vault.engine().generate_crs(PARAMS, max_bits)).await?;
    let bytes = match made {
        Ok(bytes) => bytes,
        Err(CrsError::OutOfRange { .. }) => return Ok(Err(Failure::of(FailureCode::Unsupported))),
        Err(error) => return Err(Error::internal("making a reference string", &error)),
    };
    let digest = shop
        .store
        .put_public(bytes, crs_digest)
        .await
        .map_err(|error| Error::internal("publishing a reference string", &error))?;
    Ok(Ok(Digest::new(digest.to_bytes())))
}
