//! Whether the daemon can do its work, as named conditions.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

/// What must hold for the daemon to be ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The node answers, is on the right chain, and blocks come.
    Chain,
    /// Blocks are read as they come.
    Cursor,
    /// The core answers, and signs for whom the daemon serves.
    Core,
    /// The core takes the chain's headers.
    Trust,
    /// The account can pay for transactions.
    Account,
    /// The inbox can be written.
    Inbox,
}

impl Condition {
    /// Every condition.
    pub const ALL: [Self; 6] =
        [Self::Chain, Self::Cursor, Self::Core, Self::Trust, Self::Account, Self::Inbox];
}

/// The conditions, shared by all tasks.
#[derive(Debug)]
pub struct Health {
    problems: Mutex<BTreeMap<Condition, Option<String>>>,
}

/// What is said of a condition before the first look at it.
const NOT_LOOKED_AT: &str = "not looked at yet";

/// What `/ready` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether every condition holds.
    pub ready: bool,
    /// What is wrong with each; nothing if it holds.
    pub conditions: BTreeMap<Condition, Option<String>>,
}

impl Default for Health {
    fn default() -> Self {
        let unknown = |condition| (condition, Some(NOT_LOOKED_AT.to_owned()));
        Self { problems: Mutex::new(Condition::ALL.map(unknown).into_iter().collect()) }
    }
}

impl Health {
    /// Says whether a condition holds, and logs when that changes: also that it does not from the start.
    pub fn set(&self, condition: Condition, state: Result<(), String>) {
        let mut problems = self.lock();
        let before = problems.insert(condition, state.clone().err());
        let was_good = matches!(before, Some(None));
        let was_unknown = before.flatten().as_deref() == Some(NOT_LOOKED_AT);
        match state {
            Err(problem) if was_good || was_unknown => {
                tracing::warn!(?condition, problem, "a condition does not hold")
            }
            Ok(()) if !was_good => tracing::info!(?condition, "a condition holds"),
            _ => {}
        }
    }

    /// How things are.
    pub fn report(&self) -> Report {
        let conditions = self.lock().clone();
        Report { ready: conditions.values().all(Option::is_none), conditions }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Condition, Option<String>>> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_means_that_every_condition_was_looked_at_and_holds() {
        let health = Health::default();
        for condition in Condition::ALL {
            assert!(!health.report().ready);
            health.set(condition, Ok(()));
        }
        assert!(health.report().ready);
        health.set(Condition::Core, Err("gone".into()));
        let report = serde_json::to_value(health.report()).unwrap();
        assert_eq!(report["ready"], false);
        assert_eq!(
            (&report["conditions"]["core"], report["conditions"]["chain"].is_null()),
            (&"gone".into(), true)
        );
    }
}
