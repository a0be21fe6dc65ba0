use zeroize::Zeroizing;

use super::{
    archive::{self, Entry},
    certificate::PrivateKey,
    copy::{self, Own},
};
use crate::vault::fuzzing::{file_seed, header_seed};

pub(crate) fn backup(bytes: &[u8]) {
    if let Ok((_, sealed)) = archive::split(bytes) {
        crate::vault::fuzzing::file(sealed);
    }
}

pub(crate) fn backup_seed() -> Vec<u8> {
    archive::join(&header_seed(), &file_seed())
}

pub(crate) fn content(bytes: &[u8]) {
    if let Some(entries) = archive::decode(bytes) {
        let again = archive::encode(&entries).ok().and_then(|content| archive::decode(&content));
        assert_eq!(again.as_ref(), Some(&entries), "a backup's content does not come back as it was");
    }
}

pub(crate) fn content_seed() -> Vec<u8> {
    let entry = |name: &str| Entry {
        name: name.to_owned(),
        label: serde_json::json!({ "submitted_before": 7 }),
        bytes: Zeroizing::new(vec![5; 20]),
    };
    archive::encode(&[entry("vault/restored"), entry("signer")])
        .map(|content| content.to_vec())
        .unwrap_or_default()
}

fn own(secret: u8) -> Option<Own> {
    use hpke::Deserializable;
    PrivateKey::from_bytes(&[secret; 32]).ok().map(Own::new)
}

pub(crate) fn copy(bytes: &[u8]) {
    let (Some(sender), Some(recipient)) = (own(1), own(2)) else { return };
    if let Ok((copied, ..)) = copy::open(&recipient, &sender.public, bytes) {
        assert_eq!(copied.key_id, 7, "a forged copy opened");
    }
}

pub(crate) fn copy_seed() -> Vec<u8> {
    let (Some(sender), Some(recipient)) = (own(1), own(2)) else { return Vec::new() };
    let record = serde_json::from_value(serde_json::json!({
        "chain_id": "kms-1", "contract": "wasm1asc", "key_id": 7, "request_hash": "00".repeat(32),
        "params": "test", "epoch": 1, "parts": []
    }));
    record
        .ok()
        .and_then(|record| copy::seal(&sender, &recipient.public, &record, &[3; 40]).ok())
        .unwrap_or_default()
}
