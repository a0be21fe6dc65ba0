use crate::{
    CiphertextError, DecryptionKey, FheType, KeyError, KeyMaterial, ParameterSet, Plaintext, SecretKey,
};

/// What the core asks of whoever holds keys. One party alone answers in [`CentralizedEngine`]; an engine whose parties
/// hold shares can take its place.
pub trait Engine: Send + Sync + 'static {
    /// A key that is ready for use.
    type Key: Send + Sync + 'static;

    /// Makes a key whose material is tagged with `key_id`.
    fn generate(&self, params: ParameterSet, key_id: u64) -> Result<KeyMaterial, KeyError>;

    /// Makes a stored key ready for use.
    fn load(&self, params: ParameterSet, secret: &SecretKey) -> Result<Self::Key, KeyError>;

    /// Decrypts one raw ciphertext for everybody to see.
    fn public_decrypt(
        &self,
        key: &Self::Key,
        stored: &[u8],
        declared: FheType,
    ) -> Result<Plaintext, CiphertextError>;
}

/// The engine of a single party that holds whole keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct CentralizedEngine;

impl Engine for CentralizedEngine {
    type Key = DecryptionKey;

    fn generate(&self, params: ParameterSet, key_id: u64) -> Result<KeyMaterial, KeyError> {
        crate::generate(params, key_id)
    }

    fn load(&self, params: ParameterSet, secret: &SecretKey) -> Result<DecryptionKey, KeyError> {
        DecryptionKey::load(params, secret)
    }

    fn public_decrypt(
        &self,
        key: &DecryptionKey,
        stored: &[u8],
        declared: FheType,
    ) -> Result<Plaintext, CiphertextError> {
        key.decrypt(stored, declared)
    }
}
