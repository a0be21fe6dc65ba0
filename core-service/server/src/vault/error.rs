use kms_store::StoreError;
use thiserror::Error;

use super::cipher::Damage;
use crate::custody::WrapError;

/// Why the vault cannot be opened or written. Each names the file.
#[derive(Debug, Error)]
pub enum VaultError {
    /// The file or folder cannot be read, written or made.
    #[error("cannot {doing} {file}: {source}")]
    Unusable {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The vault's place is none.
    #[error(transparent)]
    Place(#[from] StoreError),
    /// The file's bytes are not those that were written.
    #[error("vault file {file} is damaged: {reason}; restore it from a backup")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The file was written before vaults were encrypted.
    #[error(
        "vault file {file} is not encrypted, as an old version wrote it: run `kms-core vault encrypt`, once"
    )]
    Unencrypted {
        /// The file.
        file: String,
    },
    /// What opens the vault is not there, or does not open it.
    #[error(transparent)]
    Locked(#[from] WrapError),
    /// There is something already that must not be overwritten.
    #[error("{file} is there already")]
    Exists {
        /// The file.
        file: String,
    },
    /// Others than its owner may read or write the file.
    #[error("vault file {file} has mode {mode:04o}, a secret must be its owner's alone: chmod 600")]
    Exposed {
        /// The file.
        file: String,
        /// Its permission bits.
        mode: u32,
    },
    /// The key was made for another contract, whose ids mean other keys.
    #[error(
        "vault file {file} holds a key of contract {contract} on {chain_id}, not of the configured one; \
         each contract needs a data directory of its own"
    )]
    OtherContract {
        /// The file.
        file: String,
        /// The chain's name in the file.
        chain_id: String,
        /// The contract in the file.
        contract: String,
    },
}

impl VaultError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unusable { .. } => "vault_unusable",
            Self::Place(error) => error.code(),
            Self::Damaged { .. } => "vault_damaged",
            Self::Unencrypted { .. } => "vault_unencrypted",
            Self::Locked(error) => error.code(),
            Self::Exists { .. } => "vault_file_exists",
            Self::Exposed { .. } => "vault_exposed",
            Self::OtherContract { .. } => "vault_of_other_contract",
        }
    }

    /// What is wrong with a file's bytes.
    pub(crate) fn of_damage(file: String, damage: Damage) -> Self {
        match damage {
            Damage::Unencrypted => Self::Unencrypted { file },
            damage => Self::Damaged { file, reason: damage.to_string() },
        }
    }
}

pub(crate) fn unusable(doing: &'static str, file: String, source: std::io::Error) -> VaultError {
    VaultError::Unusable { doing, file, source }
}
