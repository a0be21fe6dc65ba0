//! What is done for a request, and what comes of it.

mod ciphertexts;
mod crs_gen;
mod destroy;
mod import;
mod key_gen;
mod public_decrypt;
mod ready;
mod takeover;
#[cfg(test)]
mod tests;
mod user_decrypt;
mod verify_input;

use std::sync::Arc;

use bytes::Bytes;
use kms_asc_api::{CrsRecord, Digest, Eip712Domain, FailureCode, KeyId, KeyParams, KeyRecord, Operation};
use kms_core_engine::{Engine, ParameterSet};
use kms_store::{Hasher, Store, StoreError};
use tokio::task::spawn_blocking;

use crate::{
    Error, Identity, Limits, Signer, destroyed::Destroyed, error::full_text, metrics::Metrics,
    request::Request, vault::Vault,
};

pub(crate) use destroy::destroy;
use ready::{Ready, StringParts, VerifierParts};

/// Reference strings that are kept ready: some 10 MB each.
const READY_STRINGS: usize = 8;

/// Verifiers of inputs that are kept ready: some 40 kB each, beside a string that most of them share.
const READY_VERIFIERS: usize = 16;

/// No published part that is read here is larger: a public key has 33 kB, the longest reference string 5 MB.
const MAX_PUBLISHED_BYTES: u64 = 64 << 20;

/// What this party finds about a request, ready to be signed.
#[derive(Debug)]
pub(crate) enum Finding {
    /// The operation's payload, and the hash that its external signature signs.
    Answer {
        /// In the operation's form.
        payload: Vec<u8>,
        /// EIP-712 hash under the key's domain; none if the answer tells the outside world nothing.
        statement: Option<Digest>,
    },
    /// The request cannot be answered, for good.
    Failure(Failure),
}

/// Why a request cannot be answered, and which of its ciphertexts is at fault, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: FailureCode,
    pub(crate) index: Option<u16>,
}

impl Failure {
    const fn of(code: FailureCode) -> Self {
        Self { code, index: None }
    }

    /// Of the ciphertext at `index`. The contract's limits keep indices far below 65,535, which means none.
    fn at(code: FailureCode, index: usize) -> Self {
        Self { code, index: u16::try_from(index).ok() }
    }
}

/// Keys and tools. Who works here has room to, which the desk gave.
pub(crate) struct Workshop<E: Engine> {
    pub(crate) identity: Arc<Identity>,
    pub(crate) vault: Arc<Vault<E>>,
    pub(crate) destroyed: Destroyed,
    store: Store,
    strings: Ready<StringParts, E::ReferenceString>,
    verifiers: Ready<VerifierParts, E::InputVerifier>,
    max_ciphertext_bytes: u64,
    allow_test_parameters: bool,
    metrics: Arc<Metrics>,
}

impl<E: Engine> Workshop<E> {
    pub(crate) fn new(
        identity: Arc<Identity>,
        vault: Vault<E>,
        destroyed: Destroyed,
        store: Store,
        limits: &Limits,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            identity,
            vault: Arc::new(vault),
            destroyed,
            store,
            strings: Ready::new(READY_STRINGS),
            verifiers: Ready::new(READY_VERIFIERS),
            max_ciphertext_bytes: limits.max_ciphertext_bytes,
            allow_test_parameters: limits.allow_test_parameters,
            metrics,
        }
    }

    /// Whether published keys can be kept; else what is wrong.
    pub(crate) async fn check_store(&self) -> Result<(), String> {
        self.store.check().await.map_err(|error| full_text(&error))
    }

    /// Whether every key that is in use is still where it is kept; else what is wrong.
    pub(crate) async fn check_vault(&self) -> Result<(), String> {
        let vault = self.vault.clone();
        let checked = spawn_blocking(move || vault.check_kept().map_err(|error| full_text(&error)));
        checked.await.unwrap_or_else(|error| Err(error.to_string()))
    }

    /// Does the work of a request whose blobs are as many as its body names.
    pub(crate) async fn perform(
        &self,
        signer: &Arc<Signer>,
        request: &Request,
        blobs: Vec<Bytes>,
    ) -> Result<Finding, Error> {
        match &request.body.operation {
            Operation::KeyGen(asked) => key_gen::perform(self, request, asked).await,
            Operation::CrsGen(asked) => crs_gen::perform(self, request, asked).await,
            Operation::PublicDecrypt(asked) => public_decrypt::perform(self, request, asked, blobs).await,
            Operation::VerifyInput(asked) => verify_input::perform(self, request, asked, blobs).await,
            Operation::UserDecrypt(asked) => user_decrypt::perform(self, signer, request, asked, blobs).await,
        }
    }

    /// Reads published material whose digest by `hasher` is on record; `None` if the store does not have it, or not whole.
    async fn published(&self, digest: &Digest, hasher: Hasher) -> Result<Option<Bytes>, Error> {
        let named = kms_store::Digest::from_bytes(*digest.as_bytes());
        match self.store.get_public(named, MAX_PUBLISHED_BYTES, hasher).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error @ StoreError::Unavailable { .. }) => {
                Err(Error::internal("reading published material", &error))
            }
            Err(error) => {
                tracing::error!(code = error.code(), %error, "published material is missing: restore it");
                Ok(None)
            }
        }
    }
}

/// Runs work that keeps a processor busy, off the threads that serve the network. A panic in it is an error of this
/// request alone.
async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    spawn_blocking(work).await.map_err(|error| Error::internal("computing", &error))
}

/// The record of the key that a request uses, as proven with it.
fn key_record(request: &Request) -> Result<&KeyRecord, Error> {
    request.key.as_ref().ok_or_else(|| Error::Internal { cause: "no record of the request's key".to_owned() })
}

/// The record of the reference string that a request uses, as proven with it.
fn crs_record(request: &Request) -> Result<&CrsRecord, Error> {
    let missing = || Error::Internal { cause: "no record of the request's reference string".to_owned() };
    request.crs.as_ref().ok_or_else(missing)
}

/// The domain that an answer about a key is signed under: the one that the request names, or the key's own.
fn answer_domain(request: &Request) -> Result<Eip712Domain, Error> {
    match request.body.named_domain() {
        Some(domain) => Ok(domain.clone()),
        None => Ok(key_record(request)?.domain.clone()),
    }
}

/// The domain that a key which does not exist yet will have in its record.
fn new_domain<E: Engine>(
    shop: &Workshop<E>,
    request: &Request,
    key_id: KeyId,
) -> Result<Eip712Domain, Error> {
    let identity = &shop.identity;
    let too_long = |name| Error::Internal { cause: format!("the {name} is longer than 65535 bytes") };
    request.key_domain.for_key(&identity.chain_id, &identity.contract, key_id).map_err(too_long)
}

/// The engine's word for a key's parameters.
const fn params(params: KeyParams) -> ParameterSet {
    match params {
        KeyParams::Default => ParameterSet::Default,
        KeyParams::Test => ParameterSet::Test,
    }
}
