use std::fmt;

use tfhe::{
    CompactPublicKey, ProvenCompactCiphertextList,
    prelude::Tagged,
    zk::{CompactPkeCrs, ZkComputeLoad},
};

use super::{push, read_public_key};
use crate::{
    EncryptError, KeyError, MAX_ELEMENTS, ParameterSet, Plaintext, crs, generate::serialize, guard::guard,
};

/// Encrypts values to proven lists, with nothing but a key's public key and a reference string: loaded in milliseconds.
pub struct Prover {
    public: CompactPublicKey,
    crs: CompactPkeCrs,
    max_bits: u32,
}

impl Prover {
    /// Loads a key's published compact public key and a reference string, both of `params`. Whether they are those that are
    /// meant is for the caller to check, by [`crate::key_digest`] and [`crate::crs_digest`].
    pub fn load(params: ParameterSet, public_key: &[u8], crs: &[u8]) -> Result<Self, KeyError> {
        let invalid = |part| KeyError::Invalid { part, params: params.name() };
        guard(|| {
            let public = read_public_key(params, public_key).ok_or_else(|| invalid("public key"))?;
            let crs = crs::read(params, crs);
            let loaded = crs.and_then(|crs| Some((params.crs_bits(crs.max_num_messages().0)?, crs)));
            let (max_bits, crs) = loaded.ok_or_else(|| invalid("reference string"))?;
            Ok(Self { public, crs, max_bits })
        })
        .unwrap_or(Err(KeyError::LibraryFailure { doing: "loading a prover" }))
    }

    /// Bits of plaintext that one list can hold; a bool takes 2.
    pub fn max_bits(&self) -> u32 {
        self.max_bits
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
        if u32::try_from(bits).map_or(true, |bits| bits > self.max_bits) {
            return Err(EncryptError::LargerThanCrs { bits, max: self.max_bits });
        }
        let failed = EncryptError::LibraryFailure { doing: "proving an input" };
        guard(|| self.prove(values, metadata)).flatten().ok_or(failed)
    }

    fn prove(&self, values: &[Plaintext], metadata: &[u8]) -> Option<Vec<u8>> {
        let mut list = ProvenCompactCiphertextList::builder(&self.public);
        push(&mut list, values)?;
        let list = list.build_with_proof_packed(&self.crs, metadata, ZkComputeLoad::Proof).ok()?;
        serialize(&list).ok()
    }
}

impl fmt::Debug for Prover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prover(tag {:?}, {} bits)", self.public.tag().data(), self.max_bits)
    }
}
