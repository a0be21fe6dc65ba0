//! Inputs: lists of fresh ciphertexts with a proof that whoever made them knows what they hold.

use std::fmt;

use tfhe::{
    CompactPublicKey, ProvenCompactCiphertextList, conformance::ParameterSetConformant,
    integer::ciphertext::IntegerProvenCompactCiphertextListConformanceParams, prelude::Tagged,
};

use crate::{
    FheType, InputError, KeyError, ReferenceString,
    ciphertext::{ProvenParts, parse, proven_parts, type_of},
    encrypt::read_public_key,
    guard::guard,
    shape::Shapes,
};

/// Bytes of the longest proven list: one of [`crate::MAX_CRS_BITS`] has some 25 kB.
pub(crate) const MAX_LIST_BYTES: usize = 256 << 10;

/// Elements of one list: as many as a handle's index can name.
pub const MAX_ELEMENTS: usize = 256;

/// Judges inputs of one key and one reference string, without a server key.
pub struct InputVerifier {
    public: CompactPublicKey,
    string: ReferenceString,
    conformance: IntegerProvenCompactCiphertextListConformanceParams,
    message_bits: usize,
}

impl InputVerifier {
    /// Loads a key's published compact public key, of the reference string's parameters; milliseconds.
    pub fn load(public_key: &[u8], string: &ReferenceString) -> Result<Self, KeyError> {
        let params = string.params;
        guard(|| {
            let public = read_public_key(params, public_key)
                .ok_or(KeyError::Invalid { part: "public key", params: params.name() })?;
            let conformance = IntegerProvenCompactCiphertextListConformanceParams::from_crs_and_parameters(
                params.encryption(),
                &string.crs,
            );
            // One message in each ciphertext is as honest as two, which is what clients make by default.
            let conformance = conformance.allow_unpacked();
            let message_bits = Shapes::of(params).compact.message_bits();
            Ok(Self { public, string: string.clone(), conformance, message_bits })
        })
        .unwrap_or(Err(KeyError::LibraryFailure { doing: "loading an input verifier" }))
    }

    /// Verifies a list against the metadata that its proof must bind, and says of which types its elements are, in order.
    ///
    /// `list` must be a safe-serialized `ProvenCompactCiphertextList` and nothing more, with the public key's tag and 1 to
    /// [`MAX_ELEMENTS`] elements of supported types that fit the reference string.
    ///
    /// The proof binds ciphertexts, metadata, public key and reference string. It binds neither the types nor the tag: the
    /// bytes of a `uint8` can be relabelled as four bools and stay valid. So whoever uses what is returned must bind the types
    /// to the bytes elsewhere, as the handles do that an answer signs: each holds the hash of all the bytes and its type.
    pub fn verify(&self, list: &[u8], metadata: &[u8]) -> Result<Vec<FheType>, InputError> {
        guard(|| self.verify_unguarded(list, metadata)).unwrap_or(Err(InputError::LibraryFailure))
    }

    fn verify_unguarded(&self, stored: &[u8], metadata: &[u8]) -> Result<Vec<FheType>, InputError> {
        if stored.len() > MAX_LIST_BYTES {
            return Err(InputError::TooLarge { size: stored.len(), max: MAX_LIST_BYTES });
        }
        let limit = stored.len().try_into().map_err(|_| InputError::Unreadable)?;
        let (list, count) =
            parse::<ProvenCompactCiphertextList>(stored, limit).ok_or(InputError::Unreadable)?;
        if count != 0 {
            return Err(InputError::TrailingBytes { count });
        }
        if list.tag() != self.public.tag() {
            return Err(InputError::WrongTag);
        }
        if !(1..=MAX_ELEMENTS).contains(&list.len()) {
            return Err(InputError::ElementCount { count: list.len(), max: MAX_ELEMENTS });
        }
        // Before anything else: verifying some lists that do not conform panics.
        if !list.is_conformant(&self.conformance) {
            return Err(InputError::NotConformant);
        }
        let types = self.types(&list)?;
        match list.verify(&self.string.crs, &self.public, metadata).is_valid() {
            true => Ok(types),
            false => Err(InputError::ProofInvalid),
        }
    }

    fn types(&self, list: &ProvenCompactCiphertextList) -> Result<Vec<FheType>, InputError> {
        let ProvenParts { lists, info } = proven_parts(list).ok_or(InputError::LibraryFailure)?;
        if lists.len() != 1 {
            return Err(InputError::LargerThanCrs { proofs: lists.len() });
        }
        let of =
            |(index, kind)| type_of(kind, self.message_bits).ok_or(InputError::UnsupportedType { index });
        info.into_iter().enumerate().map(of).collect()
    }
}

impl fmt::Debug for InputVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InputVerifier(tag {:?}, {:?})", self.public.tag().data(), self.string)
    }
}
