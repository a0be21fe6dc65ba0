//! Copies of keys, sealed by one core for another: HPKE (RFC 9180) in its authenticated mode, DHKEM(P-256), HKDF-SHA256, AES-256-GCM,
//! between the keys of the cores' certificates.
//!
//! `"KMSCOPY" || 1 u8 || length of the label u32 BE || label (JSON) || encapsulated key (65) || sealed secret`.

use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256};
use kms_asc_api::Digest;
use kms_core_engine::SecretKey;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::certificate::{Curve, PrivateKey, PublicKey};
use crate::vault::{Part, Record, StagedKey};

const BEGIN: &[u8; 8] = b"KMSCOPY\x01";
const INFO: &[u8] = b"kms-core copy of a key, version 1";
const ENCAPSULATED: usize = 65;

/// What is known of a copied key. Authenticated with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CopiedKey {
    /// The chain on which it was made.
    pub(crate) chain_id: String,
    /// The contract for which it was made.
    pub(crate) contract: String,
    /// Its id there.
    pub(crate) key_id: u64,
    params: String,
    parts: Vec<Part>,
    /// SHA-256 of the public key that it is sealed for.
    recipient: Digest,
}

/// Why a copy was not sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CopyError {
    /// Another kind of file, or a damaged one.
    #[error("it is not a copy of a key, or damaged")]
    NotACopy,
    /// Meant for another core.
    #[error("it is sealed for another core's certificate")]
    OtherRecipient,
    /// Not by the core whose certificate was given, or changed on the way.
    #[error("it was not sealed by the core whose certificate is given, or was changed since")]
    NotAuthentic,
    /// The library failed.
    #[error("it cannot be sealed")]
    Sealing,
}

/// A key pair of a core.
pub(crate) struct Own {
    pub(super) private: PrivateKey,
    pub(super) public: PublicKey,
}

impl Own {
    pub(super) fn new(private: PrivateKey) -> Self {
        Self { public: Curve::sk_to_pk(&private), private }
    }
}

/// The file of a copy of a key, by `own` for the holder of `recipient`.
pub(super) fn seal(
    own: &Own,
    recipient: &PublicKey,
    record: &Record,
    secret: &[u8],
) -> Result<Vec<u8>, CopyError> {
    let label = CopiedKey {
        chain_id: record.chain_id.clone(),
        contract: record.contract.clone(),
        key_id: record.key_id,
        params: record.params_name().to_owned(),
        parts: record.parts.clone(),
        recipient: fingerprint(recipient),
    };
    let label = serde_json::to_vec(&label).map_err(|_| CopyError::Sealing)?;
    let length = u32::try_from(label.len()).map_err(|_| CopyError::Sealing)?;
    let mode = OpModeS::Auth((own.private.clone(), own.public.clone()));
    let (encapsulated, sealed) =
        hpke::single_shot_seal::<AesGcm256, HkdfSha256, Curve>(&mode, recipient, INFO, secret, &label)
            .map_err(|_| CopyError::Sealing)?;
    Ok([BEGIN.as_slice(), &length.to_be_bytes(), &label, &encapsulated.to_bytes(), &sealed].concat())
}

/// The key in a copy that `sender` sealed for `own`.
pub(super) fn open(
    own: &Own,
    sender: &PublicKey,
    file: &[u8],
) -> Result<(CopiedKey, StagedKey, SecretKey), CopyError> {
    let Parts { label, encapsulated, sealed } = split(file).ok_or(CopyError::NotACopy)?;
    let copied: CopiedKey = serde_json::from_slice(label).map_err(|_| CopyError::NotACopy)?;
    if copied.recipient != fingerprint(&own.public) {
        return Err(CopyError::OtherRecipient);
    }
    let encapsulated =
        <Curve as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| CopyError::NotACopy)?;
    let mode = OpModeR::Auth(sender.clone());
    let secret = hpke::single_shot_open::<AesGcm256, HkdfSha256, Curve>(
        &mode,
        &own.private,
        &encapsulated,
        INFO,
        sealed,
        label,
    )
    .map_err(|_| CopyError::NotAuthentic)?;
    let key = StagedKey { params: copied.params.clone(), parts: copied.parts.clone() };
    Ok((copied, key, SecretKey::from_bytes(secret)))
}

/// SHA-256 of a public key's 65 bytes: what people compare.
pub(crate) fn fingerprint(key: &PublicKey) -> Digest {
    Digest::sha256(&key.to_bytes())
}

struct Parts<'a> {
    label: &'a [u8],
    encapsulated: &'a [u8],
    sealed: &'a [u8],
}

fn split(file: &[u8]) -> Option<Parts<'_>> {
    let rest = file.strip_prefix(BEGIN)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (label, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let (encapsulated, sealed) = rest.split_at_checked(ENCAPSULATED)?;
    Some(Parts { label, encapsulated, sealed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::{SECRET, record};

    fn pair() -> Own {
        let (private, _) = Curve::gen_keypair();
        Own::new(private)
    }

    #[test]
    fn only_the_recipient_opens_a_copy_and_only_as_of_its_sender() {
        let (from, to, stranger) = (pair(), pair(), pair());
        let file = seal(&from, &to.public, &record(7), SECRET).unwrap();
        assert!(!file.windows(8).any(|window| window == &SECRET[..8]));
        let (copied, key, secret) = open(&to, &from.public, &file).unwrap();
        assert_eq!((copied.key_id, copied.chain_id.as_str()), (7, "kms-1"));
        assert_eq!((key.params.as_str(), &key.parts, secret.as_bytes()), ("test", &record(7).parts, SECRET));
        let refused = |own: &Own, sender: &Own| open(own, &sender.public, &file).map(|_| ()).unwrap_err();
        assert_eq!(refused(&stranger, &from), CopyError::OtherRecipient);
        assert_eq!(refused(&to, &stranger), CopyError::NotAuthentic);
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let (from, to) = (pair(), pair());
        let file = seal(&from, &to.public, &record(7), SECRET).unwrap();
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert!(open(&to, &from.public, &damaged).is_err(), "byte {at} was changed");
            assert!(open(&to, &from.public, &file[..at]).is_err(), "cut to {at} bytes");
        }
    }
}
