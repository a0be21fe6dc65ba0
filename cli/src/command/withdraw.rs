//! `kms withdraw`.

use clap::Args;
use kms_asc_api::{ExecuteMsg, log::LogBody};
use kms_chain::TxOptions;
use serde::Serialize;

use crate::{
    context::Context,
    error::{Error, Result},
    history::log_between,
    output::Report,
};

const EXAMPLES: &str = "\
Examples:
  kms withdraw
  kms withdraw --to wasm1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc547at0h";

/// Pay out all credit of the wallet's address
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Withdraw {
    /// Who receives it [default: the wallet's address]
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
}

#[derive(Serialize)]
struct Withdrawal {
    address: String,
    to: String,
    amount: String,
    denom: String,
    tx: String,
    height: u64,
}

impl Report for Withdrawal {
    fn text(&self) -> String {
        let Self { to, amount, denom, tx, height, .. } = self;
        format!("{amount}{denom} paid to {to} in block {height}, tx {tx}")
    }
}

impl Withdraw {
    pub async fn run(self, context: &Context) -> Result<()> {
        let ledger = context.ledger().await?;
        let account = context.account(&ledger)?;
        let step = context.progress.begin("withdrawing");
        let message = ExecuteMsg::Withdraw { to: self.to };
        let outcome = account.execute(ledger.contract(), &message, &[], &TxOptions::default()).await?;
        // What was paid stands in the log: credit may have grown since any question asked before.
        let entries = log_between(&ledger, outcome.height, outcome.height).await?;
        drop(step);
        let withdrawn = entries.into_iter().rev().find_map(|entry| match entry.body {
            LogBody::Withdrawn { address, to, amount } if address == account.address() => {
                Some((address, to, amount))
            }
            _ => None,
        });
        let (address, to, amount) = withdrawn.ok_or_else(|| {
            Error::Unverified(format!("transaction {} succeeded, but the log shows no payment", outcome.hash))
        })?;
        context.show(&Withdrawal {
            address,
            to,
            amount: amount.to_string(),
            denom: ledger.denom().to_owned(),
            tx: outcome.hash.to_string(),
            height: outcome.height,
        })
    }
}
