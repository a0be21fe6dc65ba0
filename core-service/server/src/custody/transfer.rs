use std::path::{Path, PathBuf};

use kms_config::ConfigError;
use thiserror::Error;

use super::{
    certificate::{CertificateError, private_key, public_key},
    copy::{self, CopiedKey, CopyError, Own},
};
use crate::{
    Strongbox, VaultError,
    vault::{Kind, Record, Staged, create_private, key_file},
};

/// Why a key was not copied.
#[derive(Debug, Error)]
pub enum TransferError {
    /// A certificate or its key cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The vault or the copy cannot be read or written.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The vault has no such key.
    #[error("key {key_id} is not in the vault")]
    NoKey {
        /// The key.
        key_id: u64,
    },
    /// The copy cannot be read.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The copy is not for this core, or not by that one.
    #[error("{}: {error}", file.display())]
    Copy {
        /// The copy's file.
        file: PathBuf,
        /// What is wrong.
        error: CopyError,
    },
}

impl Own {
    /// The key of this core's certificate.
    pub(crate) fn read(file: &Path) -> Result<Self, TransferError> {
        Ok(Self::new(private_key(file)?))
    }
}

/// Seals a key of the vault for the core of `certificate` into a new file. Returns the recipient's fingerprint.
pub(crate) fn export(
    strongbox: &Strongbox,
    key_id: u64,
    own: &Own,
    certificate: &Path,
    file: &Path,
) -> Result<String, TransferError> {
    let (recipient, _) = public_key(certificate)?;
    let found = strongbox.get::<Record>(&key_file(key_id), Kind::Key)?;
    let (record, secret) = found.ok_or(TransferError::NoKey { key_id })?;
    let failed = |error| TransferError::Copy { file: file.to_owned(), error };
    let sealed = copy::seal(own, &recipient, &record, &secret).map_err(failed)?;
    create_private(file, &sealed)?;
    Ok(copy::fingerprint(&recipient).to_string())
}

/// Opens a copy by the core of `certificate`, and holds it for one request of one owner.
pub(crate) fn stage(
    strongbox: &Strongbox,
    file: &Path,
    own: &Own,
    certificate: &Path,
    owner: &str,
    request_id: u64,
) -> Result<CopiedKey, TransferError> {
    let (sender, _) = public_key(certificate)?;
    let unreadable = |source| ConfigError::Read { path: file.to_owned(), source };
    let bytes = std::fs::read(file).map_err(unreadable)?;
    let failed = |error| TransferError::Copy { file: file.to_owned(), error };
    let (copied, key, secret) = copy::open(own, &sender, &bytes).map_err(failed)?;
    strongbox.stage(owner, request_id, &Staged::Key { key, secret })?;
    Ok(copied)
}
