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
    /// A list that must not be used.
    #[error("list {found}")]
    WrongList {
        /// What is wrong with it, as the end of a sentence.
        found: &'static str,
    },
    /// A position that the list does not have.
    #[error("there is no element {index} among {count}")]
    NoSuchElement {
        /// The position asked for, from 0.
        index: u16,
        /// Elements that there are.
        count: usize,
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
    /// Not the parts that are published of every key, in their order.
    #[error("a key is published as its server key and its public key, in this order")]
    WrongParts,
    /// Published parts of another key.
    #[error("what the published parts encrypt does not decrypt under the secret key")]
    Foreign,
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
            Self::WrongParts => "key_wrong_parts",
            Self::Foreign => "key_foreign_parts",
            Self::LibraryFailure { .. } => "key_library_failure",
        }
    }
}

/// Why a reference string was not made or not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CrsError {
    /// For no bits, or for more than one can be made for.
    #[error("a reference string for {given} bits cannot be made, allowed are 1 to {max}")]
    OutOfRange {
        /// Bits asked for.
        given: u32,
        /// The most that are allowed.
        max: u32,
    },
    /// Bytes do not parse, do not fit the parameter set, or are for more bits than are allowed.
    #[error("bytes are not a reference string for parameter set {params}")]
    Invalid {
        /// The parameter set expected.
        params: &'static str,
    },
    /// The library failed.
    #[error("the library failed: {doing}")]
    LibraryFailure {
        /// What was being done.
        doing: &'static str,
    },
}

impl CrsError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OutOfRange { .. } => "crs_out_of_range",
            Self::Invalid { .. } => "crs_invalid",
            Self::LibraryFailure { .. } => "crs_library_failure",
        }
    }
}

/// Why bytes are no input: every one of these is a negative answer, none a failure of the core.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InputError {
    /// More bytes than the largest list can have.
    #[error("list has {size} bytes, at most {max} are allowed")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not the serialization of a proven list.
    #[error("bytes are not a serialized proven list")]
    Unreadable,
    /// A proven list, followed by something else.
    #[error("list is followed by {count} more bytes")]
    TrailingBytes {
        /// Bytes after the end.
        count: usize,
    },
    /// Made under another key, as its tag says.
    #[error("list carries another tag than the public key")]
    WrongTag,
    /// No elements, or more than handles can name.
    #[error("list has {count} elements, allowed are 1 to {max}")]
    ElementCount {
        /// Elements that there are.
        count: usize,
        /// Elements allowed.
        max: usize,
    },
    /// Not of the shape that lists under the key's parameters have.
    #[error("list does not conform to the key's parameters and the reference string")]
    NotConformant,
    /// A list that its maker had to split, as the reference string is for fewer bits.
    #[error("list is larger than the reference string allows, so that it has {proofs} proofs")]
    LargerThanCrs {
        /// Proofs that there are.
        proofs: usize,
    },
    /// An element whose type has no number.
    #[error("element {index} is of no supported type")]
    UnsupportedType {
        /// Position of the first such element, from 0.
        index: usize,
    },
    /// The proof does not hold for these ciphertexts, this metadata, this key and this reference string.
    #[error("the proof is not valid")]
    ProofInvalid,
    /// The library failed; never expected, kept so that it cannot take the process with it.
    #[error("the library failed on this list")]
    LibraryFailure,
}

impl InputError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "input_too_large",
            Self::Unreadable => "input_unreadable",
            Self::TrailingBytes { .. } => "input_trailing_bytes",
            Self::WrongTag => "input_wrong_tag",
            Self::ElementCount { .. } => "input_element_count",
            Self::NotConformant => "input_not_conformant",
            Self::LargerThanCrs { .. } => "input_larger_than_crs",
            Self::UnsupportedType { .. } => "input_unsupported_type",
            Self::ProofInvalid => "input_proof_invalid",
            Self::LibraryFailure => "input_library_failure",
        }
    }
}

/// Why values were not encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EncryptError {
    /// No values, or more than handles can name.
    #[error("{count} values cannot be one list, allowed are 1 to {max}")]
    ValueCount {
        /// Values given.
        count: usize,
        /// Values allowed.
        max: usize,
    },
    /// More bits than the reference string is for.
    #[error("{bits} bits of plaintext are too many for a reference string of {max}")]
    LargerThanCrs {
        /// Bits that the values take.
        bits: usize,
        /// Bits that the reference string is for.
        max: u32,
    },
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
        match self {
            Self::ValueCount { .. } => "encrypt_value_count",
            Self::LargerThanCrs { .. } => "encrypt_larger_than_crs",
            Self::LibraryFailure { .. } => "encrypt_library_failure",
        }
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
    /// Bytes of another length than the types take.
    #[error("value has {given} bytes, expected {expected}")]
    PayloadLength {
        /// Bytes given.
        given: usize,
        /// Bytes that the types take.
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
