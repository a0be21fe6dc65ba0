use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::ConfigError;

const OTHERS: u32 = 0o077;

/// Writes a secret so that only its owner can read it (mode 0600), whole or not at all: the bytes
/// reach the disk under another name before they replace what was there.
///
/// # Errors
/// [`ConfigError::Write`]; what was there before is then unchanged.
pub fn write_secret(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), ConfigError> {
    write_whole(path.as_ref(), bytes, 0o600)
}

/// Writes a file that is no secret (mode 0644), whole or not at all, as [`write_secret`] does.
///
/// # Errors
/// [`ConfigError::Write`]; what was there before is then unchanged.
pub fn write_whole_file(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), ConfigError> {
    write_whole(path.as_ref(), bytes, 0o644)
}

/// Reads a secret text, without the white space around it.
///
/// # Errors
/// [`ConfigError::Exposed`] if anybody but its owner may read or write it; [`ConfigError::Read`] if
/// it is missing or not text.
pub fn read_secret(path: impl AsRef<Path>) -> Result<Zeroizing<String>, ConfigError> {
    let path = path.as_ref();
    let unreadable = |source| ConfigError::Read { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(ConfigError::Exposed { path: path.to_owned(), mode });
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?);
    Ok(Zeroizing::new(text.trim().to_owned()))
}

fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> Result<(), ConfigError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let write = || -> std::io::Result<()> {
        // Created with mode 0600, whatever the umask.
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(bytes)?;
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| ConfigError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_its_owners_alone_and_replaces_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_secret(&path, b"first\n").unwrap();
        write_secret(&path, b"second\n").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_secret(&path).unwrap().as_str(), "second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file was left");
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_secret(&path, b"hidden").unwrap();
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = read_secret(&path).unwrap_err();
            assert_eq!(error.code(), "secret_exposed");
            assert!(!error.to_string().contains("hidden"));
        }
    }

    #[test]
    fn a_secret_that_cannot_be_written_is_an_error_that_names_the_file() {
        let error = write_secret("/nonexistent/key", b"x").unwrap_err();
        assert_eq!(error.code(), "config_unwritable");
        assert!(error.to_string().contains("/nonexistent/key"));
    }
}
