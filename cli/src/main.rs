//! `kms`: what people type.

mod act;
mod args;
mod command;
mod context;
mod error;
mod exit;
mod history;
mod ledger;
mod life;
mod log_entry_text;
mod log_reading;
mod output;
mod progress;
mod published;
mod reason;
mod reference;
mod report;
mod report_text;
mod settings;
mod submit;
mod user_wallet;
mod verify;
mod wait;

use std::{env, ffi::OsStr, io, process::ExitCode};

use clap::{Parser, error::ErrorKind};

use crate::{
    args::{Cli, Command},
    context::Context,
    error::{Error, Result},
    exit::ExitStatus,
    output::{Format, show_error},
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error).into(),
    };
    let format = cli.global.output;
    match start(cli) {
        Ok(()) => ExitStatus::Done.into(),
        Err(error) => {
            if !matches!(error, Error::OutputClosed) {
                show_error(format, error.code(), &error.to_string());
            }
            error.exit().into()
        }
    }
}

fn start(cli: Cli) -> Result<()> {
    log_to_stderr()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Io { doing: "start".into(), source })?;
    runtime.block_on(run(cli))
}

async fn run(Cli { global, command }: Cli) -> Result<()> {
    let context = || Context::new(&global);
    match command {
        Command::Keygen(args) => args.run(&context()?).await,
        Command::Key(args) => args.run(&context()?).await,
        Command::Encrypt(args) => args.run(&context()?).await,
        Command::Decrypt(args) => args.run(&context()?).await,
        Command::UserDecrypt(args) => args.run(&context()?).await,
        Command::VerifyInput(args) => args.run(&context()?).await,
        Command::Request(args) => args.run(&context()?).await,
        Command::Crs(args) => args.run(&context()?).await,
        Command::Epoch(args) => args.run(&context()?).await,
        Command::Operator(args) => args.run(&context()?).await,
        Command::Admin(args) => args.run(&context()?).await,
        Command::Log(args) => args.run(&context()?).await,
        Command::Credit(args) => args.run(&context()?).await,
        Command::Withdraw(args) => args.run(&context()?).await,
        Command::Quote(args) => args.run(&context()?).await,
        Command::Status(args) => args.run(&context()?).await,
        Command::Wallet(args) => args.run(&global).await,
        Command::Completion(args) => args.run(),
    }
}

/// Shows help and version as they are; a mistake in the form that was asked for.
fn not_parsed(error: &clap::Error) -> ExitStatus {
    let is_mistake = !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if is_mistake && wants_json(env::args_os(), env::var_os("KMS_OUTPUT").as_deref()) {
        show_error(Format::Json, "usage", error.to_string().trim_end());
    } else {
        // Nobody is left to be told if it cannot be written.
        let _ = error.print();
    }
    if is_mistake { ExitStatus::Usage } else { ExitStatus::Done }
}

/// Whether JSON was asked for, on a command line that does not parse.
fn wants_json(args: impl Iterator<Item = std::ffi::OsString>, variable: Option<&OsStr>) -> bool {
    let mut last = variable.map(OsStr::to_owned);
    let mut follows = false;
    for arg in args {
        if follows {
            last = Some(arg.clone());
        }
        follows = arg == "--output";
        if let Some(form) = arg.to_str().and_then(|arg| arg.strip_prefix("--output=")) {
            last = Some(form.into());
        }
    }
    last.is_some_and(|form| form == "json")
}

/// What is said to the node, if `KMS_LOG` asks for it.
fn log_to_stderr() -> Result<()> {
    let Ok(filter) = env::var("KMS_LOG") else { return Ok(()) };
    let filter = tracing_subscriber::EnvFilter::try_new(&filter)
        .map_err(|error| Error::Usage(format!("KMS_LOG is {filter:?}: {error}")))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    subscriber.try_init().map_err(|error| Error::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_errors_is_found_on_a_command_line_that_does_not_parse() {
        let wants = |line: &str, variable: Option<&str>| {
            wants_json(line.split(' ').map(Into::into), variable.map(OsStr::new))
        };
        assert!(wants("kms --output json nonsense", None));
        assert!(wants("kms nonsense --output=json", None));
        assert!(wants("kms nonsense", Some("json")));
        assert!(!wants("kms nonsense --output text", Some("json")));
        assert!(!wants("kms nonsense json", None));
    }
}
