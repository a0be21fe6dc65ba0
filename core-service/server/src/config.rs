mod tls;
mod vault;

use std::{
    fs,
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::{Path, PathBuf},
    thread::available_parallelism,
};

use kms_asc_api::{EpochId, KeyDomain, PartyId};
use kms_config::{ConfigError, Network, relative_to};
use kms_core_proto::DEFAULT_MAX_MESSAGE_BYTES;
use serde::Deserialize;
use thiserror::Error;

pub use tls::{TlsFiles, Transport};
pub use vault::{Cost, Keeper, Pkcs11, VaultSettings};

/// The documented configuration file, with every field.
pub const TEMPLATE: &str = include_str!("../kms-core.example.toml");

/// The configuration file. [`TEMPLATE`] says what each field means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    network: PathBuf,
    listen: ListenAddress,
    data_dir: PathBuf,
    signer_file: PathBuf,
    epoch: NonZeroU32,
    party: PartyNumber,
    #[serde(default)]
    tls: tls::TlsConfig,
    #[serde(default)]
    vault: vault::VaultConfig,
    #[serde(default)]
    limits: LimitsConfig,
    /// What is logged and how.
    #[serde(default)]
    pub log: LogConfig,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsConfig {
    max_message_bytes: NonZeroUsize,
    max_ciphertext_bytes: u64,
    parallel_work: Option<NonZeroUsize>,
    max_requests: NonZeroUsize,
    stop_seconds: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            max_message_bytes: NonZeroUsize::new(DEFAULT_MAX_MESSAGE_BYTES).unwrap_or(NonZeroUsize::MAX),
            max_ciphertext_bytes: 4 << 20,
            parallel_work: None,
            max_requests: NonZeroUsize::new(256).unwrap_or(NonZeroUsize::MIN),
            stop_seconds: 20,
        }
    }
}

/// What is logged and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Directives of `tracing`'s filter.
    pub filter: String,
    /// The form of a line.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::Text }
    }
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
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

/// The number of an operator: 1 to 31.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u32")]
struct PartyNumber(PartyId);

impl TryFrom<u32> for PartyNumber {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        match number {
            1..=PartyId::MAX => Ok(Self(PartyId(number))),
            _ => Err(format!("party {number} given, 1 to {} allowed", PartyId::MAX)),
        }
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
    /// The set of operators.
    pub epoch: EpochId,
    /// The operator.
    pub party: PartyId,
    /// The domain under which keys answer by default, less the address that stands for the key.
    pub key_domain: KeyDomain,
}

/// Bounds of what a core does at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one gRPC message.
    pub max_message_bytes: usize,
    /// Bytes of one ciphertext.
    pub max_ciphertext_bytes: u64,
    /// Decryption requests worked on at the same time.
    pub parallel_work: usize,
    /// Requests that run or wait.
    pub max_requests: usize,
    /// Seconds that running work may take to finish when the core is asked to stop.
    pub stop_seconds: u32,
}

/// All that a core needs to start, read from its configuration and the network's description.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whom it answers for.
    pub identity: Identity,
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
        let limits = &self.limits;
        Ok(Settings {
            identity: Identity {
                chain_id: network.chain_id,
                contract: network.contract.ok_or_else(no_contract)?,
                epoch: EpochId(self.epoch.get()),
                party: self.party.0,
                key_domain: KeyDomain { name, version, chain_id },
            },
            store_url: network.store_url,
            listen: self.listen.0,
            transport: self.tls.transport(self.listen.0)?,
            vault: self.vault()?,
            data_dir: self.data_dir.clone(),
            signer_file: self.signer_file.clone(),
            limits: Limits {
                max_message_bytes: limits.max_message_bytes.get(),
                max_ciphertext_bytes: limits.max_ciphertext_bytes,
                parallel_work: limits.parallel_work.or(available_parallelism().ok()).map_or(1, usize::from),
                max_requests: limits.max_requests.get(),
                stop_seconds: limits.stop_seconds,
            },
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

#[cfg(test)]
mod tests {
    use kms_config::NETWORK_TEMPLATE;

    use super::*;

    fn read(config: &str, network: &str) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kms-core.toml");
        fs::write(&path, config).unwrap();
        fs::write(folder.path().join("network.toml"), network).unwrap();
        Config::read(&path)?.settings()
    }

    fn refused(config: &str) -> String {
        read(config, NETWORK_TEMPLATE).unwrap_err().to_string()
    }

    #[test]
    fn the_template_is_a_configuration_with_the_defaults() {
        let settings = read(TEMPLATE, NETWORK_TEMPLATE).unwrap();
        assert_eq!(settings.identity.contract, "wasm1contract");
        assert_eq!(settings.identity.key_domain.chain_id, 9000);
        assert!(settings.data_dir.is_absolute() && settings.data_dir.ends_with("core-data"));

        let (required, _) = TEMPLATE.split_once("[limits]").unwrap();
        let defaults = read(required, NETWORK_TEMPLATE).unwrap().limits;
        let shown = settings.limits;
        assert_eq!(shown.max_message_bytes, defaults.max_message_bytes);
        assert_eq!(shown.max_ciphertext_bytes, defaults.max_ciphertext_bytes);
        assert_eq!(shown.max_requests, defaults.max_requests);
        assert_eq!(shown.stop_seconds, defaults.stop_seconds);
        let log = toml_log(TEMPLATE);
        assert_eq!((log.filter, log.format), (LogConfig::default().filter, LogConfig::default().format));
    }

    fn toml_log(text: &str) -> LogConfig {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kms-core.toml");
        fs::write(&path, text).unwrap();
        Config::read(&path).unwrap().log
    }

    #[test]
    fn the_template_shows_every_field() {
        // An unknown field makes the parser list the known ones.
        let sections = ["tls", "vault", "limits", "log"];
        for section in [""].iter().chain(&sections) {
            let name = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
            let message = refused(&(name + "unknown = 1\n"));
            let (_, known) =
                message.split_once("expected one of ").or(message.split_once("expected ")).unwrap();
            for field in known.split('`').skip(1).step_by(2).filter(|field| !sections.contains(field)) {
                assert!(
                    TEMPLATE.contains(&format!("\n{field} = "))
                        || TEMPLATE.contains(&format!("\n# {field} = ")),
                    "{section}.{field} is not in the template"
                );
            }
        }
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let message = refused(&TEMPLATE.replace("stop_seconds", "stop_minutes"));
        assert!(message.contains("limits.stop_minutes") && message.contains("kms-core.toml"), "{message}");
    }

    fn with_tls(section: &str, listen: &str) -> Result<Settings, SettingsError> {
        let (before, rest) = TEMPLATE.split_once("[tls]").unwrap();
        let (_, after) = rest.split_once("[vault]").unwrap();
        let before = before.replace("127.0.0.1:50051", listen);
        read(&format!("{before}[tls]\n{section}\n[vault]{after}"), NETWORK_TEMPLATE)
    }

    #[test]
    fn plain_text_is_for_loopback_and_only_when_asked_for() {
        let plain = with_tls("plaintext = true", "127.0.0.1:50051").unwrap();
        assert_eq!(plain.transport, Transport::Plaintext);
        for address in ["0.0.0.0:50051", "192.168.1.1:50051", "[::]:50051"] {
            let error = with_tls("plaintext = true", address).unwrap_err();
            assert!(
                error.code() == "plaintext_reachable" && error.to_string().contains("loopback"),
                "{error}"
            );
        }
        for section in ["", "certificate = \"a.pem\"", "certificate = \"a.pem\"\nkey = \"a.key\""] {
            assert_eq!(
                with_tls(section, "127.0.0.1:50051").unwrap_err().code(),
                "no_certificates",
                "{section}"
            );
        }
        let both = with_tls("certificate = \"a.pem\"\nplaintext = true", "127.0.0.1:50051");
        assert_eq!(both.unwrap_err().code(), "plaintext_with_certificates");
    }

    #[test]
    fn with_certificates_the_core_may_listen_anywhere() {
        let settings = read(&TEMPLATE.replace("127.0.0.1:50051", "0.0.0.0:50051"), NETWORK_TEMPLATE).unwrap();
        let Transport::Tls(files) = settings.transport else { panic!("plain text") };
        assert!(files.key.is_absolute() && files.key.ends_with("certs/core.key"));
        let message = refused(&TEMPLATE.replace("127.0.0.1:50051\"\n", "localhost\"\n"));
        assert!(message.contains("field listen"), "{message}");
    }

    #[test]
    fn a_vault_has_one_way_to_be_opened() {
        let pkcs11 = "pkcs11 = { module = \"m.so\", token = \"t\", pin_file = \"pin\", key = \"k\" }";
        let line = "passphrase_file = \"passphrase\"";
        for (changed, code) in [("", "no_keeper"), (&format!("{line}\n{pkcs11}"), "no_keeper")] {
            let error = read(&TEMPLATE.replace(line, changed), NETWORK_TEMPLATE).unwrap_err();
            assert_eq!(error.code(), code);
        }
        let settings = read(&TEMPLATE.replace(line, pkcs11), NETWORK_TEMPLATE).unwrap();
        let Keeper::Pkcs11(pkcs11) = settings.vault.keeper else { panic!("a passphrase") };
        assert!(pkcs11.pin_file.is_absolute());
        assert!(settings.vault.url.path().ends_with("/core-data/vault/"), "{}", settings.vault.url);
    }

    #[test]
    fn a_party_or_epoch_that_cannot_be_is_refused() {
        for (from, to, field) in [
            ("party = 1", "party = 0", "party"),
            ("party = 1", "party = 32", "party"),
            ("epoch = 1", "epoch = 0", "epoch"),
        ] {
            let message = refused(&TEMPLATE.replace(from, to));
            assert!(message.contains(&format!("field {field}")), "{message}");
        }
    }

    #[test]
    fn a_network_without_its_contract_is_refused_with_what_to_do() {
        let error =
            read(TEMPLATE, &NETWORK_TEMPLATE.replace("contract = \"wasm1contract\"\n", "")).unwrap_err();
        assert_eq!(error.code(), "no_contract");
        assert!(
            error.to_string().contains("network.toml") && error.to_string().contains("deploy"),
            "{error}"
        );
    }
}
