//! Puts load on a real core: over TLS, with proofs, from this machine. Writes down what it measured.

mod disk;
mod plot;
mod program;
mod report;
mod scenarios;
mod stages;
mod stand;
mod traffic;
mod world;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::Parser;

use report::{Latency, Report};
use stand::Stand;

/// Put load on a core, and write what it did.
#[derive(Debug, Parser)]
struct Arguments {
    /// The core's program.
    #[arg(long, default_value = "target/debug/kms-core")]
    core: PathBuf,
    /// Where the results go.
    #[arg(long, default_value = "docs/measurements")]
    out: PathBuf,
    /// Calls of each kind of decryption at concurrency 64.
    #[arg(long, default_value_t = 20_000)]
    calls: usize,
    /// What readers must know of this run, such as that the machine was not idle.
    #[arg(long, default_value = "")]
    note: String,
    /// Requests over which the core's memory is watched.
    #[arg(long, default_value_t = 100_000)]
    memory: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let load_average = load_average()?;
    let mut stand = Stand::build(&arguments.core).await?;
    let decryptions = scenarios::decryptions(&mut stand, arguments.calls).await?;
    let memory = stand.watch_memory(arguments.memory, scenarios::CONCURRENCY).await?;
    // While there is one key.
    let start_seconds = stand.restart().await?;
    let report = Report {
        command: "make load".to_owned(),
        machine: machine()?,
        load_average,
        note: arguments.note,
        start_seconds,
        disk: Latency::from(&disk::flushes(&stand.data(), 300)?),
        scenarios: decryptions,
        others: scenarios::others(&mut stand).await?,
        memory,
    };
    fs::write(arguments.out.join("load.json"), serde_json::to_string_pretty(&report)? + "\n")?;
    fs::write(arguments.out.join("load.md"), report.page()?)?;
    fs::write(arguments.out.join("load-memory.svg"), plot::memory(&report.memory)?)?;
    println!("{}", report.page()?);
    Ok(())
}

fn machine() -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let names: Vec<_> = cpus.lines().filter_map(|line| line.strip_prefix("model name")).collect();
    let name = names.first().map_or("", |name| name.trim_start_matches([' ', '\t', ':']));
    Ok(format!("{} processors, {name}", names.len()))
}

fn load_average() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split_whitespace().next().context("no load average")?.parse()?)
}
