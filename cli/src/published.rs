//! Published keys: fetched once, and checked against the key's record on the chain every time.

use std::{fs, path::PathBuf};

use kms_asc_api::{KeyParams, KeyRecord, KeyType};
use kms_config::write_whole_file;
use kms_core_engine::{ParameterSet, key_digest};
use kms_store::{Digest, Store};

use crate::{
    context::Context,
    error::{Error, Result},
};

/// No published part is larger; the compressed server key of the production parameters has 76 MB.
const MAX_BYTES: u64 = 1 << 30;

/// The published parts of a key.
pub struct PublishedKey {
    pub server: Vec<u8>,
    pub public: Vec<u8>,
}

/// A part in the cache.
#[derive(Clone, Debug)]
pub struct CachedPart {
    pub key_type: KeyType,
    pub digest: kms_asc_api::Digest,
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

/// Reads every published part of a key from the cache, or from the store into the cache.
pub async fn parts(context: &Context, key: &KeyRecord) -> Result<Vec<CachedPart>> {
    let store = context.store()?;
    let mut parts = Vec::new();
    for part in &key.digests {
        let step =
            context.progress.begin(format_args!("reading the {} of key {}", name(part.key_type), key.id));
        parts.push(cached(context, &store, part.key_type, part.digest).await?);
        drop(step);
    }
    Ok(parts)
}

/// The parts that encryption needs.
pub async fn load(context: &Context, key: &KeyRecord) -> Result<PublishedKey> {
    let mut parts = parts(context, key).await?;
    let mut take = |key_type| {
        let position = parts.iter().position(|part| part.key_type == key_type);
        let part = position.map(|position| parts.swap_remove(position).bytes);
        part.ok_or_else(|| Error::NotFound(format!("{} on record for key {}", name(key_type), key.id)))
    };
    Ok(PublishedKey { server: take(KeyType::Server)?, public: take(KeyType::Public)? })
}

/// What people call a part.
pub fn name(key_type: KeyType) -> &'static str {
    match key_type {
        KeyType::Server => "server key",
        KeyType::Public => "public key",
    }
}

/// The engine's word for a key's parameters.
pub fn params(params: KeyParams) -> ParameterSet {
    match params {
        KeyParams::Default => ParameterSet::Default,
        KeyParams::Test => ParameterSet::Test,
    }
}

async fn cached(
    context: &Context,
    store: &Store,
    key_type: KeyType,
    digest: kms_asc_api::Digest,
) -> Result<CachedPart> {
    let folder = context.settings.cache().join("keys");
    let path = folder.join(hex::encode(digest.as_bytes()));
    // A damaged file is as good as none.
    let kept = fs::read(&path).ok().filter(|bytes| key_digest(bytes) == *digest.as_bytes());
    let bytes = match kept {
        Some(bytes) => bytes,
        None => {
            let named = Digest::from_bytes(*digest.as_bytes());
            let bytes = store.get_public(named, MAX_BYTES, key_digest).await?;
            let doing = || format!("make the folder {}", folder.display());
            fs::create_dir_all(&folder).map_err(|source| Error::Io { doing: doing(), source })?;
            write_whole_file(&path, &bytes)?;
            bytes.to_vec()
        }
    };
    Ok(CachedPart { key_type, digest, path, bytes })
}
