//! `kms key`.

mod fetch;
mod grants;
mod manage;
mod report;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kms_asc_api::{Digest, KeyId};

use crate::{context::Context, error::Result};
use manage::{Manage, Origin};
use report::{KeyReport, Keys};

const EXAMPLES: &str = "\
`kms keygen` makes a key. What is done here with a key is its owner's alone to do.

Examples:
  kms key list
  kms key show 1
  kms key fetch 1 --to .
  kms key grant 1 wasm1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc547at0h
  kms key state 1 suspended";

/// Show keys, fetch their published parts, and say who may use them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Key {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// List all keys
    #[command(after_help = "Example:\n  kms key list")]
    List,
    /// Show what the contract has on record for a key
    #[command(after_help = "Example:\n  kms key show 1 --output json")]
    Show {
        /// The key
        #[arg(value_name = "ID")]
        id: KeyId,
    },
    /// Fetch a key's published parts into the cache, and check their digests against the chain
    #[command(after_help = "Examples:\n  kms key fetch 1\n  kms key fetch 1 --to .")]
    Fetch {
        /// The key
        #[arg(value_name = "ID")]
        id: KeyId,
        /// Copy the parts into this folder, as key-ID.server and key-ID.public
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
    /// List to whom a key's owner gave grants
    #[command(after_help = "Example:\n  kms key grants 1")]
    Grants {
        /// The key
        #[arg(value_name = "ID")]
        id: KeyId,
    },
    /// Show the key to which an EIP-712 domain belongs
    #[command(after_help = "Example:\n  kms key domain \
        0x1111111111111111111111111111111111111111111111111111111111111111")]
    Domain {
        /// The domain's separator
        separator: Digest,
    },
    #[command(flatten)]
    Origin(Origin),
    #[command(flatten)]
    Manage(Manage),
}

impl Key {
    pub async fn run(self, context: &Context) -> Result<()> {
        match self.command {
            KeyCommand::List => {
                let keys = context.ledger().await?.keys().await?;
                context.show(&Keys { keys: keys.into_iter().map(KeyReport::from).collect() })
            }
            KeyCommand::Show { id } => context.show(&KeyReport::from(context.ledger().await?.key(id).await?)),
            KeyCommand::Fetch { id, to } => {
                fetch::fetch(context, &context.ledger().await?.key(id).await?, to).await
            }
            KeyCommand::Grants { id } => grants::list(context, id).await,
            KeyCommand::Domain { separator } => {
                let ledger = context.ledger().await?;
                let id = ledger.key_of_domain(separator).await?;
                context.show(&KeyReport::from(ledger.key(id).await?))
            }
            KeyCommand::Origin(origin) => origin.run(context).await,
            KeyCommand::Manage(manage) => manage.run(context).await,
        }
    }
}
