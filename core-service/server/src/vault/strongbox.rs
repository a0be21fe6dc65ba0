use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::{
    DataKey, VaultError,
    cipher::{Cipher, Kind, VaultId},
    error::unusable,
    folder::read_private,
    header::Header,
    shelf::{Shelf, io_error, shelf_at},
};
use crate::{
    VaultSettings,
    custody::{KeyWrapper, WrapError, wrapper_of},
};

pub(crate) const HEADER: &str = "header";

/// An open vault's files: encrypted where they lie, readable here.
pub struct Strongbox {
    shelf: Box<dyn Shelf>,
    cipher: Cipher,
}

/// What a file says in clear, and what it hides.
pub(crate) type Opened<T> = (T, Zeroizing<Vec<u8>>);

impl Strongbox {
    /// Opens the vault, which is made if there is nothing where it should be.
    ///
    /// # Errors
    /// If it cannot be reached, is damaged, not encrypted, or not opened by what the configuration says opens it.
    pub fn open(settings: &VaultSettings) -> Result<Self, VaultError> {
        Self::on(shelf_at(&settings.url)?, &*wrapper_of(&settings.keeper))
    }

    pub(crate) fn on(shelf: Box<dyn Shelf>, wrapper: &dyn KeyWrapper) -> Result<Self, VaultError> {
        let header = match shelf.read(HEADER)? {
            Some(bytes) => bytes,
            None => make_header(&*shelf, wrapper)?,
        };
        let header =
            Header::decode(&header).map_err(|damage| VaultError::of_damage(shelf.place(HEADER), damage))?;
        let cipher = Cipher::new(header.vault, header.unwrap(wrapper)?);
        Ok(Self { shelf, cipher })
    }

    /// The names of all files, ascending.
    pub(crate) fn names(&self) -> Result<Vec<String>, VaultError> {
        self.shelf.list()
    }

    /// Removes what a crash left, see [`Shelf::sweep`].
    pub(crate) fn sweep(&self) -> Result<(), VaultError> {
        self.shelf.sweep()
    }

    /// What a file is called in messages.
    pub(crate) fn place(&self, name: &str) -> String {
        self.shelf.place(name)
    }

    /// What a file says and hides, if it is there.
    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        name: &str,
        kind: Kind,
    ) -> Result<Option<Opened<T>>, VaultError> {
        let Some(bytes) = self.shelf.read(name)? else { return Ok(None) };
        let opened = self.cipher.open(kind, &bytes);
        opened.map(Some).map_err(|damage| VaultError::of_damage(self.place(name), damage))
    }

    /// Keeps what is not there yet. When this returns, it is there for good: it was read back, since a secret whose file is
    /// not what was written would be lost with the next restart, after others have come to rely on it.
    pub(crate) fn put<T: Serialize>(
        &self,
        name: &str,
        kind: Kind,
        about: &T,
        secret: &[u8],
    ) -> Result<(), VaultError> {
        let sealed = self.sealed(&self.place(name), kind, about, secret)?;
        self.shelf.create(name, &sealed)?;
        if self.shelf.read(name)?.as_ref() == Some(&sealed) {
            return Ok(());
        }
        let reason = "it is not what was written a moment ago".to_owned();
        Err(VaultError::Damaged { file: self.place(name), reason })
    }

    /// Keeps it in the place of what is there.
    pub(crate) fn replace<T: Serialize>(
        &self,
        name: &str,
        kind: Kind,
        about: &T,
        secret: &[u8],
    ) -> Result<(), VaultError> {
        self.shelf.replace(name, &self.sealed(&self.place(name), kind, about, secret)?)
    }

    pub(crate) fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.shelf.remove(name)
    }

    /// A secret that lies in a file of its own, under the same key as the vault.
    pub(crate) fn get_file(&self, file: &Path, kind: Kind) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let Some(bytes) = read_private(file)? else { return Ok(None) };
        let opened = self.cipher.open::<()>(kind, &bytes);
        let ((), secret) =
            opened.map_err(|damage| VaultError::of_damage(file.display().to_string(), damage))?;
        Ok(Some(secret))
    }

    pub(crate) fn put_file(&self, file: &Path, kind: Kind, secret: &[u8]) -> Result<(), VaultError> {
        let place = file.display().to_string();
        let bytes = self.sealed(&place, kind, &(), secret)?;
        kms_config::write_secret(file, &bytes).map_err(|error| unusable("write", place, io_error(error)))
    }

    /// Wraps the vault's key in another way from now on. Its files stay as they are.
    pub(crate) fn rewrap(&self, wrapper: &dyn KeyWrapper) -> Result<(), VaultError> {
        let header = Header::make(self.cipher.vault(), self.cipher.key(), wrapper)?;
        let bytes = header.encode().map_err(|error| unusable("write", self.place(HEADER), error))?;
        self.shelf.replace(HEADER, &bytes)
    }

    fn sealed<T: Serialize>(
        &self,
        place: &str,
        kind: Kind,
        about: &T,
        secret: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        self.cipher.seal(kind, about, secret).map_err(|error| unusable("encrypt", place.to_owned(), error))
    }
}

/// The header of a new vault, as it stands: of two that make one at the same time, both read the first.
fn make_header(shelf: &dyn Shelf, wrapper: &dyn KeyWrapper) -> Result<Vec<u8>, VaultError> {
    check_empty(shelf)?;
    let failed = |error| unusable("make", shelf.place(HEADER), error);
    let (vault, key) = (VaultId::generate().map_err(failed)?, DataKey::generate().map_err(failed)?);
    let bytes = Header::make(vault, &key, wrapper)?.encode().map_err(failed)?;
    match shelf.create(HEADER, &bytes) {
        Ok(()) => Ok(bytes),
        Err(VaultError::Exists { .. }) => {
            let gone =
                || WrapError::Failed { doing: "read the vault's header", cause: "it is gone".to_owned() };
            Ok(shelf.read(HEADER)?.ok_or_else(gone)?)
        }
        Err(error) => Err(error),
    }
}

/// A vault whose header is lost must not become a new one beside files that it cannot read.
fn check_empty(shelf: &dyn Shelf) -> Result<(), VaultError> {
    let names = shelf.list()?;
    let Some(name) = names.iter().find(|name| super::kind_of(name).is_some()) else { return Ok(()) };
    let bytes = shelf.read(name)?.unwrap_or_default();
    if super::legacy::is_unencrypted(&bytes) {
        return Err(VaultError::Unencrypted { file: shelf.place(name) });
    }
    let reason = format!("it is missing, and {name} cannot be read without it");
    Err(VaultError::Damaged { file: shelf.place(HEADER), reason })
}
