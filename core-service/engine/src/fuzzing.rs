//! Entry functions for fuzzers, and what they can start from.

use std::sync::LazyLock;

use crate::{
    CiphertextError, CiphertextFormat, DecryptionKey, Element, FheType, InputError, InputVerifier,
    ParameterSet, Plaintext, ReferenceString, generate_crs, golden,
};

static KEY: LazyLock<Option<DecryptionKey>> = LazyLock::new(|| golden::key().ok());

static VERIFIER: LazyLock<Option<InputVerifier>> = LazyLock::new(|| {
    let crs = generate_crs(ParameterSet::Test, 128).ok()?;
    let string = ReferenceString::load(ParameterSet::Test, &crs).ok()?;
    InputVerifier::load(golden::PUBLIC, &string).ok()
});

/// Decrypts bytes that say how they want to be read: format (1 byte), type (1), index (1), then the stored bytes.
///
/// # Panics
///
/// On a finding: a value of another type than declared, or a panic inside the library.
pub fn ciphertext(data: &[u8]) {
    let _ = decrypt(data);
}

/// The value, if there is one.
fn decrypt(data: &[u8]) -> Option<Plaintext> {
    let [format, fhe_type, index, stored @ ..] = data else { return None };
    let format = match format % 3 {
        0 => CiphertextFormat::Raw,
        1 => CiphertextFormat::Compressed,
        _ => CiphertextFormat::Compact,
    };
    let declared = FheType::from_number(fhe_type % 12).unwrap_or(FheType::Bool);
    let key = KEY.as_ref();
    assert!(key.is_some(), "the golden key does not load");
    let element = Element { index: u16::from(*index), declared };
    match key?.decrypt(stored, format, &[element]).pop()? {
        Ok(value) => {
            assert_eq!(value.fhe_type(), declared);
            Some(value)
        }
        Err(error) => {
            assert_ne!(error, CiphertextError::LibraryFailure);
            None
        }
    }
}

/// What [`ciphertext`] reads to the end: each golden element.
pub fn ciphertext_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (format, golden) in (0..).zip(&golden::ALL) {
        for element in golden.elements() {
            let index = u8::try_from(element.index).unwrap_or(u8::MAX);
            let head = [format, element.declared.number(), index];
            seeds.push([head.as_slice(), golden.stored].concat());
        }
    }
    seeds
}

/// Judges bytes as an input, against a reference string that is made when this is first called (seconds).
///
/// # Panics
///
/// On a finding: a list that cannot have a valid proof is accepted, or a panic inside the library.
pub fn input(data: &[u8]) {
    let verifier = VERIFIER.as_ref();
    assert!(verifier.is_some(), "the verifier does not load");
    for result in verifier.iter().map(|verifier| verifier.verify(data, b"metadata")) {
        // The golden list was proven against another reference string.
        assert!(result.is_err(), "a forged input of {:?} was accepted", result.map(|types| types.len()));
        assert_ne!(result, Err(InputError::LibraryFailure));
    }
}

/// What [`input`] reads to the end.
pub fn input_seeds() -> Vec<Vec<u8>> {
    let compact = golden::ALL.iter().filter(|golden| golden.format == CiphertextFormat::Compact);
    compact.map(|golden| golden.stored.to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use kms_fuzz_input::{Corpus, Shape};

    use super::*;

    #[test]
    fn a_minute_of_random_ciphertexts_is_no_finding() {
        let tried = Corpus::new(ciphertext_seeds(), Shape::Bytes).try_for_a_minute(ciphertext);
        assert!(tried > 1000, "{tried} in a minute");
    }

    #[test]
    fn a_minute_of_random_inputs_is_no_finding() {
        let tried = Corpus::new(input_seeds(), Shape::Bytes).try_for_a_minute(input);
        assert!(tried > 100, "{tried} in a minute");
    }

    #[test]
    fn every_seed_holds_a_value() {
        let seeds = ciphertext_seeds();
        assert_eq!(seeds.len(), 10);
        for seed in seeds {
            assert!(decrypt(&seed).is_some(), "{:?}", &seed[..3]);
        }
    }

    #[test]
    fn seeds_with_every_early_byte_changed_are_no_finding() {
        for seed in ciphertext_seeds() {
            for at in 0..seed.len().min(300) {
                for flip in [1, 0x80, 0xFF] {
                    let mut bytes = seed.clone();
                    bytes[at] ^= flip;
                    ciphertext(&bytes);
                }
            }
        }
    }
}
