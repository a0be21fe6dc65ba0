//! `kms wallet`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    args::GlobalArgs,
    context::Context,
    error::Result,
    output::{self, Report, fields},
    settings::DEFAULT_PREFIX,
    user_wallet::ethereum_address,
};

const EXAMPLES: &str = "\
Examples:
  kms wallet new alice.key
  kms wallet show";

/// Make and show wallets
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Wallet {
    #[command(subcommand)]
    command: WalletCommand,
}

#[derive(Debug, Subcommand)]
enum WalletCommand {
    /// Make a wallet: a secret key in a new file of mode 0600. Needs no configuration
    #[command(after_help = "An existing file is never overwritten.\n\nExample:\n  kms wallet new alice.key")]
    New {
        /// The file
        file: PathBuf,
        /// What the chain's addresses begin with
        #[arg(long, value_name = "TEXT", default_value = DEFAULT_PREFIX)]
        prefix: String,
    },
    /// Show the configured wallet's address and balance
    #[command(after_help = "Examples:\n  kms wallet show\n  kms wallet show --wallet alice.key")]
    Show,
}

#[derive(Serialize)]
struct NewWallet {
    address: String,
    ethereum_address: String,
    file: String,
}

impl Report for NewWallet {
    fn text(&self) -> String {
        self.address.clone()
    }
}

#[derive(Serialize)]
struct WalletReport {
    address: String,
    /// Of the same key: what a user decryption calls the user.
    ethereum_address: String,
    public_key: String,
    file: String,
    balance: String,
    credit: String,
    denom: String,
}

impl Report for WalletReport {
    fn text(&self) -> String {
        fields([
            ("address", self.address.clone()),
            ("ethereum", self.ethereum_address.clone()),
            ("public key", self.public_key.clone()),
            ("file", self.file.clone()),
            ("balance", format!("{}{}", self.balance, self.denom)),
            ("credit", format!("{}{}", self.credit, self.denom)),
        ])
    }
}

impl Wallet {
    pub async fn run(self, global: &GlobalArgs) -> Result<()> {
        match self.command {
            WalletCommand::New { file, prefix } => {
                let wallet = kms_chain::Wallet::generate(&prefix)?;
                wallet.save_new(&file)?;
                let report = NewWallet {
                    address: wallet.address().to_owned(),
                    ethereum_address: ethereum_address(&wallet.public_key())?,
                    file: file.display().to_string(),
                };
                output::show(global.output, &report)
            }
            WalletCommand::Show => show(&Context::new(global)?).await,
        }
    }
}

async fn show(context: &Context) -> Result<()> {
    let wallet = context.wallet()?;
    let ledger = context.ledger().await?;
    let balance = ledger.client().balance(wallet.address(), ledger.denom()).await?;
    let credit = ledger.credit(wallet.address()).await?;
    context.show(&WalletReport {
        address: wallet.address().to_owned(),
        ethereum_address: ethereum_address(&wallet.public_key())?,
        public_key: format!("0x{}", hex::encode(wallet.public_key())),
        file: context.settings.wallet()?.display().to_string(),
        balance: balance.to_string(),
        credit: credit.amount.to_string(),
        denom: ledger.denom().to_owned(),
    })
}
