//! Published keys and reference strings: fetched once, and checked against their record on the chain every time.

use std::{fs, path::PathBuf};

use kms_asc_api::{CrsRecord, KeyParams, KeyRecord, KeyType};
use kms_config::write_whole_file;
use kms_core_engine::{ParameterSet, crs_digest, key_digest};
use kms_store::{Digest, Hasher};

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

/// Published material in the cache.
#[derive(Clone, Debug)]
pub struct Cached {
    pub digest: kms_asc_api::Digest,
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

/// Reads every published part of a key from the cache, or from the store into the cache.
pub async fn parts(context: &Context, key: &KeyRecord) -> Result<Vec<(KeyType, Cached)>> {
    let mut parts = Vec::new();
    for part in &key.digests {
        parts.push((part.key_type, self::part(context, key, part.key_type).await?));
    }
    Ok(parts)
}

/// Reads one published part of a key, in the same way.
pub async fn part(context: &Context, key: &KeyRecord, key_type: KeyType) -> Result<Cached> {
    let found = key.digests.iter().find(|part| part.key_type == key_type);
    let found =
        found.ok_or_else(|| Error::NotFound(format!("{} on record for key {}", name(key_type), key.id)))?;
    let _step = context.progress.begin(format_args!("reading the {} of key {}", name(key_type), key.id));
    cached(context, "keys", found.digest, key_digest).await
}

/// Reads a reference string, in the same way.
pub async fn crs(context: &Context, crs: &CrsRecord) -> Result<Cached> {
    let _step = context.progress.begin(format_args!("reading reference string {}", crs.id));
    cached(context, "crs", crs.digest, crs_digest).await
}

/// The parts that encryption needs.
pub async fn load(context: &Context, key: &KeyRecord) -> Result<PublishedKey> {
    let server = part(context, key, KeyType::Server).await?.bytes;
    let public = part(context, key, KeyType::Public).await?.bytes;
    Ok(PublishedKey { server, public })
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

/// Reads material that is kept under its digest by `hasher` in a folder of the cache.
async fn cached(
    context: &Context,
    kind: &str,
    digest: kms_asc_api::Digest,
    hasher: Hasher,
) -> Result<Cached> {
    let folder = context.settings.cache().join(kind);
    let path = folder.join(hex::encode(digest.as_bytes()));
    // A damaged file is as good as none.
    let kept = fs::read(&path).ok().filter(|bytes| hasher(bytes) == *digest.as_bytes());
    let bytes = match kept {
        Some(bytes) => bytes,
        None => {
            let named = Digest::from_bytes(*digest.as_bytes());
            let bytes = context.store()?.get_public(named, MAX_BYTES, hasher).await?;
            let doing = || format!("make the folder {}", folder.display());
            fs::create_dir_all(&folder).map_err(|source| Error::Io { doing: doing(), source })?;
            write_whole_file(&path, &bytes)?;
            bytes.to_vec()
        }
    };
    Ok(Cached { digest, path, bytes })
}
