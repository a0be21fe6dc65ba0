//! What was measured, for programs and for people.

use std::{collections::BTreeMap, fmt::Write};

use serde::Serialize;

use crate::traffic::Run;

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
    /// Scenarios in the order in which they ran.
    pub scenarios: Vec<Scenario>,
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

const STAGES: [&str; 9] = ["load", "proof", "wait", "hash", "decrypt", "seal", "sign", "flush", "total"];

impl Report {
    /// The page for people.
    pub fn page(&self) -> Result<String, std::fmt::Error> {
        let mut page = String::new();
        writeln!(
            page,
            "# The core under load\n\nWritten by `{}`; the raw numbers are in `load.json`.\n",
            self.command
        )?;
        writeln!(
            page,
            "The real program with its development profile, over TLS with client certificates, each request with the proof"
        )?;
        writeln!(
            page,
            "of its own body and status under a header that all share. The generator runs on the same processors.\n"
        )?;
        writeln!(
            page,
            "Machine: {}. Load average of the minute before: {:.1}.\n",
            self.machine, self.load_average
        )?;
        if !self.note.is_empty() {
            writeln!(page, "{}\n", self.note)?;
        }
        writeln!(
            page,
            "| Request (one uint64) | At a time | Calls | Answers/s | Asked for | p50 ms | p99 ms | Processor time, core µs | generator µs |\n|---|---|---|---|---|---|---|---|---|"
        )?;
        for Scenario { name, concurrency, calls, rate, bar, latency, processor, .. } in &self.scenarios {
            let bar = bar.map_or("-".to_owned(), |bar| format!("{bar:.0}"));
            let Latency { p50, p99 } = latency;
            let Processor { core, generator } = processor;
            write!(page, "| {name} | {concurrency} | {calls} | {rate:.0} | {bar} | {p50:.2} | {p99:.2} ")?;
            writeln!(page, "| {core:.0} | {generator:.0} |")?;
        }
        self.split(&mut page)?;
        let Latency { p50, p99 } = self.disk;
        writeln!(page, "\nThe disk alone, 4 KiB and a flush: p50 {p50:.2} ms, p99 {p99:.2} ms.")?;
        writeln!(page, "A core with one key listens {:.2} s after its start.\n", self.start_seconds)?;
        writeln!(page, "![Memory over requests](load-memory.svg)")?;
        Ok(page)
    }

    fn split(&self, page: &mut String) -> std::fmt::Result {
        writeln!(
            page,
            "\n## Where the time of an answer goes\n\nMeans of the core's own stages in microseconds (`kms_core_stage_seconds`). `load` is"
        )?;
        writeln!(
            page,
            "receiving and decoding the message, `decrypt` reading and decrypting, `flush` one transaction for a group of answers.\n"
        )?;
        writeln!(page, "| Request | At a time | {} | Answers in a flush |", STAGES.join(" | "))?;
        writeln!(page, "|---|---|{}---|", "---|".repeat(STAGES.len()))?;
        for scenario in &self.scenarios {
            let mean =
                |stage: &str| scenario.stages.get(stage).map_or("-".to_owned(), |mean| format!("{mean:.0}"));
            let means: Vec<_> = STAGES.iter().map(|stage| mean(stage)).collect();
            let group = scenario.stages.get("answers in a flush").copied().unwrap_or_default();
            writeln!(
                page,
                "| {} | {} | {} | {group:.1} |",
                scenario.name,
                scenario.concurrency,
                means.join(" | ")
            )?;
        }
        Ok(())
    }
}
