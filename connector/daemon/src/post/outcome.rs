//! What becomes of answers by what the chain did with their transaction.

use kms_asc_api::RequestId;
use kms_chain::Error as ChainError;
use tokio::task::JoinError;

use super::{Landed, Poster, requests};
use crate::{
    inbox::InboxError,
    item::Item,
    ledger::Ledger,
    machine::{Stage, Step},
    metrics::Outcome,
    settle::Fate,
};

/// How often the factor on gas grows before batches are halved instead.
pub(super) const MOST_BOOSTS: u64 = 3;

/// Why an answer is given up that the chain took, and was paid for, without a trace in the contract's state.
const NOT_RECORDED: &str = "not_recorded";

impl<L: Ledger> Poster<L> {
    /// The chain did not take the call, for certain. Nothing is lost: its rows are answered, and not posted.
    pub(super) async fn refused(&mut self, error: ChainError, items: &[Item]) -> Result<(), InboxError> {
        let code = error.code();
        match &error {
            ChainError::SequenceMismatch { .. } => {
                tracing::info!(code, %error, "signed anew");
                self.rest();
            }
            ChainError::TooLarge { .. } => {
                if !self.width.narrow(items.len()) {
                    self.park(&requests(items), code).await?;
                }
            }
            ChainError::Simulation { .. }
            | ChainError::GasAboveBlockLimit { .. }
            | ChainError::Rejected { .. }
            | ChainError::InvalidValue { .. }
            | ChainError::Encode { .. } => {
                tracing::warn!(code, %error, items = items.len(), "this call is not taken");
                self.boosts = 0;
                self.halve_or_strike(&requests(items), code).await?;
            }
            ChainError::InsufficientFunds { .. } | ChainError::UnknownAccount { .. } => {
                self.cannot_pay(&error)
            }
            ChainError::GasTooLow { .. } => {
                self.boosts = self.boosts.saturating_add(1);
                self.rest();
            }
            _ => {
                tracing::warn!(code, %error, "posted again later");
                self.rest();
            }
        }
        Ok(())
    }

    /// One of these answers may be what the chain does not take. Halving finds it; alone, it rests and is given up
    /// when that was too often, and the others go on.
    async fn halve_or_strike(
        &mut self,
        requests: &[RequestId],
        code: &'static str,
    ) -> Result<(), InboxError> {
        if self.width.narrow(requests.len()) {
            return Ok(());
        }
        self.strike(requests, code).await
    }

    /// What of these answers still waits has failed.
    async fn strike(&mut self, requests: &[RequestId], code: &'static str) -> Result<(), InboxError> {
        let mut given_up = Vec::new();
        for request in requests {
            let waits = self.outlet.inbox.row(*request)?.is_some_and(|row| row.stage() == Stage::Answered);
            if !waits {
                self.strikes.forget(*request);
            } else if self.strikes.strike(*request) {
                given_up.push(*request);
            }
        }
        self.park(&given_up, code).await
    }

    async fn park(&self, requests: &[RequestId], code: &'static str) -> Result<(), InboxError> {
        if requests.is_empty() {
            return Ok(());
        }
        let park = |request: &RequestId| {
            tracing::error!(%request, reason = code, "this answer cannot be posted: given up");
            (*request, Step::Park(code.to_owned()))
        };
        self.outlet.metrics.transacted(Outcome::Parked);
        self.outlet.inbox.steps(requests.iter().map(park).collect()).await
    }

    pub(super) async fn landed(
        &mut self,
        landed: Result<Result<Landed, InboxError>, JoinError>,
    ) -> Result<(), InboxError> {
        let Landed { fate, requests } = match landed {
            Ok(landed) => landed?,
            Err(error) => return self.broke_off(&error),
        };
        let done = fate == Fate::Included;
        self.outlet.metrics.transacted(if done { Outcome::Done } else { Outcome::Again });
        match fate {
            Fate::Included => {
                self.width.widen(requests.len());
                self.boosts = 0;
                self.backoff.reset();
                self.strike(&requests, NOT_RECORDED).await?;
            }
            Fate::OutOfGas if self.boosts < MOST_BOOSTS => self.boosts += 1,
            // Each such block costs a fee: it must end.
            Fate::OutOfGas | Fate::Failed => {
                self.rest();
                self.halve_or_strike(&requests, fate.code()).await?;
            }
            Fate::Unpaid => self.cannot_pay(&"the fee was not payable in the block"),
            Fate::Vanished => {}
        }
        Ok(())
    }
}
