//! What was measured, as it is committed; and what of it is too much.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::scene::Notes;

/// By how much a cost may rise without an edit of the committed numbers, in percent.
pub const TOLERANCE: u64 = 3;

/// What something may cost at most: its name, the number of operators, the gas.
pub const BARS: [(&str, u32, u64); 4] = [
    ("cycle: public_decrypt, 1 ciphertext, all answers", 1, 390_000),
    ("cycle: public_decrypt, 1 ciphertext, all answers", 4, 950_000),
    ("cycle: public_decrypt, 1 ciphertext, ten at once", 1, 160_000),
    ("submit_responses: user_decrypt, 1 ciphertext, first answer", 4, 220_000),
];

/// The bars that are missed today, as they stand in `BARS`. The page shows them as missed. One that is met must leave
/// this list; none is added without a decision. What is in here is still held by the rule of `TOLERANCE`.
pub const MISSED: [(&str, u32, u64); 0] = [];

/// Costs by name and number of operators.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Size of the contract.
    pub wasm_bytes: u64,
    /// Gas, but for names that say something else.
    pub costs: BTreeMap<String, BTreeMap<u32, u64>>,
}

impl Measured {
    /// Nothing yet, of a contract of this size.
    pub fn new(wasm_bytes: u64) -> Self {
        Self { wasm_bytes, costs: BTreeMap::new() }
    }

    /// Adds what was noted with a number of operators.
    pub fn add(&mut self, parties: u32, notes: Notes) {
        for (name, cost) in notes.0 {
            self.costs.entry(name).or_default().insert(parties, cost);
        }
    }

    /// Reads the committed form.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} has another form", path.display()))
    }

    /// The committed form.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Everything that is wrong with these numbers, a line each: risen, missing, on the wrong side of its bar.
    pub fn complaints(&self, committed: &Self) -> Vec<String> {
        let mut all = self.bar_complaints();
        for (name, parties, now) in self.rows() {
            match committed.cost(name, parties) {
                None => all.push(format!("{name}, {parties} operators: {now}, and nothing committed")),
                Some(before) if now * 100 > before * (100 + TOLERANCE) => all.push(format!(
                    "{name}, {parties} operators: {now}, over {TOLERANCE} % more than {before}"
                )),
                Some(_) => {}
            }
        }
        for (name, parties, _) in committed.rows() {
            if self.cost(name, parties).is_none() {
                all.push(format!("{name}, {parties} operators: committed, but measured no more"));
            }
        }
        if !all.is_empty() {
            all.push("if that is as it should be, run `make gas` and commit what it writes".to_owned());
        }
        all
    }

    /// What is wrong about the bars, a line each: missed and not in `MISSED`, in `MISSED` and met, in `MISSED` and no
    /// bar, not measured.
    pub fn bar_complaints(&self) -> Vec<String> {
        let strays =
            MISSED.into_iter().filter(|missed| !BARS.contains(missed)).map(|(name, parties, most)| {
                format!("{name}, {parties} operators: `MISSED` says at most {most}, and there is no such bar")
            });
        let wrong = BARS.into_iter().filter_map(|bar| {
            let (name, parties, most) = bar;
            let Some(cost) = self.cost(name, parties) else {
                return Some(format!("{name}, {parties} operators: not measured, and there is a bar for it"));
            };
            match (cost <= most, MISSED.contains(&bar)) {
                (true, false) | (false, true) => None,
                (false, false) => {
                    Some(format!("{name}, {parties} operators: {cost}, at most {most} are allowed"))
                }
                (true, true) => Some(format!(
                    "{name}, {parties} operators: {cost}, within the {most} allowed: remove it from `MISSED`"
                )),
            }
        });
        strays.chain(wrong).collect()
    }

    /// One cost, if it was measured.
    pub fn cost(&self, name: &str, parties: u32) -> Option<u64> {
        self.costs.get(name)?.get(&parties).copied()
    }

    fn rows(&self) -> impl Iterator<Item = (&str, u32, u64)> {
        self.costs
            .iter()
            .flat_map(|(name, costs)| costs.iter().map(|(parties, cost)| (name.as_str(), *parties, *cost)))
    }
}
