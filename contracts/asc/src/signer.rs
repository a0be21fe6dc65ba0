//! Whose signature it is, by the chain's own functions.

use cosmwasm_std::Api;
use kms_asc_api::{Digest, PublicKey, Signature};

/// Whether `signature` over `hash` is canonical (low-s, `v` 27 or 28) and `signer`'s.
pub fn signed_by(api: &dyn Api, hash: &Digest, signature: &Signature, signer: &PublicKey) -> bool {
    let Ok((rs, recovery_id)) = signature.parts() else { return false };
    let Ok(point) = api.secp256k1_recover_pubkey(hash.as_bytes(), rs, recovery_id) else { return false };
    compress(&point).as_ref() == Some(signer)
}

/// The compressed form of an uncompressed point: `0x04 || x || y`.
fn compress(point: &[u8]) -> Option<PublicKey> {
    let point: &[u8; 65] = point.try_into().ok()?;
    let mut compressed = [0u8; 33];
    compressed[0] = if point[64] & 1 == 0 { 2 } else { 3 };
    compressed[1..].copy_from_slice(&point[1..33]);
    (point[0] == 4).then(|| PublicKey::new(compressed))
}
