use std::path::PathBuf;

use clap::Args;

use crate::CertificateSet;

/// A local set of certificates.
#[derive(Clone, Debug, Args)]
pub(super) struct Certs {
    /// The folder: ca.pem, ca.key, core.pem, core.key, connector.pem, connector.key. The core needs ca.pem and core.*, the
    /// connector ca.pem and connector.*; ca.key is needed for renewal only.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A name or address under which the core is reached; may be given several times. Without any: localhost, 127.0.0.1 and
    /// ::1. To renew, give them again.
    #[arg(long = "name", value_name = "NAME", required_if_eq("renew", "true"))]
    names: Vec<String>,
    /// For how many days the certificates of core and connector are valid.
    #[arg(long, default_value_t = 365)]
    days: u32,
    /// Make new certificates of core and connector by the authority that is in the folder.
    #[arg(long)]
    renew: bool,
}

impl Certs {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let set = CertificateSet::new(&self.out);
        let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        match self.renew {
            true => set.renew(&self.names, self.days)?,
            false if self.names.is_empty() => set.make(&local, self.days)?,
            false => set.make(&self.names, self.days)?,
        }
        eprintln!("made certificates in {}", self.out.display());
        Ok(())
    }
}
