use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use kms_store::StoreError;
use url::Url;

use super::{
    VaultError,
    error::unusable,
    shelf::{Shelf, io_error},
};
use crate::config::make_private_folder;

/// What files bear that are not written whole yet.
const HALF_WRITTEN: &str = ".tmp";

/// A folder of mode 0700 with files of mode 0600.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn open(url: &Url) -> Result<Self, VaultError> {
        let folder = url.to_file_path().map_err(|()| StoreError::NotAFolder { given: url.to_string() })?;
        make_private_folder(&folder)
            .map_err(|error| unusable("make", folder.display().to_string(), std::io::Error::other(error)))?;
        Ok(Self(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Shelf for Folder {
    fn place(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// What a crash left half-written is removed: no answer speaks of it.
    fn list(&self) -> Result<Vec<String>, VaultError> {
        let unreadable = |error| unusable("read", self.0.display().to_string(), error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(HALF_WRITTEN) {
                tracing::warn!(file = self.place(&name), "removing what a crash left in the vault");
                self.remove(&name)?;
            } else {
                names.push(name.into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        read_private(&self.path(name))
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        create_private(&self.path(name), bytes)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        kms_config::write_secret(self.path(name), bytes)
            .map_err(|error| unusable("write", self.place(name), io_error(error)))?;
        flush(&self.0)
    }

    /// Overwrites the file before it goes. That is no promise that the disk forgets: a journal, a snapshot or worn cells of
    /// an SSD may have the old bytes still.
    fn remove(&self, name: &str) -> Result<(), VaultError> {
        let path = self.path(name);
        match overwrite(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(unusable("overwrite", self.place(name), error));
            }
            _ => {}
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(unusable("remove", self.place(name), error))
            }
            _ => flush(&self.0),
        }
    }
}

/// Writes a file of mode 0600 that is not there yet, whole or not at all. When this returns, it is there for good.
pub(crate) fn create_private(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write = || {
        // Created with mode 0600, whatever the umask.
        let mut file = tempfile::Builder::new().prefix(HALF_WRITTEN).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map(drop).map_err(|error| error.error)
    };
    write().map_err(|error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => VaultError::Exists { file: path.display().to_string() },
        _ => unusable("write", path.display().to_string(), error),
    })?;
    flush(folder)
}

/// Makes a change of a folder itself last.
fn flush(folder: &Path) -> Result<(), VaultError> {
    let synced = File::open(folder).and_then(|opened| opened.sync_all());
    synced.map_err(|error| unusable("flush", folder.display().to_string(), error))
}

/// Writes zeros over a file, as long as it is.
fn overwrite(file: &Path) -> std::io::Result<()> {
    let length = usize::try_from(fs::metadata(file)?.len()).map_err(std::io::Error::other)?;
    let mut opened = fs::OpenOptions::new().write(true).open(file)?;
    opened.write_all(&vec![0; length])?;
    opened.sync_all()
}

/// The bytes of a file that is its owner's alone, if it is there.
pub(crate) fn read_private(file: &Path) -> Result<Option<Vec<u8>>, VaultError> {
    let unreadable = |error| unusable("read", file.display().to_string(), error);
    let metadata = match fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(VaultError::Exposed { file: file.display().to_string(), mode });
    }
    fs::read(file).map(Some).map_err(unreadable)
}
