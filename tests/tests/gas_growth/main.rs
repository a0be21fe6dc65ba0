//! Whether messages and queries cost more when more is stored. Checks what
//! `docs/measurements/gas-growth.json` says; with `--write`, fills a real chain with requests, measures, and
//! writes that file and the page for people beside it. `--requests N` fills it with another number.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fill;
mod messages;
mod queries;
mod result;

use std::{env, fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, ensure};
use kms_e2e::Bench;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

use result::Growth;

/// Stored requests: at first, and at last.
const STORED: [u64; 2] = [10, 100_000];
/// Most gas of a block: it bounds how long one takes to execute.
const BLOCK_MAX_GAS: u64 = 60_000_000;
/// Measures instead of checking what is committed.
const WRITE: &str = "--write";
/// The next argument is the number of requests to store.
const REQUESTS: &str = "--requests";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    if arguments.iter().any(|argument| argument == WRITE) {
        let named = arguments.iter().skip_while(|argument| *argument != REQUESTS).nth(1);
        let last = named.map_or(Ok(STORED[1]), |number| number.parse());
        return match last.context("that is no number").and_then(write) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        };
    }
    let check = || {
        let growth = Growth::read(&committed("gas-growth.json"));
        growth.and_then(|growth| growth.check(STORED)).map_err(|error| Failed::from(format!("{error:#}")))
    };
    let name = "nothing_that_is_committed_grows_with_what_is_stored";
    libtest_mimic::run(&Arguments::from_args(), vec![Trial::test(name, check)]).exit_code()
}

fn write(last: u64) -> Result<()> {
    let growth = Runtime::new()?.block_on(measure([STORED[0], last]))?;
    for (name, text) in [("gas-growth.json", growth.to_json()?), ("gas-growth.md", growth.page())] {
        let path = committed(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {}", path.display());
    }
    growth.check([STORED[0], last])
}

fn committed(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/measurements").join(name)
}

async fn measure([first, last]: [u64; 2]) -> Result<Growth> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("stack");
    let mut bench = Box::pin(Bench::begin(&root, 1, BLOCK_MAX_GAS)).await?;
    let key = bench.key().await?;
    // What later ones find is there from the first: a credit, a treasury, a request of each end.
    messages::costs(&bench, key).await?;
    let mut growth = Growth::default();
    for stored in [first, last] {
        fill::up_to(&bench, key, stored).await?;
        growth.messages.insert(stored, messages::costs(&bench, key).await?);
    }
    fill::with_large_ones(&bench, key).await?;
    let contract = bench.operators.contract.clone();
    let newest = fill::stored(&bench).await?;
    bench.stack.stop().await?;
    drop(bench);
    growth.queries = queries::limits(&root, &contract, newest).await?;
    ensure!(!growth.queries.is_empty(), "no query was measured");
    Ok(growth)
}
