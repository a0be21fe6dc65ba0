//! What was measured, for programs and for people.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use serde::Serialize;

use crate::{stages::GROUPS, traffic::Run};

/// All that one run of the tool measured.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How to do it again.
    pub command: String,
    /// Processors, and what they are.
    pub machine: String,
    /// What readers must know of this run.
    pub note: String,
    /// How busy the machine was when the run began: the mean of processes that ran or waited, over a minute.
    pub load_average: f64,
    /// From the start of a core with one key to the moment when it listens, seconds.
    pub start_seconds: f64,
    /// The disk alone: 4 KiB and a flush, milliseconds.
    pub disk: Latency,
    /// Decryptions, in the order in which they ran.
    pub scenarios: Vec<Scenario>,
    /// Verifications of inputs, and the making of keys and reference strings.
    pub others: Vec<Scenario>,
    /// Requests answered and resident bytes of the core.
    pub memory: Vec<(usize, u64)>,
}

/// Milliseconds.
#[derive(Debug, Serialize)]
pub struct Latency {
    /// Half of the calls took no longer.
    pub p50: f64,
    /// 99 in 100 took no longer.
    pub p99: f64,
}

impl From<&Run> for Latency {
    fn from(run: &Run) -> Self {
        Self { p50: run.percentile(50), p99: run.percentile(99) }
    }
}

/// Microseconds of one processor for each call. Neighbours on the machine change it little.
#[derive(Debug, Serialize)]
pub struct Processor {
    /// Of the core.
    pub core: f64,
    /// Of the generator, with the making of requests and proofs.
    pub generator: f64,
}

/// One kind of request at one concurrency.
#[derive(Debug, Serialize)]
pub struct Scenario {
    /// What was asked.
    pub name: String,
    /// Calls at a time.
    pub concurrency: usize,
    /// How many calls.
    pub calls: usize,
    /// Answers per second.
    pub rate: f64,
    /// Answers per second that are asked for; none where only the latency counts.
    pub bar: Option<f64>,
    /// Of a call, as its caller sees it.
    pub latency: Latency,
    /// Processor time for each call, microseconds.
    pub processor: Processor,
    /// Means of the core's stages, microseconds.
    pub stages: BTreeMap<String, f64>,
}

const STAGES: [&str; 10] =
    ["load", "proof", "wait", "hash", "deserialize", "decrypt", "seal", "sign", "flush", "total"];

const HEAD: &str = "\
The real program with its development profile, over TLS with client certificates, each request with the proof
of its own body and status under a header that all share. The generator runs on the same processors.
";

const OTHERS: &str = "
## Inputs, keys and reference strings

The same way, after a restart. An input is proven with a string as it is made here, and valid. Each key and each string is
made after the one before, with a header of its own; of so few runs the p99 is the slowest.
";

const SPLIT: &str = "
## Where the time of an answer goes

Means of the core's own stages in microseconds (`kms_core_stage_seconds`). `load` is receiving and decoding the message,
`deserialize` reading and checking the stored ciphertexts, `decrypt` what follows, `flush` one transaction for a group of
answers. What has no stage of its own is in `total` alone: making a key or a string, and verifying an input.
";

impl Report {
    /// The page for people.
    pub fn page(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        self.head(&mut page)?;
        self.decryptions(&mut page)?;
        self.others(&mut page)?;
        self.split(&mut page)?;
        let Latency { p50, p99 } = self.disk;
        writeln!(page, "\nThe disk alone, 4 KiB and a flush: p50 {p50:.2} ms, p99 {p99:.2} ms.")?;
        writeln!(page, "A core with one key listens {:.2} s after its start.\n", self.start_seconds)?;
        writeln!(page, "![Memory over requests](load-memory.svg)")?;
        Ok(page)
    }

    fn head(&self, page: &mut String) -> fmt::Result {
        let Self { command, machine, load_average, note, .. } = self;
        writeln!(page, "# The core under load\n")?;
        writeln!(page, "Written by `{command}`; the raw numbers are in `load.json`.\n")?;
        writeln!(page, "{HEAD}")?;
        writeln!(page, "Machine: {machine}. Load average of the minute before: {load_average:.1}.\n")?;
        if !note.is_empty() {
            writeln!(page, "{note}\n")?;
        }
        Ok(())
    }

    fn decryptions(&self, page: &mut String) -> fmt::Result {
        write!(
            page,
            "| Request (one uint64) | At a time | Calls | Answers/s | Asked for | p50 ms | p99 ms "
        )?;
        writeln!(page, "| Processor time, core µs | generator µs |\n|---|---|---|---|---|---|---|---|---|")?;
        for Scenario { name, concurrency, calls, rate, bar, latency, processor, .. } in &self.scenarios {
            let bar = bar.map_or("-".to_owned(), |bar| format!("{bar:.0}"));
            let Latency { p50, p99 } = latency;
            let Processor { core, generator } = processor;
            write!(page, "| {name} | {concurrency} | {calls} | {rate:.0} | {bar} | {p50:.2} | {p99:.2} ")?;
            writeln!(page, "| {core:.0} | {generator:.0} |")?;
        }
        Ok(())
    }

    /// In milliseconds, as microseconds of these are noise.
    fn others(&self, page: &mut String) -> fmt::Result {
        writeln!(page, "{OTHERS}")?;
        write!(page, "| Request | At a time | Calls | Answers/s | p50 ms | p99 ms ")?;
        writeln!(page, "| Processor time, core ms |\n|---|---|---|---|---|---|---|")?;
        for Scenario { name, concurrency, calls, rate, latency, processor, .. } in &self.others {
            let Latency { p50, p99 } = latency;
            let core = processor.core / 1000.0;
            write!(page, "| {name} | {concurrency} | {calls} | {rate:.2} | {p50:.0} | {p99:.0} ")?;
            writeln!(page, "| {core:.0} |")?;
        }
        Ok(())
    }

    fn split(&self, page: &mut String) -> fmt::Result {
        writeln!(page, "{SPLIT}")?;
        writeln!(page, "| Request | At a time | {} | Answers in a flush |", STAGES.join(" | "))?;
        writeln!(page, "|---|---|{}---|", "---|".repeat(STAGES.len()))?;
        for scenario in self.scenarios.iter().chain(&self.others) {
            let mean =
                |stage: &str| scenario.stages.get(stage).map_or("-".to_owned(), |mean| format!("{mean:.0}"));
            let means = STAGES.map(mean).join(" | ");
            let group = scenario.stages.get(GROUPS).copied().unwrap_or_default();
            let Scenario { name, concurrency, .. } = scenario;
            writeln!(page, "| {name} | {concurrency} | {means} | {group:.1} |")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(name: &str, stages: &[(&str, f64)]) -> Scenario {
        Scenario {
            name: name.to_owned(),
            concurrency: 3,
            calls: 7,
            rate: 1234.4,
            bar: None,
            latency: Latency { p50: 4.2, p99: 86.4 },
            processor: Processor { core: 5_678.0, generator: 90.0 },
            stages: stages.iter().map(|(stage, mean)| ((*stage).to_owned(), *mean)).collect(),
        }
    }

    #[test]
    fn every_scenario_has_a_row_of_numbers_and_a_row_of_stages() {
        let stages = [("load", 1.0), ("deserialize", 2.0), ("decrypt", 3.0), ("total", 9.0), (GROUPS, 1.5)];
        let report = Report {
            command: "make load".to_owned(),
            machine: "a machine".to_owned(),
            note: String::new(),
            load_average: 0.0,
            start_seconds: 0.0,
            disk: Latency { p50: 0.0, p99: 0.0 },
            scenarios: vec![Scenario { bar: Some(800.0), ..scenario("decryption", &stages) }],
            others: vec![scenario("key", &[("total", 9.0)])],
            memory: vec![],
        };
        let page = report.page().unwrap();
        for row in [
            "| decryption | 3 | 7 | 1234 | 800 | 4.20 | 86.40 | 5678 | 90 |",
            "| key | 3 | 7 | 1234.40 | 4 | 86 | 6 |",
            "| decryption | 3 | 1 | - | - | - | 2 | 3 | - | - | - | 9 | 1.5 |",
            "| key | 3 | - | - | - | - | - | - | - | - | - | 9 | 0.0 |",
        ] {
            assert!(page.lines().any(|line| line == row), "no {row} in\n{page}");
        }
        // A table and what precedes it would run together without a blank line.
        for (before, line) in page.lines().zip(page.lines().skip(1)) {
            assert!(!line.starts_with("| Request") || before.is_empty(), "{before}\n{line}");
        }
    }
}
