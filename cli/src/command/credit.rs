//! `kms credit`.

use clap::Args;
use serde::Serialize;

use crate::{context::Context, error::Result, output::Report};

const EXAMPLES: &str = "\
Credit is what operators earned, and refunds that the bank refused. `kms withdraw` pays it out.

Examples:
  kms credit
  kms credit wasm1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc547at0h --output json";

/// Show what an address can withdraw from the contract
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Credit {
    /// Whose credit [default: the wallet's]
    address: Option<String>,
}

#[derive(Serialize)]
struct CreditReport {
    address: String,
    amount: String,
    denom: String,
}

impl Report for CreditReport {
    fn text(&self) -> String {
        format!("{}{}", self.amount, self.denom)
    }
}

impl Credit {
    pub async fn run(self, context: &Context) -> Result<()> {
        let address = match self.address {
            Some(address) => address,
            None => context.wallet()?.address().to_owned(),
        };
        let credit = context.ledger().await?.credit(&address).await?;
        context.show(&CreditReport { address, amount: credit.amount.to_string(), denom: credit.denom })
    }
}
