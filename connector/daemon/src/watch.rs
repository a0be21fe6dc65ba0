//! Looking at what the daemon needs, so that `/ready` says what is wrong before somebody waits for an answer.

use std::{sync::Arc, time::Duration};

use kms_chain::Account;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    core::Core,
    health::{Condition, Health},
    inbox::{Inbox, InboxError},
    ledger::{Asc, Ledger},
    machine::Stage,
    metrics::Metrics,
};

/// Pause between two looks.
const EVERY: Duration = Duration::from_secs(2);
/// Without a new block for so long, the chain stands still.
const STANDSTILL: Duration = Duration::from_secs(30);
/// Blocks that may be unread.
const LAG: u64 = 50;
/// Gas that the account should be able to pay for.
const GAS_IN_HAND: u64 = 1_000_000;

/// The task that looks.
#[derive(Debug)]
pub struct Watcher {
    /// The contract and the account.
    pub asc: Arc<Asc>,
    /// The core.
    pub core: Core,
    /// The rows.
    pub inbox: Inbox,
    /// Where it is told.
    pub health: Arc<Health>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Watcher {
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
                () = sleep(EVERY) => {}
            }
        }
        Ok(())
    }

    async fn look(&self, moved: &mut (u64, Instant)) -> Result<(), InboxError> {
        self.health.set(Condition::Core, self.core.check().await);
        match self.asc.head().await {
            Ok(head) => self.look_at_chain(head.height, moved)?,
            Err(error) => self.health.set(Condition::Chain, Err(error.to_string())),
        }
        if let Some(state) = self.funds(self.asc.account()).await {
            self.health.set(Condition::Account, state);
        }
        for stage in Stage::ALL {
            self.metrics.set_rows(stage, self.inbox.count(stage)?);
        }
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

    /// Whether the account can pay; nothing if that cannot be seen now.
    async fn funds(&self, account: &Account) -> Option<Result<(), String>> {
        let need = account.config().gas_price.fee(GAS_IN_HAND);
        let has = account.client().balance(account.address(), &need.denom).await.ok()?;
        Some(if has >= need.amount {
            Ok(())
        } else {
            Err(format!("{} has {has}{}, {need} are needed at least", account.address(), need.denom))
        })
    }
}
