use ics23::HostFunctionsProvider;
use sha2::{Digest as _, Sha256};

/// SHA-256 alone: no other hash occurs in a proof of this chain, and the specifications of its trees, which are checked
/// before anything is hashed, allow no other.
pub(crate) struct Sha256Only;

/// Of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// What a hash that never occurs gives: a constant, which is the root of nothing.
const NEVER: [u8; 64] = [0; 64];

impl HostFunctionsProvider for Sha256Only {
    fn sha2_256(message: &[u8]) -> [u8; 32] {
        sha256(message)
    }

    fn sha2_512(_: &[u8]) -> [u8; 64] {
        NEVER
    }

    fn sha2_512_truncated(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }

    fn keccak_256(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }

    fn ripemd160(_: &[u8]) -> [u8; 20] {
        [0; 20]
    }

    fn blake2b_512(_: &[u8]) -> [u8; 64] {
        NEVER
    }

    fn blake2s_256(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }

    fn blake3(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }
}
