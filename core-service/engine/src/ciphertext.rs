//! Reading raw ciphertexts that may be hostile. Nothing of the library touches a block before its shape is checked.

use serde::de::DeserializeOwned;
use tfhe::{
    DeserializationConfig, FheBool, FheInt8, FheUint8, Tag, Unversionize,
    core_crypto::prelude::LweSize,
    integer::IntegerCiphertext,
    named::Named,
    prelude::Tagged,
    shortint::{
        AtomicPatternKind, Ciphertext,
        parameters::{CarryModulus, MessageModulus, PBSOrder},
    },
};

use crate::{CiphertextError, FheType, ParameterSet};

/// What every block of a ciphertext under a parameter set looks like.
pub(crate) struct Shape {
    pub(crate) lwe_size: LweSize,
    message: MessageModulus,
    carry: CarryModulus,
}

impl Shape {
    pub(crate) fn of(params: ParameterSet) -> Self {
        let compute = params.compute();
        let dimension = compute.glwe_dimension.to_equivalent_lwe_dimension(compute.polynomial_size);
        Self {
            lwe_size: dimension.to_lwe_size(),
            message: compute.message_modulus,
            carry: compute.carry_modulus,
        }
    }

    /// Bits of the plaintext in one block.
    pub(crate) fn message_bits(&self) -> usize {
        self.message.0.ilog2().try_into().unwrap_or(usize::MAX)
    }

    pub(crate) fn greatest_message(&self) -> u64 {
        self.message.0 - 1
    }

    /// log2 of the distance between two neighbouring contents: below one padding bit, the carry and the message.
    pub(crate) fn step_bits(&self) -> u32 {
        63 - self.carry.0.ilog2() - self.message.0.ilog2()
    }

    fn blocks(&self, fhe_type: FheType) -> usize {
        fhe_type.bits().div_ceil(self.message_bits())
    }

    /// More than the serialization of the widest type takes: 512 bytes a block beside the LWE ciphertext, and 4096.
    fn max_bytes(&self) -> usize {
        self.blocks(FheType::Uint256) * (self.lwe_size.0 * 8 + 512) + 4096
    }

    fn fits(&self, block: &Ciphertext) -> bool {
        block.ct.lwe_size() == self.lwe_size
            && block.ct.ciphertext_modulus().is_native_modulus()
            && block.message_modulus == self.message
            && block.carry_modulus == self.carry
            && block.degree.get() <= self.greatest_message()
            && block.atomic_pattern == AtomicPatternKind::Standard(PBSOrder::KeyswitchBootstrap)
    }
}

/// The blocks of a ciphertext of the declared type, each of the right shape, least significant first.
pub(crate) fn read(
    stored: &[u8],
    declared: FheType,
    tag: &Tag,
    shape: &Shape,
) -> Result<Vec<Ciphertext>, CiphertextError> {
    let max = shape.max_bytes();
    if stored.len() > max {
        return Err(CiphertextError::TooLarge { size: stored.len(), max });
    }
    let (blocks, found_tag, count) = match declared {
        FheType::Bool => read_bool(stored, declared)?,
        _ => read_integer(stored, declared)?,
    };
    if count != 0 {
        return Err(CiphertextError::TrailingBytes { count });
    }
    if found_tag != *tag {
        return Err(CiphertextError::WrongTag);
    }
    let expected = shape.blocks(declared);
    if blocks.len() != expected {
        let found = format!("has {} blocks instead of {expected}", blocks.len());
        return Err(CiphertextError::WrongType { declared, found });
    }
    match blocks.iter().position(|block| !shape.fits(block)) {
        Some(index) => Err(CiphertextError::WrongShape { index }),
        None => Ok(blocks),
    }
}

type Parsed = (Vec<Ciphertext>, Tag, usize);

fn read_bool(stored: &[u8], declared: FheType) -> Result<Parsed, CiphertextError> {
    let limit = limit(stored);
    let Some((parsed, rest)) = parse::<FheBool>(stored, limit) else {
        let is_integer =
            parse::<FheUint8>(stored, limit).is_some() || parse::<FheInt8>(stored, limit).is_some();
        return Err(not(declared, is_integer, "is an integer"));
    };
    let tag = parsed.tag().clone();
    Ok((vec![parsed.into_raw_parts()], tag, rest))
}

/// The serialization of an unsigned integer does not say how wide it is, so one type reads all widths.
fn read_integer(stored: &[u8], declared: FheType) -> Result<Parsed, CiphertextError> {
    let limit = limit(stored);
    let Some((parsed, rest)) = parse::<FheUint8>(stored, limit) else {
        return Err(match parse::<FheBool>(stored, limit) {
            Some(_) => not(declared, true, "is a bool"),
            None => not(declared, parse::<FheInt8>(stored, limit).is_some(), "is a signed integer"),
        });
    };
    let (radix, _, tag, _) = parsed.into_raw_parts();
    Ok((radix.blocks().to_vec(), tag, rest))
}

fn not(declared: FheType, is_other: bool, found: &str) -> CiphertextError {
    match is_other {
        true => CiphertextError::WrongType { declared, found: found.to_owned() },
        false => CiphertextError::Unreadable,
    }
}

fn limit(stored: &[u8]) -> u64 {
    stored.len().try_into().unwrap_or(u64::MAX)
}

/// Parses a safe-serialized object and counts the bytes that follow it. Allocates no more than `limit` allows.
pub(crate) fn parse<T: DeserializeOwned + Unversionize + Named>(
    stored: &[u8],
    limit: u64,
) -> Option<(T, usize)> {
    let mut rest = stored;
    let object = DeserializationConfig::new(limit).disable_conformance().deserialize_from(&mut rest).ok()?;
    Some((object, rest.len()))
}
