//! What was measured, as it is committed.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::queries::MOST;

/// By how much a cost may differ, in percent: numbers get longer, and so do the records that hold them.
const TOLERANCE: u64 = 2;

/// Costs with little and with much in state.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// Gas of each message, by the number of stored requests.
    pub messages: BTreeMap<u64, BTreeMap<String, u64>>,
    /// The lowest limit tried under which a query was answered, with the most that was stored.
    pub queries: BTreeMap<String, u64>,
}

impl Growth {
    /// Reads the committed form.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} has another form", path.display()))
    }

    /// The committed form.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Nothing may cost noticeably more with the second number of stored requests than with the first, and no
    /// query more than the most that is allowed.
    pub fn check(&self, stored: [u64; 2]) -> Result<()> {
        let of = |number| {
            let costs = self.messages.get(&number);
            costs.with_context(|| format!("nothing was measured with {number} stored requests"))
        };
        let (first, last) = (of(stored[0])?, of(stored[1])?);
        ensure!(first.keys().eq(last.keys()), "not the same messages were measured");
        for (name, before) in first {
            let now = last[name];
            ensure!(
                now * 100 <= before * (100 + TOLERANCE),
                "{name}: {before} gas with {} stored requests, {now} with {}",
                stored[0],
                stored[1]
            );
        }
        for (name, limit) in &self.queries {
            ensure!(*limit <= MOST, "{name}: {limit} gas, at most {MOST} are allowed");
        }
        ensure!(!self.queries.is_empty(), "no query was measured");
        Ok(())
    }

    /// The page for people.
    pub fn page(&self) -> String {
        let mut page = "# Whether cost grows with what is stored\n\n\
             Written by `make gas-growth`: a real chain (one validator, unmodified `wasmd`) with the contract is filled\n\
             with requests by sending them, and messages and queries are measured at both sizes. `make test` checks that\n\
             no message costs over 2 % more at the larger size (numbers get longer, and so do the records that hold\n\
             them), and no list query over 1,000,000 gas.\n\n| Gas |"
            .to_owned();
        for stored in self.messages.keys() {
            let _ = write!(page, " {stored} stored requests |");
        }
        page += "\n|---|";
        page += &"---:|".repeat(self.messages.len());
        page.push('\n');
        for name in self.messages.values().next().into_iter().flat_map(BTreeMap::keys) {
            let _ = write!(page, "| {name} |");
            for costs in self.messages.values() {
                let _ = write!(page, " {} |", costs.get(name).copied().unwrap_or_default());
            }
            page.push('\n');
        }
        page += "\nA node does not tell what a query used, but refuses what goes over its limit. Under these limits, in steps\n\
             of 100,000, each list was given with its largest page and everything stored:\n\n\
             | List | Limit |\n|---|---:|\n";
        for (name, limit) in &self.queries {
            let _ = writeln!(page, "| {name} | {limit} |");
        }
        page
    }
}
