//! The configuration file: a file here for each of its sections.

mod admin;
mod epochs;
mod limits;
mod log;
mod tls;
mod trust;
mod vault;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use kms_asc_api::{EpochId, KeyDomain};
use kms_config::{ConfigError, Network, relative_to};
use serde::Deserialize;
use thiserror::Error;

pub use epochs::Membership;
pub use limits::Limits;
pub use log::{LogConfig, LogFormat};
pub use tls::{TlsFiles, Transport};
pub use trust::{Anchor, Trust};
pub use vault::{Cost, Keeper, Pkcs11, VaultSettings};

use admin::AdminConfig;
use epochs::{EpochConfig, memberships};
use limits::LimitsConfig;
use tls::TlsConfig;
use trust::TrustConfig;
use vault::VaultConfig;

/// The documented configuration file, with every field.
pub const TEMPLATE: &str = include_str!("../../kms-core.example.toml");

/// The configuration file. [`TEMPLATE`] says what each field means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    network: PathBuf,
    listen: ListenAddress,
    data_dir: PathBuf,
    signer_file: PathBuf,
    epochs: Vec<EpochConfig>,
    trust: TrustConfig,
    #[serde(default)]
    tls: TlsConfig,
    #[serde(default)]
    vault: VaultConfig,
    #[serde(default)]
    limits: LimitsConfig,
    #[serde(default)]
    admin: AdminConfig,
    /// What is logged and how.
    #[serde(default)]
    pub log: LogConfig,
}

/// An address with a port.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct ListenAddress(SocketAddr);

impl TryFrom<String> for ListenAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            format!("{text:?} is not an address with a port, such as \"127.0.0.1:50051\" or \"[::1]:50051\"")
        })
    }
}

/// Why a core cannot be set up as its files say.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A file is missing or wrong; file, line and field are named.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The network's description does not name the contract yet.
    #[error("{file}: field contract is missing; deploy the contract before the core is started")]
    NoContract {
        /// The network's file.
        file: String,
    },
    /// The sets of operators make no sense.
    #[error("field epochs: {reason}")]
    Epochs {
        /// What is wrong.
        reason: String,
    },
    /// Neither certificates nor plain text were asked for.
    #[error(
        "[tls] needs certificate, key and client_ca (`kms-core certs` makes a local set), or plaintext = true \
         on a loopback address"
    )]
    NoCertificates,
    /// Both were asked for.
    #[error("[tls] has certificates and plaintext = true: one of them must go")]
    PlaintextWithCertificates,
    /// Plain text on an address that others can reach.
    #[error("{address} can be reached from other machines: plaintext = true is for loopback addresses only")]
    PlaintextReachable {
        /// The address.
        address: SocketAddr,
    },
    /// Not one way to open the vault.
    #[error("[vault] needs passphrase_file or pkcs11, and not both")]
    NoKeeper,
    /// A folder cannot be made.
    #[error("cannot make the folder {folder}: {source}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl SettingsError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::NoContract { .. } => "no_contract",
            Self::Epochs { .. } => "epochs_invalid",
            Self::NoCertificates => "no_certificates",
            Self::PlaintextWithCertificates => "plaintext_with_certificates",
            Self::PlaintextReachable { .. } => "plaintext_reachable",
            Self::NoKeeper => "no_keeper",
            Self::Folder { .. } => "folder_unwritable",
        }
    }
}

/// Whom a core answers for: part of everything that it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The chain's name.
    pub chain_id: String,
    /// The contract's bech32 address.
    pub contract: String,
    /// What the core is in each epoch that it takes part in, ascending by epoch.
    pub memberships: Vec<Membership>,
    /// The domain under which keys answer by default, less the address that stands for the key.
    pub key_domain: KeyDomain,
}

impl Identity {
    /// What the core is in an epoch, if it takes part in it.
    pub fn membership(&self, epoch: EpochId) -> Option<&Membership> {
        self.memberships.iter().find(|membership| membership.epoch == epoch)
    }
}

/// All that a core needs to start, read from its configuration and the network's description.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whom it answers for.
    pub identity: Identity,
    /// What proofs are judged by.
    pub trust: Trust,
    /// URL of the store of public material.
    pub store_url: url::Url,
    /// Where it listens.
    pub listen: SocketAddr,
    /// How it is reached there.
    pub transport: Transport,
    /// Its vault.
    pub vault: VaultSettings,
    /// Folder of its answers, and of its vault unless that is elsewhere.
    pub data_dir: PathBuf,
    /// File of its signer.
    pub signer_file: PathBuf,
    /// Bounds.
    pub limits: Limits,
    /// Where health and metrics are served.
    pub admin: SocketAddr,
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// As [`kms_config::load`]: file, line and field are named. Paths in the result are as this process sees them.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = kms_config::load(path)?;
        for inside in [&mut config.network, &mut config.data_dir, &mut config.signer_file] {
            *inside = relative_to(path, inside);
        }
        config.tls.anchor(path);
        config.vault.anchor(path);
        Ok(config)
    }

    /// File of the signer.
    pub fn signer_file(&self) -> &Path {
        &self.signer_file
    }

    /// The vault.
    ///
    /// # Errors
    /// If it is not said what opens it.
    pub fn vault(&self) -> Result<VaultSettings, SettingsError> {
        self.vault.settings(&self.data_dir.join("vault"))
    }

    /// Folder of the answers and what else the core keeps in clear.
    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// How callers reach the core.
    pub(crate) fn transport(&self) -> Result<Transport, SettingsError> {
        self.tls.transport(self.listen.0)
    }

    /// Makes the folders of data and signer, open to their owner only, where they are missing.
    ///
    /// # Errors
    /// If a folder cannot be made.
    pub fn make_folders(&self) -> Result<(), SettingsError> {
        let signer_folder = self.signer_file.parent().filter(|folder| !folder.as_os_str().is_empty());
        [Some(self.data_dir.as_path()), signer_folder].into_iter().flatten().try_for_each(make_private_folder)
    }

    /// Joins the network's description to this configuration.
    ///
    /// # Errors
    /// If the network's file is missing or wrong, or does not name the contract yet.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        let network: Network = kms_config::load(&self.network)?;
        let no_contract = || SettingsError::NoContract { file: self.network.display().to_string() };
        let kms_config::KeyDomain { name, version, chain_id } = network.key_domain;
        Ok(Settings {
            identity: Identity {
                chain_id: network.chain_id,
                contract: network.contract.ok_or_else(no_contract)?,
                memberships: memberships(&self.epochs).map_err(|reason| SettingsError::Epochs { reason })?,
                key_domain: KeyDomain { name, version, chain_id },
            },
            trust: Trust::from(&self.trust),
            store_url: network.store_url,
            listen: self.listen.0,
            transport: self.transport()?,
            vault: self.vault()?,
            data_dir: self.data_dir.clone(),
            signer_file: self.signer_file.clone(),
            limits: Limits::from(&self.limits),
            admin: self.admin.listen,
        })
    }
}

/// Makes a folder, and those above it, with mode 0700 where they are missing.
pub(crate) fn make_private_folder(folder: &Path) -> Result<(), SettingsError> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| SettingsError::Folder { folder: folder.display().to_string(), source })
}

/// Makes an empty file with mode 0600, whatever the umask, where it is missing.
pub(crate) fn make_private_file(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file).map(drop)
}

#[cfg(test)]
mod tests;
