use std::fmt;

use tfhe::{CompactPublicKey, ProvenCompactCiphertextList, prelude::Tagged, zk::ZkComputeLoad};

use super::{push, read_public_key};
use crate::{
    EncryptError, KeyError, MAX_ELEMENTS, Plaintext, ReferenceString, generate::serialize, guard::guard,
};

/// Encrypts values to proven lists, with nothing but a key's public key and a reference string.
pub struct Prover {
    public: CompactPublicKey,
    string: ReferenceString,
}

impl Prover {
    /// Loads a key's published compact public key, of the reference string's parameters; milliseconds. Whether it is the one
    /// that is meant is for the caller to check, by [`crate::key_digest`].
    pub fn load(public_key: &[u8], string: &ReferenceString) -> Result<Self, KeyError> {
        let params = string.params;
        let public = guard(|| read_public_key(params, public_key));
        let public = public.ok_or(KeyError::LibraryFailure { doing: "loading a prover" })?;
        let public = public.ok_or(KeyError::Invalid { part: "public key", params: params.name() })?;
        Ok(Self { public, string: string.clone() })
    }

    /// Encrypts values to one list, in order, with a proof that binds `metadata`: the safe serialization of a
    /// `ProvenCompactCiphertextList`, 1 to [`MAX_ELEMENTS`] values.
    ///
    /// About a second of all cores for the default parameters. The work is shared so that verifying is cheap.
    pub fn encrypt_proven(&self, values: &[Plaintext], metadata: &[u8]) -> Result<Vec<u8>, EncryptError> {
        if !(1..=MAX_ELEMENTS).contains(&values.len()) {
            return Err(EncryptError::ValueCount { count: values.len(), max: MAX_ELEMENTS });
        }
        // Whole blocks of two bits: also a bool takes one.
        let bits = values.iter().map(|value| value.fhe_type().bits().next_multiple_of(2)).sum();
        let max = self.string.max_bits();
        if u32::try_from(bits).map_or(true, |bits| bits > max) {
            return Err(EncryptError::LargerThanCrs { bits, max });
        }
        let failed = EncryptError::LibraryFailure { doing: "proving an input" };
        guard(|| self.prove(values, metadata)).flatten().ok_or(failed)
    }

    fn prove(&self, values: &[Plaintext], metadata: &[u8]) -> Option<Vec<u8>> {
        let mut list = ProvenCompactCiphertextList::builder(&self.public);
        push(&mut list, values)?;
        let list = list.build_with_proof_packed(&self.string.crs, metadata, ZkComputeLoad::Proof).ok()?;
        serialize(&list).ok()
    }
}

impl fmt::Debug for Prover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prover(tag {:?}, {:?})", self.public.tag().data(), self.string)
    }
}
