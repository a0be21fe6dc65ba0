use std::{fmt, sync::Arc};

use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use tokio::task::spawn_blocking;
use url::Url;

use crate::{Digest, Hasher, Objects, StoreError};

/// An open store. Clones share it; calls may run at the same time, in this process and others.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    url: Url,
}

/// A folder of the store and the digest by which it names its objects.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    hasher: Hasher,
}

const CIPHERTEXT: Kind = Kind { name: "ciphertext", hasher: sha256 };

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Digest::of_ciphertext(bytes).to_bytes()
}

const fn public(hasher: Hasher) -> Kind {
    Kind { name: "public", hasher }
}

impl Store {
    /// Opens the store at `url`: see [`Objects`].
    ///
    /// # Errors
    /// As [`Objects::open`].
    pub fn open(url: &Url) -> Result<Self, StoreError> {
        Ok(Self { objects: Objects::open(url)?.into_inner(), url: url.clone() })
    }

    /// Where the store is.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Writes an empty object, the same one each time: whether the store can be written now.
    pub async fn check(&self) -> Result<(), StoreError> {
        let written = self.objects.put(&Path::from("check"), Bytes::new().into()).await;
        written.map(drop).map_err(|error| StoreError::unavailable("writing an object", error))
    }

    /// Keeps a ciphertext and returns its digest. When this returns, the bytes are on disk.
    pub async fn put_ciphertext(&self, stored: impl Into<Bytes>) -> Result<Digest, StoreError> {
        self.put(CIPHERTEXT, stored.into()).await
    }

    /// Reads the ciphertext with this digest, which must have `size` bytes.
    pub async fn get_ciphertext(&self, digest: Digest, size: u64) -> Result<Bytes, StoreError> {
        self.get(CIPHERTEXT, digest, |found| {
            let mismatch = StoreError::SizeMismatch { kind: "ciphertext", digest, expected: size, found };
            if found == size { Ok(()) } else { Err(mismatch) }
        })
        .await
    }

    /// Reads the first `max` bytes, at most, of what is kept as the ciphertext with this digest, **unchecked**:
    /// evidence of damage, for whoever has to say what is wrong with the bytes. Never for use.
    pub async fn get_ciphertext_unchecked(&self, digest: Digest, max: u64) -> Result<Bytes, StoreError> {
        let location = location(CIPHERTEXT, digest);
        let meta =
            self.objects.head(&location).await.map_err(|error| not_opened(CIPHERTEXT, digest, error))?;
        if meta.size == 0 || max == 0 {
            return Ok(Bytes::new());
        }
        let bytes = self.objects.get_range(&location, 0..meta.size.min(max)).await;
        bytes.map_err(|error| not_opened(CIPHERTEXT, digest, error))
    }

    /// Keeps published material and returns its digest by `hasher`.
    pub async fn put_public(&self, stored: impl Into<Bytes>, hasher: Hasher) -> Result<Digest, StoreError> {
        self.put(public(hasher), stored.into()).await
    }

    /// Reads the published material whose digest by `hasher` is `digest`, if it has at most `max` bytes.
    pub async fn get_public(&self, digest: Digest, max: u64, hasher: Hasher) -> Result<Bytes, StoreError> {
        self.get(public(hasher), digest, |size| {
            let too_large = StoreError::TooLarge { kind: "public", digest, size, max };
            if size <= max { Ok(()) } else { Err(too_large) }
        })
        .await
    }

    async fn put(&self, kind: Kind, stored: Bytes) -> Result<Digest, StoreError> {
        let digest = digest_of(kind, stored.clone()).await?;
        self.objects
            .put(&location(kind, digest), stored.into())
            .await
            .map_err(|error| StoreError::unavailable("writing an object", error))?;
        Ok(digest)
    }

    async fn get(
        &self,
        kind: Kind,
        digest: Digest,
        check_size: impl FnOnce(u64) -> Result<(), StoreError>,
    ) -> Result<Bytes, StoreError> {
        let object = self.objects.get(&location(kind, digest)).await;
        let object = object.map_err(|error| not_opened(kind, digest, error))?;
        check_size(object.meta.size)?;
        let stored =
            object.bytes().await.map_err(|error| StoreError::unavailable("reading an object", error))?;

        let found = digest_of(kind, stored.clone()).await?;
        if found == digest {
            Ok(stored)
        } else {
            Err(StoreError::DigestMismatch { kind: kind.name, digest, found })
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.url)
    }
}

fn location(kind: Kind, digest: Digest) -> Path {
    Path::from_iter([kind.name.to_owned(), digest.file_name()])
}

/// Hashes off the async threads: published keys are tens of megabytes.
async fn digest_of(kind: Kind, stored: Bytes) -> Result<Digest, StoreError> {
    spawn_blocking(move || Digest::from_bytes((kind.hasher)(&stored)))
        .await
        .map_err(|error| StoreError::unavailable("hashing an object", error))
}

fn not_opened(kind: Kind, digest: Digest, error: object_store::Error) -> StoreError {
    match error {
        object_store::Error::NotFound { .. } => StoreError::NotFound { kind: kind.name, digest },
        error => StoreError::unavailable("opening an object", error),
    }
}
