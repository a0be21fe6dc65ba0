//! EIP-712 by hand, for what is hashed with every answer: the library's general way costs the contract several times
//! as much gas.

use alloy_primitives::{B256, keccak256};

use crate::{Digest, Eip712Domain, EvmAddress};

/// A struct on its way to its hash: its type's hash, then a word for each field.
pub struct Words(Vec<u8>);

impl Words {
    /// Of the struct with this type, as the standard writes it.
    pub fn of(encoded_type: &str) -> Self {
        Self(keccak256(encoded_type).to_vec())
    }

    /// A field of 32 bytes.
    pub fn word(mut self, word: &[u8; 32]) -> Self {
        self.0.extend_from_slice(word);
        self
    }

    /// An unsigned integer of any width.
    pub fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&[0; 24]);
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// An address.
    pub fn address(mut self, address: &EvmAddress) -> Self {
        self.0.extend_from_slice(&[0; 12]);
        self.0.extend_from_slice(address.as_bytes());
        self
    }

    /// Bytes, or the text of a string, of any length.
    pub fn bytes(self, bytes: impl AsRef<[u8]>) -> Self {
        self.word(&keccak256(bytes).0)
    }

    /// An array, element by element as words of their own.
    pub fn array(self, elements: impl FnOnce(Self) -> Self) -> Self {
        let elements = elements(Self(Vec::new()));
        self.bytes(elements.0)
    }

    /// The struct's hash.
    pub fn hash(self) -> B256 {
        keccak256(self.0)
    }
}

/// The separator of a domain: its salt counts only if there is one.
pub fn separator(domain: &Eip712Domain) -> Digest {
    let fields = match domain.salt {
        None => "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
        Some(_) => {
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
        }
    };
    let words = Words::of(fields)
        .bytes(&domain.name)
        .bytes(&domain.version)
        .number(domain.chain_id)
        .address(&domain.verifying_contract);
    let words = match &domain.salt {
        Some(salt) => words.word(salt.as_bytes()),
        None => words,
    };
    Digest::new(words.hash().0)
}

/// The hash to sign: of a struct under a domain.
pub fn to_sign(separator: &Digest, hash: &B256) -> Digest {
    let mut preimage = [0u8; 66];
    preimage[..2].copy_from_slice(&[0x19, 0x01]);
    preimage[2..34].copy_from_slice(separator.as_bytes());
    preimage[34..].copy_from_slice(hash.as_slice());
    Digest::new(keccak256(preimage).0)
}
