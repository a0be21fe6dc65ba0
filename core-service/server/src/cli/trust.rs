use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;

use super::print;
use crate::{Anchor, Config, evidence::decision::decide};

/// Vouch for a header of the chain: after trust has expired, or after two headers of one height were seen and a person has
/// looked at the evidence. The core begins anew from it, with its next call if it runs, and must be shown its light block.
#[derive(Clone, Debug, Args)]
pub(super) struct Trust {
    /// Height and hash (64 hexadecimal digits) of a header that the chain's validators signed, from a node that you trust.
    #[arg(value_name = "HEIGHT:HASH")]
    header: Anchor,
}

impl Trust {
    pub(super) fn run(&self, config: &Config) -> anyhow::Result<()> {
        config.make_folders()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        decide(config.data_dir(), self.header, now)?;
        print(&format!("trusted: {}\n", self.header))
    }
}
