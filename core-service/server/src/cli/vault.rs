use std::path::PathBuf;

use clap::Subcommand;

use crate::{
    Config, Cost, Keeper, Signer, Strongbox,
    custody::{prepare, wrapper_of},
    vault::encrypt,
};

/// How the vault is kept.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum VaultCommand {
    /// Encrypt the keys and the signer that an old version wrote in clear. What was in clear may still be found on the disk, and
    /// is in old backups.
    Encrypt,
    /// Have another passphrase open the vault from now on. The old one still opens old copies of the vault.
    Rewrap {
        /// The file of the new passphrase, mode 0600; made if it is missing. Put its name into the configuration afterwards.
        #[arg(long, value_name = "FILE")]
        passphrase_file: PathBuf,
    },
}

impl VaultCommand {
    pub(super) fn run(&self, config: &Config) -> anyhow::Result<()> {
        match self {
            Self::Encrypt => encrypt_all(config),
            Self::Rewrap { passphrase_file } => {
                let keeper = Keeper::Passphrase { file: passphrase_file.clone(), cost: Cost::default() };
                let strongbox = Strongbox::open(&config.vault()?)?;
                if let Some(made) = prepare(&keeper)? {
                    eprintln!("{made}");
                }
                strongbox.rewrap(&*wrapper_of(&keeper))?;
                eprintln!("the vault is opened by {} from now on", passphrase_file.display());
                Ok(())
            }
        }
    }
}

fn encrypt_all(config: &Config) -> anyhow::Result<()> {
    let settings = config.vault()?;
    if let Some(made) = prepare(&settings.keeper)? {
        eprintln!("{made}");
    }
    for name in encrypt(&settings)? {
        eprintln!("encrypted {name}");
    }
    let file = config.signer_file();
    if let Ok(signer) = Signer::read_unencrypted(file) {
        signer.write(file, &Strongbox::open(&settings)?)?;
        eprintln!("encrypted {}", file.display());
    }
    Ok(())
}
