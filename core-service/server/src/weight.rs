//! What a request is expected to take, from its body and the bytes that came with it: what bounds the work that a core accepts.
//!
//! The numbers are measured (`docs/measurements/load.md`), on the generous side, and of one processor. They need not be right
//! to the microsecond: they keep ten thousand cheap requests possible and a hundred dear ones from hiding among them.

use std::time::Duration;

use bytes::Bytes;
use kms_asc_api::{Ciphertext, CiphertextFormat, Operation};

/// Kinds of work that have room of their own, so that dear ones do not stand in the way of cheap ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Milliseconds at most.
    Decryption,
    /// A tenth of a second to seconds: proofs of inputs.
    Verification,
    /// Every processor and hundreds of megabytes for seconds: keys and CRS.
    Generation,
}

/// The weight of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weight {
    pub(crate) lane: Lane,
    /// Of one processor.
    pub(crate) time: Duration,
    /// Held in memory until the work is done.
    pub(crate) bytes: u64,
}

/// Proof, body, signatures and a part of a flush.
const ANSWER: Duration = Duration::from_micros(500);
/// Of the user: checking his signature; and of each plaintext: key encapsulation and sealing.
const SEAL: Duration = Duration::from_micros(300);
/// For each two bits of a compressed element.
const COMPRESSED_BLOCK: Duration = Duration::from_nanos(1_500);
/// For each element of a proven list.
const COMPACT: Duration = Duration::from_micros(400);
const VERIFY_INPUT: Duration = Duration::from_millis(500);
const KEY_GEN: Duration = Duration::from_secs(5);
const CRS_GEN: Duration = Duration::from_secs(10);

impl Weight {
    pub(crate) fn of(operation: &Operation, blobs: &[Bytes]) -> Self {
        let bytes = blobs.iter().map(Bytes::len).fold(0, usize::saturating_add);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        // Hashing and reading: a microsecond for each kilobyte.
        let reading = Duration::from_nanos(bytes);
        let (lane, own) = match operation {
            Operation::PublicDecrypt(asked) => (Lane::Decryption, decryption(&asked.ciphertexts)),
            Operation::UserDecrypt(asked) => {
                let plaintexts = u32::try_from(asked.ciphertexts.len()).unwrap_or(u32::MAX);
                let sealing = SEAL.saturating_mul(plaintexts.saturating_add(1));
                (Lane::Decryption, decryption(&asked.ciphertexts).saturating_add(sealing))
            }
            Operation::VerifyInput(_) => (Lane::Verification, VERIFY_INPUT),
            Operation::KeyGen(_) => (Lane::Generation, KEY_GEN),
            Operation::CrsGen(_) => (Lane::Generation, CRS_GEN),
        };
        Self { lane, time: ANSWER.saturating_add(reading).saturating_add(own), bytes }
    }

    /// Of a failure that the caller asks to have signed.
    pub(crate) const fn of_failure() -> Self {
        Self { lane: Lane::Decryption, time: ANSWER, bytes: 0 }
    }
}

fn decryption(ciphertexts: &[Ciphertext]) -> Duration {
    let each = ciphertexts.iter().map(|ciphertext| match ciphertext.format {
        // In the bytes.
        CiphertextFormat::Raw => Duration::ZERO,
        CiphertextFormat::Compressed => {
            COMPRESSED_BLOCK.saturating_mul(u32::from(ciphertext.fhe_type.bits().div_ceil(2)))
        }
        CiphertextFormat::Compact => COMPACT,
    });
    each.fold(Duration::ZERO, Duration::saturating_add)
}
