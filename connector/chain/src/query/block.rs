//! Blocks and their results.

use tendermint::abci::types::ExecTxResult;
use tendermint_rpc::Client as _;

use super::status::block_time;
use crate::{
    Block, BlockSource, BlockTime, Client, Error, Event, Fetched, Result, TxEvents, TxHash,
    client::{block_height, unreadable},
    event, log_text,
};

/// Time of a block and the hashes of its transactions.
#[derive(Debug, Clone)]
pub(crate) struct BlockBody {
    pub time: BlockTime,
    pub hashes: Vec<TxHash>,
}

/// What the execution of a block gave.
pub(crate) struct BlockResults {
    pub txs: Vec<ExecTxResult>,
    pub block_events: Vec<Event>,
}

impl Client {
    /// A block's header time and transaction hashes; `None` if the chain is not there yet.
    pub(crate) async fn block_body(&self, height: u64) -> Result<Option<BlockBody>> {
        let call = self.http().block(block_height(height)?);
        let Some(answer) = not_yet(height, self.call("block", call).await)? else { return Ok(None) };
        let block = answer.block;
        same_height("block", height, block.header.height.value())?;
        let hashes = block.data.iter().map(|tx| TxHash::of(tx)).collect();
        Ok(Some(BlockBody { time: block_time(block.header.time)?, hashes }))
    }

    /// A block's time alone; `None` if the chain is not there yet.
    pub(crate) async fn block_time(&self, height: u64) -> Result<Option<BlockTime>> {
        let call = self.http().header(block_height(height)?);
        let Some(answer) = not_yet(height, self.call("header", call).await)? else { return Ok(None) };
        same_height("header", height, answer.header.height.value())?;
        block_time(answer.header.time).map(Some)
    }

    /// A block's results; `None` if they do not exist yet.
    pub(crate) async fn block_results(&self, height: u64) -> Result<Option<BlockResults>> {
        let call = self.http().block_results(block_height(height)?);
        let answer = match self.call("block_results", call).await {
            Err(Error::Rpc { message, .. }) if message.contains("could not find results for height") => {
                return self.results_late_or_lost(height).await;
            }
            answer => not_yet(height, answer)?,
        };
        let Some(answer) = answer else { return Ok(None) };
        same_height("block_results", height, answer.height.value())?;
        Ok(Some(BlockResults {
            txs: answer.txs_results.unwrap_or_default(),
            block_events: event::from_rpc(answer.finalize_block_events),
        }))
    }

    /// `status` may name a height before its results exist. But a node has results of every block
    /// before its newest, unless it throws them away.
    async fn results_late_or_lost(&self, height: u64) -> Result<Option<BlockResults>> {
        let latest = self.status().await?.latest_height;
        if latest <= height {
            return Ok(None);
        }
        let again = self.call("block_results", self.http().block_results(block_height(height)?)).await;
        match again {
            Err(Error::Rpc { message, .. }) if message.contains("could not find results for height") => {
                Err(Error::ResultsMissing { height, latest })
            }
            Err(error) => Err(error),
            Ok(_) => Ok(None), // there now: the next look reads them
        }
    }
}

impl BlockSource for Client {
    async fn fetch(&self, height: u64, tx_hashes: bool) -> Result<Fetched> {
        let Some(results) = self.block_results(height).await? else { return Ok(Fetched::NotYet) };
        let wants_hashes = tx_hashes && results.txs.iter().any(|tx| tx.code.is_ok());
        let (time, hashes) = if wants_hashes {
            match self.block_body(height).await? {
                Some(body) => (body.time, body.hashes),
                None => return Ok(Fetched::NotYet),
            }
        } else {
            match self.block_time(height).await? {
                Some(time) => (time, Vec::new()),
                None => return Ok(Fetched::NotYet),
            }
        };
        let mut txs = Vec::new();
        for (position, result) in results.txs.into_iter().enumerate() {
            if result.code.is_ok() {
                txs.push(TxEvents {
                    index: u32::try_from(position).map_err(|e| unreadable("block_results", &e))?,
                    hash: hashes.get(position).copied(),
                    events: event::from_rpc(result.events),
                });
            }
        }
        Ok(Fetched::Block(Block { height, time, txs, block_events: results.block_events }))
    }
}

/// Gives "not there yet" and "no longer there" their types.
pub(super) fn not_yet<T>(height: u64, answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::Rpc { message, method }) => {
            if log_text::current_height(&message).is_some() {
                return Ok(None);
            }
            match log_text::lowest_height(&message) {
                Some(lowest) => Err(Error::Pruned { height, lowest }),
                None => Err(Error::Rpc { method, message }),
            }
        }
        Err(error) => Err(error),
    }
}

pub(super) fn same_height(what: &str, asked: u64, got: u64) -> Result<()> {
    if asked == got {
        return Ok(());
    }
    Err(unreadable(what, &format!("asked for height {asked}, got {got}")))
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde_json::{Value, json};

    use super::*;
    use crate::fake_node::{FakeNode, Reply, block_with, future, header, results_with, status};

    fn result(code: u32) -> Value {
        let event = json!({"type": "wasm-x", "attributes": [
            {"key": "_contract_address", "value": "wasm1c", "index": true},
            {"key": "code", "value": code.to_string(), "index": true},
            {"key": "msg_index", "value": "0", "index": true}]});
        json!({"code": code, "codespace": "", "data": null, "log": "", "info": "",
               "gas_wanted": "3", "gas_used": "2", "events": [event]})
    }

    fn block_at_7(results: Value) -> impl FnMut(&str, &Value) -> Reply + Send + 'static {
        move |method, _| match method {
            "block_results" => Reply::Result(results_with(7, &results)),
            "header" => Reply::Result(json!({"header": header(7)})),
            _ => Reply::Result(block_with(7, &[STANDARD.encode(b"a"), STANDARD.encode(b"b")])),
        }
    }

    #[tokio::test]
    async fn events_of_failed_transactions_are_left_out_and_positions_kept() {
        let node = FakeNode::start(block_at_7(json!([result(5), result(0)]))).await;
        let Fetched::Block(block) = node.client().fetch(7, true).await.unwrap() else { panic!("no block") };
        assert_eq!((block.height, block.time.seconds, block.time.nanos), (7, 1_767_323_045, 6_000_000));
        assert_eq!(block.block_events.len(), 1);
        let events: Vec<_> = block.contract_events("wasm1c").collect();
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].tx_index, events[0].tx_hash), (Some(1), Some(TxHash::of(b"b"))));
        assert_eq!(events[0].own_attributes(), [("code".to_owned(), "0".to_owned())]);
    }

    #[tokio::test]
    async fn without_hashes_the_header_is_enough() {
        let node = FakeNode::start(|method: &str, _: &Value| match method {
            "block_results" => Reply::Result(results_with(7, &json!([result(0)]))),
            "header" => Reply::Result(json!({"header": header(7)})),
            _ => Reply::Error("not asked for".into()),
        })
        .await;
        let Fetched::Block(block) = node.client().fetch(7, false).await.unwrap() else { panic!("no block") };
        assert_eq!(block.txs[0].hash, None);
    }

    #[tokio::test]
    async fn an_empty_block_has_no_results_and_is_a_block() {
        let node = FakeNode::start(block_at_7(Value::Null)).await;
        let fetched = node.client().fetch(7, true).await.unwrap();
        assert!(matches!(fetched, Fetched::Block(block) if block.txs.is_empty()));
    }

    #[tokio::test]
    async fn a_height_to_come_is_not_yet() {
        let node = FakeNode::start(|_: &str, _: &Value| future(8, 7)).await;
        assert_eq!(node.client().fetch(8, true).await.unwrap(), Fetched::NotYet);
    }

    /// A node at `latest` that lacks the results of height 7.
    async fn without_results(latest: u64) -> Result<Fetched> {
        let node = FakeNode::start(move |method: &str, _: &Value| match method {
            "status" => Reply::Result(status("test-1", latest)),
            _ => Reply::Error("could not find results for height #7".into()),
        })
        .await;
        node.client().fetch(7, true).await
    }

    #[tokio::test]
    async fn results_of_the_newest_block_may_be_late() {
        assert_eq!(without_results(7).await.unwrap(), Fetched::NotYet);
    }

    #[tokio::test]
    async fn results_of_an_older_block_that_are_missing_will_not_come() {
        let error = without_results(9).await.unwrap_err();
        assert_eq!(error, Error::ResultsMissing { height: 7, latest: 9 });
        assert!(!error.is_retryable());
    }

    #[tokio::test]
    async fn a_pruned_height_is_told_with_the_lowest_left() {
        let node = FakeNode::start(|_: &str, _: &Value| {
            Reply::Error("height 7 is not available, lowest height is 100".into())
        })
        .await;
        let error = node.client().fetch(7, true).await.unwrap_err();
        assert_eq!(error, Error::Pruned { height: 7, lowest: 100 });
    }

    #[tokio::test]
    async fn a_block_of_another_height_is_refused() {
        let node = FakeNode::start(block_at_7(Value::Null)).await;
        assert_eq!(node.client().fetch(8, true).await.unwrap_err().code(), "bad_response");
    }
}
