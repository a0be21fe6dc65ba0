//! `kms admin`.

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand};
use kms_asc_api::{Config, Digest, Eip712Domain, Epoch, EpochId, EvmAddress, ExecuteMsg, Governance, KeyId};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    act::act,
    context::Context,
    error::{Error, Result},
    output::{Report, clock, fields},
};

const EXAMPLES: &str = "\
The admin sets parameters, operators and domains, pauses new requests, and announces new code, which cannot run before
the delay is over. The admin can touch neither escrow nor credit, nor the log, nor stop refunds.

Examples:
  kms admin show
  kms admin pause
  kms admin revoke-epoch 1";

/// Govern the contract
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Admin {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Show who governs, and what is announced
    #[command(after_help = "Example:\n  kms admin show")]
    Show,
    /// Show the parameters. Their JSON is what `kms admin set-config` takes
    #[command(after_help = "Example:\n  kms admin config --output json")]
    Config,
    #[command(flatten)]
    Govern(Govern),
}

#[derive(Debug, Subcommand)]
enum Govern {
    /// Replace the parameters
    #[command(after_help = "Example:\n  kms admin set-config config.json")]
    SetConfig {
        /// All parameters, as JSON
        file: PathBuf,
    },
    /// Put the next set of operators in office
    #[command(after_help = "Example:\n  kms admin set-epoch epoch.json")]
    SetEpoch {
        /// The epoch, as JSON
        file: PathBuf,
    },
    /// Revoke an epoch: its answers are late from then on, and anybody may close its requests
    #[command(after_help = "Example:\n  kms admin revoke-epoch 1")]
    RevokeEpoch {
        /// The epoch
        #[arg(value_name = "ID")]
        id: EpochId,
    },
    /// Give an EIP-712 domain to a key, for good
    #[command(after_help = "Example:\n  kms admin register-domain 1 --name Decryption --chain-id 9000 \
        --verifying-contract 0x1111111111111111111111111111111111111111")]
    RegisterDomain(RegisterDomain),
    /// Stop new requests, and nothing else
    #[command(after_help = "Example:\n  kms admin pause")]
    Pause,
    /// Take new requests again
    #[command(after_help = "Example:\n  kms admin unpause")]
    Unpause,
    /// Pay out of the treasury
    #[command(after_help = "Example:\n  kms admin withdraw-treasury 1000000")]
    WithdrawTreasury {
        /// How much, in the smallest unit
        amount: u128,
        /// To whom [default: the admin]
        #[arg(long, value_name = "ADDRESS")]
        to: Option<String>,
    },
    /// Pay out what was sent to the contract by no request
    #[command(after_help = "Example:\n  kms admin sweep-surplus ukms")]
    SweepSurplus {
        /// Of this denomination
        denom: String,
        /// To whom [default: the admin]
        #[arg(long, value_name = "ADDRESS")]
        to: Option<String>,
    },
    /// Announce new code
    #[command(after_help = "Example:\n  kms admin schedule-migration 2 \
        0x1111111111111111111111111111111111111111111111111111111111111111")]
    ScheduleMigration {
        /// Id of the code on the chain
        code_id: u64,
        /// SHA-256 of the code
        checksum: Digest,
    },
    /// Run the announced code, once the delay is over
    #[command(after_help = "Example:\n  kms admin migrate-now")]
    MigrateNow,
    /// Offer the office to somebody
    #[command(after_help = "Example:\n  kms admin propose wasm1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc547at0h")]
    Propose {
        /// To whom
        #[arg(value_name = "ADDRESS")]
        admin: String,
    },
    /// Take the office that was offered to you
    #[command(after_help = "Example:\n  kms admin accept")]
    Accept,
}

#[derive(Debug, Args)]
struct RegisterDomain {
    /// The key
    #[arg(value_name = "ID")]
    key_id: KeyId,
    /// For example Decryption
    #[arg(long)]
    name: String,
    /// Version of the domain
    #[arg(long = "domain-version", value_name = "VERSION", default_value = "1")]
    version: String,
    /// Chain on which the answers are checked
    #[arg(long)]
    chain_id: u64,
    /// Contract there that checks them
    #[arg(long, value_name = "ADDRESS")]
    verifying_contract: EvmAddress,
    /// Salt, where the domain has one
    #[arg(long)]
    salt: Option<Digest>,
}

impl Admin {
    pub async fn run(self, context: &Context) -> Result<()> {
        let ledger = context.ledger().await?;
        match self.command {
            AdminCommand::Show => context.show(&GovernanceReport(ledger.governance().await?)),
            AdminCommand::Config => context.show(&ConfigReport(ledger.config().await?)),
            AdminCommand::Govern(govern) => {
                let (doing, message) = govern.message()?;
                act(context, &ledger, doing, &message).await
            }
        }
    }
}

impl Govern {
    fn message(self) -> Result<(&'static str, ExecuteMsg)> {
        Ok(match self {
            Self::SetConfig { file } => {
                let config: Config = read_json(&file)?;
                ("setting parameters", ExecuteMsg::UpdateConfig { config: Box::new(config) })
            }
            Self::SetEpoch { file } => {
                let epoch: Epoch = read_json(&file)?;
                ("setting operators", ExecuteMsg::SetEpoch { epoch: Box::new(epoch) })
            }
            Self::RevokeEpoch { id } => ("revoking an epoch", ExecuteMsg::RevokeEpoch { epoch: id }),
            Self::RegisterDomain(args) => {
                let RegisterDomain { key_id, name, version, chain_id, verifying_contract, salt } = args;
                let domain = Eip712Domain { name, version, chain_id, verifying_contract, salt };
                ("registering a domain", ExecuteMsg::RegisterDomain { key_id, domain })
            }
            Self::Pause => ("pausing", ExecuteMsg::Pause {}),
            Self::Unpause => ("unpausing", ExecuteMsg::Unpause {}),
            Self::WithdrawTreasury { amount, to } => {
                ("paying out", ExecuteMsg::WithdrawTreasury { to, amount: amount.into() })
            }
            Self::SweepSurplus { denom, to } => ("paying out", ExecuteMsg::SweepSurplus { denom, to }),
            Self::ScheduleMigration { code_id, checksum } => {
                ("announcing new code", ExecuteMsg::ScheduleMigration { code_id, checksum })
            }
            Self::MigrateNow => ("migrating", ExecuteMsg::MigrateNow {}),
            Self::Propose { admin } => ("offering the office", ExecuteMsg::ProposeAdmin { admin }),
            Self::Accept => ("taking the office", ExecuteMsg::AcceptAdmin {}),
        })
    }
}

/// Reads a file of JSON; the error names the file and the place in it.
fn read_json<T: DeserializeOwned>(file: &PathBuf) -> Result<T> {
    let doing = format!("read {}", file.display());
    let text = fs::read_to_string(file).map_err(|source| Error::Io { doing, source })?;
    serde_json::from_str(&text).map_err(|error| Error::Usage(format!("{}: {error}", file.display())))
}

#[derive(Serialize)]
#[serde(transparent)]
struct GovernanceReport(Governance);

impl Report for GovernanceReport {
    fn text(&self) -> String {
        let Governance { admin, proposed_admin, paused, migration } = &self.0;
        let migration = migration.map(|migration| {
            format!("code {} {}\nfrom {}", migration.code_id, migration.checksum, clock(migration.not_before))
        });
        fields([
            ("admin", admin.clone()),
            ("offered to", proposed_admin.clone().unwrap_or_default()),
            ("paused", if *paused { "yes" } else { "no" }.to_owned()),
            ("announced", migration.unwrap_or_else(|| "nothing".to_owned())),
        ])
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct ConfigReport(Config);

impl Report for ConfigReport {
    /// The parameters are a tree: JSON, indented, is what people can read and edit.
    fn text(&self) -> String {
        serde_json::to_string_pretty(&self.0).unwrap_or_default()
    }
}
