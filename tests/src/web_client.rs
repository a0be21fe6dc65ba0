//! Somebody with a wallet, who uses the TypeScript client: its examples, run by Node.

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result};
use kms_chain::{Coin, Message, TxOptions, Wallet};
use kms_localnet::AccountName;
use serde_json::Value;
use tokio::process::Command;

use crate::{Output, World};

/// What the chain's addresses begin with.
const PREFIX: &str = "wasm";

/// Somebody with a wallet, who uses the TypeScript client.
#[derive(Clone, Debug)]
pub struct WebClient {
    /// The key's file.
    pub wallet: PathBuf,
    /// The key's address.
    pub address: String,
    settings: Vec<(&'static str, String)>,
}

impl WebClient {
    /// Somebody new, with so many coins of the smallest unit.
    ///
    /// # Errors
    /// If the coins cannot be sent.
    pub async fn funded(world: &World, name: &str, coins: u64) -> Result<Self> {
        let file = world.stack.layout().secret(name);
        let wallet = Wallet::generate(PREFIX)?;
        wallet.save_new(&file)?;
        let treasurer = world.stack.account(AccountName::Other)?;
        let coins = [Coin::new(u128::from(coins), world.stack.network().denom.clone())];
        let message = Message::bank_send(treasurer.address(), wallet.address(), &coins)?;
        treasurer.send(&[message], &TxOptions::default()).await?;
        Self::of(world, file)
    }

    /// Whoever has the key in this file.
    ///
    /// # Errors
    /// If the file holds no key.
    pub fn of(world: &World, wallet: PathBuf) -> Result<Self> {
        let address = Wallet::load(&wallet, PREFIX)?.address().to_owned();
        let network = world.stack.network();
        let settings = vec![
            ("KMS_RPC_URL", network.rpc_url.to_string()),
            ("KMS_CONTRACT", world.contract()?.to_owned()),
            ("KMS_GAS_PRICE", network.gas_price_coin()),
        ];
        Ok(Self { wallet, address, settings })
    }

    /// The same person, who pays at most so much for a decryption.
    pub fn paying_at_most(mut self, amount: u128) -> Self {
        self.settings.push(("KMS_AT_MOST", amount.to_string()));
        self
    }

    /// What is on the account.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn balance(&self, world: &World) -> Result<u128> {
        Ok(world.client()?.balance(&self.address, &world.stack.network().denom).await?)
    }

    /// Runs the examples with these arguments.
    ///
    /// # Errors
    /// If they cannot be run at all, or are ended by a signal.
    pub async fn run(&self, arguments: &[&str]) -> Result<Output> {
        let output = Command::new("node")
            .arg(examples())
            .args(arguments)
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .env("KMS_WALLET", &self.wallet)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .context("cannot run node")?;
        Output::of(format!("node main.js {}", arguments.join(" ")), output)
    }

    /// Runs the examples, which must succeed; gives what they print.
    ///
    /// # Errors
    /// With all that they wrote, if they fail or print no JSON.
    pub async fn json(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.run(arguments).await?.expect(0)?.stdout;
        serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))
    }
}

/// What must be there before the TypeScript client can run, a line each.
pub fn missing_for_web_client() -> Vec<String> {
    with_node(&examples(), "build-client.sh")
}

/// What is not there of what judges user decryptions as the public does, a line each.
pub fn missing_for_public_client() -> Vec<String> {
    let modules: PathBuf = [env!("CARGO_MANIFEST_DIR"), "node-tkms/node_modules"].iter().collect();
    with_node(&modules, "build-node-tkms.sh")
}

fn with_node(built: &Path, by: &str) -> Vec<String> {
    let found = |name: &str| {
        env::var_os("PATH")
            .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file()))
    };
    let mut missing = Vec::new();
    if !found("node") {
        missing.push("node is not there: run scripts/setup.sh --with-node".to_owned());
    }
    if !built.exists() {
        missing.push(format!("{} is not there: run scripts/{by}", built.display()));
    }
    missing
}

/// The program that runs the examples.
fn examples() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "clients/typescript/dist/examples/main.js"].iter().collect()
}
