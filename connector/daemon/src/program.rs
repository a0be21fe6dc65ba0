//! The command line of the daemon.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::{
    config::{Settings, TEMPLATE},
    daemon,
};

/// Follows the contract of a KMS chain, has the operator's core answer its requests, and posts the answers.
#[derive(Debug, Parser)]
#[command(name = "kms-connector", version)]
struct Arguments {
    /// The configuration file; `config-template` prints one.
    #[arg(long, env = "KMS_CONNECTOR_CONFIG", default_value = "kms-connector.toml", global = true)]
    config: PathBuf,
    /// Form of the log, which goes to stderr. What is logged is set by RUST_LOG, `info` by default.
    #[arg(long, value_enum, default_value = "text", global = true)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT; what no command means.
    Run,
    /// Read the configuration and the files that it names, and say what is wrong with them.
    Check,
    /// Print a configuration file in which every field is explained.
    ConfigTemplate,
}

/// Runs the program with the arguments and environment of the process. Exit status: 0 stopped when told to, 1
/// failure, 2 usage.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Some(Command::ConfigTemplate) => {
            print!("{TEMPLATE}");
            Ok(())
        }
        Some(Command::Check) => {
            let settings = Settings::load(&arguments.config)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async { daemon::check(&settings) })?;
            println!("{}: in order, serves {}", arguments.config.display(), settings.contract);
            Ok(())
        }
        Some(Command::Run) | None => {
            start_log(arguments.log_format);
            let settings = Settings::load(&arguments.config)?;
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(async {
                let stop = CancellationToken::new();
                stop_on_signals(&stop)?;
                daemon::run(settings, stop).await
            })
        }
    }
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(false).init(),
        LogFormat::Json => log.json().init(),
    }
}

fn stop_on_signals(stop: &CancellationToken) -> std::io::Result<()> {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signal = signal(kind)?;
        let stop = stop.clone();
        tokio::spawn(async move {
            signal.recv().await;
            stop.cancel();
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
        let arguments = Arguments::try_parse_from(["kms-connector", "--config", "a.toml"]).unwrap();
        assert!(arguments.command.is_none() && arguments.config.ends_with("a.toml"));
        assert!(Arguments::try_parse_from(["kms-connector", "--mnemonic", "x"]).is_err());
    }

    /// In the README and in docs/, between backticks or at the begin of a line, with words for what is to be put in.
    #[test]
    fn every_command_in_the_documentation_parses() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
        let mut parsed = 0;
        for page in docs.chain([root.join("README.md")]).filter(|page| page.is_file()) {
            let text = std::fs::read_to_string(&page).unwrap();
            for line in text.split(['`', '\n']).map(|line| line.trim_start_matches("$ ")) {
                if !line.starts_with("kms-connector ") || line.contains("->") {
                    continue;
                }
                let command = line.split(" #").next().unwrap_or(line).split_whitespace();
                if let Err(error) = Arguments::try_parse_from(command) {
                    panic!("{}: {line}\n{error}", page.display());
                }
                parsed += 1;
            }
        }
        assert!(parsed >= 2, "the check found only {parsed} commands");
    }
}
