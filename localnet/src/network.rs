//! The one file that tells every program where the network is.

use anyhow::{Result, bail};
use kms_config::{Decimal, KeyDomain, Network};
use url::Url;

use crate::{Layout, ports};

/// The network of a new stack, on ports that are free now.
pub(crate) fn describe(layout: &Layout, name: &str) -> Result<Network> {
    let [rpc, core] = ports::free()?;
    let Ok(store_url) = Url::from_directory_path(layout.store()) else {
        bail!("the folder {} cannot be written as a URL", layout.store().display());
    };
    Ok(Network {
        chain_id: format!("kms-local-{name}"),
        rpc_url: local_url("http", rpc)?,
        denom: "ukms".to_owned(),
        gas_price: Decimal::try_from("0.025".to_owned()).map_err(anyhow::Error::msg)?,
        contract: None,
        core_url: local_url("https", core)?,
        store_url,
        key_domain: KeyDomain { name: "Decryption".to_owned(), version: "1".to_owned(), chain_id: 31_337 },
    })
}

/// Takes another port for a program that does not run, if somebody else listens on that of the last time. Whether it did.
pub(crate) fn settle_port(url: &mut Url) -> Result<bool> {
    let taken = url.port().is_none_or(|port| !ports::is_free(port));
    if taken {
        let [port] = ports::free()?;
        *url = local_url(url.scheme(), port)?;
    }
    Ok(taken)
}

/// Writes it where every program reads it.
pub(crate) fn write(layout: &Layout, network: &Network) -> Result<()> {
    Ok(kms_config::write_whole_file(layout.network(), network.to_toml()?.as_bytes())?)
}

fn local_url(scheme: &str, port: u16) -> Result<Url> {
    Ok(Url::parse(&format!("{scheme}://127.0.0.1:{port}"))?)
}
