//! Looking at what the daemon needs, so that `/ready` says what is wrong before somebody waits for an answer.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    core::Core,
    health::{Condition, Health},
    inbox::{Inbox, InboxError},
    ledger::Ledger,
    machine::Stage,
    metrics::Metrics,
};

/// Pause between two looks while all is well, and while something is not.
const EVERY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_millis(250));
/// Without a new block for so long, the chain stands still.
const STANDSTILL: Duration = Duration::from_secs(30);
/// Blocks that may be unread.
const LAG: u64 = 50;
/// Gas that the account should be able to pay for.
const GAS_IN_HAND: u64 = 1_000_000;

/// The task that looks.
#[derive(Debug)]
pub struct Watcher<L> {
    /// The chain and the account.
    pub ledger: Arc<L>,
    /// The core.
    pub core: Core,
    /// The rows.
    pub inbox: Inbox,
    /// Where it is told.
    pub health: Arc<Health>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl<L: Ledger> Watcher<L> {
    /// Looks until it is told to stop.
    ///
    /// # Errors
    /// When the inbox cannot be read.
    pub async fn run(self, stop: CancellationToken) -> Result<(), InboxError> {
        let mut moved = (0, Instant::now());
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                looked = self.look(&mut moved) => looked?,
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(if self.health.report().ready { EVERY.0 } else { EVERY.1 }) => {}
            }
        }
        Ok(())
    }

    async fn look(&self, moved: &mut (u64, Instant)) -> Result<(), InboxError> {
        self.health.set(Condition::Core, self.core.check().await);
        self.health.set(Condition::Inbox, self.inbox.probe().await.map_err(|error| error.to_string()));
        match self.ledger.head().await {
            Ok(head) => self.look_at_chain(head.height, moved)?,
            Err(error) => self.health.set(Condition::Chain, Err(error.to_string())),
        }
        // What cannot be seen now changes nothing: that the node fails is said by another condition.
        if let Ok(lacks) = self.ledger.lacks(GAS_IN_HAND).await {
            self.health.set(Condition::Account, lacks.map_or(Ok(()), Err));
        }
        for stage in Stage::ALL {
            self.metrics.set_rows(stage, self.inbox.count(stage)?);
        }
        self.metrics.set_parked(self.inbox.parked()?);
        Ok(())
    }

    fn look_at_chain(&self, height: u64, moved: &mut (u64, Instant)) -> Result<(), InboxError> {
        self.metrics.head.set(height);
        if height != moved.0 {
            *moved = (height, Instant::now());
        }
        let stands = moved.1.elapsed() > STANDSTILL;
        let chain = if stands { Err(format!("no block behind {height} for {STANDSTILL:?}")) } else { Ok(()) };
        self.health.set(Condition::Chain, chain);
        let cursor = self.inbox.cursor()?.unwrap_or(0);
        let lags = height.saturating_sub(cursor) > LAG;
        let state = if lags { Err(format!("read up to {cursor} of {height}")) } else { Ok(()) };
        self.health.set(Condition::Cursor, state);
        Ok(())
    }
}
