//! What people type.

mod certs;
mod keep;
mod transfer;
mod trust;
mod vault;

use std::{io::Write, path::PathBuf, time::Duration};

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum, error::ErrorKind};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::{
    BoundServer, Config, Signer, Strongbox, TEMPLATE,
    config::{LogConfig, LogFormat},
    custody::{forbid_dumps, prepare},
};

/// The KMS core: holds key material, answers requests of the contract over gRPC.
#[derive(Debug, Parser)]
#[command(name = "kms-core", version)]
pub struct Arguments {
    /// Configuration file; `kms-core config-template` prints one.
    #[arg(long, short, global = true, value_name = "FILE", env = "KMS_CORE_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT; the default.
    Serve,
    /// Make the data folder, what opens the vault, the vault and the signer where they are missing, and print the signer.
    Init {
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Print the signer: its public key, for the contract's record of the operator, and its Ethereum address.
    Signer {
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Print a documented configuration file.
    ConfigTemplate,
    /// Make a local set of certificates: an authority, and those that core and connector show each other.
    Certs(certs::Certs),
    /// Write all secrets and answers of a stopped core into a new encrypted file.
    Backup(keep::BackupArguments),
    /// Put a backup where there is nothing yet.
    Restore(keep::RestoreArguments),
    /// Seal a key for another core's certificate.
    Export(transfer::Export),
    /// Hold a sealed key for one request of one owner.
    Stage(transfer::Stage),
    /// Hold a common reference string, which is no secret, for one request of one owner.
    StageCrs(transfer::StageCrs),
    Trust(trust::Trust),
    /// Change how the vault is kept.
    #[command(subcommand)]
    Vault(vault::VaultCommand),
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Output {
    /// `name: value` lines.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// Does what the arguments say.
///
/// # Errors
/// With what went wrong, for people. A missing `--config` ends the process with status 2, as all misuse does.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    // Before any secret is read.
    forbid_dumps()?;
    let command = arguments.command.unwrap_or(Command::Serve);
    match &command {
        Command::ConfigTemplate => return print(TEMPLATE),
        Command::Certs(arguments) => return arguments.run(),
        _ => {}
    }
    let Some(path) = arguments.config else {
        let message = "--config FILE is required; `kms-core config-template` prints one";
        Arguments::command().error(ErrorKind::MissingRequiredArgument, message).exit()
    };
    let config = Config::read(&path)?;
    match command {
        Command::Serve | Command::ConfigTemplate | Command::Certs(_) => serve(&config),
        Command::Init { output } => init(&config, output),
        Command::Signer { output } => {
            show(&Signer::read(config.signer_file(), &Strongbox::open(&config.vault()?)?)?, output)
        }
        Command::Trust(arguments) => arguments.run(&config),
        Command::Vault(command) => command.run(&config),
        Command::Backup(arguments) => arguments.run(&config),
        Command::Restore(arguments) => arguments.run(&config),
        Command::Export(arguments) => arguments.run(&config),
        Command::Stage(arguments) => arguments.run(&config),
        Command::StageCrs(arguments) => arguments.run(&config),
    }
}

fn init(config: &Config, output: Output) -> anyhow::Result<()> {
    config.make_folders()?;
    let settings = config.vault()?;
    if let Some(made) = prepare(&settings.keeper)? {
        eprintln!("{made}");
    }
    let strongbox = Strongbox::open(&settings)?;
    let file = config.signer_file();
    if !file.exists() {
        Signer::generate().write(file, &strongbox)?;
        eprintln!("made a signer: {}", file.display());
    }
    show(&Signer::read(file, &strongbox)?, output)
}

fn show(signer: &Signer, output: Output) -> anyhow::Result<()> {
    let (public_key, address) = (signer.public_key().to_hex(), signer.checksum_address());
    match output {
        Output::Text => print(&format!("public_key: {public_key}\naddress: {address}\n")),
        Output::Json => {
            print(&format!("{}\n", serde_json::json!({ "public_key": public_key, "address": address })))
        }
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot write to stdout")
}

fn serve(config: &Config) -> anyhow::Result<()> {
    log_to_stderr(&config.log)?;
    let settings = config.settings()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        let stop = CancellationToken::new();
        // Before it says that it listens: who reads that may ask it to stop.
        tokio::spawn(cancel_on_signal(stop.clone())?);
        let server = BoundServer::bind(settings).await?;
        server.run(stop).await
    });
    // Key generation cannot be interrupted; what it would have made is of no use to anybody.
    runtime.shutdown_timeout(Duration::ZERO);
    Ok(result?)
}

/// Cancels at the first SIGTERM or SIGINT; at the second, the process ends at once.
fn cancel_on_signal(stop: CancellationToken) -> Result<impl Future<Output = ()>, crate::StartError> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|error| crate::StartError::Service(error.to_string()));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.is_cancelled() {
                std::process::exit(1);
            }
            stop.cancel();
        }
    })
}

fn log_to_stderr(log: &LogConfig) -> anyhow::Result<()> {
    let directives = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| log.filter.clone());
    let filter = EnvFilter::try_new(&directives)
        .with_context(|| format!("{directives:?} is not a filter for the log, such as \"info\""))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
    Ok(())
}
