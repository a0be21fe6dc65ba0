//! What every message costs on a real chain. Checks that nothing costs over 3 % more than
//! `docs/measurements/gas.json` says, and nothing more than its bar but what `measured::MISSED` names, all of which
//! does; with `--write`, measures and writes that file and the page for people beside it.
//!
//! Only the chain and the contract run: the operators' answers are signed here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod decryption;
mod governance;
mod keys;
mod measured;
mod operations;
mod other_ends;
mod owners;
mod page;
mod scene;

use std::{env, fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use kms_e2e::{Bench, REQUIRE_VARIABLE};
use kms_localnet::Programs;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

use measured::Measured;
use scene::{Notes, Scene, Stage};

/// With how many operators everything is measured.
const PARTIES: [u32; 3] = [1, 4, 13];
/// Most gas of a block: room for ten requests in one transaction and more.
const BLOCK_MAX_GAS: u64 = 40_000_000;
/// Writes what was measured instead of checking it.
const WRITE: &str = "--write";

/// Lists scenes by their functions.
macro_rules! scenes {
    ($($module:ident::$name:ident),* $(,)?) => {
        [$({
            let scene: Scene = |stage, notes| Box::pin($module::$name(stage, notes));
            (concat!(stringify!($module), "::", stringify!($name)), scene)
        }),*]
    };
}

/// Everything that is measured.
fn scenes() -> impl IntoIterator<Item = (&'static str, Scene)> {
    scenes![
        keys::made,
        keys::imported,
        decryption::of_one_value,
        decryption::of_ten_values,
        decryption::in_batches,
        decryption::said_again,
        other_ends::nothing,
        other_ends::failed,
        other_ends::expired,
        other_ends::denied,
        other_ends::withdrawn,
        operations::inputs,
        operations::for_the_user_one_value,
        operations::for_the_user_ten_values,
        owners::keys,
        owners::cancelled,
        governance::acts,
        keys::taken_over,
        governance::code,
    ]
}

fn main() -> ExitCode {
    if env::args().any(|argument| argument == WRITE) {
        return match write() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        };
    }
    let arguments = Arguments::from_args();
    let ready = prerequisites();
    let required = env::var_os(REQUIRE_VARIABLE).is_some();
    if let Err(error) = &ready {
        eprintln!("\n==== gas is not measured: {error} (`make test` builds it) ====\n");
    }
    let skipped = ready.is_err() && !required;
    let check = move || ready.and_then(|()| check()).map_err(|error| Failed::from(format!("{error:?}")));
    let name = "no_message_costs_more_than_what_is_committed_and_than_its_bar";
    libtest_mimic::run(&arguments, vec![Trial::test(name, check).with_ignored_flag(skipped)]).exit_code()
}

fn prerequisites() -> Result<()> {
    let programs = Programs::of_this_build()?;
    programs.node()?;
    programs.contract()?;
    Ok(())
}

fn check() -> Result<()> {
    let committed = Measured::read(&committed("gas.json"))?;
    let now = measure()?;
    let complaints = now.complaints(&committed);
    anyhow::ensure!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    Ok(())
}

fn write() -> Result<()> {
    prerequisites()?;
    let now = measure()?;
    for (name, text) in [("gas.json", now.to_json()?), ("gas.md", page::page(&now))] {
        let path = committed(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {}", path.display());
    }
    let wrong = now.bar_complaints();
    anyhow::ensure!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    Ok(())
}

fn committed(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/measurements").join(name)
}

/// Measures everything, one chain for each number of operators, all of them at once.
fn measure() -> Result<Measured> {
    let runtime = Runtime::new()?;
    let mut measured = Measured::new(fs::metadata(Programs::of_this_build()?.contract()?)?.len());
    let chains = runtime.block_on(futures::future::try_join_all(PARTIES.map(measure_with)))?;
    for (parties, notes) in PARTIES.into_iter().zip(chains) {
        measured.add(parties, notes);
    }
    Ok(measured)
}

async fn measure_with(parties: u32) -> Result<Notes> {
    let folder = tempfile::tempdir()?;
    let bench = Box::pin(Bench::begin(&folder.path().join("stack"), parties, BLOCK_MAX_GAS)).await?;
    let mut stage = Stage { key: bench.key().await?, bench };
    let mut notes = Notes::default();
    for (name, scene) in scenes() {
        let played = scene(&stage, &mut notes).await;
        played.with_context(|| format!("{name} with {parties} operators"))?;
    }
    stage.bench.stack.stop().await?;
    Ok(notes)
}
