//! The operator's two programs: the files they read and how they are started.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use kms_asc_api::PublicKey;
use kms_chain::Wallet;
use kms_config::Network;
use serde::{Deserialize, Serialize};

use crate::{
    AccountName, Layout, Programs,
    supervisor::Launch,
    terms::{EPOCH, PARTY},
};

/// The core's name, as a process and as a folder.
pub(crate) const CORE: &str = "core";
/// The connector's name, as a process and as a folder.
pub(crate) const CONNECTOR: &str = "connector";
/// The key with which the core signs answers, among the stack's secrets.
const SIGNER: &str = "core-1";

#[derive(Serialize)]
struct CoreFile<'a> {
    network: &'a str,
    listen: String,
    data_dir: &'a str,
    signer_file: PathBuf,
    epoch: u32,
    party: u32,
}

#[derive(Serialize)]
struct ConnectorFile<'a> {
    network: &'a str,
    data: &'a str,
    wallet: PathBuf,
    epoch: u32,
    party: u32,
    admin: String,
}

#[derive(Serialize)]
struct ClientFile<'a> {
    network: &'a str,
    wallet: PathBuf,
}

/// Makes the key with which the core signs, and returns its public part.
pub(crate) fn make_signer(layout: &Layout) -> Result<PublicKey> {
    let wallet = Wallet::generate(crate::account::ADDRESS_PREFIX)?;
    wallet.save_new(&layout.secret(SIGNER))?;
    Ok(PublicKey::new(wallet.public_key()))
}

/// The public part of the key with which the core signs.
pub(crate) fn signer(layout: &Layout) -> Result<PublicKey> {
    let wallet = Wallet::load(&layout.secret(SIGNER), crate::account::ADDRESS_PREFIX)?;
    Ok(PublicKey::new(wallet.public_key()))
}

/// Writes the core's file, and says how to start it.
pub(crate) fn core(layout: &Layout, programs: &Programs, network: &Network) -> Result<Launch> {
    let port = network.core_url.port().context("the network's core_url has no port")?;
    let path = layout.folder(CORE).join("kms-core.toml");
    write(
        &path,
        &CoreFile {
            network: "../network.toml",
            listen: format!("127.0.0.1:{port}"),
            data_dir: "data",
            signer_file: layout.secret(SIGNER),
            epoch: EPOCH.get(),
            party: PARTY.get(),
        },
    )?;
    Ok(launch(CORE, programs.program("kms-core")?, &path))
}

/// Writes the connector's file, and says how to start it. `admin` is the port of its health page.
pub(crate) fn connector(layout: &Layout, program: PathBuf, admin: u16) -> Result<Launch> {
    let path = connector_file(layout);
    write(
        &path,
        &ConnectorFile {
            network: "../network.toml",
            data: "data",
            wallet: layout.secret(AccountName::Operator.as_str()),
            epoch: EPOCH.get(),
            party: PARTY.get(),
            admin: format!("127.0.0.1:{admin}"),
        },
    )?;
    Ok(launch(CONNECTOR, program, &path))
}

/// Where the connector shows how it does, by the file that it was started with.
pub(crate) fn admin(layout: &Layout) -> Result<SocketAddr> {
    #[derive(Deserialize)]
    struct Admin {
        admin: SocketAddr,
    }
    let path = connector_file(layout);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let file: Admin = toml::from_str(&text).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(file.admin)
}

fn connector_file(layout: &Layout) -> PathBuf {
    layout.folder(CONNECTOR).join("kms-connector.toml")
}

/// Writes the file of the command line, whose account is the user's.
pub(crate) fn client(layout: &Layout) -> Result<()> {
    let wallet = layout.secret(AccountName::User.as_str());
    write(&layout.client(), &ClientFile { network: "network.toml", wallet })
}

fn launch(name: &str, program: PathBuf, config: &Path) -> Launch {
    Launch {
        name: name.to_owned(),
        program,
        arguments: vec!["--config".into(), config.into()],
        environment: Vec::new(),
    }
}

fn write(path: &Path, file: &impl Serialize) -> Result<()> {
    Ok(kms_config::write_whole_file(path, toml::to_string(file)?.as_bytes())?)
}
