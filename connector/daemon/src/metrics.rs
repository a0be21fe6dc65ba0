//! What is counted. Labels come from closed sets: never an id, never a text.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::machine::Stage;

/// What came of a try to have a request answered, or of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Outcome {
    /// It did what it should.
    Done,
    /// It will be tried again.
    Again,
    /// Given up until an operator looks.
    Parked,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: Outcome,
}

impl EncodeLabelValue for Stage {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.name().encode(encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabel {
    stage: Stage,
}

type HeightGauge = Gauge<u64, AtomicU64>;

/// Every metric of the daemon.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    rows: Family<StageLabel, HeightGauge>,
    tries: Family<OutcomeLabel, Counter>,
    transactions: Family<OutcomeLabel, Counter>,
    /// Height up to which blocks were read.
    pub cursor: HeightGauge,
    /// Height of the newest block.
    pub head: HeightGauge,
    /// Events of the contract that could not be read.
    pub malformed: Counter,
    /// Requests that were found in state and not by an event.
    pub reconciled: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("kms_connector"),
            rows: Family::default(),
            tries: Family::default(),
            transactions: Family::default(),
            cursor: HeightGauge::default(),
            head: HeightGauge::default(),
            malformed: Counter::default(),
            reconciled: Counter::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("rows", "Requests by stage", metrics.rows.clone());
        registry.register("tries", "Tries to have a request answered", metrics.tries.clone());
        registry.register("transactions", "Transactions by fate", metrics.transactions.clone());
        registry.register("cursor_height", "Height up to which blocks were read", metrics.cursor.clone());
        registry.register("head_height", "Height of the newest block", metrics.head.clone());
        registry.register("malformed_events", "Unreadable events of the contract", metrics.malformed.clone());
        registry.register("reconciled_requests", "Requests found in state alone", metrics.reconciled.clone());
        metrics
    }
}

impl Metrics {
    /// Counts a try to have a request answered.
    pub fn tried(&self, outcome: Outcome) {
        self.tries.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Counts a transaction.
    pub fn transacted(&self, outcome: Outcome) {
        self.transactions.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Sets how many rows are in a stage.
    pub fn set_rows(&self, stage: Stage, count: u64) {
        self.rows.get_or_create(&StageLabel { stage }).set(count);
    }

    /// The text that a Prometheus server reads.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_what_was_counted() {
        let metrics = Metrics::default();
        metrics.tried(Outcome::Again);
        metrics.set_rows(Stage::Parked, 3);
        metrics.cursor.set(77);
        let text = metrics.text().unwrap();
        for line in [
            "kms_connector_tries_total{outcome=\"Again\"} 1",
            "kms_connector_rows{stage=\"parked\"} 3",
            "kms_connector_cursor_height 77",
        ] {
            assert!(text.contains(line), "no {line} in\n{text}");
        }
    }
}
