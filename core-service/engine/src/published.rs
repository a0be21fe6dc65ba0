use std::fmt;

use sha3::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};

/// Which published part of a key; the discriminant is its number on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum KeyType {
    /// The compressed server key, which computes on ciphertexts.
    Server = 0,
    /// The compact public key, which encrypts.
    Public = 1,
}

impl KeyType {
    /// The part's number on chain and in signatures.
    pub const fn number(self) -> u8 {
        match self {
            Self::Server => 0,
            Self::Public => 1,
        }
    }

    /// The part with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Server),
            1 => Some(Self::Public),
            _ => None,
        }
    }
}

/// A part of a key that everybody may have, in the form in which it is stored and digested.
#[derive(Clone, PartialEq, Eq)]
pub struct PublishedPart {
    /// Which part.
    pub key_type: KeyType,
    /// Its serialization: `CompressedServerKey` or `CompactPublicKey` of tfhe, safe-serialized.
    pub bytes: Vec<u8>,
}

impl PublishedPart {
    /// [`key_digest`] of its bytes.
    pub fn digest(&self) -> [u8; 32] {
        key_digest(&self.bytes)
    }
}

impl fmt::Debug for PublishedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublishedPart({:?}, {} bytes)", self.key_type, self.bytes.len())
    }
}

/// Digest that stands for a published part on chain: SHAKE256, 32 bytes, over `"PDAT_KEY"` and the stored bytes.
pub fn key_digest(stored: &[u8]) -> [u8; 32] {
    digest(b"PDAT_KEY", stored)
}

/// Digest that stands for a reference string on chain: SHAKE256, 32 bytes, over `"PDAT_CRS"` and the stored bytes.
pub fn crs_digest(stored: &[u8]) -> [u8; 32] {
    digest(b"PDAT_CRS", stored)
}

fn digest(separator: &[u8; 8], stored: &[u8]) -> [u8; 32] {
    let mut hasher = Shake256::default();
    hasher.update(separator);
    hasher.update(stored);
    let mut digest = [0; 32];
    hasher.finalize_xof().read(&mut digest);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_shake256_of_the_prefixed_bytes() {
        // python3: hashlib.shake_256(b"PDAT_KEY" + b"abc").hexdigest(32)
        let expected = "789172dc765f4b6dac780f35cc90d175b248a9e0b1ff76ca83546fb457cbfd0e";
        assert_eq!(hex::encode(key_digest(b"abc")), expected);
    }
}
