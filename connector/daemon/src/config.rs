//! The daemon's configuration file.

mod transport;

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use kms_asc_api::{EpochId, PartyId};
use kms_config::{ConfigError, Network};
use kms_core_proto::DEFAULT_MAX_MESSAGE_BYTES;
use serde::Deserialize;

use crate::machine::Operator;

use transport::CoreFile;
pub use transport::{TlsFiles, Transport};

/// The template of the configuration file, with every field explained.
pub const TEMPLATE: &str = include_str!("../kms-connector.example.toml");

/// The configuration file as it is written. Relative paths are relative to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    network: PathBuf,
    data: PathBuf,
    wallet: PathBuf,
    epoch: EpochId,
    party: PartyId,
    #[serde(default)]
    start_height: Option<u64>,
    #[serde(default)]
    admin: Option<SocketAddr>,
    #[serde(default)]
    core: CoreFile,
    #[serde(default)]
    follow: Follow,
    #[serde(default)]
    work: Work,
    #[serde(default)]
    post: Post,
}

/// How the chain is followed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Follow {
    /// Pause between two looks for a new block.
    pub poll_interval: Period,
    /// After how many blocks the inbox is compared with the contract's state.
    pub reconcile_blocks: u64,
    /// After how much time it is compared at the latest, whether blocks are read or not.
    pub reconcile_every: Period,
}

impl Default for Follow {
    fn default() -> Self {
        Self {
            poll_interval: Period::millis(50),
            reconcile_blocks: 100,
            reconcile_every: Period::millis(30_000),
        }
    }
}

/// How the core is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Work {
    /// Requests in work at the same time.
    pub concurrency: usize,
    /// First pause before a request is tried again.
    pub first_pause: Period,
    /// Longest pause before a request is tried again.
    pub longest_pause: Period,
    /// Longest time of one call of the core. Its work goes on after that, and is found by the next call.
    pub call_timeout: Period,
    /// Largest message to and from the core, bytes.
    pub max_message_bytes: usize,
    /// For how long requests share what is proven of one height.
    pub share_proofs: Period,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            concurrency: 8,
            first_pause: Period::millis(200),
            longest_pause: Period::millis(3_000),
            call_timeout: Period::millis(120_000),
            max_message_bytes: DEFAULT_MAX_MESSAGE_BYTES,
            share_proofs: Period::millis(1_000),
        }
    }
}

/// How answers are posted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Post {
    /// Answers in one transaction.
    pub max_items: usize,
    /// Bytes of the answers' JSON in one transaction.
    pub max_bytes: usize,
    /// Gas of one transaction; below the chain's block limit.
    pub max_gas: u64,
    /// Transactions that may be under way at the same time. A second one is begun only when it is full.
    pub in_flight: usize,
    /// How long the first answer waits for company while others are in work.
    pub linger: Period,
    /// For how many blocks a transaction may be included.
    pub timeout_blocks: u64,
    /// Longest pause before posting is tried again.
    pub longest_pause: Period,
}

impl Default for Post {
    fn default() -> Self {
        Self {
            max_items: 64,
            max_bytes: 400_000,
            max_gas: 30_000_000,
            in_flight: 2,
            linger: Period::millis(100),
            timeout_blocks: 25,
            longest_pause: Period::millis(3_000),
        }
    }
}

/// A span of time, written such as `"50ms"` or `"2m"`.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Period(Duration);

impl Period {
    const fn millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// The span.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Period {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let span = humantime::parse_duration(&text)
            .map_err(|error| format!("{text:?} is not a time such as \"50ms\": {error}"))?;
        if span.is_zero() { Err("a time of zero is not allowed".into()) } else { Ok(Self(span)) }
    }
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file cannot be read, or does not say what it should.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A value outside what is allowed.
    #[error("{}, field {field}: {given} given, {allowed} allowed", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The field's path.
        field: &'static str,
        /// The value.
        given: String,
        /// What is allowed, in words.
        allowed: &'static str,
    },
}

impl SettingsError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Value { .. } => "config_invalid",
        }
    }
}

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The network.
    pub network: Network,
    /// The contract's address.
    pub contract: String,
    /// The folder of the daemon's own state.
    pub data: PathBuf,
    /// The file of the secret key that pays for transactions.
    pub wallet: PathBuf,
    /// Whom the daemon serves.
    pub operator: Operator,
    /// First height to follow if there is no cursor; `None`: the newest.
    pub start_height: Option<u64>,
    /// Where health and metrics are served.
    pub admin: Option<SocketAddr>,
    /// How the core is reached.
    pub transport: Transport,
    /// How often the core is shown a header.
    pub headers_every: Duration,
    /// How the chain is followed.
    pub follow: Follow,
    /// How the core is asked.
    pub work: Work,
    /// How answers are posted.
    pub post: Post,
}

impl Settings {
    /// Reads and checks the file and the network's description that it names.
    ///
    /// # Errors
    /// When either cannot be read or says something that is not allowed; nothing falls back to a default.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let file: File = kms_config::load(path)?;
        check(path, &file)?;
        let network_path = kms_config::relative_to(path, &file.network);
        let network: Network = kms_config::load(&network_path)?;
        let missing = || SettingsError::Value {
            path: network_path.clone(),
            field: "contract",
            given: "nothing".into(),
            allowed: "the address of a deployed contract",
        };
        let contract = network.contract.clone().ok_or_else(missing)?;
        let transport = file.core.transport(&network.core_url, path);
        let transport = transport.map_err(|(field, given, allowed)| {
            let path = if field == "core_url" { network_path.clone() } else { path.to_owned() };
            SettingsError::Value { path, field, given, allowed }
        })?;
        Ok(Self {
            network,
            contract,
            data: kms_config::relative_to(path, &file.data),
            wallet: kms_config::relative_to(path, &file.wallet),
            operator: Operator { epoch: file.epoch, party: file.party },
            start_height: file.start_height,
            admin: file.admin,
            transport,
            headers_every: file.core.headers_every().get(),
            follow: file.follow,
            work: file.work,
            post: file.post,
        })
    }
}

fn check(path: &Path, file: &File) -> Result<(), SettingsError> {
    let refuse = |field, given: String, allowed| {
        Err(SettingsError::Value { path: path.to_owned(), field, given, allowed })
    };
    if let Some(admin) = file.admin.filter(|admin| !admin.ip().is_loopback()) {
        return refuse("admin", admin.to_string(), "an address of this machine's loopback");
    }
    if file.epoch.get() == 0 {
        return refuse("epoch", "0".into(), "1 or more");
    }
    if file.party.bit() == 0 {
        return refuse("party", file.party.to_string(), "1 to 31");
    }
    let (follow, work, post) = (&file.follow, &file.work, &file.post);
    let at_least_one = [
        ("follow.reconcile_blocks", follow.reconcile_blocks == 0),
        ("work.concurrency", work.concurrency == 0),
        ("work.max_message_bytes", work.max_message_bytes == 0),
        ("post.max_items", post.max_items == 0),
        ("post.max_gas", post.max_gas == 0),
        ("post.in_flight", post.in_flight == 0),
        ("post.timeout_blocks", post.timeout_blocks == 0),
    ];
    if let Some((field, _)) = at_least_one.into_iter().find(|(_, zero)| *zero) {
        return refuse(field, "0".into(), "1 or more");
    }
    if !(1_000..=700_000).contains(&post.max_bytes) {
        return refuse("post.max_bytes", post.max_bytes.to_string(), "1000 to 700000");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kms_config::NETWORK_TEMPLATE;

    use super::*;

    fn load(connector: &str, network: &str) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("network.toml"), network).unwrap();
        let path = folder.path().join("kms-connector.toml");
        std::fs::write(&path, connector).unwrap();
        Settings::load(&path)
    }

    fn refusal(connector: &str) -> String {
        load(connector, NETWORK_TEMPLATE).unwrap_err().to_string()
    }

    #[test]
    fn the_template_loads_and_its_values_are_the_defaults() {
        let shipped = load(TEMPLATE, NETWORK_TEMPLATE).unwrap();
        let sections = ["\n[follow]", "\n[work]", "\n[post]"];
        let end = sections.iter().filter_map(|section| TEMPLATE.find(section)).min().unwrap();
        let bare = load(&TEMPLATE[..end], NETWORK_TEMPLATE).unwrap();
        let text =
            |settings: &Settings| format!("{:?} {:?} {:?}", settings.follow, settings.work, settings.post);
        assert_eq!(text(&shipped), text(&bare));
        assert_eq!((shipped.operator.epoch, shipped.operator.party), (EpochId(1), PartyId(1)));
        assert!(shipped.data.is_absolute() && shipped.wallet.is_absolute());
    }

    #[test]
    fn an_unknown_field_is_refused_and_named() {
        let message = refusal(&TEMPLATE.replace("concurrency = 8", "concurency = 8"));
        assert!(message.contains("work") && message.contains("concurency"), "{message}");
    }

    #[test]
    fn values_without_sense_are_refused_with_field_and_range() {
        for (from, to, field) in [
            ("party = 1", "party = 32", "party"),
            ("epoch = 1", "epoch = 0", "epoch"),
            ("concurrency = 8", "concurrency = 0", "work.concurrency"),
            ("max_bytes = 400000", "max_bytes = 800000", "post.max_bytes"),
            ("admin = \"127.0.0.1:0\"", "admin = \"0.0.0.0:9\"", "admin"),
            ("poll_interval = \"50ms\"", "poll_interval = \"0s\"", "poll_interval"),
        ] {
            assert!(TEMPLATE.contains(from), "the template has no {from}");
            let message = refusal(&TEMPLATE.replace(from, to));
            assert!(message.contains(field), "{message}");
        }
    }

    #[test]
    fn a_network_without_a_contract_is_refused() {
        let network = NETWORK_TEMPLATE.replace("contract = \"wasm1contract\"\n", "");
        let error = load(TEMPLATE, &network).unwrap_err();
        assert_eq!(error.code(), "config_invalid");
        assert!(error.to_string().contains("contract"), "{error}");
    }
}
