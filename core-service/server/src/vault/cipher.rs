//! How a vault's files are encrypted:
//! `"KMSVAULT" || 2 u8 || SHA-256 of the rest (32) || length of the label u32 BE || label (JSON) || nonce (12) || AES-256-GCM`.
//!
//! The label says in clear what the file is: of which vault and kind, and what is known of the secret. It is authenticated with the
//! secret, so no file passes for another. The digest tells damage from a wrong key.

use std::fmt;

use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
use k256::ecdsa::signature::rand_core::{OsRng, RngCore};
use kms_asc_api::Digest;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"KMSVAULT";
const VERSION: u8 = 2;
/// The version that was not encrypted.
const UNENCRYPTED: u8 = 1;
/// Bytes before the part that the digest covers.
const HEAD: usize = 8 + 1 + 32;
const NONCE: usize = 12;
const TAG: usize = 16;

/// A vault's name, made at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VaultId(#[serde(with = "hex_bytes")] [u8; 16]);

/// The key that encrypts a vault's files. Wiped when dropped; shows nothing.
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// A new one from the operating system's randomness.
    pub(crate) fn generate() -> Result<Self, std::io::Error> {
        random().map(Self)
    }

    /// The key with these bytes, for a [`KeyWrapper`](crate::KeyWrapper) that unwrapped them.
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Its bytes, for a [`KeyWrapper`](crate::KeyWrapper) to wrap.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

impl VaultId {
    pub(crate) fn generate() -> Result<Self, std::io::Error> {
        Ok(Self(*random()?))
    }

    /// The name with these bytes.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What a file of a vault holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The secret parts of a key.
    Key,
    /// The key that signs answers.
    Signer,
    /// What randomness of answers is derived from.
    Randomness,
    /// Material that waits for the request that makes it a key or CRS.
    Staged,
    /// A backup of all of these.
    Backup,
    /// Nothing secret: that the vault was restored from a backup.
    Restored,
}

/// What is written in clear before a secret.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Label<T> {
    vault: VaultId,
    kind: Kind,
    about: T,
}

/// Why bytes are not what a vault wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Damage {
    /// Another kind of file.
    #[error("it does not begin as a vault file does")]
    NotAVaultFile,
    /// The format before files were encrypted.
    #[error("it is not encrypted, as it is of an old version")]
    Unencrypted,
    /// A format to come.
    #[error("it is of a version that this core does not read")]
    UnknownVersion,
    /// Too few bytes.
    #[error("it is cut off")]
    CutOff,
    /// Other bytes than were written.
    #[error("its bytes do not match the digest in it")]
    WrongDigest,
    /// The clear part is unreadable.
    #[error("its label does not parse")]
    BadLabel,
    /// A file of another vault.
    #[error("it is of another vault")]
    OtherVault,
    /// A file of another kind.
    #[error("it holds something else than its name says")]
    OtherKind,
    /// Written with another key, or changed by somebody who mended the digest.
    #[error("it does not decrypt with the vault's key")]
    NotAuthentic,
}

/// Encrypts and decrypts the files of one vault.
pub(crate) struct Cipher {
    vault: VaultId,
    key: DataKey,
}

impl Cipher {
    pub(crate) fn new(vault: VaultId, key: DataKey) -> Self {
        Self { vault, key }
    }

    pub(crate) fn vault(&self) -> VaultId {
        self.vault
    }

    pub(crate) fn key(&self) -> &DataKey {
        &self.key
    }

    /// A file's bytes.
    pub(crate) fn seal<T: Serialize>(
        &self,
        kind: Kind,
        about: &T,
        secret: &[u8],
    ) -> std::io::Result<Vec<u8>> {
        let label = serde_json::to_vec(&Label { vault: self.vault, kind, about })?;
        let length = u32::try_from(label.len()).map_err(std::io::Error::other)?;
        let nonce = random::<NONCE>()?;
        // Of the final size from the start: growing would leave copies of the secret behind.
        let mut bytes = Vec::with_capacity(HEAD + 4 + label.len() + NONCE + secret.len() + TAG);
        bytes.extend_from_slice(MAGIC);
        bytes.push(VERSION);
        bytes.extend_from_slice(&[0; 32]);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&label);
        bytes.extend_from_slice(nonce.as_slice());
        let begin = bytes.len();
        bytes.extend_from_slice(secret);
        let tag = self
            .aes()
            .encrypt_inout_detached(
                &(*nonce).into(),
                &associated(length, &label),
                (&mut bytes[begin..]).into(),
            )
            .map_err(|_| std::io::Error::other("encrypting failed"))?;
        bytes.extend_from_slice(&tag);
        let digest = Digest::sha256(&bytes[HEAD..]);
        bytes[HEAD - 32..HEAD].copy_from_slice(digest.as_bytes());
        Ok(bytes)
    }

    /// What a file of this vault says and hides.
    pub(crate) fn open<T: DeserializeOwned>(
        &self,
        kind: Kind,
        bytes: &[u8],
    ) -> Result<(T, Zeroizing<Vec<u8>>), Damage> {
        let clear = Clear::read(bytes)?;
        let label: Label<T> = serde_json::from_slice(clear.label).map_err(|_| Damage::BadLabel)?;
        if label.vault != self.vault {
            return Err(Damage::OtherVault);
        }
        if label.kind != kind {
            return Err(Damage::OtherKind);
        }
        let (hidden, tag) = clear.hidden.split_last_chunk::<TAG>().ok_or(Damage::CutOff)?;
        let mut secret = Zeroizing::new(hidden.to_vec());
        self.aes()
            .decrypt_inout_detached(
                &(*clear.nonce).into(),
                &associated(clear.length, clear.label),
                secret.as_mut_slice().into(),
                &(*tag).into(),
            )
            .map_err(|_| Damage::NotAuthentic)?;
        Ok((label.about, secret))
    }

    fn aes(&self) -> Aes256Gcm {
        Aes256Gcm::new(self.key.as_bytes().into())
    }
}

/// A file's parts.
struct Clear<'a> {
    length: u32,
    label: &'a [u8],
    nonce: &'a [u8; NONCE],
    hidden: &'a [u8],
}

impl<'a> Clear<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Damage> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(Damage::NotAVaultFile)?;
        let rest = match rest.split_first() {
            Some((&VERSION, rest)) => rest,
            Some((&UNENCRYPTED, _)) => return Err(Damage::Unencrypted),
            Some(_) => return Err(Damage::UnknownVersion),
            None => return Err(Damage::CutOff),
        };
        let (digest, rest) = rest.split_first_chunk::<32>().ok_or(Damage::CutOff)?;
        if Digest::sha256(rest) != Digest::new(*digest) {
            return Err(Damage::WrongDigest);
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(Damage::CutOff)?;
        let length = u32::from_be_bytes(*length);
        let label = usize::try_from(length).map_err(|_| Damage::CutOff)?;
        let (label, rest) = rest.split_at_checked(label).ok_or(Damage::CutOff)?;
        let (nonce, hidden) = rest.split_first_chunk::<NONCE>().ok_or(Damage::CutOff)?;
        Ok(Self { length, label, nonce, hidden })
    }
}

/// All that a secret is bound to: everything before the nonce but the digest.
fn associated(length: u32, label: &[u8]) -> Vec<u8> {
    [MAGIC.as_slice(), &[VERSION], &length.to_be_bytes(), label].concat()
}

/// Bytes from the operating system.
pub(crate) fn random<const N: usize>() -> std::io::Result<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    OsRng.try_fill_bytes(bytes.as_mut_slice()).map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// Bytes as hexadecimal text in JSON.
pub(crate) mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(
        bytes: &impl AsRef<[u8]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: TryFrom<Vec<u8>>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = hex::decode(&text).map_err(D::Error::custom)?;
        T::try_from(bytes).map_err(|_| D::Error::custom("wrong number of bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"nobody may read this";

    fn cipher() -> Cipher {
        Cipher::new(VaultId([7; 16]), DataKey(Zeroizing::new([9; 32])))
    }

    fn open(cipher: &Cipher, bytes: &[u8]) -> Result<(String, Zeroizing<Vec<u8>>), Damage> {
        cipher.open(Kind::Key, bytes)
    }

    #[test]
    fn what_was_sealed_opens_and_the_file_hides_the_secret() {
        let bytes = cipher().seal(Kind::Key, &"about it", SECRET).unwrap();
        assert!(!bytes.windows(4).any(|window| SECRET.windows(4).any(|part| part == window)));
        let (about, secret) = open(&cipher(), &bytes).unwrap();
        assert_eq!((about.as_str(), secret.as_slice()), ("about it", SECRET));
    }

    #[test]
    fn two_files_of_one_secret_have_nothing_in_common() {
        let hidden = || cipher().seal(Kind::Key, &"", SECRET).unwrap()[HEAD + 60..].to_vec();
        assert_ne!(hidden(), hidden());
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let bytes = cipher().seal(Kind::Key, &"about it", SECRET).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(open(&cipher(), &damaged).is_err(), "byte {at} was changed");
            assert!(open(&cipher(), &bytes[..at]).is_err(), "cut to {at} bytes");
        }
    }

    #[test]
    fn a_change_with_a_mended_digest_is_noticed() {
        let bytes = cipher().seal(Kind::Key, &"about it", SECRET).unwrap();
        for at in HEAD..bytes.len() {
            let mut forged = bytes.clone();
            forged[at] ^= 1;
            let digest = Digest::sha256(&forged[HEAD..]);
            forged[HEAD - 32..HEAD].copy_from_slice(digest.as_bytes());
            assert!(open(&cipher(), &forged).is_err(), "byte {at} was changed");
        }
    }

    #[test]
    fn another_vault_kind_or_key_is_refused() {
        let bytes = cipher().seal(Kind::Key, &"", SECRET).unwrap();
        let other_vault = Cipher::new(VaultId([8; 16]), DataKey(Zeroizing::new([9; 32])));
        assert_eq!(open(&other_vault, &bytes).unwrap_err(), Damage::OtherVault);
        let other_key = Cipher::new(VaultId([7; 16]), DataKey(Zeroizing::new([8; 32])));
        assert_eq!(open(&other_key, &bytes).unwrap_err(), Damage::NotAuthentic);
        assert_eq!(cipher().open::<String>(Kind::Signer, &bytes).unwrap_err(), Damage::OtherKind);
    }

    #[test]
    fn a_data_key_shows_nothing() {
        assert_eq!(format!("{:?}", DataKey(Zeroizing::new([9; 32]))), "DataKey(..)");
    }
}
