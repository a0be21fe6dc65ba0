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
fn not_yet<T>(height: u64, answer: Result<T>) -> Result<Option<T>> {
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

fn same_height(what: &str, asked: u64, got: u64) -> Result<()> {
    if asked == got {
        return Ok(());
    }
    Err(unreadable(what, &format!("asked for height {asked}, got {got}")))
}
