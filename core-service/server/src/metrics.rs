//! What is counted and timed. Labels come from closed sets: never an id, never a text.

use std::{
    sync::atomic::AtomicU64,
    time::{Duration, Instant},
};

use kms_core_proto::{
    reason,
    v1::{Answer, answer},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use crate::Error;

/// What an answer's time goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// Receiving and decoding the message.
    Load,
    /// Judging what the proof shows.
    Proof,
    /// Until there is room to work.
    Wait,
    /// Comparing ciphertexts with their digests.
    Hash,
    /// Reading and checking stored ciphertexts.
    Deserialize,
    /// Decrypting what was read.
    Decrypt,
    /// Sealing plaintexts to a user.
    Seal,
    /// External signature and receipt.
    Sign,
    /// One transaction of the answer store, shared by a group of answers.
    Flush,
    /// From the call to its answer.
    Total,
}

impl Stage {
    const ALL: [Self; 10] = [
        Self::Load,
        Self::Proof,
        Self::Wait,
        Self::Hash,
        Self::Deserialize,
        Self::Decrypt,
        Self::Seal,
        Self::Sign,
        Self::Flush,
        Self::Total,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Proof => "proof",
            Self::Load => "load",
            Self::Hash => "hash",
            Self::Deserialize => "deserialize",
            Self::Decrypt => "decrypt",
            Self::Seal => "seal",
            Self::Sign => "sign",
            Self::Flush => "flush",
            Self::Total => "total",
        }
    }
}

impl EncodeLabelValue for Stage {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.name().encode(encoder)
    }
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// An answer.
    Answer,
    /// A signed failure.
    Failure,
    /// An error.
    Refused,
}

impl Outcome {
    pub(crate) fn of(result: &Result<Answer, Error>) -> Self {
        match result {
            Ok(Answer { outcome: Some(answer::Outcome::Failure(_)), .. }) => Self::Failure,
            Ok(_) => Self::Answer,
            Err(_) => Self::Refused,
        }
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        let name = match self {
            Self::Answer => "answer",
            Self::Failure => "failure",
            Self::Refused => "refused",
        };
        name.encode(encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabel {
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// What is at the desk, and what the core trusts: read when the page is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Levels {
    /// Requests that wait or run.
    pub(crate) requests: u64,
    /// What they are expected to take of one processor.
    pub(crate) work: Duration,
    /// Bytes of their ciphertexts.
    pub(crate) bytes: u64,
    /// Calls in progress.
    pub(crate) calls: u64,
    /// Height of the newest trusted header.
    pub(crate) trusted_height: u64,
    /// Age of the newest trusted header by its time; none, if none was shown yet.
    pub(crate) header_age: Option<Duration>,
}

type U64Gauge = Gauge<u64, AtomicU64>;
type F64Gauge = Gauge<f64, AtomicU64>;

#[derive(Debug, Default)]
struct Gauges {
    requests: U64Gauge,
    work: F64Gauge,
    bytes: U64Gauge,
    calls: U64Gauge,
    trusted_height: U64Gauge,
    header_age: F64Gauge,
}

/// Every metric of the core.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    refusals: Family<ReasonLabel, Counter>,
    stages: Family<StageLabel, Histogram, fn() -> Histogram>,
    groups: Histogram,
    pruned: Counter,
    dropped: Counter,
    gauges: Gauges,
}

/// 8 microseconds to 35 seconds.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(8e-6, 2.0, 23))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("kms_core"),
            requests: Family::default(),
            refusals: Family::default(),
            stages: Family::new_with_constructor(seconds),
            groups: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            pruned: Counter::default(),
            dropped: Counter::default(),
            gauges: Gauges::default(),
        };
        metrics.register();
        // Every stage is shown from the start, so that a missing one is a mistake and not a quiet day.
        for stage in Stage::ALL {
            drop(metrics.stages.get_or_create(&StageLabel { stage }));
        }
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("requests", "Requests, by operation and outcome", self.requests.clone());
        registry.register("refusals", "Calls that ended with an error, by reason", self.refusals.clone());
        let text = "What answers take, by stage";
        registry.register_with_unit("stage", text, Unit::Seconds, self.stages.clone());
        registry.register("flush_group_answers", "Answers that shared one flush", self.groups.clone());
        registry.register("pruned_answers", "Answers of finished requests, forgotten", self.pruned.clone());
        let text = "Work given up before it began, as nobody waited for it any more";
        registry.register("dropped_requests", text, self.dropped.clone());

        let gauges = &self.gauges;
        registry.register("queue_requests", "Requests that wait or run", gauges.requests.clone());
        let text = "What they are expected to take of one processor";
        registry.register_with_unit("queue_work", text, Unit::Seconds, gauges.work.clone());
        registry.register_with_unit("queue", "Bytes of their ciphertexts", Unit::Bytes, gauges.bytes.clone());
        registry.register("calls_in_progress", "Calls whose message is held", gauges.calls.clone());
        let text = "Height of the newest trusted header";
        registry.register("trusted_height", text, gauges.trusted_height.clone());
        let text = "Age of the newest trusted header by its time";
        registry.register_with_unit("trusted_header_age", text, Unit::Seconds, gauges.header_age.clone());
    }

    /// Counts a request that was asked for, by what came of it.
    pub(crate) fn ended(&self, operation: &'static str, outcome: Outcome) {
        self.requests.get_or_create(&RequestLabels { operation, outcome }).inc();
    }

    /// Counts a call that ended with an error.
    pub(crate) fn refused(&self, reason: &str) {
        // A reason that the interface does not name is no label.
        let reason = reason::ALL.into_iter().find(|known| *known == reason).unwrap_or("other");
        self.refusals.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Records what a stage took.
    pub(crate) fn took(&self, stage: Stage, time: Duration) {
        self.stages.get_or_create(&StageLabel { stage }).observe(time.as_secs_f64());
    }

    /// Runs a stage and records what it took.
    pub(crate) fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let _timer = self.timer(stage);
        work()
    }

    /// Times a stage until it is dropped.
    pub(crate) fn timer(&self, stage: Stage) -> Timer<'_> {
        Timer { metrics: self, stage, started: Instant::now() }
    }

    /// Records how many answers shared a flush.
    pub(crate) fn flushed(&self, answers: usize) {
        self.groups.observe(f64::from(u32::try_from(answers).unwrap_or(u32::MAX)));
    }

    /// Counts answers that were forgotten.
    pub(crate) fn pruned(&self, answers: u64) {
        self.pruned.inc_by(answers);
    }

    /// Counts work that was given up before it began.
    pub(crate) fn dropped(&self) {
        self.dropped.inc();
    }

    /// The text that a Prometheus server reads.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub(crate) fn text(&self, levels: Levels) -> Result<String, std::fmt::Error> {
        let Levels { requests, work, bytes, calls, trusted_height, header_age } = levels;
        self.gauges.requests.set(requests);
        self.gauges.work.set(work.as_secs_f64());
        self.gauges.bytes.set(bytes);
        self.gauges.calls.set(calls);
        self.gauges.trusted_height.set(trusted_height);
        self.gauges.header_age.set(header_age.map_or(f64::NAN, |age| age.as_secs_f64()));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A stage under way.
pub(crate) struct Timer<'a> {
    metrics: &'a Metrics,
    stage: Stage,
    started: Instant,
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        self.metrics.took(self.stage, self.started.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_what_was_counted() {
        let metrics = Metrics::default();
        metrics.ended("public_decrypt", Outcome::of(&Ok(Answer::default())));
        metrics.ended("key_gen", Outcome::of(&Err(Error::ShuttingDown)));
        metrics.refused(reason::BUSY);
        metrics.refused("request 7 is not known");
        metrics.flushed(3);
        metrics.took(Stage::Sign, Duration::from_micros(100));
        let levels = Levels {
            requests: 5,
            work: Duration::from_millis(1500),
            header_age: Some(Duration::from_secs(4)),
            ..Levels::default()
        };
        let text = metrics.text(levels).unwrap();
        for line in [
            "kms_core_requests_total{operation=\"public_decrypt\",outcome=\"answer\"} 1",
            "kms_core_requests_total{operation=\"key_gen\",outcome=\"refused\"} 1",
            "kms_core_refusals_total{reason=\"busy\"} 1",
            "kms_core_refusals_total{reason=\"other\"} 1",
            "kms_core_flush_group_answers_sum 3",
            "kms_core_stage_seconds_count{stage=\"sign\"} 1",
            "kms_core_stage_seconds_count{stage=\"flush\"} 0",
            "kms_core_stage_seconds_count{stage=\"deserialize\"} 0",
            "kms_core_queue_requests 5",
            "kms_core_queue_work_seconds 1.5",
            "kms_core_trusted_header_age_seconds 4.0",
        ] {
            assert!(text.contains(line), "no {line} in\n{text}");
        }
        assert!(!text.contains("request 7"), "{text}");
    }
}
