//! From a signed, stored transaction to what it means for its rows.

use std::{sync::Arc, time::Duration};

use kms_asc_api::{ItemOutcome, OutcomesData, RejectReason, RequestId};
use kms_chain::{Error as ChainError, Failure, TxOutcome};
use tokio::time::sleep;

use crate::{
    backoff::Backoff,
    failpoint,
    inbox::{Inbox, InboxError, StoredTx},
    ledger::Ledger,
    machine::{End, Step},
};

/// First and longest pause between two looks at a node that does not answer.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// How often a transaction under way is shown to the node again: a node that was restarted forgot it.
const RESEND_EVERY: Duration = Duration::from_secs(2);
/// How often a node may fail to say what became of a transaction that can come no more, before state is asked.
const PATIENCE: u32 = 5;
/// Seconds of block time after which an answer that was refused as too early is posted again.
const TOO_EARLY_PAUSE: u64 = 1;

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is in a block and succeeded.
    Included,
    /// It is in a block and failed: more gas may help.
    OutOfGas,
    /// It is in a block and failed as a whole for another reason.
    Failed,
    /// The account could not pay for it.
    Unpaid,
    /// It never came into a block, and never will; or nobody can tell any more, and state has the last word.
    Vanished,
}

impl Fate {
    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Included => "included",
            Self::OutOfGas => "out_of_gas",
            Self::Failed => "tx_failed",
            Self::Unpaid => "fee_not_payable",
            Self::Vanished => "not_included",
        }
    }
}

/// Sees a stored transaction to its end, however long node and chain take: sends it again where it may have been
/// lost, waits for its block, reads from state what it did, and writes that into its rows.
///
/// Dropping the future loses nothing: the transaction stays stored.
///
/// # Errors
/// When the inbox fails.
pub async fn settle<L: Ledger>(ledger: Arc<L>, inbox: Inbox, stored: StoredTx) -> Result<Fate, InboxError> {
    let outcome = tokio::select! {
        outcome = block_of(&*ledger, &stored) => outcome,
        never = resend(&*ledger, &stored) => match never {},
    };
    let fate = fate(outcome.as_ref());
    // Of a transaction without a block, the newest state tells what was done otherwise.
    let height = outcome.as_ref().map_or(stored.tx.timeout_height, |outcome| outcome.height);
    let mut steps = Vec::with_capacity(stored.requests.len());
    for (at, request) in stored.requests.iter().enumerate() {
        let recorded = recorded(&*ledger, *request, height).await;
        let item = outcome.as_ref().and_then(|outcome| item_outcome(outcome, at));
        let now = now(&*ledger).await;
        steps.push((*request, step(*request, recorded, item, now)));
    }
    failpoint::reach(failpoint::TX_SETTLED);
    let done = steps.iter().filter(|(_, step)| matches!(step, Step::Finish(_))).count();
    tracing::info!(tx = %stored.tx.hash, ?fate, height, items = steps.len(), done, "transaction settled");
    inbox.settled(stored.tx.hash, steps).await?;
    failpoint::reach(failpoint::ROWS_SETTLED);
    Ok(fate)
}

/// What a row does, once the fate of its transaction is known. State decides; the item's outcome only explains.
fn step(request: RequestId, recorded: bool, item: Option<ItemOutcome>, now: u64) -> Step {
    match item {
        _ if recorded => Step::Finish(End::Recorded),
        Some(ItemOutcome::Rejected(RejectReason::TooEarly)) => {
            Step::TakeBack { not_before: now.saturating_add(TOO_EARLY_PAUSE) }
        }
        Some(rejected @ ItemOutcome::Rejected(_)) => {
            tracing::error!(%request, outcome = %rejected, "the contract refuses this answer: given up");
            Step::Park(rejected.to_string())
        }
        Some(other) => {
            tracing::error!(%request, outcome = %other, "the contract took the answer, but state does not show it");
            Step::TakeBack { not_before: now.saturating_add(TOO_EARLY_PAUSE) }
        }
        None => Step::TakeBack { not_before: 0 },
    }
}

fn fate(outcome: Option<&TxOutcome>) -> Fate {
    let Some(outcome) = outcome else { return Fate::Vanished };
    match outcome.failure() {
        None => Fate::Included,
        Some(Failure::OutOfGas) => Fate::OutOfGas,
        Some(Failure::FeeNotPayable) => Fate::Unpaid,
        Some(Failure::Sequence | Failure::TimedOut) => Fate::Vanished,
        Some(Failure::Contract | Failure::NoSuchContract | Failure::Other) => {
            tracing::error!(tx = %outcome.hash, reason = outcome.reason(), "transaction failed in its block");
            Fate::Failed
        }
    }
}

/// What the contract said of the item at this position.
fn item_outcome(outcome: &TxOutcome, at: usize) -> Option<ItemOutcome> {
    if outcome.code != 0 {
        return None;
    }
    let read = || -> Result<OutcomesData<ItemOutcome>, String> {
        let data = outcome.execute_data(0).map_err(|error| error.to_string())?;
        serde_json::from_slice(&data).map_err(|error| error.to_string())
    };
    match read() {
        Ok(data) => data.outcomes.get(at).copied(),
        Err(error) => {
            tracing::warn!(tx = %outcome.hash, error, "the contract's outcomes cannot be read");
            None
        }
    }
}

/// Waits for the transaction's block; `None` if there is none and never will be, or if nobody can tell any more.
async fn block_of<L: Ledger>(ledger: &L, stored: &StoredTx) -> Option<TxOutcome> {
    let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
    loop {
        let error = match ledger.confirm(&stored.tx).await {
            Ok(outcome) => return Some(outcome),
            Err(ChainError::NotIncluded { .. }) => return None,
            Err(error) => error,
        };
        // A block that cannot be had, or not be read, must not hold up what comes behind it.
        let lasting = !error.is_retryable() || backoff.tries() >= PATIENCE;
        if lasting && past(ledger, stored.tx.timeout_height).await {
            let code = error.code();
            tracing::warn!(tx = %stored.tx.hash, code, %error, "only state can tell what became of a transaction");
            return None;
        }
        tracing::warn!(tx = %stored.tx.hash, code = error.code(), %error, "still waiting for a transaction");
        sleep(backoff.pause()).await;
    }
}

/// Shows the node the transaction again and again: sending the same bytes is always safe.
async fn resend<L: Ledger>(ledger: &L, stored: &StoredTx) -> std::convert::Infallible {
    loop {
        sleep(RESEND_EVERY).await;
        if let Err(error) = ledger.broadcast(&stored.tx).await {
            tracing::debug!(tx = %stored.tx.hash, code = error.code(), %error, "not taken again");
        }
    }
}

/// Whether state shows this party's answer, read from a node that is at `height` at least.
async fn recorded<L: Ledger>(ledger: &L, request: RequestId, height: u64) -> bool {
    let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
    loop {
        match ledger.responded(request, height).await {
            Ok(Some(recorded)) => return recorded,
            Ok(None) => {}
            Err(error) => tracing::debug!(%request, code = error.code(), %error, "state cannot be read now"),
        }
        sleep(backoff.pause()).await;
    }
}

async fn past<L: Ledger>(ledger: &L, height: u64) -> bool {
    ledger.head().await.is_ok_and(|head| head.height > height)
}

/// Time of the newest block; 0 if the node does not say, which only means that nothing waits.
async fn now<L: Ledger>(ledger: &L) -> u64 {
    ledger.head().await.map_or(0, |head| head.time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(recorded: bool, item: Option<ItemOutcome>) -> Step {
        step(RequestId(1), recorded, item, 100)
    }

    #[test]
    fn what_state_shows_is_done_whatever_else_was_said() {
        let outcomes =
            [ItemOutcome::Recorded, ItemOutcome::Late, ItemOutcome::Duplicate, ItemOutcome::Equivocation];
        for item in outcomes.into_iter().map(Some).chain([None]) {
            assert_eq!(after(true, item), Step::Finish(End::Recorded), "{item:?}");
        }
    }

    #[test]
    fn what_state_does_not_show_is_posted_again_unless_the_contract_refuses_it_for_good() {
        assert_eq!(after(false, None), Step::TakeBack { not_before: 0 });
        assert_eq!(after(false, Some(ItemOutcome::Recorded)), Step::TakeBack { not_before: 101 });
        for reason in RejectReason::ALL {
            let expected = match reason {
                RejectReason::TooEarly => Step::TakeBack { not_before: 101 },
                other => Step::Park(format!("rejected:{}", other.name())),
            };
            assert_eq!(after(false, Some(ItemOutcome::Rejected(reason))), expected);
        }
    }
}
