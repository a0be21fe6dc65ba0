//! Reference strings: what proofs of inputs are made and verified against. Whoever knows the randomness behind one can
//! forge proofs.

use std::{fmt, sync::Arc};

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

/// A reference string that was checked, for use with any key of its parameters. Copies share what was loaded.
#[derive(Clone)]
pub struct ReferenceString {
    pub(crate) params: ParameterSet,
    pub(crate) crs: Arc<CompactPkeCrs>,
    max_bits: u32,
}

impl ReferenceString {
    /// Loads a reference string for keys of `params`: seconds of all cores and some 10 MB, since every point of it is checked.
    ///
    /// That nobody knows the randomness behind it cannot be checked. Whether it is the one that is meant is for the caller to
    /// check, by [`crate::crs_digest`].
    pub fn load(params: ParameterSet, stored: &[u8]) -> Result<Self, CrsError> {
        let loaded = guard(|| {
            let crs = read(params, stored)?;
            let max_bits = params.crs_bits(crs.max_num_messages().0)?;
            Some(Self { params, crs: Arc::new(crs), max_bits })
        });
        let loaded = loaded.ok_or(CrsError::LibraryFailure { doing: "loading a reference string" })?;
        loaded.ok_or(CrsError::Invalid { params: params.name() })
    }

    /// Bits of plaintext that one list can hold; a bool takes 2.
    pub fn max_bits(&self) -> u32 {
        self.max_bits
    }
}

impl fmt::Debug for ReferenceString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReferenceString({}, {} bits)", self.params, self.max_bits)
    }
}

/// Reads a reference string that fits `params` and is no longer than we make them.
fn read(params: ParameterSet, stored: &[u8]) -> Option<CompactPkeCrs> {
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
