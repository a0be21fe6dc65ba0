//! Reference strings: what proofs of inputs are made and verified against. Whoever knows the randomness behind one can
//! forge proofs.

use tfhe::{
    conformance::ParameterSetConformant,
    core_crypto::prelude::LweCiphertextCount,
    zk::{CompactPkeCrs, new_compact_pke_crs_conformance_params},
};

use crate::{CrsError, ParameterSet, ciphertext::parse, generate::serialize, guard::guard};

/// The most bits that one reference string can be made for: eight values of 256 bits, or one of the widest type.
///
/// Its size, the time to make it and the time to prove grow with this number, and the parameters' key has room for four
/// times as much.
pub const MAX_CRS_BITS: u32 = 2048;

/// Bytes of a reference string: the longest has some 5 MB.
const MAX_BYTES: usize = 16 << 20;

/// Makes a reference string for inputs of up to `max_bits` bits of plaintext, from the operating system's randomness.
///
/// Returns the bytes to publish, a safe-serialized `CompactPkeCrs`. Some seconds of all cores and 5 MB for
/// [`ParameterSet::Default`].
pub fn generate_crs(params: ParameterSet, max_bits: u32) -> Result<Vec<u8>, CrsError> {
    if !(1..=MAX_CRS_BITS).contains(&max_bits) {
        return Err(CrsError::OutOfRange { given: max_bits, max: MAX_CRS_BITS });
    }
    let messages = LweCiphertextCount(params.crs_messages(max_bits));
    let make = || CompactPkeCrs::from_shortint_params(params.encryption(), messages).ok();
    let crs = guard(make).flatten().ok_or(CrsError::LibraryFailure { doing: "making a reference string" })?;
    serialize(&crs).map_err(|_| CrsError::LibraryFailure { doing: "serializing a reference string" })
}

/// Checks that bytes are a reference string for keys of `params`, and says for how many bits of plaintext at most.
///
/// That nobody knows the randomness behind it cannot be checked.
pub fn check_crs(params: ParameterSet, stored: &[u8]) -> Result<u32, CrsError> {
    let invalid = CrsError::Invalid { params: params.name() };
    guard(|| read(params, stored))
        .flatten()
        .and_then(|crs| params.crs_bits(crs.max_num_messages().0))
        .ok_or(invalid)
}

/// Reads a reference string that fits `params` and is no longer than we make them.
pub(crate) fn read(params: ParameterSet, stored: &[u8]) -> Option<CompactPkeCrs> {
    if stored.len() > MAX_BYTES {
        return None;
    }
    let (crs, rest) = parse::<CompactPkeCrs>(stored, stored.len().try_into().ok()?)?;
    let messages = crs.max_num_messages();
    let expected = new_compact_pke_crs_conformance_params(params.encryption(), messages).ok()?;
    let fits = rest == 0
        && (1..=params.crs_messages(MAX_CRS_BITS)).contains(&messages.0)
        && crs.is_conformant(&expected);
    fits.then_some(crs)
}
