//! The same daemon with its failpoints armed, for tests alone.
//!
//! `KMS_CRASH_AT=<point>` ends the process there as `kill -9` would; `FAILPOINTS="<point>=<action>;..."` takes the
//! actions of the crate `fail`, such as `sleep(1000)` or `pause`.

use std::{env, process};

use kms_connector::failpoint;

fn main() -> process::ExitCode {
    let scenario = fail::FailScenario::setup();
    let crash = env::var("KMS_CRASH_AT").ok();
    if let Some(name) = &crash {
        if !failpoint::ALL.contains(&name.as_str()) {
            eprintln!("error: unknown failpoint {name}, allowed are {}", failpoint::ALL.join(", "));
            return process::ExitCode::from(2);
        }
        if let Err(error) = fail::cfg_callback(name, || process::abort()) {
            eprintln!("error: {error}");
            return process::ExitCode::from(2);
        }
    }
    let status = kms_connector::program::main();
    scenario.teardown();
    status
}
