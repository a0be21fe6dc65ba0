//! Configuration: file, then environment, then flags. Nothing is guessed when a file cannot be read.

use std::{
    env,
    path::{Path, PathBuf},
};

use kms_config::Network;
use serde::Deserialize;

use crate::{
    args::GlobalArgs,
    error::{Error, Result},
};

/// The configuration file. Paths are relative to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The description of the network.
    network: Option<PathBuf>,
    /// The key file of the account that pays and owns.
    wallet: Option<PathBuf>,
    /// The folder in which published keys are kept.
    cache: Option<PathBuf>,
}

/// What all sources together say.
#[derive(Clone, Debug)]
pub struct Settings {
    pub network: Network,
    wallet: Option<PathBuf>,
    cache: PathBuf,
}

impl Settings {
    /// Reads the configuration. The environment is already in `args`.
    pub fn load(args: &GlobalArgs) -> Result<Self> {
        let file = read_file(args)?;
        let network = args.network.clone().or(file.network).ok_or(Error::NotConfigured {
            what: "the network",
            flag: "--network",
            variable: "KMS_NETWORK",
            field: "network",
        })?;
        Ok(Self {
            network: kms_config::load(network)?,
            wallet: args.wallet.clone().or(file.wallet),
            cache: args.cache.clone().or(file.cache).unwrap_or_else(default_cache),
        })
    }

    /// The key file of the account that pays and owns.
    pub fn wallet(&self) -> Result<&Path> {
        self.wallet.as_deref().ok_or(Error::NotConfigured {
            what: "a wallet",
            flag: "--wallet",
            variable: "KMS_WALLET",
            field: "wallet",
        })
    }

    /// The folder in which published keys are kept.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The contract's address.
    pub fn contract(&self) -> Result<&str> {
        self.network.contract.as_deref().ok_or(Error::NoContract)
    }

    /// What account addresses of this chain begin with.
    pub fn address_prefix(&self) -> &str {
        let prefix = self.network.contract.as_deref().and_then(|address| address.rsplit_once('1'));
        prefix.map_or(DEFAULT_PREFIX, |(prefix, _)| prefix)
    }
}

/// What addresses begin with on a chain of `wasmd`.
pub const DEFAULT_PREFIX: &str = "wasm";

fn read_file(args: &GlobalArgs) -> Result<File> {
    let default = default_file();
    let path = match &args.config {
        Some(path) => path,
        None if default.exists() => &default,
        None if args.network.is_some() => return Ok(File::default()),
        None => return Err(Error::NoConfig { looked_for: default }),
    };
    let file: File = kms_config::load(path)?;
    let relative = |given: Option<PathBuf>| given.map(|given| kms_config::relative_to(path, &given));
    Ok(File { network: relative(file.network), wallet: relative(file.wallet), cache: relative(file.cache) })
}

fn default_file() -> PathBuf {
    home("XDG_CONFIG_HOME", ".config").join("kms/kms.toml")
}

fn default_cache() -> PathBuf {
    home("XDG_CACHE_HOME", ".cache").join("kms")
}

/// The folder that a variable names, else one in the user's home.
fn home(variable: &str, otherwise: &str) -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set(variable).unwrap_or_else(|| set("HOME").unwrap_or_default().join(otherwise))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use kms_config::NETWORK_TEMPLATE;

    use super::*;

    fn folder(kms: &str) -> (tempfile::TempDir, GlobalArgs) {
        let folder = tempfile::tempdir().unwrap();
        let network = NETWORK_TEMPLATE.replace("wasm1contract", "kms1qqqq");
        fs::write(folder.path().join("network.toml"), network).unwrap();
        fs::write(folder.path().join("kms.toml"), kms).unwrap();
        let args = GlobalArgs { config: Some(folder.path().join("kms.toml")), ..GlobalArgs::default() };
        (folder, args)
    }

    #[test]
    fn paths_in_the_file_are_relative_to_it() {
        let (folder, args) =
            folder("network = \"network.toml\"\nwallet = \"alice.key\"\ncache = \"cache\"\n");
        let settings = Settings::load(&args).unwrap();
        assert_eq!(settings.wallet().unwrap(), folder.path().join("alice.key"));
        assert_eq!(settings.cache(), folder.path().join("cache"));
        assert_eq!(settings.contract().unwrap(), "kms1qqqq");
        assert_eq!(settings.address_prefix(), "kms");
    }

    #[test]
    fn flags_win_over_the_file() {
        let (folder, mut args) = folder("network = \"absent.toml\"\nwallet = \"alice.key\"\n");
        args.network = Some(folder.path().join("network.toml"));
        args.wallet = Some("bob.key".into());
        let settings = Settings::load(&args).unwrap();
        assert_eq!(settings.wallet().unwrap(), Path::new("bob.key"));
    }

    #[test]
    fn an_unknown_field_is_refused_and_named() {
        let (_folder, args) = folder("network = \"network.toml\"\nwalet = \"alice.key\"\n");
        let error = Settings::load(&args).unwrap_err();
        assert!(error.to_string().contains("walet"), "{error}");
        assert_eq!((error.exit().number(), error.code()), (2, "config_invalid"));
    }

    #[test]
    fn a_named_file_that_is_missing_is_an_error_and_never_a_default() {
        let (folder, mut args) = folder("");
        args.network = Some(folder.path().join("network.toml"));
        args.config = Some(folder.path().join("absent.toml"));
        assert_eq!(Settings::load(&args).unwrap_err().code(), "config_unreadable");
    }

    #[test]
    fn what_is_not_configured_is_asked_for_by_name() {
        let (_folder, args) = folder("network = \"network.toml\"\n");
        let error = Settings::load(&args).unwrap().wallet().unwrap_err();
        assert!(error.to_string().contains("--wallet") && error.to_string().contains("KMS_WALLET"));
        assert_eq!(error.exit().number(), 2);
    }
}
