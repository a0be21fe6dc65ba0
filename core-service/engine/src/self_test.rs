use thiserror::Error;

use crate::{CiphertextFormat, golden};

/// The library does not read what it once wrote: this build must not decrypt anything.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SelfTestError {
    /// The golden key does not load.
    #[error("the golden key does not load: {cause}")]
    Key {
        /// Why.
        cause: crate::KeyError,
    },
    /// A golden value comes out as another one, or not at all.
    #[error("golden value {index} in format {format:?} is {found} instead of {expected}")]
    Value {
        /// How the ciphertext is stored.
        format: CiphertextFormat,
        /// Position among the golden values of the format.
        index: usize,
        /// What it holds.
        expected: &'static str,
        /// What was found.
        found: String,
    },
}

/// Decrypts golden ciphertexts of each format: a millisecond.
///
/// Lists are decrypted by way of the library's private layout. Whoever decrypts calls this once at start, so that a build
/// with another layout stops there and never gives wrong values.
pub fn self_test() -> Result<(), SelfTestError> {
    let key = golden::key().map_err(|cause| SelfTestError::Key { cause })?;
    for golden in &golden::ALL {
        let results = key.decrypt(golden.stored, golden.format, &golden.elements());
        for (index, ((_, expected), result)) in golden.values.iter().zip(results).enumerate() {
            let found = result.map_or_else(|error| error.to_string(), |value| value.to_string());
            if found != *expected {
                return Err(SelfTestError::Value { format: golden.format, index, expected, found });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_build_reads_the_golden_ciphertexts() {
        assert_eq!(self_test(), Ok(()));
    }
}
