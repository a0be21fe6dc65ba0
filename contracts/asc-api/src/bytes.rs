//! Byte strings of a fixed length: base64 in JSON, `0x` hex for people.

use std::fmt;
use std::str::FromStr;

use cosmwasm_std::{Binary, HexBinary};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A byte string had another length than its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {given} bytes given, {allowed} allowed")]
pub struct WrongLength {
    /// What the bytes should be.
    pub kind: &'static str,
    /// Bytes given; 0 if they could not be read at all.
    pub given: usize,
    /// Bytes allowed.
    pub allowed: usize,
}

macro_rules! fixed_bytes {
    ($(#[$doc:meta])* $name:ident, $len:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Wraps bytes of the right length.
            pub const fn new(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// `0x` and lower-case hex digits.
            pub fn to_hex(&self) -> String {
                format!("0x{}", HexBinary::from(self.0.as_slice()).to_hex())
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = WrongLength;
            fn try_from(bytes: &[u8]) -> Result<Self, WrongLength> {
                bytes.try_into().map(Self).map_err(|_| WrongLength {
                    kind: $kind,
                    given: bytes.len(),
                    allowed: $len,
                })
            }
        }

        impl FromStr for $name {
            type Err = WrongLength;
            /// Reads hex digits with or without `0x`.
            fn from_str(text: &str) -> Result<Self, WrongLength> {
                let digits = text.strip_prefix("0x").unwrap_or(text);
                let bytes = HexBinary::from_hex(digits)
                    .map_err(|_| WrongLength { kind: $kind, given: 0, allowed: $len })?;
                Self::try_from(bytes.as_slice())
            }
        }

        impl From<$name> for Binary {
            fn from(bytes: $name) -> Self {
                Self::from(bytes.0.as_slice())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.to_hex())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Binary::from(self.0.as_slice()).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let bytes = Binary::deserialize(deserializer)?;
                Self::try_from(bytes.as_slice()).map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> String {
                stringify!($name).to_owned()
            }
            fn json_schema(generator: &mut schemars::r#gen::SchemaGenerator) -> schemars::schema::Schema {
                let mut schema = Binary::json_schema(generator).into_object();
                schema.metadata().description = Some(concat!($kind, ": ", $len, " bytes, as base64").to_owned());
                let digits = u32::div_ceil($len, 3) * 4;
                schema.string().min_length = Some(digits);
                schema.string().max_length = Some(digits);
                schema.into()
            }
        }

        impl cw_schema::Schemaifier for $name {
            fn visit_schema(visitor: &mut cw_schema::SchemaVisitor) -> cw_schema::DefinitionReference {
                <Binary as cw_schema::Schemaifier>::visit_schema(visitor)
            }
        }
    };
}

fixed_bytes!(
    /// 32 bytes of a hash: SHA-256 unless the field says otherwise.
    Digest, 32, "digest"
);
fixed_bytes!(
    /// A ciphertext handle; byte 30 is the FHE type.
    Handle, 32, "handle"
);
fixed_bytes!(
    /// An Ethereum address.
    EvmAddress, 20, "address"
);
fixed_bytes!(
    /// A compressed secp256k1 public key.
    PublicKey, 33, "public key"
);
fixed_bytes!(
    /// `r || s || v` over secp256k1, low-s, `v` 27 or 28.
    Signature, 65, "signature"
);

impl EvmAddress {
    /// The address that stands for nobody.
    pub const ZERO: Self = Self([0; 20]);

    /// The address of a public key's point `x || y`: the last 20 bytes of its keccak256.
    pub fn of_point(point: &[u8; 64]) -> Self {
        let mut address = [0u8; 20];
        address.copy_from_slice(&alloy_primitives::keccak256(point).as_slice()[12..]);
        Self(address)
    }

    /// The address by which an input names an application of this chain: the first 20 bytes of
    /// SHA-256(`"kms-app" || address text`).
    pub fn of_app(address_text: &str) -> Self {
        let mut address = [0u8; 20];
        let preimage = [b"kms-app".as_slice(), address_text.as_bytes()].concat();
        address.copy_from_slice(&Digest::sha256(&preimage).as_bytes()[..20]);
        Self(address)
    }
}

impl Digest {
    /// SHA-256 of `bytes`.
    pub fn sha256(bytes: &[u8]) -> Self {
        use sha2::{Digest as _, Sha256};
        Self(Sha256::digest(bytes).into())
    }
}

impl Handle {
    /// The FHE type number that the handle carries.
    pub const fn fhe_type_number(&self) -> u8 {
        self.0[30]
    }
}

/// A signature that no verifier may accept, whatever it signs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// `v` is neither 27 nor 28.
    #[error("recovery byte {0} given, 27 or 28 allowed")]
    RecoveryByte(u8),
    /// `s` lies in the upper half of the group order, so the signature has a twin.
    #[error("s is not in the lower half of the group order")]
    HighS,
}

/// Half of the order of secp256k1, big-endian: the largest `s` allowed.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d,
    0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

impl Signature {
    /// `r || s` and the recovery id (0 or 1), if the signature is in its one canonical form.
    ///
    /// # Errors
    /// When `v` is not 27 or 28, or `s` is high.
    pub fn parts(&self) -> Result<(&[u8], u8), SignatureError> {
        let (rs, v) = self.0.split_at(64);
        let recovery_id = match v {
            [27] => 0,
            [28] => 1,
            _ => return Err(SignatureError::RecoveryByte(self.0[64])),
        };
        if rs[32..] > HALF_ORDER[..] {
            return Err(SignatureError::HighS);
        }
        Ok((rs, recovery_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_base64_and_text_is_hex() {
        let digest = Digest::new([0xab; 32]);
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json, "\"q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=\"");
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
    }

    #[test]
    fn another_length_is_refused_with_both_lengths_named() {
        let error = serde_json::from_str::<Digest>("\"q6s=\"").unwrap_err();
        assert!(error.to_string().contains("digest: 2 bytes given, 32 allowed"), "{error}");
    }

    #[test]
    fn only_the_canonical_form_of_a_signature_has_parts() {
        let mut bytes = [1u8; 65];
        bytes[64] = 27;
        assert_eq!(Signature::new(bytes).parts().unwrap().1, 0);
        bytes[64] = 0;
        assert_eq!(Signature::new(bytes).parts(), Err(SignatureError::RecoveryByte(0)));
        bytes[64] = 28;
        bytes[32..64].copy_from_slice(&HALF_ORDER);
        assert_eq!(Signature::new(bytes).parts().unwrap().1, 1);
        bytes[63] += 1;
        assert_eq!(Signature::new(bytes).parts(), Err(SignatureError::HighS));
    }
}
