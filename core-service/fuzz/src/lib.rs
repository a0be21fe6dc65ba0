//! What the fuzz targets share. The functions that they call are each in the crate that they try, and run at every
//! `make test` too, there on random changes of the seeds for a minute.

use std::{env, fs, path::PathBuf};

/// Names the folder of inputs to begin from.
pub const FOLDER: &str = "KMS_FUZZ_CORPUS";

/// Puts seeds among the inputs that the fuzzer is about to read.
///
/// # Panics
/// If they cannot be written: a run without them would reach nothing.
pub fn plant(seeds: Vec<Vec<u8>>) {
    let folder = PathBuf::from(env::var_os(FOLDER).unwrap_or_else(|| panic!("{FOLDER} is not set")));
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for (number, seed) in seeds.iter().enumerate() {
        let path = folder.join(format!("seed-{number}"));
        fs::write(&path, seed).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
