//! Encrypts a vault that an old version left unencrypted.

use super::{
    DataKey, Strongbox, VaultError, VaultId,
    cipher::Kind,
    error::unusable,
    file::is_key,
    header::Header,
    legacy,
    shelf::{Shelf, shelf_at},
    strongbox::HEADER,
};
use crate::{VaultSettings, custody::wrapper_of};

/// Encrypts every file of the vault that is not encrypted, and returns the names. Called again after a crash, it goes on.
///
/// # Errors
/// If a file is damaged: then nothing was changed yet.
pub(crate) fn encrypt(settings: &VaultSettings) -> Result<Vec<String>, VaultError> {
    let shelf = shelf_at(&settings.url)?;
    let mut found = Vec::new();
    for name in shelf.list()?.into_iter().filter(|name| is_key(name)) {
        let bytes = zeroize::Zeroizing::new(shelf.read(&name)?.unwrap_or_default());
        if legacy::is_unencrypted(&bytes) {
            let damaged =
                |reason: &str| VaultError::Damaged { file: shelf.place(&name), reason: reason.to_owned() };
            let (record, secret) = legacy::decode(&bytes).map_err(damaged)?;
            found.push((name, record, secret));
        }
    }
    if !found.is_empty() && shelf.read(HEADER)?.is_none() {
        make_header(&*shelf, settings)?;
    }
    let strongbox = Strongbox::on(shelf, &*wrapper_of(&settings.keeper))?;
    for (name, record, secret) in &found {
        strongbox.replace(name, Kind::Key, record, secret.as_bytes())?;
    }
    Ok(found.into_iter().map(|(name, ..)| name).collect())
}

fn make_header(shelf: &dyn Shelf, settings: &VaultSettings) -> Result<(), VaultError> {
    let failed = |error| unusable("make", shelf.place(HEADER), error);
    let (vault, key) = (VaultId::generate().map_err(failed)?, DataKey::generate().map_err(failed)?);
    let header = Header::make(vault, &key, &*wrapper_of(&settings.keeper))?;
    shelf.create(HEADER, &header.encode().map_err(failed)?)
}
