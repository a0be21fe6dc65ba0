//! Whether the core can do its work, as named conditions, told by the standard health service of gRPC and by the admin page.
//!
//! ```text
//! ""                     the process answers
//! kms.v1.Kms             ready: every condition holds
//! kms.v1.Kms/running     the core is not stopping
//! kms.v1.Kms/answers     answers can be recorded
//! kms.v1.Kms/store       published keys can be kept
//! kms.v1.Kms/vault       every key that is in use is on disk
//! kms.v1.Kms/trust       the newest trusted header has not expired
//! kms.v1.Kms/headers     no two valid headers of one height were seen
//! ```

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kms_core_engine::Engine;
use kms_core_proto::v1::kms_server::SERVICE_NAME;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::core::Core;

/// How often the conditions are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What must hold for the core to be ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Condition {
    /// The core is not stopping.
    Running,
    /// Answers can be recorded.
    Answers,
    /// Published keys can be kept.
    Store,
    /// Every key that is in use is on disk.
    Vault,
    /// The newest trusted header has not expired.
    Trust,
    /// No two valid headers of one height were seen.
    Headers,
}

impl Condition {
    const ALL: [Self; 6] =
        [Self::Running, Self::Answers, Self::Store, Self::Vault, Self::Trust, Self::Headers];

    const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Answers => "answers",
            Self::Store => "store",
            Self::Vault => "vault",
            Self::Trust => "trust",
            Self::Headers => "headers",
        }
    }
}

/// What `/ready` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    /// Whether every condition holds.
    pub(crate) ready: bool,
    /// What is wrong with each; nothing if it holds.
    pub(crate) conditions: BTreeMap<Condition, Option<String>>,
}

/// Where the conditions are written up. Clones are the same board.
#[derive(Clone, Debug)]
pub(crate) struct Board(Arc<Mutex<BTreeMap<Condition, Option<String>>>>);

impl Default for Board {
    fn default() -> Self {
        let unknown = |condition| (condition, Some("not looked at yet".to_owned()));
        Self(Arc::new(Mutex::new(Condition::ALL.map(unknown).into_iter().collect())))
    }
}

impl Board {
    pub(crate) fn report(&self) -> Report {
        let conditions = self.lock().clone();
        Report { ready: conditions.values().all(Option::is_none), conditions }
    }

    /// Writes up how a condition is, and logs what changes.
    fn note(&self, condition: Condition, problem: Option<String>) {
        let name = condition.name();
        let before = self.lock().insert(condition, problem.clone()).flatten();
        match (before, problem) {
            (before, Some(problem)) if before.as_ref() != Some(&problem) => {
                tracing::error!(condition = name, problem, "a condition does not hold");
            }
            (Some(_), None) => tracing::info!(condition = name, "a condition holds"),
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Condition, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at the conditions and tells what holds.
pub(crate) struct Health {
    reporter: HealthReporter,
    board: Board,
}

impl Health {
    pub(crate) fn new(reporter: HealthReporter, board: Board) -> Self {
        Self { reporter, board }
    }

    /// Looks at the conditions and tells what holds.
    pub(crate) async fn look<E: Engine>(&self, core: &Core<E>) {
        self.set(Condition::Running, Ok(())).await;
        for (condition, state) in core.look().await {
            self.set(condition, state).await;
        }
        self.tell(SERVICE_NAME, self.board.report().ready).await;
    }

    /// Looks again and again until `stop` is cancelled.
    pub(crate) async fn watch<E: Engine>(&self, core: &Core<E>, stop: &CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            self.look(core).await;
            if let Err(error) = core.prune().await {
                tracing::error!(?error, "answers of finished requests are not forgotten");
            }
        }
    }

    /// Tells that no new work is taken.
    pub(crate) async fn stopping(&self) {
        self.set(Condition::Running, Err("the core is stopping".to_owned())).await;
        self.tell(SERVICE_NAME, false).await;
    }

    async fn set(&self, condition: Condition, state: Result<(), String>) {
        self.tell(&format!("{SERVICE_NAME}/{}", condition.name()), state.is_ok()).await;
        self.board.note(condition, state.err());
    }

    async fn tell(&self, service: &str, serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        self.reporter.set_service_status(service, status).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_means_that_every_condition_was_looked_at_and_holds() {
        let board = Board::default();
        for condition in Condition::ALL {
            assert!(!board.report().ready);
            board.note(condition, None);
        }
        assert!(board.report().ready);
        board.note(Condition::Answers, Some("disk full".into()));
        let report = serde_json::to_value(board.report()).unwrap();
        assert_eq!(report["ready"], false);
        assert_eq!(report["conditions"]["answers"], "disk full");
        assert!(report["conditions"]["store"].is_null());
    }
}
