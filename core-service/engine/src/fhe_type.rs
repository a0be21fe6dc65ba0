use std::{fmt, str::FromStr};

use crate::UnknownName;

/// Type of a ciphertext's plaintext. The discriminant is its number in requests and handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FheType {
    /// One bit; written `true` or `false`.
    Bool = 0,
    /// 4-bit unsigned integer.
    Uint4 = 1,
    /// 8-bit unsigned integer.
    Uint8 = 2,
    /// 16-bit unsigned integer.
    Uint16 = 3,
    /// 32-bit unsigned integer.
    Uint32 = 4,
    /// 64-bit unsigned integer.
    Uint64 = 5,
    /// 128-bit unsigned integer.
    Uint128 = 6,
    /// 160-bit unsigned integer: an Ethereum address, and written as one.
    Address = 7,
    /// 256-bit unsigned integer.
    Uint256 = 8,
    /// 512-bit unsigned integer.
    Uint512 = 9,
    /// 1024-bit unsigned integer.
    Uint1024 = 10,
    /// 2048-bit unsigned integer.
    Uint2048 = 11,
}

impl FheType {
    /// Every type that this version can encrypt and decrypt, ascending by number.
    pub const ALL: [Self; 12] = [
        Self::Bool,
        Self::Uint4,
        Self::Uint8,
        Self::Uint16,
        Self::Uint32,
        Self::Uint64,
        Self::Uint128,
        Self::Address,
        Self::Uint256,
        Self::Uint512,
        Self::Uint1024,
        Self::Uint2048,
    ];

    /// The type's number in requests and handles.
    pub const fn number(self) -> u8 {
        match self {
            Self::Bool => 0,
            Self::Uint4 => 1,
            Self::Uint8 => 2,
            Self::Uint16 => 3,
            Self::Uint32 => 4,
            Self::Uint64 => 5,
            Self::Uint128 => 6,
            Self::Address => 7,
            Self::Uint256 => 8,
            Self::Uint512 => 9,
            Self::Uint1024 => 10,
            Self::Uint2048 => 11,
        }
    }

    /// The type with this number, if this version supports it.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.number() == number)
    }

    /// Width of the plaintext in bits.
    pub const fn bits(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Uint4 => 4,
            Self::Uint8 => 8,
            Self::Uint16 => 16,
            Self::Uint32 => 32,
            Self::Uint64 => 64,
            Self::Uint128 => 128,
            Self::Address => 160,
            Self::Uint256 => 256,
            Self::Uint512 => 512,
            Self::Uint1024 => 1024,
            Self::Uint2048 => 2048,
        }
    }

    /// Width of the plaintext in whole bytes: what it takes in a user decryption.
    pub const fn bytes(self) -> usize {
        self.bits().div_ceil(8)
    }

    /// 32-byte words that the plaintext takes in the payload of a public decryption.
    pub const fn words(self) -> usize {
        self.bits().div_ceil(256)
    }

    /// Name as people type it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Uint4 => "uint4",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Uint128 => "uint128",
            Self::Address => "address",
            Self::Uint256 => "uint256",
            Self::Uint512 => "uint512",
            Self::Uint1024 => "uint1024",
            Self::Uint2048 => "uint2048",
        }
    }
}

impl fmt::Display for FheType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for FheType {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|t| t.name() == text).ok_or_else(|| UnknownName {
            what: "type",
            given: text.to_owned(),
            allowed: "bool, uint4, uint8, uint16, uint32, uint64, uint128, uint256, uint512, uint1024, uint2048, \
                      address",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_handle_format() {
        let numbers: Vec<_> = FheType::ALL.map(|t| t.number()).into();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(FheType::from_number(7), Some(FheType::Address));
        assert_eq!(FheType::from_number(12), None);
    }

    #[test]
    fn widths_are_those_of_the_formats() {
        let bytes: Vec<_> = FheType::ALL.map(|t| t.bytes()).into();
        assert_eq!(bytes, [1, 1, 1, 2, 4, 8, 16, 20, 32, 64, 128, 256]);
        let words: Vec<_> = FheType::ALL.map(|t| t.words()).into();
        assert_eq!(words, [1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 8]);
    }

    #[test]
    fn every_name_is_read_back_and_others_are_refused_with_what_is_allowed() {
        for t in FheType::ALL {
            assert_eq!(t.name().parse::<FheType>(), Ok(t));
        }
        let error = "uint7".parse::<FheType>().unwrap_err();
        for t in FheType::ALL {
            assert!(error.allowed.contains(t.name()), "{t} is not named as allowed");
        }
    }
}
