//! What a stack's core accepts, taken from the chain once, when the contract is deployed. A core that is started again is
//! given the same: it must not follow whatever the chain has become meanwhile.

use anyhow::{Context, Result};
use kms_asc_api::{Digest, state_key};
use kms_chain::Client;
use serde::{Deserialize, Serialize};

use crate::{
    Deployment, Layout,
    terms::{EPOCH, PARTY},
};

/// The core's pins. A file of the stack's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// A header to begin with, `HEIGHT:HASH`.
    pub header: String,
    /// SHA-256 of each code that the contract may run, hexadecimal.
    pub allowed_code: Vec<String>,
    /// The sets of operators that the core belongs to.
    pub epochs: Vec<EpochPin>,
}

/// One set of operators, as the core accepts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochPin {
    /// Its id.
    pub id: u32,
    /// The core's number in it.
    pub party: u32,
    /// SHA-256 of its record in the contract's state, hexadecimal.
    pub record: String,
}

impl Pins {
    /// None that anything could fulfil: for a core that only makes its keys.
    pub(crate) fn of_nothing() -> Self {
        let zeros = "0".repeat(64);
        let pin = EpochPin { id: EPOCH.get(), party: PARTY.get(), record: zeros.clone() };
        Self { header: format!("1:{zeros}"), allowed_code: vec![zeros], epochs: vec![pin] }
    }

    /// The newest header, the contract's code and its first epoch.
    pub(crate) async fn of_deployment(client: &Client, deployment: &Deployment) -> Result<Self> {
        let Deployment { contract, checksum, .. } = deployment;
        let height = client.status().await?.latest_height;
        let newest = client.light_block(height).await?.context("the newest block has no header")?;
        let record = client.raw_state(contract, &state_key::EPOCH.key(EPOCH.get()), None).await?;
        let record = record.value.context("the contract has no epoch")?;
        let record = hex(&Digest::sha256(&record));
        Ok(Self {
            header: format!("{height}:{}", hex(&Digest::new(newest.hash))),
            allowed_code: vec![hex(&Digest::new(*checksum))],
            epochs: vec![EpochPin { id: EPOCH.get(), party: PARTY.get(), record }],
        })
    }

    pub(crate) fn load(layout: &Layout) -> Result<Self> {
        Ok(kms_config::load(layout.pins())?)
    }

    pub(crate) fn save(&self, layout: &Layout) -> Result<()> {
        Ok(kms_config::write_whole_file(layout.pins(), toml::to_string(self)?.as_bytes())?)
    }
}

/// 64 hexadecimal digits.
fn hex(digest: &Digest) -> String {
    digest.to_string().trim_start_matches("0x").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_that_were_written_are_the_pins_that_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().to_owned());
        let pins = Pins::of_nothing();
        pins.save(&layout).unwrap();
        assert_eq!(Pins::load(&layout).unwrap(), pins);
        assert_eq!(hex(&Digest::new([0xab; 32])), "ab".repeat(32));
    }
}
