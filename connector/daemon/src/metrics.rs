//! What is counted. Labels come from closed sets: never an id, never a text.

use std::{collections::BTreeMap, sync::atomic::AtomicU64};

use kms_asc_api::RejectReason;
use kms_core_proto::reason;
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: String,
}

type HeightGauge = Gauge<u64, AtomicU64>;

/// Every metric of the daemon.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    rows: Family<StageLabel, HeightGauge>,
    parked: Family<ReasonLabel, HeightGauge>,
    tries: Family<OutcomeLabel, Counter>,
    transactions: Family<OutcomeLabel, Counter>,
    /// Height up to which blocks were read.
    pub cursor: HeightGauge,
    /// Height of the newest block.
    pub head: HeightGauge,
    /// Blocks that were not read, but replaced by what state says.
    pub skipped: Counter,
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
            parked: Family::default(),
            tries: Family::default(),
            transactions: Family::default(),
            cursor: HeightGauge::default(),
            head: HeightGauge::default(),
            skipped: Counter::default(),
            malformed: Counter::default(),
            reconciled: Counter::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("rows", "Requests by stage", metrics.rows.clone());
        registry.register("parked_rows", "Requests given up, by reason", metrics.parked.clone());
        registry.register("tries", "Tries to have a request answered", metrics.tries.clone());
        registry.register("transactions", "Transactions by fate", metrics.transactions.clone());
        registry.register("cursor_height", "Height up to which blocks were read", metrics.cursor.clone());
        registry.register("head_height", "Height of the newest block", metrics.head.clone());
        registry.register("skipped_blocks", "Blocks replaced by state", metrics.skipped.clone());
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

    /// Sets how many rows were given up, by reason. Reasons that this version does not know count as `other`.
    pub fn set_parked(&self, counts: BTreeMap<String, u64>) {
        self.parked.clear();
        for (reason, count) in counts {
            let reason = if is_known(&reason) { reason } else { "other".to_owned() };
            self.parked.get_or_create(&ReasonLabel { reason }).inc_by(count);
        }
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

/// Why a row is given up, besides what core and contract say.
const OWN_REASONS: [&str; 14] = [
    "message_too_large",
    "foreign_answer",
    "core_address",
    "unreadable_state",
    "answer_lost",
    "tx_too_large",
    "simulation_failed",
    "gas_above_block_limit",
    "tx_rejected",
    "invalid_value",
    "encode",
    "out_of_gas",
    "tx_failed",
    "not_recorded",
];

/// Whether a reason is of the closed set that may be a label.
fn is_known(reason: &str) -> bool {
    let of_the_contract = || {
        let refused = reason.strip_prefix("rejected:");
        refused.is_some_and(|name| RejectReason::ALL.iter().any(|known| known.name() == name))
    };
    OWN_REASONS.contains(&reason) || reason::ALL.contains(&reason) || of_the_contract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_is_shown_by_reason_and_no_longer_than_it_is() {
        let metrics = Metrics::default();
        let counts = |pairs: &[(&str, u64)]| pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
        metrics.set_parked(counts(&[("wrong_epoch", 2), ("rejected:receipt", 1), ("x7", 3), ("x8", 4)]));
        let text = metrics.text().unwrap();
        for line in ["{reason=\"wrong_epoch\"} 2", "{reason=\"rejected:receipt\"} 1", "{reason=\"other\"} 7"]
        {
            assert!(text.contains(&format!("kms_connector_parked_rows{line}")), "no {line} in\n{text}");
        }
        metrics.set_parked(counts(&[("wrong_epoch", 1)]));
        let text = metrics.text().unwrap();
        assert!(text.contains("{reason=\"wrong_epoch\"} 1") && !text.contains("receipt"), "{text}");
    }

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
