//! Somebody with a wallet, who uses the command line as people do.

use std::{path::PathBuf, process::Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

/// Somebody with a wallet.
#[derive(Clone, Debug)]
pub struct Person {
    /// The program `kms`.
    pub program: PathBuf,
    /// The stack's configuration of the command line.
    pub config: PathBuf,
    /// The key that pays.
    pub wallet: PathBuf,
}

/// What a command did.
#[derive(Clone, Debug)]
pub struct Output {
    /// The command, as typed.
    pub command: String,
    /// Exit status.
    pub status: i32,
    /// What it wrote to stdout, trimmed.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Person {
    /// Runs `kms` with these arguments.
    ///
    /// # Errors
    /// If it cannot be run at all, or is ended by a signal.
    pub async fn run(&self, arguments: &[&str]) -> Result<Output> {
        let output = Command::new(&self.program)
            .args(arguments)
            .env("KMS_CONFIG", &self.config)
            .env("KMS_WALLET", &self.wallet)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        Output::of(format!("kms {}", arguments.join(" ")), output)
    }

    /// Runs `kms`, which must succeed; gives its stdout.
    ///
    /// # Errors
    /// With all that it wrote, if it does not exit with 0.
    pub async fn ask(&self, arguments: &[&str]) -> Result<String> {
        Ok(self.run(arguments).await?.expect(0)?.stdout)
    }

    /// Runs `kms --output json`, which must succeed; gives what it says.
    ///
    /// # Errors
    /// As [`ask`](Self::ask), or if it did not write JSON.
    pub async fn json(&self, arguments: &[&str]) -> Result<Value> {
        let arguments = [&["--output", "json"], arguments].concat();
        let text = self.ask(&arguments).await?;
        serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))
    }
}

impl Output {
    /// What a process did.
    pub(crate) fn of(command: String, output: std::process::Output) -> Result<Self> {
        let status = output.status.code().with_context(|| format!("{command} was ended by a signal"))?;
        let stdout = String::from_utf8(output.stdout)?.trim().to_owned();
        Ok(Self { command, status, stdout, stderr: String::from_utf8(output.stderr)? })
    }

    /// Checks the exit status.
    ///
    /// # Errors
    /// With all that the command wrote, if it is another one.
    pub fn expect(self, status: i32) -> Result<Self> {
        ensure!(
            self.status == status,
            "`{}` exited with {}, not {status}\nstdout: {}\nstderr: {}",
            self.command,
            self.status,
            self.stdout,
            self.stderr
        );
        Ok(self)
    }
}
