//! Where the node stands.

use tendermint_rpc::Client as _;

use crate::{BlockTime, Client, Error, Result, client::unreadable};

/// State of the node. Answered even while a block executes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Chain id.
    pub chain_id: String,
    /// Height of the newest block; its results may appear some milliseconds later.
    pub latest_height: u64,
    /// Time of that block.
    pub latest_time: BlockTime,
    /// Lowest height the node still has.
    pub earliest_height: u64,
    /// Whether the node is still fetching old blocks.
    pub catching_up: bool,
    /// Version of the node's consensus engine.
    pub version: String,
}

impl Client {
    /// State of the node.
    pub async fn status(&self) -> Result<Status> {
        let answer = self.call("status", self.http().status()).await?;
        let sync = answer.sync_info;
        Ok(Status {
            chain_id: answer.node_info.network.to_string(),
            latest_height: sync.latest_block_height.value(),
            latest_time: block_time(sync.latest_block_time)?,
            earliest_height: sync.earliest_block_height.value(),
            catching_up: sync.catching_up,
            version: answer.node_info.version.to_string(),
        })
    }

    /// Refuses a node of another chain: [`Error::WrongChain`].
    pub async fn expect_chain(&self, chain_id: &str) -> Result<Status> {
        let status = self.status().await?;
        if status.chain_id == chain_id {
            return Ok(status);
        }
        Err(Error::WrongChain { expected: chain_id.to_owned(), found: status.chain_id })
    }
}

pub(super) fn block_time(time: tendermint::Time) -> Result<BlockTime> {
    let seconds = u64::try_from(time.unix_timestamp()).map_err(|e| unreadable("block time", &e))?;
    let nanos = time.unix_timestamp_nanos().rem_euclid(1_000_000_000);
    let nanos = u32::try_from(nanos).map_err(|e| unreadable("block time", &e))?;
    Ok(BlockTime { seconds, nanos })
}
