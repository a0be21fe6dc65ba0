//! Files of vaults that were not encrypted:
//! `"KMSVAULT" || 1 u8 || SHA-256 of the rest (32) || length of the record u32 BE || record (JSON) || secret`.

use kms_asc_api::Digest;
use kms_core_engine::SecretKey;

use super::Record;

const BEGIN: &[u8; 9] = b"KMSVAULT\x01";

/// Whether a file is of an unencrypted vault.
pub(super) fn is_unencrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(BEGIN)
}

/// The key in such a file.
pub(super) fn decode(bytes: &[u8]) -> Result<(Record, SecretKey), &'static str> {
    let rest = bytes.strip_prefix(BEGIN).ok_or("it is no file of an unencrypted vault")?;
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
pub(super) fn encode(record: &Record, secret: &SecretKey) -> Vec<u8> {
    let json = serde_json::to_vec(record).unwrap();
    let rest =
        [&u32::try_from(json.len()).unwrap().to_be_bytes(), json.as_slice(), secret.as_bytes()].concat();
    [BEGIN.as_slice(), Digest::sha256(&rest).as_bytes(), &rest].concat()
}
