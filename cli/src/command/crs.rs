//! `kms crs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kms_asc_api::{CrsGen, CrsId, CrsRecord, CrsSource, Digest, Operation};
use kms_config::write_whole_file;
use serde::Serialize;

use crate::{
    context::Context,
    error::Result,
    output::{Report, clock, fields},
    published,
    submit::{SubmitArgs, submit_and_show},
};

const EXAMPLES: &str = "\
A reference string proves inputs only under keys whose owner allowed it: `kms key crs`.

Examples:
  kms crs generate --max-bits 2048
  kms crs show 2
  kms crs fetch 2";

/// Have common reference strings for zero-knowledge proofs made, and show them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Crs {
    #[command(subcommand)]
    command: CrsCommand,
}

#[derive(Debug, Subcommand)]
enum CrsCommand {
    /// Have the operators make a string, and pay for it
    #[command(after_help = "Example:\n  kms crs generate --max-bits 2048")]
    Generate {
        /// The largest input that it can prove, in bits
        #[arg(long, value_name = "BITS")]
        max_bits: u32,
        #[command(flatten)]
        submit: SubmitArgs,
    },
    /// Make a string that the operators hold already, staged for this request, a string on record
    #[command(after_help = "Example:\n  kms crs import --max-bits 2048 --digest \
        0x1111111111111111111111111111111111111111111111111111111111111111")]
    Import {
        /// The largest input that it can prove, in bits
        #[arg(long, value_name = "BITS")]
        max_bits: u32,
        /// Digest of the published string
        #[arg(long, value_name = "DIGEST")]
        digest: Digest,
        #[command(flatten)]
        submit: SubmitArgs,
    },
    /// Show what the contract has on record for a string
    #[command(after_help = "Example:\n  kms crs show 2")]
    Show {
        /// The string
        #[arg(value_name = "ID")]
        id: CrsId,
    },
    /// Fetch a string into the cache, and check its digest against the chain
    #[command(after_help = "Examples:\n  kms crs fetch 2\n  kms crs fetch 2 --to .")]
    Fetch {
        /// The string
        #[arg(value_name = "ID")]
        id: CrsId,
        /// Copy the string into this folder, as crs-ID
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
}

impl Crs {
    pub async fn run(self, context: &Context) -> Result<()> {
        let (max_bits, source, submit) = match self.command {
            CrsCommand::Generate { max_bits, submit } => (max_bits, CrsSource::Generate, submit),
            CrsCommand::Import { max_bits, digest, submit } => {
                (max_bits, CrsSource::Import { digest }, submit)
            }
            CrsCommand::Show { id } => {
                return context.show(&CrsReport::from(context.ledger().await?.crs(id).await?));
            }
            CrsCommand::Fetch { id, to } => return fetch(context, id, to).await,
        };
        submit_and_show(context, Operation::CrsGen(CrsGen { max_bits, source }), submit).await
    }
}

/// Fetches a string, checks it, and copies it to `to` if that is given.
async fn fetch(context: &Context, id: CrsId, to: Option<PathBuf>) -> Result<()> {
    let record = context.ledger().await?.crs(id).await?;
    let crs = published::crs(context, &record).await?;
    let path = match to {
        None => crs.path,
        Some(folder) => {
            let path = folder.join(format!("crs-{id}"));
            write_whole_file(&path, &crs.bytes)?;
            path
        }
    };
    let (digest, size) = (crs.digest.to_hex(), crs.bytes.len());
    context.show(&Fetched { id, digest, size, path: path.display().to_string() })
}

#[derive(Serialize)]
struct Fetched {
    id: CrsId,
    digest: String,
    size: usize,
    path: String,
}

impl Report for Fetched {
    fn text(&self) -> String {
        self.path.clone()
    }
}

/// A string in JSON: bytes in hex.
#[derive(Serialize)]
struct CrsReport {
    id: CrsId,
    epoch: u32,
    owner: String,
    max_bits: u32,
    imported: bool,
    digest: String,
    height: u64,
    time: u64,
}

impl From<CrsRecord> for CrsReport {
    fn from(crs: CrsRecord) -> Self {
        Self {
            id: crs.id,
            epoch: crs.epoch.get(),
            owner: crs.owner,
            max_bits: crs.max_bits,
            imported: crs.imported,
            digest: crs.digest.to_hex(),
            height: crs.height,
            time: crs.time,
        }
    }
}

impl Report for CrsReport {
    fn text(&self) -> String {
        fields([
            ("string", self.id.to_string()),
            ("bits", self.max_bits.to_string()),
            ("owner", self.owner.clone()),
            ("origin", if self.imported { "imported" } else { "generated" }.to_owned()),
            ("epoch", self.epoch.to_string()),
            ("active since", format!("{}, block {}", clock(self.time), self.height)),
            ("published", self.digest.clone()),
        ])
    }
}
