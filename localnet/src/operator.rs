//! The operator's two programs: the files they read and how they are started.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use kms_asc_api::PublicKey;
use kms_config::Network;
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use crate::{
    AccountName, Layout, Pins, Programs,
    pins::EpochPin,
    supervisor::Launch,
    terms::{EPOCH, PARTY},
};

/// The core's name, as a process and as a folder.
pub(crate) const CORE: &str = "core";
/// The connector's name, as a process and as a folder.
pub(crate) const CONNECTOR: &str = "connector";
/// What opens the core's vault, among the stack's secrets.
const PASSPHRASE: &str = "core-passphrase";
/// How long the core trusts a header: the one validator never leaves, and a stack may lie idle for long.
const TRUSTING_PERIOD: &str = "365days";

#[derive(Serialize)]
struct CoreFile<'a> {
    network: &'a str,
    listen: String,
    data_dir: &'a str,
    signer_file: &'a str,
    trust: TrustSection<'a>,
    epochs: &'a [EpochPin],
    tls: CoreTls,
    vault: VaultSection,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<LimitsSection>,
}

#[derive(Serialize)]
struct TrustSection<'a> {
    header: &'a str,
    allowed_code: &'a [String],
    trusting_period: &'a str,
}

#[derive(Serialize)]
struct CoreTls {
    certificate: PathBuf,
    key: PathBuf,
    client_ca: PathBuf,
}

#[derive(Serialize)]
struct VaultSection {
    passphrase_file: PathBuf,
}

#[derive(Serialize)]
struct LimitsSection {
    allow_test_parameters: bool,
}

#[derive(Serialize)]
struct ConnectorFile<'a> {
    network: &'a str,
    data: &'a str,
    wallet: PathBuf,
    epoch: u32,
    party: u32,
    admin: String,
    core: ConnectorTls,
}

#[derive(Serialize)]
struct ConnectorTls {
    ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Serialize)]
struct ClientFile<'a> {
    network: &'a str,
    wallet: PathBuf,
    /// Of published keys: they go with the stack, 76 MB each.
    cache: &'a str,
}

/// Has the core make its signer, its vault and the certificates, where they are missing; the signer's public key.
pub(crate) async fn initialize(layout: &Layout, programs: &Programs, network: &Network) -> Result<PublicKey> {
    #[derive(Deserialize)]
    struct Made {
        public_key: String,
    }
    let program = programs.program("kms-core")?;
    let certificates = layout.certificates();
    if !certificates.exists() {
        run(Command::new(&program).arg("certs").arg("--out").arg(&certificates)).await?;
    }
    // The contract that it is to serve is not there yet.
    let path = write_core(layout, network, &Pins::of_nothing(), false)?;
    let init = ["init", "--output", "json", "--config"];
    let made = run(Command::new(&program).args(init).arg(&path)).await?;
    let made: Made = serde_json::from_slice(&made).context("the core did not say what its signer is")?;
    Ok(made.public_key.parse()?)
}

/// Runs a command to its end, and returns what it wrote to stdout.
async fn run(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.kill_on_drop(true).output().await.context("cannot start the core")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the core failed with {}: {}", output.status, said.trim());
    Ok(output.stdout)
}

/// Writes the core's file, and says how to start it. `test_parameters`: whether it makes small keys.
pub(crate) fn core(
    layout: &Layout,
    programs: &Programs,
    network: &Network,
    test_parameters: bool,
) -> Result<Launch> {
    let path = write_core(layout, network, &Pins::load(layout)?, test_parameters)?;
    Ok(launch(CORE, programs.program("kms-core")?, &path))
}

fn write_core(layout: &Layout, network: &Network, pins: &Pins, test_parameters: bool) -> Result<PathBuf> {
    let port = network.core_url.port().context("the network's core_url has no port")?;
    let path = layout.folder(CORE).join("kms-core.toml");
    let Pins { header, allowed_code, epochs } = pins;
    let certificates = layout.certificates();
    write(
        &path,
        &CoreFile {
            network: "../network.toml",
            listen: format!("127.0.0.1:{port}"),
            data_dir: "data",
            signer_file: "data/signer",
            trust: TrustSection { header, allowed_code, trusting_period: TRUSTING_PERIOD },
            epochs,
            tls: CoreTls {
                certificate: certificates.join("core.pem"),
                key: certificates.join("core.key"),
                client_ca: certificates.join("ca.pem"),
            },
            vault: VaultSection { passphrase_file: layout.secret(PASSPHRASE) },
            limits: test_parameters.then_some(LimitsSection { allow_test_parameters: true }),
        },
    )?;
    Ok(path)
}

/// How a client of the core shows itself, with the connector's certificate.
pub(crate) fn tls(layout: &Layout) -> Result<ClientTlsConfig> {
    let read = |name: &str| {
        let path = layout.certificates().join(name);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    Ok(ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(read("ca.pem")?))
        .identity(Identity::from_pem(read("connector.pem")?, read("connector.key")?)))
}

/// Writes the connector's file, and says how to start it. `admin` is the port of its health page.
pub(crate) fn connector(layout: &Layout, program: PathBuf, admin: u16) -> Result<Launch> {
    let path = connector_file(layout);
    let certificates = layout.certificates();
    write(
        &path,
        &ConnectorFile {
            network: "../network.toml",
            data: "data",
            wallet: layout.secret(AccountName::Operator.as_str()),
            epoch: EPOCH.get(),
            party: PARTY.get(),
            admin: format!("127.0.0.1:{admin}"),
            core: ConnectorTls {
                ca: certificates.join("ca.pem"),
                certificate: certificates.join("connector.pem"),
                key: certificates.join("connector.key"),
            },
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
    write(&layout.client(), &ClientFile { network: "network.toml", wallet, cache: "cache" })
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
