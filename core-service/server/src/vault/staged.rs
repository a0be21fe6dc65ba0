//! Material that was copied from another core and waits for the request that makes it a key or CRS here.

use kms_asc_api::Digest;
use kms_core_engine::SecretKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Part, Strongbox, VaultError, cipher::Kind, file::staged_file};

/// What waits.
#[derive(Debug)]
pub(crate) enum Staged {
    /// A key.
    Key {
        /// What is known of it.
        key: StagedKey,
        /// Its secret parts.
        secret: SecretKey,
    },
    /// A common reference string.
    Crs {
        /// What is known of it.
        crs: StagedCrs,
        /// All of it; it is no secret.
        bytes: Vec<u8>,
    },
}

/// What is known of a key that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StagedKey {
    /// The name of the parameter set.
    pub(crate) params: String,
    /// Published parts, ascending by type.
    pub(crate) parts: Vec<Part>,
}

/// What is known of a CRS that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StagedCrs {
    /// Bits of a list that it proves, at most.
    pub(crate) max_bits: u32,
    /// Its digest on chain.
    pub(crate) digest: Digest,
}

/// For whom and what it waits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    owner: String,
    request_id: u64,
    material: About,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum About {
    Key(StagedKey),
    Crs(StagedCrs),
}

impl Strongbox {
    /// Holds material for one request of one owner. A second time is refused.
    pub(crate) fn stage(&self, owner: &str, request_id: u64, staged: &Staged) -> Result<(), VaultError> {
        let (material, secret) = match staged {
            Staged::Key { key, secret } => (About::Key(key.clone()), secret.as_bytes()),
            Staged::Crs { crs, bytes } => (About::Crs(crs.clone()), bytes.as_slice()),
        };
        let about = Waiting { owner: owner.to_owned(), request_id, material };
        self.put(&staged_file(request_id), Kind::Staged, &about, secret)
    }

    /// What waits for this request of this owner.
    pub(crate) fn staged(&self, owner: &str, request_id: u64) -> Result<Option<Staged>, VaultError> {
        let found = self.get::<Waiting>(&staged_file(request_id), Kind::Staged)?;
        let Some((about, secret)) = found else { return Ok(None) };
        if about.owner != owner || about.request_id != request_id {
            return Ok(None);
        }
        Ok(Some(match about.material {
            About::Key(key) => Staged::Key { key, secret: SecretKey::from_bytes(take(secret)) },
            About::Crs(crs) => Staged::Crs { crs, bytes: take(secret) },
        }))
    }

    /// Forgets what waits for a request.
    pub(crate) fn unstage(&self, request_id: u64) -> Result<(), VaultError> {
        self.remove(&staged_file(request_id))
    }
}

/// Out of the wrapper that wipes it, into one that does so too.
fn take(mut bytes: Zeroizing<Vec<u8>>) -> Vec<u8> {
    std::mem::take(&mut *bytes)
}
