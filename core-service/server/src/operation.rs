//! What is done for a request, and what comes of it.

mod key_gen;
mod public_decrypt;

use std::sync::Arc;

use bytes::Bytes;
use kms_asc_api::{Digest, FailureCode, Operation};
use kms_core_engine::Engine;
use kms_store::Store;
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::{Error, Identity, Limits, error::full_text, request::Request, vault::Vault};

/// What this party finds about a request, ready to be signed.
#[derive(Debug)]
pub(crate) enum Finding {
    /// The operation's payload, and the hash that its external signature signs.
    Answer {
        /// In the operation's form.
        payload: Vec<u8>,
        /// EIP-712 hash under the key's domain.
        statement: Digest,
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

/// Keys, tools and room to work.
pub(crate) struct Workshop<E: Engine> {
    pub(crate) identity: Arc<Identity>,
    pub(crate) vault: Arc<Vault<E>>,
    store: Store,
    max_ciphertext_bytes: u64,
    decryptions: Semaphore,
    /// One at a time: each takes every processor and hundreds of megabytes for seconds.
    generations: Semaphore,
}

impl<E: Engine> Workshop<E> {
    pub(crate) fn new(identity: Arc<Identity>, vault: Vault<E>, store: Store, limits: &Limits) -> Self {
        Self {
            identity,
            vault: Arc::new(vault),
            store,
            max_ciphertext_bytes: limits.max_ciphertext_bytes,
            decryptions: Semaphore::new(limits.parallel_work),
            generations: Semaphore::new(1),
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

    /// Does the work of a request whose ciphertexts are as many as its body names.
    pub(crate) async fn perform(&self, request: &Request, ciphertexts: Vec<Bytes>) -> Result<Finding, Error> {
        match &request.body.operation {
            Operation::KeyGen(asked) => key_gen::perform(self, request, asked).await,
            Operation::PublicDecrypt(asked) => public_decrypt::perform(self, asked, ciphertexts).await,
            Operation::CrsGen(_) | Operation::UserDecrypt(_) | Operation::VerifyInput(_) => {
                Ok(Finding::Failure(Failure::of(FailureCode::Unsupported)))
            }
        }
    }
}

/// Runs work that keeps a processor busy, off the threads that serve the network. A panic in it is an error of this
/// request alone.
async fn compute<T: Send + 'static>(
    room: &Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let _permit =
        room.acquire().await.map_err(|error| Error::internal("waiting for room to work", &error))?;
    spawn_blocking(work).await.map_err(|error| Error::internal("computing", &error))
}

/// The key's own domain, as its record in the contract has it.
fn default_domain(
    identity: &Identity,
    key_id: kms_asc_api::KeyId,
) -> Result<kms_asc_api::Eip712Domain, Error> {
    identity
        .key_domain
        .for_key(&identity.chain_id, &identity.contract, key_id)
        .map_err(|name| Error::Internal { cause: format!("the {name} is longer than 65535 bytes") })
}
