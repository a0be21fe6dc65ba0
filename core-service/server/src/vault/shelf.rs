use kms_config::ConfigError;
use url::Url;

use super::{VaultError, bucket::Bucket, folder::Folder};

/// Where a vault's files lie. A file is written once and whole, or not at all.
pub(crate) trait Shelf: Send + Sync {
    /// What a file is called in messages.
    fn place(&self, name: &str) -> String;

    /// The names of all files, ascending.
    fn list(&self) -> Result<Vec<String>, VaultError>;

    /// Removes what a crash left half-written or half-removed: no answer speaks of it. For whoever begins to use the vault
    /// alone; somebody who is writing at that moment is told that his file is gone.
    fn sweep(&self) -> Result<(), VaultError>;

    /// A file's bytes.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError>;

    /// Writes a file that is not there yet. When this returns, it is there for good.
    fn create(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError>;

    /// Writes a file, whether or not it is there.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError>;

    /// Removes a file, if it is there.
    fn remove(&self, name: &str) -> Result<(), VaultError>;
}

/// The shelf at a URL: a folder (`file`), which is made if it is missing, or a bucket.
pub(crate) fn shelf_at(url: &Url) -> Result<Box<dyn Shelf>, VaultError> {
    match url.scheme() {
        "file" => Ok(Box::new(Folder::open(url)?)),
        _ => Ok(Box::new(Bucket::open(url)?)),
    }
}

pub(super) fn io_error(error: ConfigError) -> std::io::Error {
    match error {
        ConfigError::Read { source, .. } | ConfigError::Write { source, .. } => source,
        other => std::io::Error::other(other),
    }
}
