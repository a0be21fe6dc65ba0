//! One stage is one process, so that the most memory it had is its own.

use std::{env, fs, path::Path, process::Command, time::Instant};

use serde_json::{Value, json};

use crate::{Result, decryptions, keys, lists};

/// Every stage, in order.
pub const ALL: &[&str] = &[
    "key generation",
    "load of a key",
    "reference string of 64 bits",
    "reference string of 2048 bits",
    "proofs of one uint64",
    "proofs of 2048 bits",
    "verification of one uint64",
    "verification of 2048 bits",
    "decryption",
    "compressed lists against decompression",
];

/// Runs a stage in this process and prints what it found.
pub fn run(name: &str, folder: &Path) -> Result<()> {
    let mut found = match name {
        "key generation" => keys::generation(folder),
        "load of a key" => keys::load(folder),
        "reference string of 64 bits" => keys::reference_string(folder, 64),
        "reference string of 2048 bits" => keys::reference_string(folder, 2048),
        "proofs of one uint64" => keys::proofs(folder, 64),
        "proofs of 2048 bits" => keys::proofs(folder, 2048),
        "verification of one uint64" => keys::verification(folder, 64),
        "verification of 2048 bits" => keys::verification(folder, 2048),
        "decryption" => decryptions::measure(folder),
        "compressed lists against decompression" => lists::measure(folder),
        other => Err(format!("there is no stage `{other}`").into()),
    }?;
    found["peak memory of the process, MB"] = json!(memory("VmHWM")?);
    println!("{found}");
    Ok(())
}

/// Runs a stage in a process of its own.
pub fn spawn(name: &str, folder: &Path) -> Result<Value> {
    let output = Command::new(env::current_exe()?).arg(name).arg(folder).output()?;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A field of `/proc/self/status`, in MB.
pub fn memory(field: &str) -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)).ok_or("no such field")?;
    Ok(rounded(kilobytes.parse::<f64>()? / 1000.0))
}

/// Milliseconds that each of `count` runs took.
pub fn times<T>(count: usize, mut work: impl FnMut() -> Result<T>) -> Result<Vec<f64>> {
    (0..count)
        .map(|_| {
            let start = Instant::now();
            work()?;
            Ok(milliseconds(start))
        })
        .collect()
}

pub fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

/// Of an odd number of them, the one in the middle.
pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().map_or(f64::NAN, rounded)
}

/// Four digits are all that is meant.
pub fn rounded(number: f64) -> f64 {
    let scale = 10_f64.powf(3.0 - number.abs().max(1e-9).log10().floor());
    (number * scale).round() / scale
}
