//! `kms epoch`.

use clap::{Args, Subcommand};
use kms_asc_api::{Digest, Epoch as EpochRecord, EpochId, EpochMode};
use serde::Serialize;

use crate::{
    context::Context,
    error::Result,
    output::{Report, clock, counted, fields, table},
};

const EXAMPLES: &str = "\
The admin puts operators in office and revokes them: `kms admin`.

Examples:
  kms epoch list
  kms epoch show
  kms epoch show 1 --output json";

/// Show who operates: sets of operators, and how many of them decide
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Epoch {
    #[command(subcommand)]
    command: EpochCommand,
}

#[derive(Debug, Subcommand)]
enum EpochCommand {
    /// List all epochs
    #[command(after_help = "Example:\n  kms epoch list")]
    List,
    /// Show one epoch, and what a core's file says of it. Its JSON is what `kms admin set-epoch` takes
    #[command(after_help = "Example:\n  kms epoch show 1 --output json")]
    Show {
        /// The epoch [default: the newest]
        #[arg(value_name = "ID")]
        id: Option<EpochId>,
    },
}

impl Epoch {
    pub async fn run(self, context: &Context) -> Result<()> {
        let ledger = context.ledger().await?;
        match self.command {
            EpochCommand::List => context.show(&Epochs { epochs: ledger.epochs().await? }),
            EpochCommand::Show { id } => {
                let epoch = match id {
                    Some(id) => ledger.epoch(id).await?,
                    None => ledger.newest_epoch().await?,
                };
                let record = ledger.epoch_record(epoch.id).await?;
                context.show(&OneEpoch { epoch, record })
            }
        }
    }
}

const fn mode(mode: EpochMode) -> &'static str {
    match mode {
        EpochMode::Centralized => "centralized",
        EpochMode::Replicated => "replicated",
        EpochMode::Threshold => "threshold",
    }
}

fn standing(epoch: &EpochRecord) -> String {
    epoch.revoked_at.map_or_else(|| "in office".to_owned(), |at| format!("revoked {}", clock(at)))
}

/// The record alone is its JSON.
#[derive(Serialize)]
#[serde(transparent)]
struct OneEpoch {
    epoch: EpochRecord,
    /// SHA-256 of its stored bytes.
    #[serde(skip)]
    record: Digest,
}

impl Report for OneEpoch {
    fn text(&self) -> String {
        let epoch = &self.epoch;
        let party = |party: &kms_asc_api::Party| {
            format!("{} {}, signer {}, paid to {}", party.party, party.name, party.signer, party.payout)
        };
        fields([
            ("epoch", epoch.id.to_string()),
            ("standing", standing(epoch)),
            ("mode", mode(epoch.mode).to_owned()),
            ("faulty", epoch.faulty.to_string()),
            ("majority", epoch.majority.to_string()),
            ("reconstruction", epoch.reconstruction.to_string()),
            ("record", hex::encode(self.record.as_bytes())),
            ("parties", epoch.parties.iter().map(party).collect::<Vec<_>>().join("\n")),
        ])
    }
}

#[derive(Serialize)]
struct Epochs {
    epochs: Vec<EpochRecord>,
}

impl Report for Epochs {
    fn text(&self) -> String {
        let row = |epoch: &EpochRecord| {
            let parties = counted(epoch.parties.len(), "operator");
            [epoch.id.to_string(), mode(epoch.mode).to_owned(), parties, standing(epoch)]
        };
        let rows: Vec<_> = self.epochs.iter().map(row).collect();
        table(["ID", "MODE", "OPERATORS", "STANDING"], &rows)
    }
}
