use std::time::Duration;

use tfhe::{
    FheBool, FheInt8, FheUint8, Tag, integer::IntegerCiphertext, prelude::Tagged, shortint::Ciphertext,
};

use super::{Decryption, Element, limit, parse, timed, value::compose};
use crate::{CiphertextError, DecryptionKey, FheType, Plaintext, shape::RawShape};

/// How the bytes are read depends on the type that they are said to have, so each element reads them anew. Only the blocks of
/// one are in memory at a time, however many elements name the same bytes.
pub(super) fn decrypt(key: &DecryptionKey, stored: &[u8], elements: &[Element]) -> Decryption {
    let mut reading = Duration::ZERO;
    let one = |element: &Element| {
        let (blocks, took) = timed(|| read_element(key, stored, *element));
        reading = reading.saturating_add(took);
        decrypt_blocks(key, &blocks?, element.declared)
    };
    let results = elements.iter().map(one).collect();
    Decryption { results, reading }
}

fn read_element(
    key: &DecryptionKey,
    stored: &[u8],
    element: Element,
) -> Result<Vec<Ciphertext>, CiphertextError> {
    let Element { index, declared } = element;
    if index != 0 {
        return Err(CiphertextError::NoSuchElement { index, count: 1 });
    }
    read(stored, declared, key.own_tag(), &key.shapes().raw)
}

fn decrypt_blocks(
    key: &DecryptionKey,
    blocks: &[Ciphertext],
    declared: FheType,
) -> Result<Plaintext, CiphertextError> {
    let messages = blocks.iter().map(|block| key.computation().content(&block.ct));
    compose(declared, key.shapes().raw.message_bits(), messages)
}

/// The blocks of a ciphertext of the declared type, each of the right shape, least significant first.
fn read(
    stored: &[u8],
    declared: FheType,
    tag: &Tag,
    shape: &RawShape,
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
