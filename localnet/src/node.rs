//! The chain's node: one validator, whose home is made and configured here.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use kms_config::Network;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{Layout, governance, supervisor::Launch};

/// The node's name as a process.
pub(crate) const NAME: &str = "chain";
/// The validator's key, in the keyring of the node's home.
pub(crate) const VALIDATOR: &str = "validator";
/// The keyring is files without a password: whoever has the home has the key.
pub(crate) const KEYRING: [&str; 2] = ["--keyring-backend", "test"];
/// What the validator owns and what it stakes, in the smallest unit.
const VALIDATOR_COINS: u64 = 1_000_000_000_000;
const VALIDATOR_STAKE: u64 = 500_000_000_000;

/// The node's executable and the home it works in.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    program: PathBuf,
    home: PathBuf,
}

/// What a chain's first block holds.
#[derive(Clone, Debug)]
pub(crate) struct Genesis<'a> {
    pub(crate) network: &'a Network,
    /// Most gas of all transactions of a block together.
    pub(crate) block_max_gas: u64,
    /// Accounts with what they own, in the smallest unit.
    pub(crate) accounts: Vec<(String, u64)>,
}

impl Node {
    pub(crate) fn new(program: PathBuf, layout: &Layout) -> Self {
        Self { program, home: layout.chain() }
    }

    /// Makes the home of a new chain: fresh keys, and a first block.
    pub(crate) async fn create(&self, genesis: &Genesis<'_>) -> Result<()> {
        let Network { chain_id, denom, .. } = genesis.network;
        self.run(&["init", NAME, "--chain-id", chain_id, "--default-denom", denom]).await?;
        // The validator's key stays in the home; without a backup, so that no mnemonic is ever written.
        self.run(&[&["keys", "add", VALIDATOR, "--no-backup"][..], &KEYRING].concat()).await?;
        self.edit_genesis(genesis.block_max_gas)?;
        self.add_accounts(genesis, &self.validator().await?).await?;
        let stake = format!("{VALIDATOR_STAKE}{denom}");
        let stake = ["genesis", "gentx", VALIDATOR, &stake, "--chain-id", chain_id];
        self.run(&[&stake[..], &KEYRING].concat()).await?;
        self.run(&["genesis", "collect-gentxs"]).await?;
        self.run(&["genesis", "validate"]).await?;
        Ok(())
    }

    /// Writes the node's own settings: where it listens, how fast it goes, what it charges.
    pub(crate) fn configure(
        &self,
        network: &Network,
        block_time: Duration,
        query_max_gas: u64,
    ) -> Result<()> {
        let rpc = network.rpc_url.port().context("the network's rpc_url has no port")?;
        edit_toml(
            &self.file("config.toml"),
            &[
                // The log has every block in it otherwise.
                ("log_level", "warn".into()),
                ("rpc.laddr", format!("tcp://127.0.0.1:{rpc}").into()),
                ("rpc.pprof_laddr", "".into()),
                // It has no peers. Any port will do, and it cannot do without.
                ("p2p.laddr", "tcp://127.0.0.1:0".into()),
                ("p2p.pex", false.into()),
                ("consensus.timeout_commit", format!("{}ms", block_time.as_millis()).into()),
            ],
        )?;
        edit_toml(
            &self.file("app.toml"),
            &[
                ("minimum-gas-prices", network.gas_price_coin().into()),
                ("api.enable", false.into()),
                // Nobody calls it, but the node simulates transactions only where it is on.
                ("grpc.enable", true.into()),
                ("grpc.address", "127.0.0.1:0".into()),
                ("grpc-web.enable", false.into()),
                ("wasm.query_gas_limit", i64::try_from(query_max_gas)?.into()),
            ],
        )
    }

    /// How to start it.
    pub(crate) fn launch(&self) -> Launch {
        Launch {
            name: NAME.to_owned(),
            program: self.program.clone(),
            arguments: vec!["start".into(), "--home".into(), self.home.clone().into()],
            environment: Vec::new(),
        }
    }

    /// Exports the state of a stopped node, changes it, and makes it what the node starts from, at the next height.
    pub(crate) async fn rewrite_state(&self, change: impl FnOnce(&mut Value) -> Result<()>) -> Result<()> {
        let exported = self.file("exported.json");
        self.run(&["export", "--output-document", text(&exported)?]).await?;
        self.run(&["comet", "unsafe-reset-all"]).await?;
        edit_json(&exported, change)?;
        let genesis = self.genesis_file();
        fs::rename(&exported, &genesis).with_context(|| format!("cannot replace {}", genesis.display()))
    }

    fn edit_genesis(&self, block_max_gas: u64) -> Result<()> {
        edit_json(&self.genesis_file(), |genesis| {
            let max_gas = genesis
                .pointer_mut("/consensus/params/block/max_gas")
                .context("the genesis file has no consensus.params.block.max_gas")?;
            *max_gas = block_max_gas.to_string().into();
            governance::hasten(genesis)
        })
    }

    /// The validator's address.
    pub(crate) async fn validator(&self) -> Result<String> {
        let address = self.run(&[&["keys", "show", VALIDATOR, "--address"][..], &KEYRING].concat()).await?;
        Ok(address.trim().to_owned())
    }

    /// A file of the node's configuration.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.home.join("config").join(name)
    }

    fn genesis_file(&self) -> PathBuf {
        self.file("genesis.json")
    }

    async fn add_accounts(&self, genesis: &Genesis<'_>, validator: &str) -> Result<()> {
        let denom = &genesis.network.denom;
        let validator = (validator.to_owned(), VALIDATOR_COINS);
        let accounts: Vec<Value> = genesis
            .accounts
            .iter()
            .chain([&validator])
            .map(|(address, amount)| {
                json!({"address": address, "coins": [{"denom": denom, "amount": amount.to_string()}]})
            })
            .collect();
        let path = self.file("accounts.json");
        kms_config::write_whole_file(&path, &serde_json::to_vec_pretty(&accounts)?)?;
        self.run(&["genesis", "bulk-add-genesis-account", text(&path)?]).await?;
        Ok(())
    }

    /// Runs one of the node's commands to its end, and returns what it wrote to stdout.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.program)
            .args(arguments)
            .arg("--home")
            .arg(&self.home)
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("wasmd {} failed with {}: {}", arguments.join(" "), output.status, said.trim());
        }
        String::from_utf8(output.stdout).context("the node wrote something that is not text")
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> Result<&str> {
    path.to_str().context("the stack's folder has a name that is not UTF-8")
}

/// Changes a JSON file.
fn edit_json(path: &Path, change: impl FnOnce(&mut Value) -> Result<()>) -> Result<()> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut document: Value =
        serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    change(&mut document)?;
    Ok(kms_config::write_whole_file(path, &serde_json::to_vec_pretty(&document)?)?)
}

/// Changes values of a TOML file; each is named by its path and must be there already.
fn edit_toml(path: &Path, changes: &[(&str, toml::Value)]) -> Result<()> {
    let mut document: toml::Table = kms_config::load(path)?;
    for (name, value) in changes {
        let (folder, key) = name.rsplit_once('.').map_or((None, *name), |(folder, key)| (Some(folder), key));
        let table = match folder {
            Some(folder) => document.get_mut(folder).and_then(toml::Value::as_table_mut),
            None => Some(&mut document),
        };
        let slot = table.and_then(|table| table.get_mut(key));
        let slot = slot.with_context(|| format!("{} has no setting {name}", path.display()))?;
        *slot = value.clone();
    }
    Ok(kms_config::write_whole_file(path, toml::to_string(&document)?.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_the_node_does_not_have_is_an_error_and_not_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "level = \"info\"\n[rpc]\nport = 1\n").unwrap();
        let changes = [("level", "warn".into()), ("rpc.port", toml::Value::Integer(2))];
        edit_toml(&path, &changes).unwrap();
        let changed = fs::read_to_string(&path).unwrap();
        assert_eq!(changed, "level = \"warn\"\n\n[rpc]\nport = 2\n");
        for unknown in ["speed", "rpc.speed", "p2p.port"] {
            let error = edit_toml(&path, &[(unknown, true.into())]).unwrap_err();
            assert!(error.to_string().contains(unknown), "{error}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), changed);
    }
}
