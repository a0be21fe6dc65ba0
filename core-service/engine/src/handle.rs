use std::fmt;

use alloy_primitives::keccak256;

use crate::FheType;

/// A ciphertext's 32-byte name: 21 bytes of hash, then index (1), chain id (8, big-endian), FHE type (1), version (1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle([u8; 32]);

const VERSION: u8 = 0;

impl Handle {
    /// The handle of element `index` of the stored bytes `blob`.
    ///
    /// `keccak256("ZK-w_hdl" || keccak256("ZK-w_rct" || blob) || index || acl || chain id (32, big-endian))`, whose bytes
    /// 21..32 are replaced by the readable fields. `acl` is the address of the contract that guards use of the
    /// ciphertext, or zero for ciphertexts that a client makes for himself.
    pub fn derive(blob: &[u8], index: u8, acl: [u8; 20], chain_id: u64, fhe_type: FheType) -> Self {
        let blob_hash = keccak256([b"ZK-w_rct".as_slice(), blob].concat());
        let mut chain_id_word = [0; 32];
        chain_id_word[24..].copy_from_slice(&chain_id.to_be_bytes());

        let parts = [b"ZK-w_hdl".as_slice(), blob_hash.as_slice(), &[index], &acl, &chain_id_word];
        let mut bytes = keccak256(parts.concat()).0;
        bytes[21] = index;
        bytes[22..30].copy_from_slice(&chain_id.to_be_bytes());
        bytes[30] = fhe_type.number();
        bytes[31] = VERSION;
        Self(bytes)
    }

    /// The handle with these bytes. Any 32 bytes are a handle; the accessors say what they claim.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// Position of the element in the stored bytes, byte 21.
    pub const fn index(self) -> u8 {
        self.0[21]
    }

    /// Number of the FHE type, byte 30.
    pub const fn type_number(self) -> u8 {
        self.0[30]
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", alloy_primitives::B256::from(self.0))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_ends_with_its_readable_fields() {
        let handle = Handle::derive(b"abc", 3, [0; 20], 0x0102, FheType::Uint64);
        assert_eq!(handle.to_bytes()[21..], [3, 0, 0, 0, 0, 0, 0, 1, 2, 5, 0]);
        assert_eq!((handle.index(), handle.type_number()), (3, 5));
    }

    #[test]
    fn the_worked_example_of_the_format_holds() {
        // Computed by an independent program.
        let handle = Handle::derive(b"abc", 3, [0; 20], 31337, FheType::Uint64);
        assert_eq!(handle.to_string(), "0x6ccdfd2ec9717f7de6e8969fbd755be016e7c3b6fa030000000000007a690500");
    }

    #[test]
    fn every_input_changes_the_hash_part() {
        let hash = |blob: &[u8], index, acl, chain| {
            Handle::derive(blob, index, acl, chain, FheType::Bool).to_bytes()[..21].to_vec()
        };
        let base = hash(b"abc", 0, [0; 20], 1);
        assert_ne!(base, hash(b"abd", 0, [0; 20], 1));
        assert_ne!(base, hash(b"abc", 1, [0; 20], 1));
        assert_ne!(base, hash(b"abc", 0, [1; 20], 1));
        assert_ne!(base, hash(b"abc", 0, [0; 20], 2));
    }
}
