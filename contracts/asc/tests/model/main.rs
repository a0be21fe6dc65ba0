//! A model of the contract, written from its interface and not from its code, and the contract itself, driven
//! by the same random steps: all messages, several actors, jumps in time, wrong input half of the time. After each
//! step they must agree on what became of the message and on all of state, log and money.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::as_conversions)]

mod app;
#[path = "../contract/suite/bank.rs"]
mod bank;
mod chain;
mod compare;
mod generate;
mod model;
mod operations;
mod run;
mod step;
mod world;

use std::time::{Duration, Instant};

use run::{LENGTH, Tally, play};

/// Addresses are known once a chain was made.
fn places() {
    drop(chain::Chain::new(chain::contract, 0));
}

fn played(steps: u64, seed: u64, progress: bool) -> Result<Tally, String> {
    places();
    let (mut tally, start) = (Tally::new(), Instant::now());
    let mut told = start;
    let cases = steps.div_ceil(LENGTH as u64);
    for case in 0..cases {
        play(chain::contract, seed, case, true, &mut tally)?;
        if progress && told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            let done = (case + 1) * LENGTH as u64;
            eprintln!("{done} of {steps} steps in {} s", start.elapsed().as_secs());
        }
    }
    Ok(tally)
}

#[test]
fn contract_and_model_agree_on_5000_steps() {
    let tally = played(5_000, 1, false).unwrap_or_else(|difference| panic!("{difference}"));
    if std::env::var_os("SHOW_TALLY").is_some() {
        eprintln!("{tally:#?}");
    }
}

/// `make campaign-contract STEPS=n SEED=s`; with CASE=c, one case of it again.
#[test]
#[ignore = "as long as one likes"]
fn campaign() {
    let variable = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let (steps, seed) = (variable("STEPS").unwrap_or(100_000), variable("SEED").unwrap_or(1));
    places();
    let tally = match variable("CASE") {
        Some(case) => {
            let mut tally = Tally::new();
            play(chain::contract, seed, case, true, &mut tally).map(|()| tally)
        }
        None => played(steps, seed, true),
    };
    let tally = tally.unwrap_or_else(|difference| panic!("{difference}"));
    eprintln!("contract and model agree on {steps} steps of seed {seed}");
    for (name, (yes, no)) in tally {
        eprintln!("{name}: {yes} accepted, {no} refused");
    }
}
