//! The one thing that a private key does here: from a sample to the content below its noise.

use tfhe::core_crypto::prelude::{Container, LweCiphertext, LweSecretKeyOwned, decrypt_lwe_ciphertext};
use zeroize::Zeroize;

/// How the content of a sample lies in its phase.
#[derive(Clone, Copy)]
pub(crate) struct Coding {
    /// log2 of the distance between two neighbouring contents.
    pub(crate) step_bits: u32,
    /// log2 of how many times smaller than that distance the noise must be.
    pub(crate) margin_bits: u32,
}

/// An LWE secret key. Wiped from memory when dropped.
pub(crate) struct LweKey {
    key: LweSecretKeyOwned<u64>,
    coding: Coding,
}

impl LweKey {
    pub(crate) fn new(key: LweSecretKeyOwned<u64>, coding: Coding) -> Self {
        Self { key, coding }
    }

    pub(crate) fn dimension(&self) -> usize {
        self.key.lwe_dimension().0
    }

    /// What a sample of the key's size holds, padding included; `None` if there is too much noise.
    pub(crate) fn content<C: Container<Element = u64>>(&self, sample: &LweCiphertext<C>) -> Option<u64> {
        let Coding { step_bits, margin_bits } = self.coding;
        let phase = decrypt_lwe_ciphertext(&self.key, sample).0;
        let content = phase.wrapping_add(1 << (step_bits - 1)) >> step_bits;
        let noise = phase.wrapping_sub(content << step_bits).cast_signed().unsigned_abs();
        (noise <= 1 << (step_bits - margin_bits)).then_some(content)
    }
}

impl Drop for LweKey {
    fn drop(&mut self) {
        self.key.as_mut().zeroize();
    }
}
