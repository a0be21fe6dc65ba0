//! A real node, and what it proves. Without it these tests are skipped, loudly; with `KMS_REQUIRE_SYSTEM_TESTS` set, as
//! `make test` sets it, that is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chain;
mod proofs;

use std::process::ExitCode;

use anyhow::Result;
use kms_localnet::Programs;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

/// With this variable set, a missing node fails the run instead of skipping it.
const REQUIRE_VARIABLE: &str = "KMS_REQUIRE_SYSTEM_TESTS";

/// Names tests by their functions.
macro_rules! tests {
    ($($module:ident::$name:ident),* $(,)?) => {
        vec![$(named(
            concat!(stringify!($module), "::", stringify!($name)),
            || Runtime::new().unwrap().block_on($module::$name()),
        )),*]
    };
}

fn named(name: &'static str, test: fn()) -> (&'static str, fn()) {
    (name, test)
}

fn main() -> ExitCode {
    let tests = tests![
        chain::a_chain_starts_pays_survives_a_kill_and_stops,
        chain::a_transaction_that_pays_too_little_is_refused,
        chain::two_stacks_run_beside_each_other_and_only_their_owner_reads_their_keys,
        chain::the_chain_has_a_block_gas_limit_and_blocks_of_200_ms,
        chain::a_creation_that_was_interrupted_is_begun_anew,
        chain::a_stack_belongs_to_one_program_at_a_time_and_is_found_again,
        proofs::a_value_and_an_absence_are_proven_from_a_header_that_a_person_named,
    ];
    let missing = prerequisites().err().map(|missing| format!("{missing:#}"));
    let skipped = missing.is_some() && std::env::var_os(REQUIRE_VARIABLE).is_none();
    if let Some(missing) = &missing {
        let names: Vec<_> = tests.iter().map(|(name, _)| *name).collect();
        eprintln!("\n==== not run: {missing} (`make test` builds it) ====\n  {}\n", names.join("\n  "));
    }
    let trials = tests.into_iter().map(|(name, test)| {
        let missing = missing.clone();
        let run = move || {
            missing.map_or(Ok(()), |missing| Err(Failed::from(missing)))?;
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(skipped)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn prerequisites() -> Result<()> {
    let programs = Programs::of_this_build()?;
    programs.node()?;
    programs.contract()?;
    Ok(())
}
