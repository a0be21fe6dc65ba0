//! Reading ciphertexts that may be hostile. Nothing of the library touches a block before its shape is checked.

mod compact;
mod compressed;
mod layout;
mod raw;
mod value;

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use tfhe::{
    DeserializationConfig, Tag, Unversionize, integer::ciphertext::DataKind, named::Named, prelude::Tagged,
};

pub(crate) use layout::{ProvenParts, proven_parts};
pub(crate) use value::type_of;

use crate::{CiphertextError, DecryptionKey, FheType, Plaintext};

/// How ciphertexts are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CiphertextFormat {
    /// One ciphertext: a safe-serialized `FheBool` or `FheUint`.
    Raw,
    /// A safe-serialized `CompressedCiphertextList`.
    Compressed,
    /// A safe-serialized `ProvenCompactCiphertextList`. Whether its proof holds is for [`crate::InputVerifier`] to say: it is
    /// not looked at when the list is decrypted.
    Compact,
}

/// Which ciphertext of some stored bytes is meant, and what it is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Element {
    /// Position in the list, from 0; 0 if there is no list.
    pub index: u16,
    /// The type that the ciphertext must have.
    pub declared: FheType,
}

/// What came of some stored bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decryption {
    /// For each element that was asked for, in order: its value, or why it has none.
    pub results: Vec<Result<Plaintext, CiphertextError>>,
    /// What reading and checking the bytes took. The rest of the time went to decrypting.
    pub reading: Duration,
}

impl Decryption {
    /// No element has a value, all for the same reason.
    pub(crate) fn failed(error: &CiphertextError, elements: &[Element], reading: Duration) -> Self {
        Self { results: elements.iter().map(|_| Err(error.clone())).collect(), reading }
    }
}

/// Decrypts elements of `stored`.
pub(crate) fn decrypt(
    key: &DecryptionKey,
    stored: &[u8],
    format: CiphertextFormat,
    elements: &[Element],
) -> Decryption {
    match format {
        CiphertextFormat::Raw => raw::decrypt(key, stored, elements),
        CiphertextFormat::Compressed => compressed::decrypt(key, stored, elements),
        CiphertextFormat::Compact => compact::decrypt(key, stored, elements),
    }
}

/// Reads once, by the clock, and decrypts elements of what was read.
fn read_then_decrypt<T>(
    elements: &[Element],
    read: impl FnOnce() -> Result<T, CiphertextError>,
    mut decrypt: impl FnMut(&mut T, Element) -> Result<Plaintext, CiphertextError>,
) -> Decryption {
    let (found, reading) = timed(read);
    match found {
        Ok(mut found) => {
            let results = elements.iter().map(|element| decrypt(&mut found, *element)).collect();
            Decryption { results, reading }
        }
        Err(error) => Decryption::failed(&error, elements, reading),
    }
}

/// Work, and how long it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed())
}

/// Reads a whole tagged object and nothing behind it.
fn read_tagged<T>(stored: &[u8], tag: &Tag, max: usize) -> Result<T, CiphertextError>
where
    T: DeserializeOwned + Unversionize + Named + Tagged,
{
    if stored.len() > max {
        return Err(CiphertextError::TooLarge { size: stored.len(), max });
    }
    let (object, count) = parse::<T>(stored, limit(stored)).ok_or(CiphertextError::Unreadable)?;
    if count != 0 {
        return Err(CiphertextError::TrailingBytes { count });
    }
    if object.tag() != tag {
        return Err(CiphertextError::WrongTag);
    }
    Ok(object)
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

/// The blocks of one element of a list, counted over the whole list.
struct Blocks {
    first: usize,
    count: usize,
}

/// Where the blocks of each element of a list lie: end to end.
struct Directory {
    elements: Vec<(DataKind, Blocks)>,
    total: usize,
}

impl Directory {
    /// `None` if the elements together claim more blocks than can be counted.
    fn new(info: &[DataKind], message_modulus: tfhe::shortint::MessageModulus) -> Option<Self> {
        let mut total = 0_usize;
        let mut elements = Vec::with_capacity(info.len());
        for kind in info {
            let count = kind.num_blocks(message_modulus);
            elements.push((*kind, Blocks { first: total, count }));
            total = total.checked_add(count)?;
        }
        Some(Self { elements, total })
    }

    /// The blocks of an element, which is of the declared type.
    fn find(&self, element: Element, message_bits: usize) -> Result<&Blocks, CiphertextError> {
        let Element { index, declared } = element;
        let count = self.elements.len();
        let (kind, blocks) =
            self.elements.get(usize::from(index)).ok_or(CiphertextError::NoSuchElement { index, count })?;
        if type_of(*kind, message_bits) == Some(declared) {
            return Ok(blocks);
        }
        Err(CiphertextError::WrongType { declared, found: value::description(*kind, message_bits) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;

    #[test]
    fn reading_is_timed_whether_it_succeeds_or_not() {
        let key = golden::key().unwrap();
        for golden in &golden::ALL {
            let elements = golden.elements();
            let (good, whole) = timed(|| key.decrypt_timed(golden.stored, golden.format, &elements));
            assert!(good.results.iter().all(Result::is_ok), "{:?}", golden.format);
            assert!(!good.reading.is_zero() && good.reading < whole, "{:?} of {whole:?}", good.reading);

            let bad = key.decrypt_timed(b"no ciphertext", golden.format, &elements);
            assert_eq!(bad.results, vec![Err(CiphertextError::Unreadable); elements.len()]);
            assert!(!bad.reading.is_zero());
        }
    }
}
