//! Custody with programs that others wrote: a bucket behind a real S3 server, a real PKCS#11 token. Without them these tests
//! are skipped, loudly; with `KMS_REQUIRE_SYSTEM_TESTS` set, as `make test` sets it, that is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bucket;
#[path = "../custody/place.rs"]
#[allow(dead_code, reason = "not all of it is of use here")]
mod place;
mod token;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// With this variable set, what is missing fails the run instead of skipping it.
const REQUIRE_VARIABLE: &str = "KMS_REQUIRE_SYSTEM_TESTS";

/// Names tests by their functions.
macro_rules! tests {
    ($module:ident: $($name:ident),* $(,)?) => {
        trials($module::missing(), vec![$((concat!(stringify!($module), "::", stringify!($name)), $module::$name)),*])
    };
}

fn trials(missing: Option<&'static str>, tests: Vec<(&'static str, fn())>) -> Vec<Trial> {
    let skipped = missing.is_some() && std::env::var_os(REQUIRE_VARIABLE).is_none();
    if let Some(missing) = missing {
        let names: Vec<_> = tests.iter().map(|(name, _)| *name).collect();
        eprintln!("\n==== not run: {missing} ====\n  {}\n", names.join("\n  "));
    }
    let trial = |(name, test): (&str, fn())| {
        let run = move || {
            missing.map_or(Ok(()), |missing| Err(Failed::from(missing)))?;
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(skipped)
    };
    tests.into_iter().map(trial).collect()
}

fn main() -> ExitCode {
    let bucket = tests![bucket:
        a_vault_in_a_bucket_is_made_once_and_opened_again,
        what_is_staged_in_a_bucket_is_not_overwritten,
        without_the_right_credentials_the_vault_is_not_reached_and_no_secret_is_shown,
        public_material_in_a_bucket_is_read_as_it_was_written,
    ];
    let token = tests![token:
        a_token_opens_the_vault_that_it_closed,
        another_tokens_key_or_pin_does_not_open_the_vault,
        a_passphrase_does_not_open_what_a_token_closed,
    ];
    libtest_mimic::run(&Arguments::from_args(), bucket.into_iter().chain(token).collect()).exit_code()
}
