//! What the disk alone takes: a small write and its flush.

use std::{fs::File, io::Write, path::Path, time::Instant};

use anyhow::Result;

use crate::traffic::Run;

/// Writes and flushes 4 KiB so many times in a folder.
pub fn flushes(folder: &Path, times: usize) -> Result<Run> {
    let path = folder.join("flush-probe");
    let mut file = File::create(&path)?;
    let mut run = Run::default();
    let started = Instant::now();
    for _ in 0..times {
        let started = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        run.latencies.push(started.elapsed());
    }
    run.took = started.elapsed();
    run.latencies.sort_unstable();
    std::fs::remove_file(path)?;
    Ok(run)
}
