use kms_asc_api::Digest;
use zeroize::Zeroizing;

use super::{Cipher, DataKey, Header, Kind, Record, VaultId, legacy};

/// Where the digest of a vault's file is.
const FILE_DIGEST: std::ops::Range<usize> = 9..41;

fn cipher() -> Cipher {
    Cipher::new(VaultId::from_bytes([7; 16]), DataKey::from_bytes(Zeroizing::new([9; 32])))
}

/// The bytes with the digest that they should have.
pub(crate) fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(rest) = bytes.get(FILE_DIGEST.end..) {
        let digest = Digest::sha256(rest);
        bytes[FILE_DIGEST].copy_from_slice(digest.as_bytes());
    }
    bytes
}

pub(crate) fn file(bytes: &[u8]) {
    // The label of the seed is the only one that was ever sealed.
    if let Ok((about, secret)) = cipher().open::<String>(Kind::Key, &mended(bytes)) {
        assert_eq!((about.as_str(), secret.as_slice()), (ABOUT, SECRET), "a forged file opened");
    }
}

const ABOUT: &str = "about the seed";
const SECRET: &[u8] = b"the secret of the seed";

pub(crate) fn file_seed() -> Vec<u8> {
    cipher().seal(Kind::Key, &ABOUT, SECRET).unwrap_or_default()
}

pub(crate) fn header(bytes: &[u8]) {
    if let Ok(header) = Header::decode(&mended(bytes)) {
        let again = header.encode().map(|bytes| Header::decode(&bytes));
        assert!(matches!(again, Ok(Ok(again)) if again == header), "a header does not come back as it was");
    }
}

pub(crate) fn header_seed() -> Vec<u8> {
    let json = serde_json::json!({
        "vault": hex::encode([7; 16]), "wrapper": "passphrase", "parameters": { "memory_kib": 64 },
        "wrapped_key": hex::encode([1; 48])
    });
    mended(&[b"KMSVHEAD\x01".as_slice(), &[0; 32], json.to_string().as_bytes()].concat())
}

pub(crate) fn unencrypted(bytes: &[u8]) {
    if let Ok((record, _)) = legacy::decode(&mended(bytes)) {
        // Any name may stand in it; it is looked at when the key is loaded.
        record.params().ok();
    }
}

pub(crate) fn unencrypted_seed() -> Vec<u8> {
    let record = serde_json::json!({
        "chain_id": "kms-1", "contract": "wasm1asc", "key_id": 7, "request_hash": "00".repeat(32),
        "params": "test", "epoch": 1, "parts": []
    });
    let record = record.to_string();
    let length = u32::try_from(record.len()).unwrap_or_default();
    let rest = [&length.to_be_bytes(), record.as_bytes(), SECRET].concat();
    let seed = mended(&[b"KMSVAULT\x01".as_slice(), &[0; 32], &rest].concat());
    assert!(
        legacy::decode(&seed).is_ok_and(|(record, _): (Record, _)| record.key_id == 7),
        "the seed is not read"
    );
    seed
}
