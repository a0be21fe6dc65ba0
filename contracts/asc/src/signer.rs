//! Whose signature it is, by the chain's own functions.

use cosmwasm_std::Api;
use kms_asc_api::{Digest, EvmAddress, PublicKey, Signature};

/// Whether `signature` over `hash` is canonical (low-s, `v` 27 or 28) and `signer`'s.
pub fn signed_by(api: &dyn Api, hash: &Digest, signature: &Signature, signer: &PublicKey) -> bool {
    recover(api, hash, signature).is_some_and(|point| compress(&point) == *signer)
}

/// The Ethereum address of whoever made a canonical signature over `hash`.
pub fn wallet_of(api: &dyn Api, hash: &Digest, signature: &Signature) -> Option<EvmAddress> {
    recover(api, hash, signature).map(|point| EvmAddress::of_point(&point))
}

/// The signer's point `x || y`.
fn recover(api: &dyn Api, hash: &Digest, signature: &Signature) -> Option<[u8; 64]> {
    let (rs, recovery_id) = signature.parts().ok()?;
    let point = api.secp256k1_recover_pubkey(hash.as_bytes(), rs, recovery_id).ok()?;
    point.strip_prefix(&[4])?.try_into().ok()
}

fn compress(point: &[u8; 64]) -> PublicKey {
    let mut compressed = [0u8; 33];
    compressed[0] = if point[63] & 1 == 0 { 2 } else { 3 };
    compressed[1..].copy_from_slice(&point[..32]);
    PublicKey::new(compressed)
}
