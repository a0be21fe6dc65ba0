//! Types of plaintexts and their numbers, as fixed by the handle format.

use std::fmt;
use std::str::FromStr;

use cosmwasm_schema::cw_serde;

/// The type of an encrypted value.
#[cw_serde]
#[derive(Copy, Eq, PartialOrd, Ord, Hash)]
pub enum FheType {
    /// Number 0.
    Bool,
    /// Number 1.
    Uint4,
    /// Number 2.
    Uint8,
    /// Number 3.
    Uint16,
    /// Number 4.
    Uint32,
    /// Number 5.
    Uint64,
    /// Number 6.
    Uint128,
    /// Number 7; people call it `address`.
    Uint160,
    /// Number 8.
    Uint256,
    /// Number 9.
    Uint512,
    /// Number 10.
    Uint1024,
    /// Number 11.
    Uint2048,
}

/// A name or number that is no FHE type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown type {0}, allowed are bool, uint4, uint8, uint16, uint32, uint64, uint128, uint160 (address), \
     uint256, uint512, uint1024, uint2048"
)]
pub struct UnknownFheType(pub String);

impl FheType {
    /// Every type, in the order of their numbers.
    pub const ALL: [Self; 12] = [
        Self::Bool,
        Self::Uint4,
        Self::Uint8,
        Self::Uint16,
        Self::Uint32,
        Self::Uint64,
        Self::Uint128,
        Self::Uint160,
        Self::Uint256,
        Self::Uint512,
        Self::Uint1024,
        Self::Uint2048,
    ];

    /// The number in byte 30 of a handle.
    pub const fn number(self) -> u8 {
        match self {
            Self::Bool => 0,
            Self::Uint4 => 1,
            Self::Uint8 => 2,
            Self::Uint16 => 3,
            Self::Uint32 => 4,
            Self::Uint64 => 5,
            Self::Uint128 => 6,
            Self::Uint160 => 7,
            Self::Uint256 => 8,
            Self::Uint512 => 9,
            Self::Uint1024 => 10,
            Self::Uint2048 => 11,
        }
    }

    /// Bits of a value.
    pub const fn bits(self) -> u16 {
        match self {
            Self::Bool => 1,
            Self::Uint4 => 4,
            Self::Uint8 => 8,
            Self::Uint16 => 16,
            Self::Uint32 => 32,
            Self::Uint64 => 64,
            Self::Uint128 => 128,
            Self::Uint160 => 160,
            Self::Uint256 => 256,
            Self::Uint512 => 512,
            Self::Uint1024 => 1024,
            Self::Uint2048 => 2048,
        }
    }

    /// 32-byte words that a value takes in a decryption's payload.
    pub const fn words(self) -> usize {
        match self {
            Self::Uint512 => 2,
            Self::Uint1024 => 4,
            Self::Uint2048 => 8,
            _ => 1,
        }
    }

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Uint4 => "uint4",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Uint128 => "uint128",
            Self::Uint160 => "uint160",
            Self::Uint256 => "uint256",
            Self::Uint512 => "uint512",
            Self::Uint1024 => "uint1024",
            Self::Uint2048 => "uint2048",
        }
    }
}

impl TryFrom<u8> for FheType {
    type Error = UnknownFheType;
    fn try_from(number: u8) -> Result<Self, UnknownFheType> {
        Self::ALL.get(usize::from(number)).copied().ok_or_else(|| UnknownFheType(number.to_string()))
    }
}

impl FromStr for FheType {
    type Err = UnknownFheType;
    fn from_str(text: &str) -> Result<Self, UnknownFheType> {
        let name = if text == "address" { "uint160" } else { text };
        Self::ALL.into_iter().find(|t| t.name() == name).ok_or_else(|| UnknownFheType(text.to_owned()))
    }
}

impl fmt::Display for FheType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_json_agree() {
        for fhe_type in FheType::ALL {
            assert_eq!(FheType::try_from(fhe_type.number()).unwrap(), fhe_type);
            assert_eq!(fhe_type.name().parse::<FheType>().unwrap(), fhe_type);
            assert_eq!(serde_json::to_string(&fhe_type).unwrap(), format!("\"{fhe_type}\""));
            assert_eq!(fhe_type.words(), usize::from(fhe_type.bits()).div_ceil(256));
        }
        assert_eq!("address".parse::<FheType>().unwrap(), FheType::Uint160);
    }

    #[test]
    fn an_unknown_type_is_refused_by_name() {
        assert!("uint7".parse::<FheType>().unwrap_err().to_string().contains("unknown type uint7"));
        assert!(FheType::try_from(12).is_err());
    }
}
