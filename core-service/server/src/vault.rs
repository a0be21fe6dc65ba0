//! Secret keys on disk, one file per key, and ready for use in memory.
//!
//! Files are encrypted with a key of the vault, which is wrapped by what the configuration names (see `custody`). They are written
//! whole or not at all, and carry a digest that is checked at the start.
//!
//! ```text
//! cipher      a file's bytes
//! header      the file that opens the vault
//! shelf       where files lie: a folder or a bucket
//! strongbox   cipher and shelf together
//! file        names, and what is known of a key
//! randomness  the secret that makes answers repeatable
//! staged      copied material that waits for its request
//! ```

mod bucket;
mod cipher;
mod error;
mod file;
mod folder;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod header;
mod legacy;
mod migrate;
mod randomness;
mod restored;
mod shelf;
mod staged;
mod strongbox;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use kms_core_engine::{Engine, KeyError, SecretKey};

pub(crate) use cipher::{Cipher, Kind, hex_bytes, random};
pub use cipher::{Damage, DataKey, VaultId};
pub use error::VaultError;
pub(crate) use file::{Part, Record, is_key, key_file, kind_of};
pub(crate) use folder::create_private;
pub(crate) use header::Header;
pub(crate) use migrate::encrypt;
pub(crate) use randomness::RandomnessSecret;
pub(crate) use restored::Restored;
pub(crate) use staged::{Staged, StagedCrs, StagedKey};
pub use strongbox::Strongbox;
#[cfg(test)]
pub(crate) use tests::{SECRET, record, settings_in, strongbox as test_strongbox};

use crate::Identity;

/// The secret keys of one contract, ready for use. `E` makes a stored secret ready.
pub struct Vault<E: Engine> {
    engine: E,
    strongbox: Strongbox,
    randomness: RandomnessSecret,
    restored: Option<Restored>,
    keys: RwLock<BTreeMap<u64, Arc<HeldKey<E::Key>>>>,
}

/// A key of the vault.
pub(crate) struct HeldKey<K> {
    /// What the vault knows of it.
    pub(crate) record: Record,
    /// The key, ready for use.
    pub(crate) key: K,
}

impl<E: Engine> Vault<E> {
    /// Makes every key in the vault ready for use.
    ///
    /// # Errors
    /// If one file is damaged, exposed or foreign: a core that lost a key must not pretend to work.
    pub fn open(strongbox: Strongbox, identity: &Identity, engine: E) -> Result<Self, VaultError> {
        strongbox.sweep()?;
        let randomness = RandomnessSecret::of(&strongbox)?;
        let restored = Restored::read(&strongbox)?;
        let vault = Self { engine, strongbox, randomness, restored, keys: RwLock::default() };
        for name in vault.strongbox.names()? {
            if is_key(&name) {
                vault.load(&name, identity)?;
            } else if kind_of(&name).is_none() && name != strongbox::HEADER {
                tracing::warn!(
                    file = vault.strongbox.place(&name),
                    "ignoring a file that is not the vault's"
                );
            }
        }
        Ok(vault)
    }

    /// How many keys it holds.
    pub fn len(&self) -> usize {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether it holds no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn engine(&self) -> &E {
        &self.engine
    }

    /// What the randomness of answers is derived from.
    pub(crate) fn randomness_secret(&self) -> &RandomnessSecret {
        &self.randomness
    }

    /// Before which time requests were submitted that this core may have answered without knowing it any more.
    pub(crate) fn restored(&self) -> Option<&Restored> {
        self.restored.as_ref()
    }

    pub(crate) fn get(&self, key_id: u64) -> Option<Arc<HeldKey<E::Key>>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(&key_id).cloned()
    }

    /// All keys, ascending by id.
    pub(crate) fn list(&self) -> Vec<Arc<HeldKey<E::Key>>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Keeps a new key. When this returns, it is on disk for good.
    pub(crate) fn add(&self, record: Record, secret: &SecretKey) -> Result<Arc<HeldKey<E::Key>>, VaultError> {
        let name = key_file(record.key_id);
        let key = self.ready(&name, &record, secret)?;
        self.strongbox.put(&name, Kind::Key, &record, secret.as_bytes())?;
        Ok(self.hold(HeldKey { record, key }))
    }

    /// Whether every key that is in use is still where it is kept.
    pub(crate) fn check_kept(&self) -> Result<(), VaultError> {
        let names = self.strongbox.names()?;
        let is_kept = |name: &String| names.contains(name);
        let keys = self.list();
        match keys.iter().map(|held| key_file(held.record.key_id)).find(|name| !is_kept(name)) {
            Some(name) => Err(VaultError::Damaged {
                file: self.strongbox.place(&name),
                reason: "it is gone".to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Forgets a key, on disk and in memory; who holds it still goes on with it. Whether there was one.
    pub(crate) fn remove(&self, key_id: u64) -> Result<bool, VaultError> {
        self.strongbox.remove(&key_file(key_id))?;
        Ok(self.keys.write().unwrap_or_else(PoisonError::into_inner).remove(&key_id).is_some())
    }

    /// Material that an operator staged for this request of this owner.
    pub(crate) fn staged(&self, owner: &str, request_id: u64) -> Result<Option<Staged>, VaultError> {
        self.strongbox.staged(owner, request_id)
    }

    /// Forgets what was staged for a request, when it is a key of the vault.
    pub(crate) fn unstage(&self, request_id: u64) -> Result<(), VaultError> {
        self.strongbox.unstage(request_id)
    }

    fn load(&self, name: &str, identity: &Identity) -> Result<(), VaultError> {
        let gone =
            || VaultError::Damaged { file: self.strongbox.place(name), reason: "it is gone".to_owned() };
        let (record, secret) = self.strongbox.get::<Record>(name, Kind::Key)?.ok_or_else(gone)?;
        self.check(name, &record, identity)?;
        let secret = SecretKey::from_bytes(secret.to_vec());
        let key = self.ready(name, &record, &secret)?;
        self.hold(HeldKey { record, key });
        Ok(())
    }

    fn check(&self, name: &str, record: &Record, identity: &Identity) -> Result<(), VaultError> {
        let file = self.strongbox.place(name);
        if key_file(record.key_id) != name {
            let reason = format!("it holds key {}, whose file has another name", record.key_id);
            return Err(VaultError::Damaged { file, reason });
        }
        if record.chain_id != identity.chain_id || record.contract != identity.contract {
            let (chain_id, contract) = (record.chain_id.clone(), record.contract.clone());
            return Err(VaultError::OtherContract { file, chain_id, contract });
        }
        Ok(())
    }

    fn ready(&self, name: &str, record: &Record, secret: &SecretKey) -> Result<E::Key, VaultError> {
        let damaged = |reason: String| VaultError::Damaged { file: self.strongbox.place(name), reason };
        let params = record.params().map_err(|error| damaged(error.to_string()))?;
        self.engine.load(params, secret).map_err(|error: KeyError| damaged(error.to_string()))
    }

    fn hold(&self, held: HeldKey<E::Key>) -> Arc<HeldKey<E::Key>> {
        let held = Arc::new(held);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(held.record.key_id, held.clone());
        held
    }
}
