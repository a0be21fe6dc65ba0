//! What a person decides about trust, and what is written down for him. All of it lies in the data folder:
//!
//! ```text
//! trust-decision                     HEIGHT:HASH, written by `kms-core trust`, taken up by the core, which then removes it
//! trust.log                          a line for each decision and each conflict
//! conflicting-headers-HEIGHT-N.json  both light blocks of a conflict
//! ```

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use kms_config::{ConfigError, write_whole_file};
use kms_proofs::LightBlock;

use crate::Anchor;

const DECISION: &str = "trust-decision";
const LOG: &str = "trust.log";

/// Writes down which header a person vouches for. A core that runs takes it up with its next call, one that does not when
/// it starts.
///
/// # Errors
/// If the data folder cannot be written.
pub(crate) fn decide(data_dir: &Path, anchor: Anchor, now: u64) -> Result<(), ConfigError> {
    note(data_dir, now, &format!("a person trusts {anchor}"));
    write_whole_file(data_dir.join(DECISION), format!("{anchor}\n").as_bytes())
}

/// The decision that was not taken up yet.
pub(super) fn pending(data_dir: &Path) -> Option<Result<Anchor, String>> {
    match fs::read_to_string(data_dir.join(DECISION)) {
        Ok(text) => Some(text.trim().parse()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(Err(error.to_string())),
    }
}

/// Removes the decision, which is taken up.
pub(super) fn taken_up(data_dir: &Path, anchor: Anchor, now: u64) -> io::Result<()> {
    note(data_dir, now, &format!("the core begins anew from {anchor}"));
    fs::remove_file(data_dir.join(DECISION))
}

/// Writes both light blocks of a conflict to a file of their own, and names it.
pub(super) fn write_evidence(
    data_dir: &Path,
    chain_id: &str,
    height: u64,
    blocks: [&LightBlock; 2],
    now: u64,
) -> Result<PathBuf, ConfigError> {
    let light_block = |block: &LightBlock| {
        serde_json::json!({
            "header": kms_proofs::header_id(block).map(|(height, hash)| format!("{height}:{}", hex::encode(hash))).ok(),
            "signed_header": hex::encode(&block.signed_header),
            "validators": hex::encode(&block.validators),
            "next_validators": hex::encode(&block.next_validators),
        })
    };
    let evidence = serde_json::json!({
        "chain_id": chain_id,
        "height": height,
        "time": now,
        "light_blocks": blocks.map(light_block),
    });
    // Never over the evidence of an earlier conflict.
    let name = |number: u32| data_dir.join(format!("conflicting-headers-{height}-{number}.json"));
    let file = (1..).map(name).find(|file| !file.exists()).unwrap_or_else(|| name(0));
    write_whole_file(&file, format!("{evidence:#}\n").as_bytes())?;
    note(data_dir, now, &format!("two valid headers of height {height}: {}", file.display()));
    Ok(file)
}

/// Adds a line to the log of trust. It is a help to people: that it cannot be written stops nothing.
fn note(data_dir: &Path, now: u64, what: &str) {
    let file = data_dir.join(LOG);
    let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(&file);
    let written = opened.and_then(|mut log| {
        writeln!(log, "{now} {what}")?;
        log.sync_all()
    });
    if let Err(error) = written {
        tracing::error!(file = %file.display(), %error, what, "cannot write the log of trust");
    }
}
