//! Whether the core can do its work, as named conditions, told by the standard health service of gRPC.
//!
//! ```text
//! ""                     the process answers
//! kms.v1.Kms             ready: every condition holds, and the core is not stopping
//! kms.v1.Kms/answers     answers can be recorded
//! kms.v1.Kms/store       published keys can be kept
//! ```

use std::{collections::BTreeMap, time::Duration};

use kms_core_engine::Engine;
use kms_core_proto::v1::kms_server::SERVICE_NAME;
use tokio_util::sync::CancellationToken;
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::core::Core;

/// How often the conditions are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What must hold for the core to be ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Condition {
    /// Answers can be recorded.
    Answers,
    /// Published keys can be kept.
    Store,
}

impl Condition {
    const fn name(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Store => "store",
        }
    }
}

/// Tells what holds, and logs what changes.
pub(crate) struct Health {
    reporter: HealthReporter,
    problems: BTreeMap<Condition, Option<String>>,
}

impl Health {
    pub(crate) fn new(reporter: HealthReporter) -> Self {
        Self { reporter, problems: BTreeMap::new() }
    }

    /// Looks at the conditions and tells what holds.
    pub(crate) async fn look<E: Engine>(&mut self, core: &Core<E>) {
        for (condition, state) in core.look().await {
            self.tell(&format!("{SERVICE_NAME}/{}", condition.name()), state.is_ok()).await;
            self.note(condition, state.err());
        }
        self.tell(SERVICE_NAME, self.problems.values().all(Option::is_none)).await;
    }

    /// Looks again and again until `stop` is cancelled.
    pub(crate) async fn watch<E: Engine>(&mut self, core: &Core<E>, stop: &CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            self.look(core).await;
        }
    }

    /// Tells that no new work is taken.
    pub(crate) async fn stopping(&self) {
        self.tell(SERVICE_NAME, false).await;
    }

    async fn tell(&self, service: &str, serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        self.reporter.set_service_status(service, status).await;
    }

    fn note(&mut self, condition: Condition, problem: Option<String>) {
        let name = condition.name();
        let before = self.problems.insert(condition, problem.clone()).flatten();
        match (before, problem) {
            (None, Some(problem)) => tracing::error!(condition = name, problem, "a condition does not hold"),
            (Some(_), None) => tracing::info!(condition = name, "a condition holds again"),
            _ => {}
        }
    }
}
