//! Keys that this core has destroyed, and what it has signed of each: one file per key, kept for good. A key that is named
//! here is not used again, from whatever backup it comes.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};

use kms_asc_api::{Digest, EpochId, KeyId, PartyId, Signature};
use kms_core_proto::v1;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::make_private_folder;

const EXTENSION: &str = "json";

/// What this core has signed of a key that it destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tombstone {
    pub(crate) key_id: KeyId,
    /// SHA-256 of the key's record, in state `destroyed`, as stored.
    pub(crate) record_hash: Digest,
    pub(crate) epoch: EpochId,
    pub(crate) party: PartyId,
    /// Seconds since 1970, by this machine's clock.
    pub(crate) time: u64,
    /// Whether this core held the key.
    pub(crate) held: bool,
    /// Over the EIP-712 struct `KeyDestruction`.
    pub(crate) signature: Signature,
}

/// Why the destroyed keys are not known. Each names the file.
#[derive(Debug, Error)]
pub enum DestroyedError {
    /// The file or folder cannot be read, written or made.
    #[error("cannot {doing} {}: {reason}", file.display())]
    Unusable {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file is not what was written.
    #[error("{} is damaged: {reason}; restore it from a backup", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl DestroyedError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unusable { .. } => "destroyed_unusable",
            Self::Damaged { .. } => "destroyed_damaged",
        }
    }
}

/// The destroyed keys.
pub(crate) struct Destroyed {
    folder: PathBuf,
    known: RwLock<BTreeMap<u64, Tombstone>>,
    working: Mutex<()>,
}

impl Destroyed {
    /// Reads all that are known from `folder`, which is made if it is missing.
    ///
    /// # Errors
    /// If one file is damaged: a key that is destroyed must not come back.
    pub(crate) fn open(folder: &Path) -> Result<Self, DestroyedError> {
        make_private_folder(folder).map_err(|error| unusable("make", folder, &error))?;
        let mut known = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(|error| unusable("read", folder, &error))? {
            let file = entry.map_err(|error| unusable("read", folder, &error))?.path();
            if file.extension().is_some_and(|extension| extension == EXTENSION) {
                let tombstone = read(&file)?;
                known.insert(tombstone.key_id.get(), tombstone);
            }
        }
        Ok(Self { folder: folder.to_owned(), known: RwLock::new(known), working: Mutex::default() })
    }

    /// One destruction at a time, until it is dropped.
    pub(crate) fn lock(&self) -> MutexGuard<'_, ()> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, key_id: u64) -> Option<Tombstone> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&key_id).cloned()
    }

    pub(crate) fn contains(&self, key_id: u64) -> bool {
        self.get(key_id).is_some()
    }

    /// The ids, ascending.
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// When this returns, it is on disk.
    pub(crate) fn keep(&self, tombstone: Tombstone) -> Result<(), DestroyedError> {
        let file = self.folder.join(name(tombstone.key_id));
        let bytes = serde_json::to_vec(&tombstone).map_err(|error| unusable("write", &file, &error))?;
        kms_config::write_whole_file(&file, &bytes).map_err(|error| unusable("write", &file, &error))?;
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| unusable("flush", &self.folder, &error))?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(tombstone.key_id.get(), tombstone);
        Ok(())
    }
}

impl From<Tombstone> for v1::KeyDestruction {
    fn from(tombstone: Tombstone) -> Self {
        let Tombstone { key_id, record_hash, epoch, party, time, held, signature } = tombstone;
        Self {
            key_id: key_id.get(),
            record_hash: record_hash.as_bytes().to_vec(),
            epoch: epoch.get(),
            party: party.get(),
            time,
            held,
            signature: signature.as_bytes().to_vec(),
        }
    }
}

fn name(key_id: KeyId) -> PathBuf {
    format!("{:020}.{EXTENSION}", key_id.get()).into()
}

fn read(file: &Path) -> Result<Tombstone, DestroyedError> {
    let bytes = fs::read(file).map_err(|error| unusable("read", file, &error))?;
    let damaged = |reason: String| DestroyedError::Damaged { file: file.to_owned(), reason };
    let tombstone: Tombstone = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    match file.file_name() == Some(name(tombstone.key_id).as_os_str()) {
        true => Ok(tombstone),
        false => Err(damaged(format!("it is about key {}, whose file has another name", tombstone.key_id))),
    }
}

fn unusable(doing: &'static str, file: &Path, error: &dyn std::error::Error) -> DestroyedError {
    DestroyedError::Unusable { doing, file: file.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tombstone(key_id: u64) -> Tombstone {
        Tombstone {
            key_id: KeyId(key_id),
            record_hash: Digest::new([1; 32]),
            epoch: EpochId(1),
            party: PartyId(2),
            time: 1_800_000_000,
            held: true,
            signature: Signature::new([27; 65]),
        }
    }

    #[test]
    fn what_was_destroyed_is_known_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        Destroyed::open(folder.path()).unwrap().keep(tombstone(7)).unwrap();
        let again = Destroyed::open(folder.path()).unwrap();
        assert_eq!((again.ids(), again.get(7)), (vec![7], Some(tombstone(7))));
        assert!(!again.contains(8));
    }

    #[test]
    fn a_damaged_file_stops_the_start_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        Destroyed::open(folder.path()).unwrap().keep(tombstone(7)).unwrap();
        let file = folder.path().join(name(KeyId(7)));
        let text = fs::read_to_string(&file).unwrap();
        for bad in [text[..40].to_owned(), text.replace("\"key_id\":7", "\"key_id\":8")] {
            fs::write(&file, bad).unwrap();
            let error = Destroyed::open(folder.path()).err().unwrap();
            assert_eq!(error.code(), "destroyed_damaged");
            assert!(error.to_string().contains("00000000000000000007.json"), "{error}");
        }
    }
}
