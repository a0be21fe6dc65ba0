//! Whether a transaction is in a block, found by reading blocks: a node needs no index for it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use tendermint::Hash;
use tendermint_rpc::Client as _;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use super::TxOutcome;
use crate::{Client, Error, Result, TxHash, client::unreadable};

/// How many blocks' transaction hashes are remembered.
const REMEMBERED: usize = 256;

/// Positions of a block's transactions.
type Positions = Arc<HashMap<TxHash, usize>>;

/// Reads each block once, however many transactions are being confirmed.
#[derive(Debug, Default)]
pub(crate) struct BlockScan(Mutex<Scanned>);

#[derive(Debug, Default)]
struct Scanned {
    blocks: BTreeMap<u64, Positions>,
    absent: Option<(u64, Instant)>,
}

impl BlockScan {
    /// The transactions of a block; `None` if it is not there yet. The node is asked at most once
    /// per `interval` for a block that is not there.
    async fn positions(&self, client: &Client, height: u64, interval: Duration) -> Result<Option<Positions>> {
        let mut scanned = self.0.lock().await;
        if let Some(positions) = scanned.blocks.get(&height) {
            return Ok(Some(positions.clone()));
        }
        if scanned.absent.is_some_and(|(absent, at)| absent <= height && at.elapsed() < interval) {
            return Ok(None);
        }
        let Some(body) = client.block_body(height).await? else {
            scanned.absent = Some((height, Instant::now()));
            return Ok(None);
        };
        let positions: Positions = Arc::new(body.hashes.into_iter().zip(0..).collect());
        scanned.blocks.insert(height, positions.clone());
        while scanned.blocks.len() > REMEMBERED {
            scanned.blocks.pop_first();
        }
        Ok(Some(positions))
    }
}

/// Measures how long nothing has moved.
struct Patience {
    since: Instant,
    limit: Duration,
}

impl Patience {
    fn reset(&mut self) {
        self.since = Instant::now();
    }

    fn is_over(&self) -> bool {
        self.since.elapsed() >= self.limit
    }
}

impl Client {
    /// Waits until the transaction is in a block of `from_height..=timeout_height`, or can never be.
    ///
    /// Whoever asks for contract state afterwards sees what the transaction did. The outcome may be
    /// a failure: look at its code. Connection errors are waited out for
    /// `stall_patience`.
    ///
    /// # Errors
    /// [`Error::NotIncluded`] once the chain is past the timeout height: the transaction had no
    /// effect and never will. [`Error::Pruned`] if it cannot be known any more. A retryable error if
    /// node or chain stand still.
    pub async fn confirm(&self, hash: TxHash, from_height: u64, timeout_height: u64) -> Result<TxOutcome> {
        let mut height = from_height.max(1);
        let mut patience = Patience { since: Instant::now(), limit: self.config().stall_patience };
        while height <= timeout_height {
            match self.look(hash, height).await {
                Ok(Look::Found(outcome)) => return Ok(*outcome),
                Ok(Look::NotThere) => {
                    height = height.checked_add(1).ok_or_else(|| unreadable("block", &"no more heights"))?;
                    patience.reset();
                }
                Ok(Look::NotYet) if patience.is_over() => {
                    let height = height.saturating_sub(1);
                    return Err(Error::ChainStalled { height, waited: patience.since.elapsed() });
                }
                Ok(Look::NotYet) => sleep(self.pause()).await,
                Err(error @ (Error::Pruned { .. } | Error::ResultsMissing { .. })) => {
                    return self.indexed(hash).await?.ok_or(error);
                }
                Err(error) if error.is_retryable() && !patience.is_over() => {
                    tracing::debug!(%hash, height, %error, "confirmation waits for the node");
                    sleep(self.pause()).await;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::NotIncluded { hash, timeout_height })
    }

    async fn look(&self, hash: TxHash, height: u64) -> Result<Look> {
        let positions = self.scan().positions(self, height, self.pause()).await?;
        let Some(positions) = positions else { return Ok(Look::NotYet) };
        let Some(position) = positions.get(&hash) else { return Ok(Look::NotThere) };
        let Some(results) = self.block_results(height).await? else { return Ok(Look::NotYet) };
        // Results can be read a moment before the state that they led to.
        if self.state_height().await? < height {
            return Ok(Look::NotYet);
        }
        let result = results.txs.into_iter().nth(*position);
        let result = result.ok_or_else(|| unreadable("block_results", &"fewer results than transactions"))?;
        Ok(Look::Found(Box::new(TxOutcome::from_rpc(hash, height, result)?)))
    }

    /// The newest height whose state can be asked for.
    async fn state_height(&self) -> Result<u64> {
        Ok(self.call("abci_info", self.http().abci_info()).await?.last_block_height.value())
    }

    /// Asks the node's index; `None` if it does not know the transaction or has no index.
    async fn indexed(&self, hash: TxHash) -> Result<Option<TxOutcome>> {
        match self.call("tx", self.http().tx(Hash::Sha256(hash.0), false)).await {
            Ok(answer) => TxOutcome::from_rpc(hash, answer.height.value(), answer.tx_result).map(Some),
            Err(Error::Rpc { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn pause(&self) -> Duration {
        self.config().poll_interval.max(Duration::from_millis(1))
    }
}

enum Look {
    Found(Box<TxOutcome>),
    NotThere,
    NotYet,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde_json::{Value, json};

    use super::*;
    use crate::fake_node::{FakeNode, Reply, block_with, future, height_of, results_with};

    const TX: &[u8] = b"the transaction";

    fn result(code: u32) -> Value {
        json!({"code": code, "codespace": "", "data": null, "log": "", "info": "",
               "gas_wanted": "3", "gas_used": "2", "events": []})
    }

    #[tokio::test]
    async fn an_outcome_is_told_only_when_the_state_that_it_led_to_can_be_read() {
        let state = Arc::new(AtomicU64::new(10));
        let node = FakeNode::start_with_state(state.clone(), chain).await;
        let (client, hash) = (node.client(), TxHash::of(TX));
        let confirmation = client.confirm(hash, 10, 20);
        tokio::pin!(confirmation);
        let early = tokio::time::timeout(Duration::from_millis(100), &mut confirmation).await;
        assert!(early.is_err(), "confirmed before the state was there");
        state.store(11, Ordering::SeqCst);
        assert_eq!(confirmation.await.unwrap().height, 11);
    }

    /// A chain at height 12, whose block 11 has another transaction and ours.
    fn chain(method: &str, params: &Value) -> Reply {
        let height = height_of(params);
        match (method, height) {
            (_, 13..) => future(height, 12),
            ("block", 11) => {
                Reply::Result(block_with(11, &[STANDARD.encode(b"another"), STANDARD.encode(TX)]))
            }
            ("block", _) => Reply::Result(block_with(height, &[])),
            (_, 11) => Reply::Result(results_with(11, &json!([result(5), result(0)]))),
            _ => Reply::Result(results_with(height, &Value::Null)),
        }
    }

    #[tokio::test]
    async fn a_transaction_is_found_in_its_block_without_an_index() {
        let node = FakeNode::start(chain).await;
        let outcome = node.client().confirm(TxHash::of(TX), 9, 20).await.unwrap();
        assert_eq!((outcome.height, outcome.code), (11, 0));
        assert_eq!((outcome.gas_wanted, outcome.gas_used), (3, 2));
        let other = node.client().confirm(TxHash::of(b"another"), 9, 20).await.unwrap();
        assert_eq!(other.code, 5);
    }

    #[tokio::test]
    async fn a_transaction_is_not_included_once_the_chain_has_reached_its_timeout() {
        let node = FakeNode::start(chain).await;
        let hash = TxHash::of(b"nowhere");
        let error = node.client().confirm(hash, 9, 12).await.unwrap_err();
        assert_eq!(error, Error::NotIncluded { hash, timeout_height: 12 });
    }

    #[tokio::test]
    async fn a_chain_that_stands_still_is_told_and_not_taken_for_a_refusal() {
        let node = FakeNode::start(chain).await;
        let mut config = node.config();
        config.stall_patience = Duration::from_millis(20);
        let client = Client::new(config).unwrap();
        let error = client.confirm(TxHash::of(b"nowhere"), 9, 13).await.unwrap_err();
        assert!(matches!(error, Error::ChainStalled { height: 12, .. }), "{error}");
        assert!(error.is_retryable());
    }

    #[tokio::test]
    async fn a_node_that_fails_for_a_while_is_waited_for() {
        let mut failures = 3;
        let node = FakeNode::start(move |method, params| {
            if failures > 0 {
                failures -= 1;
                return Reply::Http(503);
            }
            chain(method, params)
        })
        .await;
        assert_eq!(node.client().confirm(TxHash::of(TX), 9, 20).await.unwrap().height, 11);
    }

    #[tokio::test]
    async fn of_pruned_blocks_the_index_is_asked_and_else_nothing_is_claimed() {
        let pruned = "height 9 is not available, lowest height is 100";
        let node = FakeNode::start(move |method, _| match method {
            "tx" => Reply::Result(json!({"hash": TxHash::of(TX).to_string(), "height": "11", "index": 1,
                "tx_result": result(0), "tx": STANDARD.encode(TX)})),
            _ => Reply::Error(pruned.to_owned()),
        })
        .await;
        assert_eq!(node.client().confirm(TxHash::of(TX), 9, 20).await.unwrap().height, 11);

        let node = FakeNode::start(move |method, _| match method {
            "tx" => Reply::Error("transaction indexing is disabled".to_owned()),
            _ => Reply::Error(pruned.to_owned()),
        })
        .await;
        let error = node.client().confirm(TxHash::of(TX), 9, 20).await.unwrap_err();
        assert_eq!(error, Error::Pruned { height: 9, lowest: 100 });
    }

    #[tokio::test]
    async fn many_confirmations_read_each_block_once() {
        let blocks = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = blocks.clone();
        let node = FakeNode::start(move |method, params| {
            if method == "block" {
                counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            chain(method, params)
        })
        .await;
        let client = node.client();
        for _ in 0..20 {
            client.confirm(TxHash::of(TX), 9, 20).await.unwrap();
        }
        assert_eq!(blocks.load(std::sync::atomic::Ordering::Relaxed), 3);
    }
}
