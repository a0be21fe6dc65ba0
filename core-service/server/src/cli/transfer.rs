//! Copies of keys from core to core.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use kms_asc_api::Digest;
use kms_core_engine::crs_digest;

use crate::{
    Config, Strongbox, Transport,
    custody::{Own, export, stage},
    vault::{Staged, StagedCrs},
};

/// A key to seal for another core.
#[derive(Clone, Debug, Args)]
pub(super) struct Export {
    /// The copy's file, which must not exist.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The key.
    #[arg(long, value_name = "ID")]
    key: u64,
    /// The other core's certificate, which you have from its operator himself.
    #[arg(long, value_name = "CERTIFICATE")]
    to: PathBuf,
    #[command(flatten)]
    own: OwnKey,
}

/// A copy to hold for a request.
#[derive(Clone, Debug, Args)]
pub(super) struct Stage {
    /// The copy's file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The certificate of the core that sealed it, which you have from its operator himself.
    #[arg(long, value_name = "CERTIFICATE")]
    from: PathBuf,
    /// The address whose request may make a key of it.
    #[arg(long, value_name = "ADDRESS")]
    owner: String,
    /// That request.
    #[arg(long, value_name = "ID")]
    request: u64,
    #[command(flatten)]
    own: OwnKey,
}

/// A common reference string to hold for a request.
#[derive(Clone, Debug, Args)]
pub(super) struct StageCrs {
    /// The string's file, as it is in the store of public material.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Bits of a list that it proves, at most, as in its record.
    #[arg(long, value_name = "BITS")]
    max_bits: u32,
    /// The address whose request may make a CRS of it.
    #[arg(long, value_name = "ADDRESS")]
    owner: String,
    /// That request.
    #[arg(long, value_name = "ID")]
    request: u64,
}

#[derive(Clone, Debug, Args)]
struct OwnKey {
    /// The key of this core's certificate, if it is not that of [tls].
    #[arg(long = "own-key", value_name = "FILE")]
    file: Option<PathBuf>,
}

impl OwnKey {
    fn read(&self, config: &Config) -> anyhow::Result<Own> {
        let configured = || match config.transport()? {
            Transport::Tls(files) => Ok(files.key),
            Transport::Plaintext => Err(anyhow::anyhow!("[tls] names no key: give one with --own-key")),
        };
        Ok(Own::read(&self.file.clone().map_or_else(configured, Ok)?)?)
    }
}

impl Export {
    pub(super) fn run(&self, config: &Config) -> anyhow::Result<()> {
        let strongbox = Strongbox::open(&config.vault()?)?;
        let own = self.own.read(config)?;
        let recipient = export(&strongbox, self.key, &own, &self.to, &self.file)?;
        eprintln!(
            "key {} is sealed in {} for the certificate whose key has SHA-256 {recipient}",
            self.key,
            self.file.display()
        );
        Ok(())
    }
}

impl Stage {
    pub(super) fn run(&self, config: &Config) -> anyhow::Result<()> {
        let strongbox = Strongbox::open(&config.vault()?)?;
        let own = self.own.read(config)?;
        let copied = stage(&strongbox, &self.file, &own, &self.from, &self.owner, self.request)
            .with_context(|| format!("nothing is staged for request {}", self.request))?;
        eprintln!(
            "key {} of contract {} on {} waits for request {} of {}",
            copied.key_id, copied.contract, copied.chain_id, self.request, self.owner
        );
        Ok(())
    }
}

impl StageCrs {
    pub(super) fn run(&self, config: &Config) -> anyhow::Result<()> {
        let bytes =
            std::fs::read(&self.file).with_context(|| format!("cannot read {}", self.file.display()))?;
        let crs = StagedCrs { max_bits: self.max_bits, digest: Digest::new(crs_digest(&bytes)) };
        let digest = crs.digest;
        let strongbox = Strongbox::open(&config.vault()?)?;
        strongbox.stage(&self.owner, self.request, &Staged::Crs { crs, bytes })?;
        eprintln!("CRS {digest} waits for request {} of {}", self.request, self.owner);
        Ok(())
    }
}
