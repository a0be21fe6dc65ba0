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

/// How the names of files begin that are none of the vault's: not written whole yet, or on their way out.
const UNDER_WAY: &str = ".tmp";

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

    /// The names of all files, also of those under way.
    fn all(&self) -> Result<Vec<String>, VaultError> {
        let unreadable = |error| unusable("read", self.0.display().to_string(), error);
        let entries = fs::read_dir(&self.0).map_err(unreadable)?;
        entries
            .map(|entry| Ok(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned()))
            .collect()
    }
}

impl Shelf for Folder {
    fn place(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Changes nothing: a file that is not whole yet may be whole in a moment.
    fn list(&self) -> Result<Vec<String>, VaultError> {
        let mut names = self.all()?;
        names.retain(|name| !name.starts_with(UNDER_WAY));
        names.sort();
        Ok(names)
    }

    fn sweep(&self) -> Result<(), VaultError> {
        for name in self.all()?.into_iter().filter(|name| name.starts_with(UNDER_WAY)) {
            tracing::warn!(file = self.place(&name), "removing what a crash left in the vault");
            self.remove(&name)?;
        }
        Ok(())
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

    /// Takes the file away under its name, then overwrites and removes it. So nobody reads a file that is half zeros, and
    /// whoever has just written it, and would give it its name, is told that it is gone. Overwriting is no promise that the
    /// disk forgets: a journal, a snapshot or worn cells of an SSD may have the old bytes still.
    fn remove(&self, name: &str) -> Result<(), VaultError> {
        let leaving = self.path(&format!("{UNDER_WAY}-gone-{name}"));
        let failed = |doing| move |error| unusable(doing, self.place(name), error);
        match fs::rename(self.path(name), &leaving) {
            Err(error) if error.kind() == ErrorKind::NotFound => return flush(&self.0),
            renamed => renamed.map_err(failed("remove"))?,
        }
        flush(&self.0)?;
        overwrite(&leaving).map_err(failed("overwrite"))?;
        fs::remove_file(&leaving).map_err(failed("remove"))?;
        flush(&self.0)
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
        let mut file = tempfile::Builder::new().prefix(UNDER_WAY).tempfile_in(folder)?;
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(&Url::from_directory_path(place.path()).unwrap()).unwrap();
        (place, folder)
    }

    fn bytes(number: usize) -> Vec<u8> {
        (0..50_000).map(|at| u8::try_from((number + at) % 255 + 1).unwrap()).collect()
    }

    /// Does something over and over while 200 files are written; what became of each.
    fn write_while(folder: &Folder, meanwhile: impl Fn() + Sync) -> Vec<Result<(), VaultError>> {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    meanwhile();
                }
            });
            let written = (0..200).map(|n| folder.create(&n.to_string(), &bytes(n))).collect();
            done.store(true, Ordering::Relaxed);
            written
        })
    }

    /// The core looks every few seconds whether its keys are there, also while it keeps a new one.
    #[test]
    fn looking_at_a_vault_harms_no_file_that_is_being_written() {
        let (_place, folder) = folder();
        let written = write_while(&folder, || drop(folder.list().unwrap()));
        for (number, result) in written.into_iter().enumerate() {
            result.unwrap();
            assert_eq!(folder.read(&number.to_string()).unwrap().unwrap(), bytes(number));
        }
        assert_eq!(folder.list().unwrap().len(), 200);
    }

    #[test]
    fn a_file_that_is_swept_while_it_is_written_is_missed_by_its_writer_and_never_kept_as_zeros() {
        let (_place, folder) = folder();
        let written = write_while(&folder, || drop(folder.sweep()));
        let mut kept = 0;
        for (number, result) in written.into_iter().enumerate() {
            let found = folder.read(&number.to_string()).unwrap();
            match result {
                Ok(()) => {
                    assert_eq!(found.unwrap(), bytes(number));
                    kept += 1;
                }
                Err(_) => assert_eq!(found, None),
            }
        }
        assert_eq!(folder.list().unwrap().len(), kept);
    }

    #[test]
    fn a_removal_that_a_crash_cut_off_is_finished_by_the_next_start() {
        let (place, folder) = folder();
        folder.create("1.key", b"secret").unwrap();
        fs::rename(place.path().join("1.key"), place.path().join(".tmp-gone-1.key")).unwrap();
        assert_eq!(folder.list().unwrap(), [""; 0]);
        folder.sweep().unwrap();
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        folder.remove("1.key").unwrap();
    }
}
