//! Backups.

use std::path::PathBuf;

use clap::Args;

use crate::{
    Config, Cost, Keeper, Strongbox,
    custody::{Backup, Places, backup, prepare, wrapper_of},
};

/// A new backup.
#[derive(Clone, Debug, Args)]
pub(super) struct BackupArguments {
    /// The backup's file, which must not exist.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file of the backup's own passphrase, mode 0600.
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
}

/// A backup to restore.
#[derive(Clone, Debug, Args)]
pub(super) struct RestoreArguments {
    #[command(flatten)]
    backup: BackupArguments,
    /// You are certain that the core has signed nothing since the backup was made: it was stopped before, and never started again.
    /// Without this the restored core answers no request that was submitted before now.
    #[arg(long)]
    nothing_signed_since: bool,
}

impl BackupArguments {
    fn keeper(&self) -> Keeper {
        Keeper::Passphrase { file: self.passphrase_file.clone(), cost: Cost::default() }
    }

    pub(super) fn run(&self, config: &Config) -> anyhow::Result<()> {
        let strongbox = Strongbox::open(&config.vault()?)?;
        let keys = backup(&self.file, &places(config), &strongbox, &*wrapper_of(&self.keeper()))?;
        eprintln!("{keys} keys, the signer and all answers are in {}", self.file.display());
        Ok(())
    }
}

impl RestoreArguments {
    pub(super) fn run(&self, config: &Config) -> anyhow::Result<()> {
        // Read before anything is made: a wrong passphrase leaves nothing behind.
        let read = Backup::read(&self.backup.file, &*wrapper_of(&self.backup.keeper()))?;
        let made = read.made.time;
        config.make_folders()?;
        let settings = config.vault()?;
        if let Some(made) = prepare(&settings.keeper)? {
            eprintln!("{made}");
        }
        let strongbox = Strongbox::open(&settings)?;
        let signer = read.restore(&places(config), &strongbox, self.nothing_signed_since)?;
        eprintln!(
            "restored the backup that was made at {made} (seconds since 1970), signer {}",
            signer.public_key().to_hex()
        );
        if !self.nothing_signed_since {
            eprintln!("requests that were submitted before now are not answered by this core");
        }
        Ok(())
    }
}

fn places(config: &Config) -> Places<'_> {
    Places { data_dir: config.data_dir(), signer_file: config.signer_file() }
}
