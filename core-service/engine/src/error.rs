use thiserror::Error;

use crate::FheType;

/// Why a ciphertext was not decrypted. `index`es of blocks count from 0, least significant first.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CiphertextError {
    /// More bytes than the largest supported ciphertext can have.
    #[error("ciphertext has {size} bytes, at most {max} are allowed")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not the serialization of any supported ciphertext.
    #[error("bytes are not a serialized ciphertext")]
    Unreadable,
    /// A ciphertext, followed by something else.
    #[error("ciphertext is followed by {count} more bytes")]
    TrailingBytes {
        /// Bytes after the end.
        count: usize,
    },
    /// Made under another key, as its tag says.
    #[error("ciphertext carries another tag than the key")]
    WrongTag,
    /// A block that this key's parameters cannot have.
    #[error("block {index} does not have the shape of the key's parameters")]
    WrongShape {
        /// The first such block.
        index: usize,
    },
    /// A block that decrypts to noise: another key, or not an encryption at all.
    #[error("block {index} does not decrypt to a message")]
    NotAMessage {
        /// The first such block.
        index: usize,
    },
    /// A well-formed ciphertext of another type than was declared.
    #[error("ciphertext is not of the declared type {declared}: it {found}")]
    WrongType {
        /// The type declared.
        declared: FheType,
        /// What it is instead, as the end of a sentence.
        found: String,
    },
    /// The library failed; never expected, kept so that it cannot take the process with it.
    #[error("the library failed on this ciphertext")]
    LibraryFailure,
}

impl CiphertextError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::WrongType { .. } => "wrong_type",
            _ => "ciphertext_malformed",
        }
    }

    /// The failure code that a receipt carries: 3 `ciphertext_malformed`, 4 `wrong_type` or 9 `too_large`.
    pub fn failure_code(&self) -> u32 {
        match self {
            Self::TooLarge { .. } => 9,
            Self::WrongType { .. } => 4,
            _ => 3,
        }
    }
}

/// Why key material was not made or not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Bytes do not parse, or do not fit the parameter set.
    #[error("{part} is not valid for parameter set {params}")]
    Invalid {
        /// Which part: `secret key`, `server key` or `public key`.
        part: &'static str,
        /// The parameter set expected.
        params: &'static str,
    },
    /// Parts of one key that do not carry the same tag.
    #[error("server key and public key carry different tags, so they are not of one key")]
    PartsDiffer,
    /// The library failed.
    #[error("the library failed: {doing}")]
    LibraryFailure {
        /// What was being done.
        doing: &'static str,
    },
}

impl KeyError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "key_invalid",
            Self::PartsDiffer => "key_parts_differ",
            Self::LibraryFailure { .. } => "key_library_failure",
        }
    }
}

/// Why a value was not encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EncryptError {
    /// The library failed.
    #[error("the library failed: {doing}")]
    LibraryFailure {
        /// What was being done.
        doing: &'static str,
    },
}

impl EncryptError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        "encrypt_library_failure"
    }
}

/// Why a text or a word is not a value of a type.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ValueError {
    /// Not written as a value of this type is written.
    #[error("`{given}` is not a value of type {fhe_type}: expected {expected}")]
    Syntax {
        /// What was given.
        given: String,
        /// The type asked for.
        fhe_type: FheType,
        /// How values of the type are written.
        expected: &'static str,
    },
    /// A number too great for the type.
    #[error("`{given}` is out of range for {fhe_type}, whose greatest value is {max}")]
    OutOfRange {
        /// What was given.
        given: String,
        /// The type asked for.
        fhe_type: FheType,
        /// Its greatest value.
        max: String,
    },
    /// An address in mixed case whose checksum (EIP-55) is wrong: most likely mistyped.
    #[error("`{given}` has a wrong address checksum, expected `{expected}` or all lower case")]
    Checksum {
        /// What was given.
        given: String,
        /// The same address with its right checksum.
        expected: String,
    },
    /// A payload that is not one word per type.
    #[error("payload has {given} bytes, expected {expected}")]
    PayloadLength {
        /// Bytes given.
        given: usize,
        /// 32 for each value.
        expected: usize,
    },
}

impl ValueError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "value_syntax",
            Self::OutOfRange { .. } => "value_out_of_range",
            Self::Checksum { .. } => "address_checksum",
            Self::PayloadLength { .. } => "payload_length",
        }
    }
}

/// A name that is none of the allowed ones.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown {what} `{given}`, allowed are {allowed}")]
pub struct UnknownName {
    /// What the name should name.
    pub what: &'static str,
    /// The name given.
    pub given: String,
    /// The names allowed.
    pub allowed: &'static str,
}

impl UnknownName {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        "unknown_name"
    }
}
