//! A backup's file: `"KMSBACKUP" || 1 u8 || length of the header u32 BE || header || vault file`. The header opens it with the
//! backup's passphrase, as a vault's opens the vault; the vault file's secret is the content. Both carry digests.
//!
//! Content: entries, each `length of the name u32 BE || name || length of the label u32 BE || label (JSON) || length u64 BE || bytes`.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{KeyWrapper, WrapError};
use crate::vault::{Cipher, Damage, DataKey, Header, Kind, VaultId};

const BEGIN: &[u8; 10] = b"KMSBACKUP\x01";

/// A file in a backup.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Which file.
    pub(super) name: String,
    /// What is written in clear before its secret, in a vault.
    pub(super) label: serde_json::Value,
    /// Its secret or content.
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// What is known of a backup without its passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Made {
    /// When, in seconds since 1970.
    pub(crate) time: u64,
}

/// Why a backup cannot be written or read.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The passphrase is not there, or another.
    #[error(transparent)]
    Locked(#[from] WrapError),
    /// The bytes are not those that were written.
    #[error("the backup is damaged: {0}")]
    Damaged(Damage),
    /// Encrypting failed.
    #[error("cannot encrypt the backup: {0}")]
    Encrypting(#[from] std::io::Error),
}

impl ArchiveError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked(error) => error.code(),
            Self::Damaged(_) => "backup_damaged",
            Self::Encrypting(_) => "backup_failed",
        }
    }
}

/// The file of a backup.
pub(super) fn write(
    made: Made,
    entries: &[Entry],
    wrapper: &dyn KeyWrapper,
) -> Result<Vec<u8>, ArchiveError> {
    let (id, key) = (VaultId::generate()?, DataKey::generate()?);
    let header = Header::make(id, &key, wrapper)?.encode()?;
    let sealed = Cipher::new(id, key).seal(Kind::Backup, &made, &encode(entries)?)?;
    Ok(join(&header, &sealed))
}

/// The whole file.
pub(super) fn join(header: &[u8], sealed: &[u8]) -> Vec<u8> {
    // A header has a few hundred bytes; with a wrong length the backup would not be read.
    let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
    [BEGIN.as_slice(), &length.to_be_bytes(), header, sealed].concat()
}

/// What a backup holds.
pub(super) fn read(bytes: &[u8], wrapper: &dyn KeyWrapper) -> Result<(Made, Vec<Entry>), ArchiveError> {
    let (header, sealed) = split(bytes).map_err(ArchiveError::Damaged)?;
    let key = header.unwrap(wrapper)?;
    let (made, content) =
        Cipher::new(header.vault, key).open(Kind::Backup, sealed).map_err(ArchiveError::Damaged)?;
    Ok((made, decode(&content).ok_or(ArchiveError::Damaged(Damage::BadLabel))?))
}

/// Its header and what it opens, neither of them trusted yet.
pub(crate) fn split(bytes: &[u8]) -> Result<(Header, &[u8]), Damage> {
    let rest = bytes.strip_prefix(BEGIN).ok_or(Damage::NotAVaultFile)?;
    let (header, sealed) = take(rest).ok_or(Damage::CutOff)?;
    Ok((Header::decode(header)?, sealed))
}

pub(super) fn encode(entries: &[Entry]) -> Result<Zeroizing<Vec<u8>>, std::io::Error> {
    let labels = entries.iter().map(|entry| serde_json::to_vec(&entry.label));
    let labels = labels.collect::<Result<Vec<_>, _>>()?;
    let size = entries
        .iter()
        .zip(&labels)
        .map(|(entry, label)| 16 + entry.name.len() + label.len() + entry.bytes.len());
    // Of the final size from the start: growing would leave copies of secrets behind.
    let mut content = Zeroizing::new(Vec::with_capacity(size.sum()));
    for (entry, label) in entries.iter().zip(&labels) {
        for part in [entry.name.as_bytes(), label] {
            let length = u32::try_from(part.len()).map_err(std::io::Error::other)?;
            content.extend_from_slice(&length.to_be_bytes());
            content.extend_from_slice(part);
        }
        let length = u64::try_from(entry.bytes.len()).map_err(std::io::Error::other)?;
        content.extend_from_slice(&length.to_be_bytes());
        content.extend_from_slice(&entry.bytes);
    }
    Ok(content)
}

pub(super) fn decode(mut content: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    while !content.is_empty() {
        let (name, rest) = take(content)?;
        let (label, rest) = take(rest)?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        entries.push(Entry {
            name: String::from_utf8(name.to_vec()).ok()?,
            label: serde_json::from_slice(label).ok()?,
            bytes: Zeroizing::new(bytes.to_vec()),
        });
        content = rest;
    }
    Some(entries)
}

/// A part with its length (u32 BE) before it, and what follows.
fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cost, custody::passphrase::Passphrase};

    fn passphrase(text: &str) -> (tempfile::TempDir, Passphrase) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passphrase");
        kms_config::write_secret(&file, text.as_bytes()).unwrap();
        (folder, Passphrase::new(&file, Cost { memory_kib: 64, passes: 1, lanes: 1 }))
    }

    fn entries() -> Vec<Entry> {
        let entry = |name: &str, bytes: &[u8]| Entry {
            name: name.to_owned(),
            label: serde_json::json!({ "id": 7 }),
            bytes: Zeroizing::new(bytes.to_vec()),
        };
        vec![entry("a", b"a secret of some length"), entry("b", b"")]
    }

    #[test]
    fn what_was_written_is_read_with_the_passphrase_only() {
        let (_folder, right) = passphrase("correct horse");
        let bytes = write(Made { time: 9 }, &entries(), &right).unwrap();
        assert_eq!(read(&bytes, &right).unwrap(), (Made { time: 9 }, entries()));
        assert!(!bytes.windows(8).any(|window| window == b"a secret"));
        let (_folder, wrong) = passphrase("wrong horse");
        assert_eq!(read(&bytes, &wrong).unwrap_err().code(), "wrong_passphrase");
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let (_folder, right) = passphrase("correct horse");
        let bytes = write(Made { time: 9 }, &entries(), &right).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(read(&damaged, &right).is_err(), "byte {at} was changed");
            assert!(read(&bytes[..at], &right).is_err(), "cut to {at} bytes");
        }
    }
}
