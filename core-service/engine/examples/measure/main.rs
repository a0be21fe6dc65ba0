//! Measures the engine with the parameters of real use, each stage in a process of its own, and writes
//! `docs/measurements/engine.json` and `engine.md`: `cargo run -p kms-core-engine --example measure`.

mod decryptions;
mod keys;
mod lists;
mod report;
mod stage;

use std::{env, error::Error, path::Path};

/// What a stage may fail with: it is shown and ends the run.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => measure(),
        [stage, folder] => stage::run(stage, Path::new(folder)),
        _ => Err("no arguments are needed".into()),
    }
}

/// Runs every stage in turn; later ones read what earlier ones left in the folder.
fn measure() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut stages = Vec::new();
    for name in stage::ALL {
        eprintln!("{name}");
        stages.push(((*name).to_owned(), stage::spawn(name, folder.path())?));
    }
    report::write(stages)
}
