//! A chain for a scenario that would spoil the common ones.

use anyhow::{Context, Result};
use kms_asc_api::{Digest, Epoch, ExecuteMsg, QueryMsg};
use kms_chain::TxOptions;
use kms_localnet::{AccountName, EpochPin, Lifetime, Stack, StackOptions};
use serde::de::DeserializeOwned;
use tempfile::TempDir;

/// A chain of its own with the contract on it; core and connector are not started.
#[derive(Debug)]
pub struct Deployment {
    /// The chain, and what can be started beside it.
    pub stack: Stack,
    _folder: TempDir,
}

impl Deployment {
    /// Starts a chain of this name and deploys the contract. A core will make quick keys on demand.
    ///
    /// # Errors
    /// If anything of that fails.
    pub async fn begin(name: &str) -> Result<Self> {
        let mut options = StackOptions::new(Lifetime::Owned);
        options.test_parameters = true;
        let folder = tempfile::tempdir()?;
        let mut stack = Stack::create(&folder.path().join("stack"), name, options).await?;
        stack.start_chain().await?;
        stack.deploy().await?;
        Ok(Self { stack, _folder: folder })
    }

    /// The contract's address.
    ///
    /// # Errors
    /// Never on what was deployed.
    pub fn contract(&self) -> Result<&str> {
        self.stack.network().contract.as_deref().context("the stack has no contract")
    }

    /// Asks the contract.
    ///
    /// # Errors
    /// If it refuses, or answers something else.
    pub async fn query<R: DeserializeOwned>(&self, query: &QueryMsg) -> Result<R> {
        Ok(self.stack.client()?.smart_query(self.contract()?, query).await?)
    }

    /// Tells the contract something as its admin.
    ///
    /// # Errors
    /// If it refuses.
    pub async fn govern(&self, message: &ExecuteMsg) -> Result<()> {
        let admin = self.stack.account(AccountName::Admin)?;
        admin.execute(self.contract()?, message, &[], &TxOptions::default()).await?;
        Ok(())
    }

    /// The operators at work.
    ///
    /// # Errors
    /// If the contract does not answer.
    pub async fn epoch(&self) -> Result<Epoch> {
        self.query(&QueryMsg::Epoch { id: None }).await
    }

    /// Pins another set of operators for the core, which is party 1 of it; before the core starts.
    ///
    /// # Errors
    /// If the pins cannot be written.
    pub fn agree_to(&self, epoch: &Epoch) -> Result<()> {
        let record = Digest::sha256(&serde_json::to_vec(epoch)?).to_hex();
        let mut pins = self.stack.pins()?;
        let record = record.trim_start_matches("0x").to_owned();
        pins.epochs.push(EpochPin { id: epoch.id.get(), party: 1, record });
        self.stack.pin(&pins)
    }
}
