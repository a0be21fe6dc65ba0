//! `kms key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kms_asc_api::{KeyId, KeyRecord};
use kms_config::write_whole_file;
use serde::Serialize;

use crate::{
    context::Context,
    error::{Error, Result},
    output::{Report, clock, fields, table},
    published::{self, CachedPart},
};

const EXAMPLES: &str = "\
Examples:
  kms key list
  kms key show 1
  kms key fetch 1 --to .";

/// Show keys and fetch their published parts
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
}

impl Key {
    pub async fn run(self, context: &Context) -> Result<()> {
        let ledger = context.ledger().await?;
        match self.command {
            KeyCommand::List => {
                let keys = ledger.keys().await?.into_iter().map(KeyReport::from).collect();
                context.show(&Keys { keys })
            }
            KeyCommand::Show { id } => context.show(&KeyReport::from(ledger.key(id).await?)),
            KeyCommand::Fetch { id, to } => fetch(context, &ledger.key(id).await?, to).await,
        }
    }
}

async fn fetch(context: &Context, key: &KeyRecord, to: Option<PathBuf>) -> Result<()> {
    let mut parts = Vec::new();
    for part in published::parts(context, key).await? {
        let path = match &to {
            None => part.path.clone(),
            Some(folder) => {
                let path = folder.join(format!("key-{}.{}", key.id, part_name(&part)));
                write_whole_file(&path, &part.bytes)?;
                path
            }
        };
        parts.push(FetchedPart {
            part: part_name(&part),
            digest: part.digest.to_hex(),
            size: part.bytes.len(),
            path: path.display().to_string(),
        });
    }
    if parts.is_empty() {
        return Err(Error::NotFound(format!("published part of key {}", key.id)));
    }
    context.show(&Fetched { id: key.id, parts })
}

fn part_name(part: &CachedPart) -> &'static str {
    match part.key_type {
        kms_asc_api::KeyType::Server => "server",
        kms_asc_api::KeyType::Public => "public",
    }
}

/// A key in JSON: bytes in hex.
#[derive(Serialize)]
struct KeyReport {
    id: KeyId,
    state: &'static str,
    epoch: u32,
    owner: String,
    generation: u32,
    params: &'static str,
    imported: bool,
    digests: Vec<DigestReport>,
    domain: DomainReport,
    height: u64,
    time: u64,
}

#[derive(Serialize)]
struct DigestReport {
    part: &'static str,
    digest: String,
}

#[derive(Serialize)]
struct DomainReport {
    name: String,
    version: String,
    chain_id: u64,
    verifying_contract: String,
    separator: String,
}

impl From<KeyRecord> for KeyReport {
    fn from(key: KeyRecord) -> Self {
        let digest = |part: &kms_asc_api::KeyDigest| DigestReport {
            part: match part.key_type {
                kms_asc_api::KeyType::Server => "server",
                kms_asc_api::KeyType::Public => "public",
            },
            digest: part.digest.to_hex(),
        };
        Self {
            id: key.id,
            state: key.state.name(),
            epoch: key.epoch.get(),
            generation: key.generation,
            params: published::params(key.params).name(),
            imported: key.imported,
            digests: key.digests.iter().map(digest).collect(),
            domain: DomainReport {
                separator: key.domain.separator().to_hex(),
                verifying_contract: key.domain.verifying_contract.to_hex(),
                name: key.domain.name,
                version: key.domain.version,
                chain_id: key.domain.chain_id,
            },
            owner: key.owner,
            height: key.height,
            time: key.time,
        }
    }
}

impl Report for KeyReport {
    fn text(&self) -> String {
        let digests = self.digests.iter().map(|part| format!("{} {}", part.part, part.digest));
        let domain = &self.domain;
        fields([
            ("key", self.id.to_string()),
            ("state", self.state.to_owned()),
            ("owner", self.owner.clone()),
            ("parameters", self.params.to_owned()),
            ("origin", if self.imported { "imported" } else { "generated" }.to_owned()),
            ("epoch", self.epoch.to_string()),
            ("active since", format!("{}, block {}", clock(self.time), self.height)),
            ("published", digests.collect::<Vec<_>>().join("\n")),
            (
                "domain",
                format!(
                    "{} {}, chain {}, contract {}",
                    domain.name, domain.version, domain.chain_id, domain.verifying_contract
                ),
            ),
            ("separator", domain.separator.clone()),
        ])
    }
}

#[derive(Serialize)]
struct Keys {
    keys: Vec<KeyReport>,
}

impl Report for Keys {
    fn text(&self) -> String {
        let row = |key: &KeyReport| {
            [
                key.id.to_string(),
                key.state.to_owned(),
                key.params.to_owned(),
                clock(key.time),
                key.owner.clone(),
            ]
        };
        let rows: Vec<_> = self.keys.iter().map(row).collect();
        table(["ID", "STATE", "PARAMETERS", "ACTIVE SINCE", "OWNER"], &rows)
    }
}

#[derive(Serialize)]
struct Fetched {
    id: KeyId,
    parts: Vec<FetchedPart>,
}

#[derive(Serialize)]
struct FetchedPart {
    part: &'static str,
    digest: String,
    size: usize,
    path: String,
}

impl Report for Fetched {
    fn text(&self) -> String {
        self.parts.iter().map(|part| part.path.as_str()).collect::<Vec<_>>().join("\n")
    }
}
