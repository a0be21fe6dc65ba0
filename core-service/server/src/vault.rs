//! Secret keys on disk, one file per key, and ready for use in memory.
//!
//! Files are written whole or not at all, mode 0600, in a folder of mode 0700, and carry a digest that is checked at the start. They
//! are **not encrypted**: whoever reads the disk or a backup of it has the keys. Encryption at rest comes with a later version.

mod file;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use kms_core_engine::{Engine, KeyError, SecretKey};
use thiserror::Error;
use zeroize::Zeroizing;

pub(crate) use file::{Part, Record};

use crate::Identity;

/// The secret keys of one contract, ready for use. `E` makes a stored secret ready.
pub struct Vault<E: Engine> {
    engine: E,
    folder: PathBuf,
    keys: RwLock<BTreeMap<u64, Arc<HeldKey<E::Key>>>>,
}

/// A key of the vault.
pub(crate) struct HeldKey<K> {
    /// What the vault knows of it.
    pub(crate) record: Record,
    /// The key, ready for use.
    pub(crate) key: K,
}

/// Why the vault cannot be opened or written. Each names the file.
#[derive(Debug, Error)]
pub enum VaultError {
    /// The file or folder cannot be read, written or made.
    #[error("cannot {doing} {}: {source}", file.display())]
    Unusable {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file's bytes are not those that were written.
    #[error("vault file {} is damaged: {reason}; restore it from a backup", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Others than its owner may read or write the file.
    #[error("vault file {} has mode {mode:04o}, a secret must be its owner's alone: chmod 600", file.display())]
    Exposed {
        /// The file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key was made for another contract, whose ids mean other keys.
    #[error(
        "vault file {} holds a key of contract {contract} on {chain_id}, not of the configured one; \
         each contract needs a data directory of its own", file.display()
    )]
    OtherContract {
        /// The file.
        file: PathBuf,
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
            Self::Damaged { .. } => "vault_damaged",
            Self::Exposed { .. } => "vault_exposed",
            Self::OtherContract { .. } => "vault_of_other_contract",
        }
    }
}

impl<E: Engine> Vault<E> {
    /// Opens the vault in `folder`, which is made if it is missing, and makes every key in it ready for use.
    ///
    /// # Errors
    /// If one file is damaged, exposed or foreign: a core that lost a key must not pretend to work.
    pub fn open(folder: &Path, identity: &Identity, engine: E) -> Result<Self, VaultError> {
        let vault = Self { engine, folder: folder.to_owned(), keys: RwLock::default() };
        for file in vault.files()? {
            vault.load(&file, identity)?;
        }
        Ok(vault)
    }

    /// How many keys it holds.
    pub fn len(&self) -> usize {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether it holds no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn engine(&self) -> &E {
        &self.engine
    }

    pub(crate) fn get(&self, key_id: u64) -> Option<Arc<HeldKey<E::Key>>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(&key_id).cloned()
    }

    /// All keys, ascending by id.
    pub(crate) fn list(&self) -> Vec<Arc<HeldKey<E::Key>>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Keeps a new key. When this returns, it is on disk for good.
    pub(crate) fn add(&self, record: Record, secret: &SecretKey) -> Result<Arc<HeldKey<E::Key>>, VaultError> {
        let file = self.folder.join(file::name(record.key_id));
        let key = self.ready(&file, &record, secret)?;
        file::write(&file, &record, secret)?;
        Ok(self.hold(HeldKey { record, key }))
    }

    /// Whether every key that is in use is on disk.
    pub(crate) fn check(&self) -> Result<(), VaultError> {
        self.list().iter().try_for_each(|held| {
            let file = self.folder.join(file::name(held.record.key_id));
            fs::metadata(&file).map(drop).map_err(|error| unusable("find", &file, error))
        })
    }

    fn load(&self, file: &Path, identity: &Identity) -> Result<(), VaultError> {
        let (record, secret) = file::read(file)?;
        if record.chain_id != identity.chain_id || record.contract != identity.contract {
            let Record { chain_id, contract, .. } = record;
            return Err(VaultError::OtherContract { file: file.to_owned(), chain_id, contract });
        }
        let key = self.ready(file, &record, &secret)?;
        self.hold(HeldKey { record, key });
        Ok(())
    }

    fn ready(&self, file: &Path, record: &Record, secret: &SecretKey) -> Result<E::Key, VaultError> {
        let damaged = |reason: String| VaultError::Damaged { file: file.to_owned(), reason };
        let params = record.params().map_err(|error| damaged(error.to_string()))?;
        self.engine.load(params, secret).map_err(|error: KeyError| damaged(error.to_string()))
    }

    fn hold(&self, held: HeldKey<E::Key>) -> Arc<HeldKey<E::Key>> {
        let held = Arc::new(held);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(held.record.key_id, held.clone());
        held
    }

    /// The vault's files, ascending. What a crash left half-written is removed: no answer speaks of it. Other files are none of
    /// the vault's business.
    fn files(&self) -> Result<Vec<PathBuf>, VaultError> {
        let folder = &self.folder;
        crate::config::make_private_folder(folder)
            .map_err(|error| unusable("make", folder, std::io::Error::other(error)))?;
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| unusable("read", folder, error))? {
            let path = entry.map_err(|error| unusable("read", folder, error))?.path();
            if path.extension().is_some_and(|extension| extension == file::EXTENSION) {
                files.push(path);
            } else if file::is_half_written(&path) {
                tracing::warn!(file = %path.display(), "removing what a crash left in the vault");
                fs::remove_file(&path).map_err(|error| unusable("remove", &path, error))?;
            } else {
                tracing::warn!(file = %path.display(), "ignoring a file that is not the vault's");
            }
        }
        files.sort();
        Ok(files)
    }
}

fn unusable(doing: &'static str, file: &Path, source: std::io::Error) -> VaultError {
    VaultError::Unusable { doing, file: file.to_owned(), source }
}

fn read_private(file: &Path) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(file).map_err(|error| unusable("read", file, error))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(VaultError::Exposed { file: file.to_owned(), mode });
    }
    fs::read(file).map(Zeroizing::new).map_err(|error| unusable("read", file, error))
}
