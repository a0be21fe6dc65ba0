//! What is measured, how often, and how many answers per second are asked for.

use anyhow::Result;

use crate::{
    report::Scenario,
    stand::{BATCH, Form, Load, Stand},
    world::{self, Asked},
};

/// Decryptions at a time.
pub const CONCURRENCY: usize = 64;
/// Verifications at a time. A core accepts half a minute of work, and counts half a second for each: of 64 it would refuse some.
const INPUTS_AT_A_TIME: usize = 16;
/// Verifications in all, and those one at a time.
const INPUTS: (usize, usize) = (256, 48);
/// Verifications recorded in one block: few enough for a header of half a minute, even where one takes a second.
const INPUT_BATCH: usize = 32;
/// Keys that are made, each some seconds of all processors.
const KEYS: usize = 5;
/// Reference strings that are made, each some ten seconds of all processors.
const STRINGS: usize = 3;

/// A kind of decryption.
struct Kind {
    name: &'static str,
    asked: Asked,
    /// By how much fewer calls are made than of others.
    share: usize,
    /// Answers per second that are asked for.
    bar: f64,
}

fn kinds(stand: &Stand) -> Result<[Kind; 3]> {
    Ok([
        Kind {
            name: "public decryption, compressed",
            asked: stand.public_decryption(Form::Compressed),
            share: 1,
            bar: 2_000.0,
        },
        Kind {
            name: "public decryption, raw",
            asked: stand.public_decryption(Form::Raw),
            share: 4,
            bar: 800.0,
        },
        Kind {
            name: "user decryption, compressed",
            asked: stand.user_decryption(Form::Compressed)?,
            share: 1,
            bar: 1_200.0,
        },
    ])
}

/// Decryptions: `calls` of each kind together, and some one after the other.
pub async fn decryptions(stand: &mut Stand, calls: usize) -> Result<Vec<Scenario>> {
    let kinds = kinds(stand)?;
    let load = |concurrency, calls| Load { concurrency, calls, batch: BATCH };
    // What is made at the first call only is made here.
    for Kind { name, asked, .. } in &kinds {
        stand.run(&format!("{name}, to warm up"), asked, load(CONCURRENCY, 500)).await?;
    }
    let mut scenarios = Vec::new();
    for Kind { name, asked, share, bar } in &kinds {
        let calls = (calls / share).max(1);
        scenarios.push(stand.measure(name, asked, load(CONCURRENCY, calls), Some(*bar)).await?);
        scenarios.push(stand.measure(name, asked, load(1, (calls / 20).max(100)), None).await?);
    }
    Ok(scenarios)
}

/// Operations of which one takes a processor for a tenth of a second to many seconds.
pub async fn others(stand: &mut Stand) -> Result<Vec<Scenario>> {
    let name = format!("`crs_gen`, {} bits", world::STRING_BITS);
    let (strings, last) = stand.measure_alone(&name, &world::crs_gen(), STRINGS).await?;
    eprintln!("proving the input whose verification is measured");
    let input = stand.verification(&last).await?;
    let name = "`verify_input`, one uint64";
    let (all, single) = INPUTS;
    let load = |concurrency, calls| Load { concurrency, calls, batch: INPUT_BATCH };
    let together = stand.measure(name, &input, load(INPUTS_AT_A_TIME, all), None).await?;
    let alone = stand.measure(name, &input, load(1, single), None).await?;
    // Last, so that nothing else is measured with more than one key.
    let name = "`key_gen`, production parameters";
    let (keys, _) = stand.measure_alone(name, &world::key_gen(), KEYS).await?;
    Ok(vec![together, alone, keys, strings])
}
