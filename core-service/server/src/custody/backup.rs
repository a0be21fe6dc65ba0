use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use redb::{Database, DatabaseError, ReadOnlyDatabase};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{
    ArchiveError, KeyWrapper,
    archive::{self, Entry, Made},
};
use crate::{
    SettingsError, Signer, SignerError, Strongbox, VaultError,
    config::make_private_folder,
    vault::{Kind, create_private, kind_of},
};

const ANSWERS: &str = "answers.redb";
/// The folder of what was signed of destroyed keys.
const DESTROYED: &str = "destroyed";
const SIGNER: &str = "signer";
/// Before the names of the vault's files.
const VAULT: &str = "vault/";

/// Where a core's secrets and answers lie.
pub(crate) struct Places<'a> {
    /// Folder of the answers.
    pub(crate) data_dir: &'a Path,
    /// File of the signer.
    pub(crate) signer_file: &'a Path,
}

/// Why a backup was not made or restored. Then nothing was overwritten.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The backup cannot be encrypted or decrypted.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The vault cannot be read or written, or something is there already.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The signer cannot be read or written.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A running core may sign while its answers are copied.
    #[error("answer store {} is in use: stop the core first", file.display())]
    InUse {
        /// The file.
        file: PathBuf,
    },
    /// The answers cannot be read.
    #[error("answer store {} cannot be read: {cause}", file.display())]
    Answers {
        /// The file.
        file: PathBuf,
        /// What was said about it.
        cause: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is something already where the backup would be restored to.
    #[error("{place} is there already: a backup is restored to where there is nothing")]
    NotEmpty {
        /// The file or vault.
        place: String,
    },
    /// A folder cannot be made.
    #[error(transparent)]
    Folder(#[from] SettingsError),
    /// The backup holds what this version does not know.
    #[error("the backup holds {name:?}, which this version does not know")]
    Unknown {
        /// The entry.
        name: String,
    },
}

impl BackupError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Archive(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::Signer(error) => error.code(),
            Self::InUse { .. } => "answers_in_use",
            Self::Answers { .. } => "answers_unusable",
            Self::Unreadable { .. } => "backup_unreadable",
            Self::NotEmpty { .. } => "not_empty",
            Self::Folder(error) => error.code(),
            Self::Unknown { .. } => "backup_unknown_entry",
        }
    }
}

/// Writes all secrets and answers of a core that does not run into a new file. How many keys are in it.
pub(crate) fn backup(
    file: &Path,
    places: &Places<'_>,
    strongbox: &Strongbox,
    wrapper: &dyn KeyWrapper,
) -> Result<usize, BackupError> {
    let mut entries = vec_of_vault(strongbox)?;
    let keys = entries.iter().filter(|entry| entry.name.ends_with(".key")).count();
    entries.extend(answers(&places.data_dir.join(ANSWERS))?);
    entries.extend(destroyed(&places.data_dir.join(DESTROYED))?);
    let signer = Signer::read(places.signer_file, strongbox)?;
    entries.push(plain(SIGNER, Zeroizing::new(signer.to_bytes().to_vec())));
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    create_private(file, &archive::write(Made { time }, &entries, wrapper)?)?;
    Ok(keys)
}

fn vec_of_vault(strongbox: &Strongbox) -> Result<Vec<Entry>, BackupError> {
    let mut entries = Vec::new();
    for name in strongbox.names()? {
        let Some(kind) = kind_of(&name) else { continue };
        if let Some((label, bytes)) = strongbox.get(&name, kind)? {
            entries.push(Entry { name: format!("{VAULT}{name}"), label, bytes });
        }
    }
    Ok(entries)
}

/// The answers, whole: nobody writes them while they are read.
fn answers(file: &Path) -> Result<Option<Entry>, BackupError> {
    if !file.exists() {
        return Ok(None);
    }
    let unusable = |error: DatabaseError| match error {
        DatabaseError::DatabaseAlreadyOpen => BackupError::InUse { file: file.to_owned() },
        other => BackupError::Answers { file: file.to_owned(), cause: other.to_string() },
    };
    // Mends what a crash left; then it is held while it is read.
    drop(Database::open(file).map_err(unusable)?);
    let held = ReadOnlyDatabase::open(file).map_err(unusable)?;
    let bytes = fs::read(file).map_err(|source| BackupError::Unreadable { file: file.to_owned(), source })?;
    drop(held);
    Ok(Some(plain(ANSWERS, Zeroizing::new(bytes))))
}

/// What was signed of destroyed keys: none of them may come back by the same backup.
fn destroyed(folder: &Path) -> Result<Vec<Entry>, BackupError> {
    let unreadable = |source| BackupError::Unreadable { file: folder.to_owned(), source };
    let mut entries = Vec::new();
    let found = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(entries),
        found => found.map_err(unreadable)?,
    };
    for file in found {
        let file = file.map_err(unreadable)?;
        let bytes = fs::read(file.path()).map_err(unreadable)?;
        let name = format!("{DESTROYED}/{}", file.file_name().to_string_lossy());
        entries.push(plain(&name, Zeroizing::new(bytes)));
    }
    Ok(entries)
}

/// Whether a name is that of a file right in the folder of what was signed of destroyed keys.
fn is_destroyed(name: &str) -> bool {
    let file = name.strip_prefix(DESTROYED).and_then(|rest| rest.strip_prefix('/'));
    file.is_some_and(|file| !file.is_empty() && !file.starts_with('.') && !file.contains('/'))
}

fn plain(name: &str, bytes: Zeroizing<Vec<u8>>) -> Entry {
    Entry { name: name.to_owned(), label: serde_json::Value::Null, bytes }
}

/// A backup that was read, before it is put anywhere.
pub(crate) struct Backup {
    /// What is known of it.
    pub(crate) made: Made,
    entries: Vec<Entry>,
}

impl Backup {
    /// Reads and checks all of it.
    pub(crate) fn read(file: &Path, wrapper: &dyn KeyWrapper) -> Result<Self, BackupError> {
        let bytes =
            fs::read(file).map_err(|source| BackupError::Unreadable { file: file.to_owned(), source })?;
        let (made, entries) = archive::read(&bytes, wrapper)?;
        let known = |name: &str| {
            name == ANSWERS
                || name == SIGNER
                || is_destroyed(name)
                || name.strip_prefix(VAULT).is_some_and(|name| kind_of(name).is_some())
        };
        match entries.iter().find(|entry| !known(&entry.name)) {
            Some(unknown) => Err(BackupError::Unknown { name: unknown.name.clone() }),
            None => Ok(Self { made, entries }),
        }
    }

    /// Puts it where there is nothing yet, and returns the signer. Unless `complete` says that the core has signed nothing since the
    /// backup was made, the restored core answers no request that was submitted before now (ADR 0051). The signer comes last: without
    /// it no core starts on what a crash left half-restored.
    pub(crate) fn restore(
        self,
        places: &Places<'_>,
        strongbox: &Strongbox,
        complete: bool,
    ) -> Result<Signer, BackupError> {
        check_empty(places, strongbox)?;
        if !complete {
            strongbox.mark_restored()?;
        }
        let (signer, rest): (Vec<_>, Vec<_>) =
            self.entries.into_iter().partition(|entry| entry.name == SIGNER);
        make_private_folder(&places.data_dir.join(DESTROYED))?;
        for entry in rest {
            match entry.name.strip_prefix(VAULT) {
                Some(name) => put(strongbox, name, &entry, complete)?,
                None => create_private(&places.data_dir.join(&entry.name), &entry.bytes)?,
            }
        }
        let not_a_signer = || SignerError::NotASigner { file: "the backup".to_owned() };
        let bytes = signer.first().ok_or_else(not_a_signer)?.bytes.as_slice();
        let signer = Signer::from_bytes(bytes).ok_or_else(not_a_signer)?;
        signer.write(places.signer_file, strongbox)?;
        Ok(signer)
    }
}

fn put(strongbox: &Strongbox, name: &str, entry: &Entry, complete: bool) -> Result<(), BackupError> {
    match kind_of(name) {
        // A later one is there.
        Some(Kind::Restored) if !complete => Ok(()),
        Some(kind) => Ok(strongbox.put(name, kind, &entry.label, &entry.bytes)?),
        None => Err(BackupError::Unknown { name: entry.name.clone() }),
    }
}

fn check_empty(places: &Places<'_>, strongbox: &Strongbox) -> Result<(), BackupError> {
    let not_empty = |place: String| Err(BackupError::NotEmpty { place });
    for file in [&places.data_dir.join(ANSWERS), places.signer_file] {
        match fs::symlink_metadata(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            _ => return not_empty(file.display().to_string()),
        }
    }
    match strongbox.names()?.into_iter().find(|name| kind_of(name).is_some()) {
        Some(name) => not_empty(strongbox.place(&name)),
        None => Ok(()),
    }
}
