//! The demonstration: one value's way from encryption to a paid, answered and recorded decryption.

use std::{
    path::{Path, PathBuf},
    pin::pin,
    process::Stdio,
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use kms_localnet::{Lifetime, Programs, Stack, StackOptions};
use serde_json::Value;
use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
};

use crate::stacks;

/// What to show.
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// The value to encrypt and to have decrypted
    #[arg(long, default_value = "42")]
    value: String,
    /// Its type: bool, uint4, uint8, uint16, uint32, uint64, uint128, uint256, address
    #[arg(long = "type", default_value = "uint64")]
    fhe_type: String,
}

impl Demo {
    /// Runs the demonstration on a stack of its own, which is gone afterwards.
    ///
    /// # Errors
    /// If anything of what it claims does not hold.
    pub(crate) async fn run(self) -> Result<()> {
        let started = Instant::now();
        let name = format!("demo-{}", std::process::id());
        let folder = stacks::folder(&name)?;
        let options = StackOptions { report: stacks::report(started), ..StackOptions::new(Lifetime::Owned) };
        let mut interrupted = pin!(interrupted()?);
        let created = tokio::select! {
            created = Stack::create(&folder, &name, options) => created,
            () = &mut interrupted => {
                // Without keys that anybody has used: nothing to keep.
                let _gone = std::fs::remove_dir_all(&folder);
                bail!("interrupted");
            }
        };
        let mut stack = created?;
        let shown = tokio::select! {
            shown = self.show(&mut stack, started) => shown,
            () = interrupted => Err(anyhow::anyhow!("interrupted")),
        };
        if let Err(error) = shown {
            stack.stop().await?;
            return Err(error.context(format!("the stack's logs are in {}", folder.display())));
        }
        stack.destroy().await?;
        println!(
            "\nAll of it held, in {} s. Everything that was started is stopped.",
            started.elapsed().as_secs()
        );
        Ok(())
    }

    async fn show(&self, stack: &mut Stack, started: Instant) -> Result<()> {
        let report = stacks::report(started);
        stack.up().await?;
        let kms =
            Kms { program: Programs::of_this_build()?.program("kms")?, config: stack.layout().client() };

        report("asking for a key, by a request on the chain");
        let key = kms.text(&["keygen"]).await?;
        report(&format!("encrypting {} {} under key {key}", self.fhe_type, self.value));
        let encrypt = ["encrypt", "--key", &key, "--type", &self.fhe_type, "--value", &self.value];
        let encrypted = kms.json(&encrypt).await?;
        let reference = text_of(&encrypted["refs"][0])?;
        let expected = text_of(&encrypted["values"][0]["value"])?;
        report("asking for its decryption, and paying for it");
        let decrypted = kms.json(&["decrypt", reference]).await?;
        let value = text_of(&decrypted["values"][0]["value"])?;
        check_answer(&decrypted)?;

        println!("\nencrypted  {expected}\ndecrypted  {value}\n");
        ensure!(value == expected, "the answer is {value}, and not {expected}");
        let id = decrypted["id"].as_u64().context("the request has no id")?.to_string();
        println!("The life of the request, as it is on the chain:\n");
        println!("{}\n", kms.text(&["request", "show", &id]).await?);
        check_life(&kms.json(&["request", "show", &id]).await?)?;
        let log = kms.json(&["log"]).await?;
        ensure!(log["verified"] == true, "the log does not lead to its head");
        println!(
            "Verified: both signatures of the answer, by the operator that the contract names for this epoch;"
        );
        println!(
            "all {} entries of the log, which lead to the contract's head {}.",
            log["head"]["count"],
            text_of(&log["head"]["hash"])?
        );
        Ok(())
    }
}

/// Until somebody ends the program, at a terminal or otherwise.
fn interrupted() -> Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Every answer was checked when it was read: receipt and external signature.
fn check_answer(report: &Value) -> Result<()> {
    ensure!(report["state"] == "fulfilled", "the request is {}", report["state"]);
    let responses = report["responses"].as_array().context("the request has no answers")?;
    ensure!(!responses.is_empty(), "the request has no answers");
    for response in responses {
        ensure!(response["verified"] == true, "a signature of party {} does not hold", response["party"]);
    }
    Ok(())
}

/// Every step was found on the chain, and whoever answered was paid.
fn check_life(report: &Value) -> Result<()> {
    let settlement = &report["settlement"];
    let answers = settlement["answers"].as_array().into_iter().flatten();
    for step in [&report["submitted"], &settlement["ended"]].into_iter().chain(answers) {
        ensure!(step["tx"].is_string() && step["height"].is_u64(), "a step has no transaction: {step}");
    }
    let credits = settlement["credits"].as_array().into_iter().flatten();
    let paid = credits.filter(|credit| credit["amount"].as_str().is_some_and(|amount| amount != "0")).count();
    ensure!(paid > 0, "nobody was paid: {settlement}");
    Ok(())
}

fn text_of(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("text expected, {value} found"))
}

/// The command line, on the demonstration's stack.
struct Kms {
    program: PathBuf,
    config: PathBuf,
}

impl Kms {
    async fn text(&self, arguments: &[&str]) -> Result<String> {
        run(&self.program, &self.config, arguments).await
    }

    async fn json(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.text(&[&["--output", "json"], arguments].concat()).await?;
        serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))
    }
}

/// Its progress goes where ours goes; its result comes back.
async fn run(program: &Path, config: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .env("KMS_CONFIG", config)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        bail!("`kms {}` ended with {}", arguments.join(" "), output.status);
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
