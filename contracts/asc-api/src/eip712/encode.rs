//! How EIP-712 hashes structs, by hand: the contract hashes two for each answer, and a general library takes six
//! times the gas.

use alloy_primitives::keccak256;

use crate::{Digest, EvmAddress};

/// A struct whose members are added one by one, in the order of its type.
#[derive(Debug, Clone)]
pub struct Encoder {
    /// Hash of the type, then a word for each member.
    words: Vec<u8>,
}

impl Encoder {
    /// Begins a struct of this type; structs within it are named after it, as the standard has it.
    pub fn new(encoded_type: &str) -> Self {
        let mut words = Vec::with_capacity(320);
        words.extend_from_slice(keccak256(encoded_type).as_slice());
        Self { words }
    }

    /// `bytes32`, or a nested struct by its hash.
    #[must_use]
    pub fn word(mut self, word: &[u8; 32]) -> Self {
        self.words.extend_from_slice(word);
        self
    }

    /// Any unsigned integer.
    #[must_use]
    pub fn uint(mut self, value: u64) -> Self {
        self.words.extend_from_slice(&[0; 24]);
        self.words.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// `address`
    #[must_use]
    pub fn address(mut self, address: &EvmAddress) -> Self {
        self.words.extend_from_slice(&[0; 12]);
        self.words.extend_from_slice(address.as_bytes());
        self
    }

    /// `string` and `bytes`
    #[must_use]
    pub fn bytes(self, bytes: impl AsRef<[u8]>) -> Self {
        self.word(&keccak256(bytes).0)
    }

    /// An array, each of whose elements is a word.
    #[must_use]
    pub fn array<'a>(self, elements: impl IntoIterator<Item = &'a [u8; 32]>) -> Self {
        let words: Vec<u8> = elements.into_iter().flatten().copied().collect();
        self.bytes(words)
    }

    /// The struct's own hash.
    pub fn hash(self) -> Digest {
        Digest::new(keccak256(self.words).0)
    }

    /// What is signed of it under a domain.
    pub fn signing_hash(self, separator: &Digest) -> Digest {
        let mut preimage = [0u8; 66];
        preimage[..2].copy_from_slice(&[0x19, 0x01]);
        preimage[2..34].copy_from_slice(separator.as_bytes());
        preimage[34..].copy_from_slice(self.hash().as_bytes());
        Digest::new(keccak256(preimage).0)
    }
}
