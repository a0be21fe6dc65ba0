use std::path::{Path, PathBuf};

use kms_config::relative_to;
use serde::Deserialize;
use url::Url;

use super::SettingsError;

/// Section `[vault]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct VaultConfig {
    passphrase_file: Option<PathBuf>,
    pkcs11: Option<Pkcs11>,
    url: Option<Url>,
}

/// Where a vault lies, and what opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultSettings {
    /// A folder (`file`) or a bucket (`s3`).
    pub url: Url,
    /// What wraps the vault's data key.
    pub keeper: Keeper,
}

/// What wraps a vault's data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// A key made from a passphrase.
    Passphrase {
        /// The file of the passphrase, mode 0600.
        file: PathBuf,
        /// What the key costs to make, for a new vault; an existing one says it itself.
        cost: Cost,
    },
    /// A key that never leaves a token.
    Pkcs11(Pkcs11),
}

/// What argon2id costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Cost {
    /// The second recommendation of RFC 9106, with one lane, as the lanes are computed one after the other here.
    fn default() -> Self {
        Self { memory_kib: 64 << 10, passes: 3, lanes: 1 }
    }
}

/// A key of a PKCS#11 token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11 {
    /// The module's library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The file of the user's PIN, mode 0600.
    pub pin_file: PathBuf,
    /// The label of the key, AES with 256 bits; `kms-core init` makes it where there is none.
    pub key: String,
}

impl VaultConfig {
    /// Makes paths relative to the configuration's file.
    pub(super) fn anchor(&mut self, config_file: &Path) {
        let pin_file = self.pkcs11.as_mut().map(|pkcs11| &mut pkcs11.pin_file);
        for path in [self.passphrase_file.as_mut(), pin_file].into_iter().flatten() {
            *path = relative_to(config_file, path);
        }
    }

    /// The vault, in `folder` unless the configuration says where.
    pub(super) fn settings(&self, folder: &Path) -> Result<VaultSettings, SettingsError> {
        let keeper = match (&self.passphrase_file, &self.pkcs11) {
            (Some(file), None) => Keeper::Passphrase { file: file.clone(), cost: Cost::default() },
            (None, Some(pkcs11)) => Keeper::Pkcs11(pkcs11.clone()),
            _ => return Err(SettingsError::NoKeeper),
        };
        let url = match &self.url {
            Some(url) => url.clone(),
            None => folder_url(folder)?,
        };
        Ok(VaultSettings { url, keeper })
    }
}

fn folder_url(folder: &Path) -> Result<Url, SettingsError> {
    let unusable = |source| SettingsError::Folder { folder: folder.display().to_string(), source };
    let absolute = std::path::absolute(folder).map_err(unusable)?;
    Url::from_directory_path(&absolute).map_err(|()| unusable(std::io::ErrorKind::InvalidFilename.into()))
}
