//! Following the chain: every block once, in order, and state wherever blocks are not to be had.

use std::{sync::Arc, time::Duration};

use kms_chain::{Block, BlockFollower, BlockSource, Error as ChainError, FollowerConfig};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    failpoint,
    health::{Condition, Health},
    hint,
    inbox::Inbox,
    ledger::{Head, Ledger, LedgerError},
    machine::Operator,
    metrics::Metrics,
    reconcile::{Reconciler, Scope, TaskError},
};

/// First and longest pause before a node that does not answer is asked again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));

/// How often a node may fail to give a block that the chain has, before state is read in its place.
const MOST_FAILURES: u32 = 10;

/// The task that reads blocks.
#[derive(Debug)]
pub struct Follower<L, S> {
    /// The contract.
    pub ledger: Arc<L>,
    /// Where blocks come from.
    pub source: S,
    /// Reads from state what blocks do not say.
    pub reconciler: Reconciler<L>,
    /// The rows and the cursor.
    pub inbox: Inbox,
    /// The contract's address.
    pub contract: String,
    /// Whom the daemon serves.
    pub operator: Operator,
    /// First height of a new inbox; `None`: the one behind the newest block.
    pub start_height: Option<u64>,
    /// Pause between two looks for a block.
    pub poll_interval: Duration,
    /// Where the cursor is told.
    pub cursor: watch::Sender<u64>,
    /// Where the state of the chain is told.
    pub health: Arc<Health>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl<L: Ledger, S: BlockSource> Follower<L, S> {
    /// Follows until it is told to stop.
    ///
    /// # Errors
    /// When the inbox fails, or the node is on another chain than the configuration says.
    pub async fn run(self, stop: CancellationToken) -> Result<(), TaskError> {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            ended = self.follow() => ended,
        }
    }

    /// Never ends well. May be dropped at any point: what is stored is whole.
    async fn follow(&self) -> Result<(), TaskError> {
        let mut next = self.begin().await?;
        loop {
            let config = FollowerConfig {
                poll_interval: self.poll_interval,
                tx_hashes: false,
                ..FollowerConfig::default()
            };
            let mut blocks = BlockFollower::new(&self.source, next, config);
            let mut failures = 0u32;
            next = loop {
                match blocks.next().await {
                    Ok(block) => {
                        self.take(&block).await?;
                        failures = 0;
                    }
                    Err(error @ (ChainError::Pruned { .. } | ChainError::ResultsMissing { .. })) => {
                        tracing::warn!(%error, "this node cannot give the block: state is read instead");
                        break self.skip().await?;
                    }
                    Err(error) => {
                        let height = blocks.next_height();
                        if is_of_the_block(&error) {
                            failures = failures.saturating_add(1);
                            tracing::warn!(height, failures, code = error.code(), %error, "no block now");
                        } else {
                            self.trouble(&error);
                        }
                        if failures >= MOST_FAILURES && self.chain_is_past(height).await? {
                            let code = error.code();
                            tracing::error!(height, code, %error, "a block cannot be read: state is read instead");
                            break self.skip().await?;
                        }
                    }
                }
            };
        }
    }

    /// Where to go on. What is open by now is found in state; what comes later, in blocks.
    async fn begin(&self) -> Result<u64, TaskError> {
        let head = self.head().await?;
        let start = self.start_height.map_or(head.height, |height| height.saturating_sub(1));
        self.inbox.begin_at(start).await?;
        let cursor = self.inbox.cursor()?.unwrap_or(start);
        tracing::info!(cursor, head = head.height, "following");
        if cursor > head.height {
            tracing::warn!(
                cursor,
                head = head.height,
                "the node is behind what was read before: waiting for it"
            );
        }
        self.reconciler.run_until_done(Scope::Start).await?;
        self.moved(cursor);
        Ok(cursor.saturating_add(1))
    }

    async fn take(&self, block: &Block) -> Result<(), TaskError> {
        let hints = hint::read(block, &self.contract, self.operator);
        let count = hints.requests.len();
        if count > 0 {
            failpoint::reach(failpoint::BLOCK_READ);
        }
        for error in &hints.malformed {
            self.metrics.malformed.inc();
            tracing::warn!(height = block.height, %error, "an event of the contract is passed over");
        }
        if !hints.destroyed.is_empty() {
            // Before the cursor: read twice, it is noted once.
            self.inbox.want_destruction(hints.destroyed).await?;
        }
        let new = self.inbox.advance(block.height, hints.requests).await?;
        if count > 0 {
            failpoint::reach(failpoint::BLOCK_STORED);
            tracing::info!(height = block.height, count, new, "requests seen");
        }
        self.health.set(Condition::Chain, Ok(()));
        self.moved(block.height);
        Ok(())
    }

    /// Goes on behind the newest block, after reading from state what the blocks before it could have said.
    async fn skip(&self) -> Result<u64, TaskError> {
        let cursor = self.inbox.cursor()?.unwrap_or(0);
        let height = self.head().await?.height.max(cursor);
        self.reconciler.run_until_done(Scope::Running).await?;
        self.inbox.jump(height).await?;
        self.metrics.skipped.inc_by(height.saturating_sub(cursor));
        tracing::warn!(from = cursor, to = height, "the cursor jumped over blocks that cannot be had");
        self.moved(height);
        Ok(height.saturating_add(1))
    }

    /// Whether the node works, and its chain has more than this block.
    async fn chain_is_past(&self, height: u64) -> Result<bool, TaskError> {
        match self.ledger.head().await {
            Ok(head) => Ok(head.height > height),
            Err(error) if error.is_fatal() => Err(error.into()),
            Err(_) => Ok(false),
        }
    }

    async fn head(&self) -> Result<Head, TaskError> {
        let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
        loop {
            match self.ledger.head().await {
                Ok(head) => return Ok(head),
                Err(error) if error.is_fatal() => return Err(error.into()),
                Err(LedgerError::Chain(error)) => self.trouble(&error),
                Err(error) => return Err(error.into()),
            }
            sleep(backoff.pause()).await;
        }
    }

    fn trouble(&self, error: &ChainError) {
        tracing::debug!(code = error.code(), %error, "no block now");
        self.health.set(Condition::Chain, Err(error.to_string()));
    }

    fn moved(&self, height: u64) {
        self.metrics.cursor.set(height);
        self.cursor.send_replace(height);
    }
}

/// Whether an error may be one block's own, and not the connection's.
const fn is_of_the_block(error: &ChainError) -> bool {
    !matches!(error, ChainError::Unreachable { .. } | ChainError::ChainStalled { .. })
}
