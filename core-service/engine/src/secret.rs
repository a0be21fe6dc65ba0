use std::fmt;

use alloy_primitives::U256;
use tfhe::{
    ClientKey, Tag,
    core_crypto::prelude::{LweSecretKeyOwned, decrypt_lwe_ciphertext},
    shortint::{Ciphertext, client_key::atomic_pattern::AtomicPatternClientKey},
};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    CiphertextError, FheType, KeyError, ParameterSet, Plaintext,
    ciphertext::{self, Shape},
    guard::guard,
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

/// What is needed to decrypt raw ciphertexts: 16 kB, loaded in a millisecond, without the server key.
///
/// The key is wiped from memory when this is dropped. What the library copied while parsing is beyond reach.
pub struct DecryptionKey {
    lwe: LweSecretKeyOwned<u64>,
    tag: Tag,
    shape: Shape,
}

/// A stored secret key has some 50 kB: a limit that no real one meets.
const MAX_SECRET_BYTES: u64 = 4 << 20;

impl DecryptionKey {
    /// Loads a stored secret key, which must have been generated with `params`.
    pub fn load(params: ParameterSet, secret: &SecretKey) -> Result<Self, KeyError> {
        let invalid = || KeyError::Invalid { part: "secret key", params: params.name() };

        let (key, rest) =
            ciphertext::parse::<ClientKey>(secret.as_bytes(), MAX_SECRET_BYTES).ok_or_else(invalid)?;
        if rest != 0 || key.computation_parameters() != params.compute().into() {
            return Err(invalid());
        }
        let (lwe, tag) = keep_decryption_part(key).ok_or_else(invalid)?;
        let shape = Shape::of(params);
        if lwe.lwe_dimension().to_lwe_size() != shape.lwe_size {
            return Err(invalid());
        }
        Ok(Self { lwe, tag, shape })
    }

    /// The tag that the key's ciphertexts carry: for generated keys, the key id as 8 bytes, little-endian.
    pub fn tag(&self) -> &[u8] {
        self.tag.data()
    }

    /// Decrypts a raw ciphertext, strictly.
    ///
    /// `stored` must be the safe serialization of a `FheBool` or `FheUint` of the declared type and nothing more, carry this
    /// key's tag, have the shape of this key's parameters, and every block must decrypt to a message of the
    /// type with little noise. Trivial ciphertexts, which encrypt nothing, decrypt to what their bytes say.
    ///
    /// See the crate's documentation for what this promises about hostile bytes, and what not.
    pub fn decrypt(&self, stored: &[u8], declared: FheType) -> Result<Plaintext, CiphertextError> {
        guard(|| self.decrypt_unguarded(stored, declared)).unwrap_or(Err(CiphertextError::LibraryFailure))
    }

    fn decrypt_unguarded(&self, stored: &[u8], declared: FheType) -> Result<Plaintext, CiphertextError> {
        let blocks = ciphertext::read(stored, declared, &self.tag, &self.shape)?;

        let greatest = if declared == FheType::Bool { 1 } else { self.shape.greatest_message() };
        let mut value = U256::ZERO;
        for (index, block) in blocks.iter().enumerate() {
            let message = self.decrypt_block(block).filter(|m| *m <= greatest);
            let message = message.ok_or(CiphertextError::NotAMessage { index })?;
            value |= U256::from(message) << (index * self.shape.message_bits());
        }
        // Unreachable, as the number of blocks fits the type; an error all the same.
        Plaintext::new(declared, value).ok_or(CiphertextError::LibraryFailure)
    }

    /// The content of a block of the right shape: message, carry and padding bit; `None` if there is too much noise.
    fn decrypt_block(&self, block: &Ciphertext) -> Option<u64> {
        let step = self.shape.step_bits();
        let phase = decrypt_lwe_ciphertext(&self.lwe, &block.ct).0;
        let content = phase.wrapping_add(1 << (step - 1)) >> step;
        let noise = phase.wrapping_sub(content << step).cast_signed().unsigned_abs();
        (noise <= 1 << (step - NOISE_MARGIN_BITS)).then_some(content)
    }
}

/// Takes a client key apart: keeps the key that decrypts raw ciphertexts and the tag, wipes the rest. `None` if the
/// key is of another atomic pattern than all our parameter sets.
fn keep_decryption_part(key: ClientKey) -> Option<(LweSecretKeyOwned<u64>, Tag)> {
    let (compute, compact, compression, _, _, _, _, _, tag) = key.into_raw_parts();
    if let Some((compact, _)) = compact {
        compact.into_raw_parts().into_raw_parts().0.as_mut().zeroize();
    }
    if let Some(compression) = compression {
        compression.into_raw_parts().post_packing_ks_key.as_mut().zeroize();
    }
    let AtomicPatternClientKey::Standard(standard) = compute.into_raw_parts().atomic_pattern else {
        return None;
    };
    let (large, mut small, ..) = standard.into_raw_parts();
    small.as_mut().zeroize();
    Some((large.into_lwe_secret_key(), tag))
}

/// Wipes a client key.
pub(crate) fn wipe(key: ClientKey) {
    if let Some((mut lwe, _)) = keep_decryption_part(key) {
        lwe.as_mut().zeroize();
    }
}

/// Noise of at most 1/8 of the distance between two messages is accepted.
///
/// Honest results have a standard deviation of about 1/1000 of that distance, at most five times as much before the
/// library would refresh them, while a wrong key spreads the noise evenly: the margin refuses three of four blocks that
/// would decrypt to a message by chance, which matters for the short types.
const NOISE_MARGIN_BITS: u32 = 3;

impl Drop for DecryptionKey {
    fn drop(&mut self) {
        self.lwe.as_mut().zeroize();
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecryptionKey(..)")
    }
}
