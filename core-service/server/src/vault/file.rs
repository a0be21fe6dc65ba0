//! A key's file: `"KMSVAULT" || v u8 || SHA-256 of the rest (32) || length of the record u32 BE || record (JSON) || secret`.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use kms_asc_api::{Digest, EpochId};
use kms_core_engine::{ParameterSet, SecretKey, UnknownName};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{VaultError, read_private, unusable};

const MAGIC: &[u8; 8] = b"KMSVAULT";
const VERSION: u8 = 1;
/// Bytes before the part that the digest covers.
const HEAD: usize = 8 + 1 + 32;
pub(super) const EXTENSION: &str = "key";

/// What the vault knows of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// The chain whose contract asked for it.
    pub(crate) chain_id: String,
    /// That contract.
    pub(crate) contract: String,
    /// The key's id, which is the id of the request that made it.
    pub(crate) key_id: u64,
    /// The hash of that request.
    pub(crate) request_hash: Digest,
    /// The name of the parameter set.
    params: String,
    /// The epoch that the request was bound to.
    pub(crate) epoch: u32,
    /// Published parts, ascending by type.
    pub(crate) parts: Vec<Part>,
}

/// A published part of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// The part's number on chain.
    pub(crate) key_type: u8,
    /// Its digest on chain.
    pub(crate) digest: Digest,
    /// Its length in bytes.
    pub(crate) size: u64,
}

impl Record {
    /// A record of a key of this contract without its parts.
    pub(crate) fn new(
        identity: &crate::Identity,
        epoch: EpochId,
        key_id: u64,
        request_hash: Digest,
        params: ParameterSet,
        parts: Vec<Part>,
    ) -> Self {
        Self {
            chain_id: identity.chain_id.clone(),
            contract: identity.contract.clone(),
            key_id,
            request_hash,
            params: params.name().to_owned(),
            epoch: epoch.get(),
            parts,
        }
    }

    /// The parameter set.
    pub(crate) fn params(&self) -> Result<ParameterSet, UnknownName> {
        self.params.parse()
    }

    /// The parameter set's name.
    pub(crate) fn params_name(&self) -> &str {
        &self.params
    }
}

/// The name of a key's file: sorted by name, files are sorted by id.
pub(super) fn name(key_id: u64) -> PathBuf {
    format!("{key_id:020}.{EXTENSION}").into()
}

/// Whether a file bears the kind of name under which secrets are written before they get their own.
pub(super) fn is_half_written(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".tmp"))
}

/// Writes a key's file so that it is there after a power failure, too.
pub(super) fn write(file: &Path, record: &Record, secret: &SecretKey) -> Result<(), VaultError> {
    let bytes = encode(record, secret).map_err(|error| unusable("write", file, error))?;
    kms_config::write_secret(file, &bytes)
        .map_err(|error| unusable("write", file, std::io::Error::other(error)))?;
    match file.parent() {
        Some(folder) => {
            let synced = File::open(folder).and_then(|opened| opened.sync_all());
            synced.map_err(|error| unusable("flush", folder, error))
        }
        None => Ok(()),
    }
}

/// Reads a key's file and checks that it is what was written.
pub(super) fn read(file: &Path) -> Result<(Record, SecretKey), VaultError> {
    let bytes = read_private(file)?;
    let (record, secret) = decode(&bytes)
        .map_err(|reason| VaultError::Damaged { file: file.to_owned(), reason: reason.to_owned() })?;
    match file.file_name() == Some(name(record.key_id).as_os_str()) {
        true => Ok((record, secret)),
        false => Err(VaultError::Damaged {
            file: file.to_owned(),
            reason: format!("it holds key {}, whose file has another name", record.key_id),
        }),
    }
}

fn encode(record: &Record, secret: &SecretKey) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let json = serde_json::to_vec(record)?;
    let length = u32::try_from(json.len()).map_err(std::io::Error::other)?;
    let secret = secret.as_bytes();
    // Of the final size from the start: growing would leave copies of the secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEAD + 4 + json.len() + secret.len()));
    bytes.extend_from_slice(MAGIC);
    bytes.push(VERSION);
    bytes.extend_from_slice(&[0; 32]);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&json);
    bytes.extend_from_slice(secret);
    let digest = Digest::sha256(&bytes[HEAD..]);
    bytes[HEAD - 32..HEAD].copy_from_slice(digest.as_bytes());
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<(Record, SecretKey), &'static str> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("it does not begin as a vault file does")?;
    let (version, rest) = rest.split_first().ok_or("it is cut off")?;
    if *version != VERSION {
        return Err("it is of a version that this core does not read");
    }
    let (digest, rest) = rest.split_first_chunk::<32>().ok_or("it is cut off")?;
    if Digest::sha256(rest) != Digest::new(*digest) {
        return Err("its bytes do not match the digest in it");
    }
    let (length, rest) = rest.split_first_chunk::<4>().ok_or("it is cut off")?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| "its record is too long")?;
    let (record, secret) = rest.split_at_checked(length).ok_or("it is cut off")?;
    let record = serde_json::from_slice(record).map_err(|_| "its record does not parse")?;
    Ok((record, SecretKey::from_bytes(secret.to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            chain_id: "kms-1".into(),
            contract: "wasm1asc".into(),
            key_id: 7,
            request_hash: Digest::new([1; 32]),
            params: "default".into(),
            epoch: 1,
            parts: vec![Part { key_type: 0, digest: Digest::new([2; 32]), size: 5 }],
        }
    }

    fn secret() -> SecretKey {
        SecretKey::from_bytes(vec![9; 100])
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name(7));
        write(&file, &record(), &secret()).unwrap();
        let (read, held) = read(&file).unwrap();
        assert_eq!((read, held.as_bytes()), (record(), secret().as_bytes()));
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let bytes = encode(&record(), &secret()).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 1;
            assert!(decode(&damaged).is_err(), "byte {at} was changed");
            assert!(decode(&bytes[..at]).is_err(), "cut to {at} bytes");
        }
    }

    #[test]
    fn a_file_under_another_keys_name_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name(8));
        write(&file, &record(), &secret()).unwrap();
        let error = read(&file).unwrap_err();
        assert_eq!(error.code(), "vault_damaged");
        assert!(error.to_string().contains("00000000000000000008.key"), "{error}");
    }
}
