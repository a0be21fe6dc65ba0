//! Leading the core along the chain's headers: to the one that a proof needs, and on while nobody asks for anything, so
//! that its trust never expires.

use std::{sync::Arc, time::Duration};

use kms_chain::LightBlock;
use kms_core_proto::{reason, v1};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::EvidenceError;
use crate::{
    core::{Core, CoreError},
    health::{Condition, Health},
    ledger::Ledger,
};

/// More steps than halving any distance takes, each step of it twice.
const MOST_STEPS: u32 = 256;
/// Pause after a failure, before the core is shown a header again.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Shows the core headers.
#[derive(Debug)]
pub struct Guide<L> {
    ledger: Arc<L>,
    core: Core,
}

impl<L: Ledger> Guide<L> {
    /// Shows this core the headers of this chain.
    pub const fn new(ledger: Arc<L>, core: Core) -> Self {
        Self { ledger, core }
    }

    /// Has the core verify the header of this height, or a newer one. Where too few of the validators that it trusts
    /// signed it, headers between are shown first, by halves.
    ///
    /// # Errors
    /// Of the node, or the core's word on a header that follows its trusted one.
    pub async fn lead_to(&self, height: u64) -> Result<(), EvidenceError> {
        let mut trusted = self.core.trusted_height().await?;
        let mut next = height;
        for _ in 0..MOST_STEPS {
            if trusted >= height {
                return Ok(());
            }
            match self.show(trusted, next).await {
                Ok(reached) => (trusted, next) = (reached.max(trusted), height),
                Err(EvidenceError::Core(CoreError::Evidence { reason, .. }))
                    if reason == reason::HEADER_INVALID && next > trusted.saturating_add(1) =>
                {
                    next = trusted + (next - trusted) / 2;
                }
                Err(error) => return Err(error),
            }
        }
        Err(EvidenceError::NoHeader { height })
    }

    /// Has the core verify the newest header that the node surely has whole.
    ///
    /// # Errors
    /// As [`lead_to`](Self::lead_to).
    pub async fn lead_to_newest(&self) -> Result<(), EvidenceError> {
        let head = self.ledger.head().await?;
        self.lead_to(head.height.saturating_sub(1).max(1)).await
    }

    /// Shows one header, after the trusted one itself: a core that has verified none yet knows only its hash.
    async fn show(&self, trusted: u64, height: u64) -> Result<u64, EvidenceError> {
        // Any other core can do without, and a node may no longer have it.
        let mut blocks: Vec<_> = self.block(trusted).await.into_iter().collect();
        blocks.push(self.block(height).await?);
        Ok(self.core.submit_headers(blocks).await?)
    }

    async fn block(&self, height: u64) -> Result<v1::LightBlock, EvidenceError> {
        let found = self.ledger.light_block(height).await?;
        found.map(on_the_wire).ok_or(EvidenceError::NoHeader { height })
    }
}

/// A light block as the core takes it.
pub(super) fn on_the_wire(block: LightBlock) -> v1::LightBlock {
    let LightBlock { signed_header, validators, next_validators, .. } = block;
    v1::LightBlock { signed_header, validators, next_validators }
}

/// The task that keeps the core fed with headers.
#[derive(Debug)]
pub struct Feeder<L> {
    /// Shows them.
    pub guide: Guide<L>,
    /// How often.
    pub every: Duration,
    /// Where it is told.
    pub health: Arc<Health>,
}

impl<L: Ledger> Feeder<L> {
    /// Feeds until it is told to stop.
    ///
    /// # Errors
    /// None: what fails is tried again.
    pub async fn run(self, stop: CancellationToken) -> Result<(), crate::inbox::InboxError> {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                pause = self.feed() => tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep(pause) => {}
                },
            }
        }
        Ok(())
    }

    /// Shows the newest header; how long to wait before the next.
    async fn feed(&self) -> Duration {
        match self.guide.lead_to_newest().await {
            Ok(()) => {
                self.health.set(Condition::Trust, Ok(()));
                self.every
            }
            Err(error) => {
                tracing::debug!(code = error.code(), %error, "the core did not take a header");
                self.health.set(Condition::Trust, Err(error.to_string()));
                AFTER_FAILURE.min(self.every)
            }
        }
    }
}
