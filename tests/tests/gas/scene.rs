//! What is measured: scenes, each of which plays something on a chain and notes what it cost.

use std::{collections::BTreeMap, future::Future, pin::Pin};

use anyhow::Result;
use cosmwasm_std::Binary;
use kms_asc_api::{
    Ciphertext, CiphertextFormat, Digest, FheType, Handle, KeyGen, KeyId, KeyParams, KeySource, Operation,
    Provenance, PublicDecrypt,
};
use kms_e2e::Bench;

/// Plays something and notes its costs.
pub type Scene = for<'a> fn(&'a Stage, &'a mut Notes) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// Where a scene plays: a chain, and a key on it that the owner owns.
pub struct Stage {
    pub bench: Bench,
    pub key: KeyId,
}

/// Costs by name. A name says what was done; the number of parties stands in the column.
#[derive(Debug, Default)]
pub struct Notes(pub BTreeMap<String, u64>);

impl Notes {
    /// Notes what something cost.
    pub fn note(&mut self, name: impl Into<String>, cost: u64) {
        let name = name.into();
        let before = self.0.insert(name.clone(), cost);
        assert_eq!(before, None, "{name} is noted twice");
    }
}

/// `1 ciphertext`, `10 ciphertexts`.
pub fn counted(ciphertexts: u8) -> String {
    format!("{ciphertexts} ciphertext{}", if ciphertexts == 1 { "" } else { "s" })
}

/// A key to be generated.
pub fn key_gen() -> Operation {
    Operation::KeyGen(KeyGen { params: KeyParams::Default, source: KeySource::Generate })
}

/// A decryption under the key's own domain of as many 64-bit values.
pub fn public_decrypt(key_id: KeyId, ciphertexts: u8) -> Operation {
    Operation::PublicDecrypt(PublicDecrypt {
        key_id,
        ciphertexts: (0..ciphertexts).map(|number| ciphertext_of(number, FheType::Uint64)).collect(),
        domain: None,
        extra_data: Binary::default(),
    })
}

/// A value of the size that 64 bits have with the default parameters; another for each number.
pub fn ciphertext_of(number: u8, fhe_type: FheType) -> Ciphertext {
    let digest = Digest::sha256(&[number]);
    let mut handle = *Digest::sha256(digest.as_bytes()).as_bytes();
    handle[30] = fhe_type.number();
    Ciphertext {
        handle: Handle::new(handle),
        digest,
        size: 1_050_000,
        fhe_type,
        format: CiphertextFormat::Raw,
        index: 0,
        provenance: Provenance::Unproven,
    }
}

/// The answer to a decryption of as many values.
pub fn words(ciphertexts: u8) -> Vec<u8> {
    (0..ciphertexts).flat_map(|number| *Digest::sha256(&[number, 1]).as_bytes()).collect()
}
