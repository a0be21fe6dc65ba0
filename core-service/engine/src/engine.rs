use crate::{
    CiphertextFormat, CrsError, Decryption, DecryptionKey, Element, FheType, InputError, InputVerifier,
    KeyError, KeyMaterial, ParameterSet, ReferenceString, SecretKey,
};

/// What the core asks of whoever holds keys. One party alone answers in [`CentralizedEngine`]; an engine whose parties
/// hold shares can take its place.
pub trait Engine: Send + Sync + 'static {
    /// A key that is ready for use.
    type Key: Send + Sync + 'static;

    /// A reference string that was checked.
    type ReferenceString: Send + Sync + 'static;

    /// What judges inputs of one key and one reference string.
    type InputVerifier: Send + Sync + 'static;

    /// Makes a key whose material is tagged with `key_id`.
    fn generate(&self, params: ParameterSet, key_id: u64) -> Result<KeyMaterial, KeyError>;

    /// Makes a stored key ready for use.
    fn load(&self, params: ParameterSet, secret: &SecretKey) -> Result<Self::Key, KeyError>;

    /// Decrypts elements of one stored blob: one result for each, in order, and what reading the blob took.
    fn decrypt(
        &self,
        key: &Self::Key,
        stored: &[u8],
        format: CiphertextFormat,
        elements: &[Element],
    ) -> Decryption;

    /// Makes a reference string for inputs of up to `max_bits` bits: the bytes to publish.
    fn generate_crs(&self, params: ParameterSet, max_bits: u32) -> Result<Vec<u8>, CrsError>;

    /// Checks a reference string for keys of these parameters: seconds.
    fn load_crs(&self, params: ParameterSet, stored: &[u8]) -> Result<Self::ReferenceString, CrsError>;

    /// Makes a published public key ready to judge inputs that were proven with a reference string.
    fn input_verifier(
        &self,
        public_key: &[u8],
        crs: &Self::ReferenceString,
    ) -> Result<Self::InputVerifier, KeyError>;

    /// Verifies a proven list: the types of its elements, or why it is no input.
    fn verify_input(
        &self,
        verifier: &Self::InputVerifier,
        list: &[u8],
        metadata: &[u8],
    ) -> Result<Vec<FheType>, InputError>;
}

/// The engine of a single party that holds whole keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct CentralizedEngine;

impl Engine for CentralizedEngine {
    type Key = DecryptionKey;
    type ReferenceString = ReferenceString;
    type InputVerifier = InputVerifier;

    fn generate(&self, params: ParameterSet, key_id: u64) -> Result<KeyMaterial, KeyError> {
        crate::generate(params, key_id)
    }

    fn load(&self, params: ParameterSet, secret: &SecretKey) -> Result<DecryptionKey, KeyError> {
        DecryptionKey::load(params, secret)
    }

    fn decrypt(
        &self,
        key: &DecryptionKey,
        stored: &[u8],
        format: CiphertextFormat,
        elements: &[Element],
    ) -> Decryption {
        key.decrypt_timed(stored, format, elements)
    }

    fn generate_crs(&self, params: ParameterSet, max_bits: u32) -> Result<Vec<u8>, CrsError> {
        crate::generate_crs(params, max_bits)
    }

    fn load_crs(&self, params: ParameterSet, stored: &[u8]) -> Result<ReferenceString, CrsError> {
        ReferenceString::load(params, stored)
    }

    fn input_verifier(&self, public_key: &[u8], crs: &ReferenceString) -> Result<InputVerifier, KeyError> {
        InputVerifier::load(public_key, crs)
    }

    fn verify_input(
        &self,
        verifier: &InputVerifier,
        list: &[u8],
        metadata: &[u8],
    ) -> Result<Vec<FheType>, InputError> {
        verifier.verify(list, metadata)
    }
}
