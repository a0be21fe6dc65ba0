//! One key, generated through a core as any other, and what tests need of it.

use std::fs;

use kms_asc_api::{FheType, RequestBody};
use kms_core_engine::{Encryptor, ParameterSet, Plaintext, key_digest};
use kms_core_proto::v1::{Answer, Key, ListKeysRequest};
use kms_store::{Digest, Store};
use tokio::sync::OnceCell;

use crate::{
    bodies::{body, key_gen},
    stack::{Stack, success},
};

/// The request that made the key, and so the key.
pub const KEY_ID: u64 = 7;

pub struct Seed {
    pub body: RequestBody,
    /// The core's answer to that body.
    pub answer: Answer,
    /// What the core then said of its keys.
    pub listed: Vec<Key>,
    /// Lengths of the published parts, read from the store by the digests in the answer.
    pub published: Vec<u64>,
    /// The key's file in the vault, by its name.
    pub vault_file: (String, Vec<u8>),
    /// Every file of the vault.
    pub vault_files: Vec<(String, Vec<u8>)>,
    /// The signer's file.
    pub signer_file: Vec<u8>,
    encryptor: Encryptor,
}

impl Seed {
    pub async fn get() -> &'static Self {
        static SEED: OnceCell<Seed> = OnceCell::const_new();
        SEED.get_or_init(Self::make).await
    }

    async fn make() -> Self {
        let stack = Stack::empty().start().await;
        let body = body(KEY_ID, key_gen());
        let answer = stack.execute(&body, vec![]).await.unwrap();
        let listed = stack.client().list_keys(ListKeysRequest {}).await.unwrap().into_inner().keys;

        let store = Store::open(&stack.settings.store_url).unwrap();
        let mut parts = Vec::new();
        for part in success(&answer).payload.chunks(33) {
            let digest = Digest::from_bytes(part[1..].try_into().unwrap());
            parts.push(store.get_public(digest, 1 << 30, key_digest).await.unwrap());
        }
        let files = fs::read_dir(stack.vault()).unwrap().map(|file| file.unwrap());
        let vault_files: Vec<_> = files
            .map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()))
            .collect();
        let vault_file = vault_files.iter().find(|(name, _)| name.ends_with(".key")).unwrap().clone();
        Self {
            body,
            answer,
            listed,
            published: parts.iter().map(|part| part.len().try_into().unwrap()).collect(),
            vault_file,
            vault_files,
            signer_file: fs::read(&stack.settings.signer_file).unwrap(),
            encryptor: Encryptor::load(ParameterSet::Default, &parts[0], &parts[1]).unwrap(),
        }
    }

    /// A ciphertext of a value, written as people write it.
    pub fn encrypt(&self, fhe_type: FheType, value: &str) -> Vec<u8> {
        let fhe_type = kms_core_engine::FheType::from_number(fhe_type.number()).unwrap();
        self.encryptor.encrypt_raw(&Plaintext::parse(fhe_type, value).unwrap()).unwrap()
    }
}
