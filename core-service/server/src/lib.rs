//! The KMS core: the service that holds an operator's key material and answers requests of the contract.
//!
//! A request reaches it as the body's bytes, exactly as the contract stores them, and nothing else says what
//! is to be done. The core does the work of a request once, signs the answer, keeps it, and from then on returns
//! the same bytes: it never signs two different receipts for one request.
//!
//! ```text
//! service    gRPC in and out; the table of errors is in `status`
//! core       what each call does
//! evidence   the caller's bytes and proofs become a request that this core has to answer, or an error: the only way to work
//! gate       how many calls are let in at a time
//! desk       one piece of work per request: queued, waited for, finished when the caller is gone, forgotten when it failed
//! weight     what a request is expected to take, which bounds what is accepted
//! operation  what is done: keys and reference strings made, imported, taken over, destroyed; decryption; checks of inputs
//! seal       external signatures and receipts, made with the key in `signer`
//! answers    answers on disk, flushed before they leave
//! destroyed  what is known of destroyed keys, for good
//! vault      secret keys on disk, encrypted
//! custody    who may open the vault; backup, restore, copies of keys
//! tls        how callers reach the core
//! health     whether the core can do its work, as named conditions
//! metrics    what is counted and timed
//! admin      health and metrics over HTTP
//! ```

mod admin;
mod answers;
pub mod cli;
mod config;
mod core;
mod custody;
mod desk;
mod destroyed;
mod error;
mod evidence;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod gate;
mod health;
mod metrics;
mod operation;
mod seal;
mod serve;
mod service;
mod signer;
mod status;
mod tls;
mod vault;
mod weight;

use evidence::request;

pub use config::{
    Anchor, Config, Cost, Identity, Keeper, Limits, LogFormat, Membership, Pkcs11, Settings, SettingsError,
    TEMPLATE, TlsFiles, Transport, Trust, VaultSettings,
};
pub use custody::{
    ArchiveError, BackupError, CertificateError, CopyError, KeyWrapper, TransferError, WrapError, Wrapped,
};
pub use destroyed::DestroyedError;
pub use error::Error;
pub use evidence::{LedgerError, Missing, Refusal};
pub use serve::{BoundServer, StartError};
pub use signer::{Signer, SignerError};
pub use status::status_of;
pub use tls::{CertificateSet, CertsError, TlsError};
pub use vault::{Damage, DataKey, Strongbox, Vault, VaultError, VaultId};
