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

use kms_asc_api::{DenialReason, OperationKind};
use kms_asc_mutants::mutant;
use run::{LENGTH, Tally, play};

/// Cases of 200 steps in which each planted bug must show.
const MOST_CASES: u64 = 200;

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
        eprintln!("{tally:?}");
    }
    covers_everything(&tally);
}

/// A run in which something never happens says nothing about it.
fn covers_everything(tally: &Tally) {
    let missing = |names: &[&str], of: fn(&(u64, u64)) -> u64| -> Vec<String> {
        let never = |name: &&&str| tally.get(**name).is_none_or(|count| of(count) == 0);
        names.iter().filter(never).map(ToString::to_string).collect()
    };
    assert_eq!(missing(&MESSAGES, |(yes, _)| *yes), [""; 0], "never accepted");
    assert_eq!(missing(&MESSAGES, |(_, no)| *no), [""; 0], "never refused");
    let kinds = KINDS.map(|kind| format!("log {kind}"));
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    assert_eq!(missing(&kinds, |(yes, _)| *yes), [""; 0], "never logged");
    let outcomes = ["item duplicate", "item equivocation", "item late", "closed:failed", "closed:cancelled"];
    assert_eq!(missing(&outcomes, |(yes, _)| *yes), [""; 0], "never came");
    let fulfilled = OperationKind::ALL.map(|kind| format!("{kind} fulfilled"));
    let denied = DenialReason::ALL.map(|reason| format!("denied for {reason}"));
    let ends: Vec<&str> = fulfilled.iter().chain(&denied).map(String::as_str).collect();
    assert_eq!(missing(&ends, |(yes, _)| *yes), [""; 0], "no request ended so");
}

const MESSAGES: [&str; 26] = [
    "Submit",
    "Together",
    "Responses",
    "Failures",
    "Close",
    "Cancel",
    "Withdraw",
    "Grant",
    "Revoke",
    "Attesters",
    "Crs",
    "State",
    "Offer",
    "Accept",
    "SetEpoch",
    "RevokeEpoch",
    "Config",
    "Domain",
    "Pause",
    "Unpause",
    "Treasury",
    "Sweep",
    "Schedule",
    "Migrate",
    "Propose",
    "Office",
];

/// All but those of the contract's birth.
const KINDS: [&str; 38] = [
    "config_set",
    "epoch_set",
    "request_submitted",
    "request_denied",
    "response_recorded",
    "response_late",
    "failure_recorded",
    "equivocation",
    "cancel_requested",
    "cancel_lapsed",
    "request_fulfilled",
    "request_failed",
    "request_expired",
    "request_cancelled",
    "callback_failed",
    "refund_credited",
    "withdrawn",
    "treasury_withdrawn",
    "surplus_swept",
    "key_activated",
    "key_taken_over",
    "key_state_set",
    "key_offered",
    "key_accepted",
    "attesters_set",
    "crs_allowed",
    "granted",
    "revoked",
    "domain_registered",
    "crs_activated",
    "epoch_revoked",
    "paused",
    "unpaused",
    "admin_proposed",
    "admin_accepted",
    "migration_scheduled",
    "migration_started",
    "migrated",
];

/// The model is worth what it finds.
#[test]
fn every_planted_bug_is_found() {
    places();
    let differs = |bug: &'static str, case| {
        mutant::switch(bug);
        let difference = play(chain::mutants, 1, case, false, &mut Tally::new()).err();
        mutant::switch("");
        difference
    };
    let mut latest = 0;
    for (bug, description) in mutant::ALL {
        let found = (0..MOST_CASES).find(|case| differs(bug, *case).is_some());
        let found = found.unwrap_or_else(|| panic!("not found: {bug}: {description}"));
        eprintln!("{bug}: case {found}");
        latest = latest.max(found);
    }
    assert!(mutant::ALL.len() >= 8);
    // It was the bugs that were found, not the copy: without one, the same cases agree.
    for case in 0..=latest {
        assert_eq!(differs("no bug at all", case), None, "case {case}");
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
