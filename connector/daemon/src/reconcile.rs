//! Comparing the inbox with the contract's state: events are hints, state is the truth.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kms_asc_api::RequestId;
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    inbox::{Inbox, InboxError},
    ledger::{Ledger, LedgerError},
    machine::{End, Row},
    metrics::Metrics,
};

/// First and longest pause before state that cannot be read is read again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));

/// Why a task of the daemon cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The inbox fails.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The chain is not the one of the configuration.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The address for health and metrics cannot be served.
    #[error("cannot serve {address}: {reason}")]
    Admin {
        /// The address.
        address: String,
        /// What the system says.
        reason: String,
    },
}

impl TaskError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Inbox(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::Admin { .. } => "admin_address",
        }
    }
}

/// What a comparison takes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The daemon starts: open requests that were given up or finished are looked at again, too.
    Start,
    /// Open requests without a row, and those that were dropped because state did not know them.
    Running,
}

impl Scope {
    /// Which of the ended rows begin anew if their request is open.
    const fn revives(self) -> fn(&Row) -> bool {
        match self {
            Self::Start => |_| true,
            // Whatever else has ended, ended for a reason that an open request does not disprove.
            Self::Running => |row| matches!(row, Row::Done { end: End::Unknown }),
        }
    }
}

/// How often is compared.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Each time so many blocks were read.
    pub blocks: u64,
    /// And after so much time at the latest: it must not hang on blocks being readable.
    pub every: Duration,
}

/// Reads the ids of open requests from state and makes the inbox agree.
///
/// It makes rows and forgets finished ones; what a row needs is then found out from state, one request at a time.
#[derive(Debug)]
pub struct Reconciler<L> {
    /// The contract.
    pub ledger: Arc<L>,
    /// The rows.
    pub inbox: Inbox,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl<L> Clone for Reconciler<L> {
    fn clone(&self) -> Self {
        let Self { ledger, inbox, metrics } = self;
        Self { ledger: Arc::clone(ledger), inbox: inbox.clone(), metrics: Arc::clone(metrics) }
    }
}

impl<L: Ledger> Reconciler<L> {
    /// Compares again and again until it is told to stop.
    ///
    /// # Errors
    /// As [`run_until_done`](Self::run_until_done).
    pub async fn run(
        self,
        mut cursor: watch::Receiver<u64>,
        pace: Pace,
        stop: CancellationToken,
    ) -> Result<(), TaskError> {
        let every = async {
            loop {
                let due = cursor.borrow_and_update().saturating_add(pace.blocks);
                let latest = Instant::now() + pace.every;
                tokio::select! {
                    reached = cursor.wait_for(|height| *height >= due) => {
                        if reached.is_err() {
                            return Ok(());
                        }
                    }
                    () = sleep_until(latest) => {}
                }
                self.run_until_done(Scope::Running).await?;
            }
        };
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            ended = every => ended,
        }
    }

    /// Compares once, however long the node takes.
    ///
    /// # Errors
    /// When the inbox fails, or the node is on another chain.
    pub async fn run_until_done(&self, scope: Scope) -> Result<(), TaskError> {
        let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
        loop {
            match self.open().await {
                Ok(open) => return Ok(self.agree(open, scope).await?),
                Err(error) if error.is_fatal() => return Err(error.into()),
                Err(error) => tracing::warn!(code = error.code(), %error, "open requests cannot be read now"),
            }
            sleep(backoff.pause()).await;
        }
    }

    /// Every open request.
    async fn open(&self) -> Result<BTreeSet<RequestId>, LedgerError> {
        self.ledger.head().await?; // the right chain
        let mut open = BTreeSet::new();
        let mut after = None;
        loop {
            let page = self.ledger.open(after).await?;
            open.extend(page.items);
            match page.next {
                Some(next) if after.is_none_or(|after| next > after) => after = Some(next),
                _ => return Ok(open),
            }
        }
    }

    async fn agree(&self, open: BTreeSet<RequestId>, scope: Scope) -> Result<(), InboxError> {
        let ids: Vec<_> = open.iter().copied().collect();
        let count = ids.len();
        let revived = self.inbox.revive(ids.clone(), scope.revives()).await?;
        let new = self.inbox.admit(ids).await?;
        let forgotten = self.inbox.forget_closed(open).await?;
        self.metrics.reconciled.inc_by(new);
        if new > 0 || revived > 0 {
            tracing::info!(open = count, new, revived, forgotten, "state holds requests to look at");
        }
        Ok(())
    }
}
