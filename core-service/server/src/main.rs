//! `kms-core`: see `kms-core --help`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match kms_core::cli::run(kms_core::cli::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kms-core: {error:#}");
            ExitCode::FAILURE
        }
    }
}
