use std::{fmt, time::Duration};

use tfhe::{
    ClientKey, Tag, core_crypto::prelude::LweSecretKeyOwned,
    shortint::client_key::atomic_pattern::AtomicPatternClientKey,
};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    CiphertextError, CiphertextFormat, Decryption, Element, KeyError, ParameterSet, Plaintext, ciphertext,
    guard::guard, lwe::LweKey, shape::Shapes,
};

/// The private parts of a key as they are stored: a tfhe `ClientKey`, safe-serialized. Wiped from memory when dropped.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<Vec<u8>>);

impl SecretKey {
    /// Takes stored bytes; they are checked by [`DecryptionKey::load`].
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes to store. Whoever reads them can decrypt everything.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// What is needed to decrypt: the three private keys of a key, some 40 kB, loaded in a millisecond, without the server key.
///
/// They are wiped from memory when this is dropped. What the library copied while parsing is beyond reach.
pub struct DecryptionKey {
    computation: LweKey,
    compression: LweKey,
    encryption: LweKey,
    tag: Tag,
    shapes: Shapes,
}

/// A stored secret key has some 50 kB: a limit that no real one meets.
const MAX_SECRET_BYTES: u64 = 4 << 20;

impl DecryptionKey {
    /// Loads a stored secret key, which must have been generated with `params`.
    pub fn load(params: ParameterSet, secret: &SecretKey) -> Result<Self, KeyError> {
        let invalid = || KeyError::Invalid { part: "secret key", params: params.name() };

        let (key, rest) =
            ciphertext::parse::<ClientKey>(secret.as_bytes(), MAX_SECRET_BYTES).ok_or_else(invalid)?;
        let fits = rest == 0 && key.computation_parameters() == params.compute().into();
        // Taken apart in any case, so that it is wiped.
        let parts = PrivateParts::of(key).filter(|_| fits).ok_or_else(invalid)?;

        let shapes = Shapes::of(params);
        let PrivateParts { computation, compression, encryption, tag } = parts;
        let key = Self {
            computation: LweKey::new(computation, shapes.raw.coding()),
            compression: LweKey::new(compression, shapes.compressed.coding()),
            encryption: LweKey::new(encryption, shapes.compact.coding()),
            tag,
            shapes,
        };
        if key.has_dimensions_of_its_shapes() { Ok(key) } else { Err(invalid()) }
    }

    fn has_dimensions_of_its_shapes(&self) -> bool {
        let Shapes { raw, compressed, compact } = &self.shapes;
        let fits = |key: &LweKey, size: tfhe::core_crypto::prelude::LweSize| {
            key.dimension() == size.to_lwe_dimension().0
        };
        fits(&self.computation, raw.lwe_size)
            && fits(&self.compression, compressed.lwe_size())
            && fits(&self.encryption, compact.lwe_size())
    }

    /// The tag that the key's ciphertexts carry: for generated keys, the key id as 8 bytes, little-endian; imported ones keep
    /// their own.
    pub fn tag(&self) -> &[u8] {
        self.tag.data()
    }

    /// Decrypts elements of stored bytes, which are read once, strictly.
    ///
    /// `stored` must be the safe serialization of what `format` says and nothing more, carry this key's tag and have the
    /// shape of this key's parameters; an element must be of its declared type, and every block must decrypt to a message of
    /// the type with little noise. Trivial ciphertexts, which encrypt nothing, decrypt to what their bytes say.
    ///
    /// One result for each of `elements`, in order. See the crate's documentation for what this promises about hostile bytes,
    /// and what not.
    pub fn decrypt(
        &self,
        stored: &[u8],
        format: CiphertextFormat,
        elements: &[Element],
    ) -> Vec<Result<Plaintext, CiphertextError>> {
        self.decrypt_timed(stored, format, elements).results
    }

    /// The same, with what reading the bytes took of the time.
    pub fn decrypt_timed(&self, stored: &[u8], format: CiphertextFormat, elements: &[Element]) -> Decryption {
        guard(|| ciphertext::decrypt(self, stored, format, elements))
            .unwrap_or_else(|| Decryption::failed(&CiphertextError::LibraryFailure, elements, Duration::ZERO))
    }

    /// Decrypts blocks of raw ciphertexts.
    pub(crate) fn computation(&self) -> &LweKey {
        &self.computation
    }

    /// Decrypts blocks of compressed lists.
    pub(crate) fn compression(&self) -> &LweKey {
        &self.compression
    }

    /// Decrypts what the compact public key encrypts.
    pub(crate) fn encryption(&self) -> &LweKey {
        &self.encryption
    }

    pub(crate) fn own_tag(&self) -> &Tag {
        &self.tag
    }

    pub(crate) fn shapes(&self) -> &Shapes {
        &self.shapes
    }
}

/// The keys of a client key that decrypt something, each as an LWE key.
struct PrivateParts {
    computation: LweSecretKeyOwned<u64>,
    compression: LweSecretKeyOwned<u64>,
    encryption: LweSecretKeyOwned<u64>,
    tag: Tag,
}

impl PrivateParts {
    /// Takes a client key apart and wipes what is not kept. `None`, with everything wiped, if the key lacks a part or is of
    /// another atomic pattern than all our parameter sets.
    fn of(key: ClientKey) -> Option<Self> {
        let (compute, compact, compression, _, _, _, _, _, tag) = key.into_raw_parts();
        let encryption = compact.map(|(key, _)| key.into_raw_parts().into_raw_parts().0);
        let compression =
            compression.map(|key| key.into_raw_parts().post_packing_ks_key.into_lwe_secret_key());
        let computation = match compute.into_raw_parts().atomic_pattern {
            AtomicPatternClientKey::Standard(standard) => {
                let (large, mut small, ..) = standard.into_raw_parts();
                small.as_mut().zeroize();
                Some(large.into_lwe_secret_key())
            }
            AtomicPatternClientKey::KeySwitch32(_) => None,
        };
        match (computation, compression, encryption) {
            (Some(computation), Some(compression), Some(encryption)) => {
                Some(Self { computation, compression, encryption, tag })
            }
            (computation, compression, encryption) => {
                for mut key in [computation, compression, encryption].into_iter().flatten() {
                    key.as_mut().zeroize();
                }
                None
            }
        }
    }
}

/// Wipes a client key.
pub(crate) fn wipe(key: ClientKey) {
    if let Some(PrivateParts { computation, compression, encryption, .. }) = PrivateParts::of(key) {
        for mut key in [computation, compression, encryption] {
            key.as_mut().zeroize();
        }
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecryptionKey(..)")
    }
}
