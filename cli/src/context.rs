//! What a command has at hand.

use kms_chain::{Account, AccountConfig, Client, ClientConfig, Wallet};
use kms_store::Store;

use crate::{
    args::GlobalArgs,
    error::Result,
    ledger::Ledger,
    output::{self, Format, Report},
    progress::Progress,
    settings::Settings,
};

/// Configuration and output of one run.
#[derive(Debug)]
pub struct Context {
    pub settings: Settings,
    pub format: Format,
    pub progress: Progress,
}

impl Context {
    /// Reads the configuration; nothing is asked of the network yet.
    pub fn new(args: &GlobalArgs) -> Result<Self> {
        Ok(Self {
            settings: Settings::load(args)?,
            format: args.output,
            progress: Progress::new(args.output),
        })
    }

    /// A client of the network's node.
    pub fn client(&self) -> Result<Client> {
        let url = self.settings.network.rpc_url.as_str().trim_end_matches('/');
        Ok(Client::new(ClientConfig::new(url))?)
    }

    /// The contract, after a look whether the node is on the right chain.
    pub async fn ledger(&self) -> Result<Ledger> {
        let client = self.client()?;
        let network = &self.settings.network;
        let contract = self.settings.contract()?;
        client.expect_chain(&network.chain_id).await?;
        Ok(Ledger::new(client, &network.chain_id, contract, &network.denom))
    }

    /// The wallet's key.
    pub fn wallet(&self) -> Result<Wallet> {
        Ok(Wallet::load(self.settings.wallet()?, self.settings.address_prefix())?)
    }

    /// The account that pays and owns.
    pub fn account(&self, ledger: &Ledger) -> Result<Account> {
        let network = &self.settings.network;
        let config = AccountConfig::new(&network.chain_id, network.gas_price_coin().parse()?);
        Ok(Account::new(ledger.client().clone(), self.wallet()?, config))
    }

    /// The store of ciphertexts and published keys.
    pub fn store(&self) -> Result<Store> {
        Ok(Store::open(&self.settings.network.store_url)?)
    }

    /// Writes a result to stdout.
    pub fn show<R: Report + ?Sized>(&self, report: &R) -> Result<()> {
        output::show(self.format, report)
    }
}
