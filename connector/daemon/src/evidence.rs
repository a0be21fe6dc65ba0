//! What shows the core that it may work: state of one height with its proofs, and the header that commits to it.
//!
//! Everything in a proof is of one height. Requests in work at the same time share a height, and what they have in
//! common is fetched once and sent once; if the core no longer has it, it is sent again.

mod guide;
mod snapshot;

use std::{sync::Arc, time::Duration};

use kms_asc_api::{EpochId, KeyId, RequestBody};
use kms_core_proto::v1;
use kms_proofs::{ContractAddress, keys_of_destruction, keys_of_request};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use crate::{
    core::{Core, CoreError},
    ledger::{Ledger, LedgerError},
};

pub use guide::{Feeder, Guide};
use snapshot::Snapshot;

/// How often the core is shown other evidence before the request rests.
const ROUNDS: u32 = 4;
/// How long a header may take that commits to the newest state.
const HEADER_PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two looks for it.
const HEADER_POLL: Duration = Duration::from_millis(20);

/// Why something could not be proven, or what the core said of the proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// The core's word.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The node does not give what is needed.
    #[error("no proof to be had now: {0}")]
    Ledger(#[from] LedgerError),
    /// The header that commits to the state does not come.
    #[error("no header of height {height} within {HEADER_PATIENCE:?}")]
    NoHeader {
        /// Its height.
        height: u64,
    },
    /// The node shows a history of code that is none.
    #[error("the history of the contract's code cannot be read: {0}")]
    History(String),
}

impl EvidenceError {
    /// Stable name; of a refusal the core's own.
    pub fn code(&self) -> &str {
        match self {
            Self::Core(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::NoHeader { .. } => "no_header",
            Self::History(_) => "code_history",
        }
    }

    /// Whether trying again may help: whatever a node does, it may come to itself.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Core(error) => error.is_retryable(),
            _ => true,
        }
    }
}

/// Makes proofs and shows them to the core. One of it serves all requests.
#[derive(Debug)]
pub struct Evidence<L> {
    ledger: Arc<L>,
    contract: ContractAddress,
    guide: Guide<L>,
    share_for: Duration,
    newest: Mutex<Option<Arc<Snapshot>>>,
}

impl<L: Ledger> Evidence<L> {
    /// Proofs of this contract's state for this core; a height is shared for so long.
    pub fn new(ledger: Arc<L>, core: Core, contract: ContractAddress, share_for: Duration) -> Self {
        let guide = Guide::new(Arc::clone(&ledger), core);
        Self { ledger, contract, guide, share_for, newest: Mutex::default() }
    }

    /// Asks the core something about a request, with the proof that it is recorded and may be worked on.
    ///
    /// # Errors
    /// Of the node, or of the core.
    pub async fn for_request<T, F>(
        &self,
        body: &RequestBody,
        ask: impl Fn(v1::Proof) -> F + Sync,
    ) -> Result<T, EvidenceError>
    where
        F: Future<Output = Result<T, CoreError>> + Send,
    {
        self.show(keys_of_request(&self.contract, body), body.height, ask).await
    }

    /// Has the core destroy a key, with the proof of the key's record, which was destroyed by `height`.
    ///
    /// # Errors
    /// Of the node, or of the core.
    pub async fn for_destruction<T, F>(
        &self,
        (key, epoch): (KeyId, EpochId),
        height: u64,
        ask: impl Fn(v1::Proof) -> F + Sync,
    ) -> Result<T, EvidenceError>
    where
        F: Future<Output = Result<T, CoreError>> + Send,
    {
        self.show(keys_of_destruction(&self.contract, key, epoch), height, ask).await
    }

    /// Shows the core keys of a height that is not below `height`, until it has all that it wants.
    async fn show<T, F>(
        &self,
        mut keys: Vec<Vec<u8>>,
        height: u64,
        ask: impl Fn(v1::Proof) -> F + Sync,
    ) -> Result<T, EvidenceError>
    where
        F: Future<Output = Result<T, CoreError>> + Send,
    {
        let mut round = 1;
        loop {
            let snapshot = self.snapshot(height).await?;
            let proof = self.proof(&snapshot, &keys).await?;
            let sent = snapshot::Sent::of(&proof);
            let wants = match ask(proof).await {
                Ok(answer) => {
                    snapshot.taken(sent);
                    return Ok(answer);
                }
                Err(error @ CoreError::Evidence { .. }) if round < ROUNDS => error,
                Err(error) => return Err(error.into()),
            };
            tracing::debug!(round, height = snapshot.height(), error = %wants, "the core wants other evidence");
            self.mend(&wants, &snapshot, &mut keys).await?;
            round += 1;
        }
    }

    /// Sees to what the core wants before it is asked again.
    async fn mend(
        &self,
        wants: &CoreError,
        snapshot: &Arc<Snapshot>,
        keys: &mut Vec<Vec<u8>>,
    ) -> Result<(), EvidenceError> {
        use kms_core_proto::reason;
        // It may have forgotten all of it, and names one thing at a time.
        snapshot.send_all_again();
        match (wants.code(), wants) {
            (reason::PROOF_INCOMPLETE, CoreError::Evidence { missing: Some(missing), .. }) => {
                if missing == snapshot::LIGHT_BLOCK {
                    return self.guide.lead_to(snapshot.height().saturating_add(1)).await;
                }
                let key = hex_bytes(missing).filter(|key| !keys.contains(key));
                keys.extend(key);
                Ok(())
            }
            (reason::HEADER_INVALID, _) => {
                self.forget(snapshot).await;
                self.guide.lead_to(snapshot.height().saturating_add(1)).await
            }
            _ => {
                self.forget(snapshot).await;
                Ok(())
            }
        }
    }

    /// What is proven of the shared height, or of a new one if that is too old or too low.
    async fn snapshot(&self, height: u64) -> Result<Arc<Snapshot>, EvidenceError> {
        let mut newest = self.newest.lock().await;
        if let Some(shared) = newest.as_ref().filter(|shared| shared.serves(height, self.share_for)) {
            return Ok(Arc::clone(shared));
        }
        *newest = None;
        let head = self.ledger.head().await?.height;
        // The state behind the newest block has no header yet: wait for it only if the request is that new.
        let height = height.max(head.saturating_sub(1));
        let snapshot = Arc::new(Snapshot::new(height, self.header(height.saturating_add(1)).await?));
        *newest = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    async fn header(&self, height: u64) -> Result<v1::LightBlock, EvidenceError> {
        let until = Instant::now() + HEADER_PATIENCE;
        loop {
            if let Some(block) = self.ledger.light_block(height).await? {
                return Ok(guide::on_the_wire(block));
            }
            if Instant::now() >= until {
                return Err(EvidenceError::NoHeader { height });
            }
            sleep(HEADER_POLL).await;
        }
    }

    async fn proof(&self, snapshot: &Arc<Snapshot>, keys: &[Vec<u8>]) -> Result<v1::Proof, EvidenceError> {
        let proof = snapshot.proof(&*self.ledger, &self.contract, keys).await;
        if proof.is_err() {
            // The node may have been swapped for one that is behind, or has pruned the height.
            self.forget(snapshot).await;
        }
        proof
    }

    async fn forget(&self, snapshot: &Arc<Snapshot>) {
        let mut newest = self.newest.lock().await;
        if newest.as_ref().is_some_and(|shared| Arc::ptr_eq(shared, snapshot)) {
            *newest = None;
        }
    }
}

/// Bytes written in hexadecimal; `None` if they are not.
fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::hex_bytes;

    #[test]
    fn a_missing_key_is_read_from_hexadecimal() {
        assert_eq!(hex_bytes("03ff"), Some(vec![3, 255]));
        assert_eq!(hex_bytes("0x03FF"), Some(vec![3, 255]));
        for none in ["", "3", "light_block", "store_proof", "zz"] {
            assert_eq!(hex_bytes(none), None, "{none}");
        }
    }
}
