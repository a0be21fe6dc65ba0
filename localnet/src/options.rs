//! How a stack is to be.

use std::{fmt, sync::Arc, time::Duration};

use kms_asc_api::InstantiateMsg;

use crate::Lifetime;

/// Choices of who starts a stack.
#[derive(Clone)]
pub struct StackOptions {
    /// What becomes of the processes when the program ends that started them.
    pub lifetime: Lifetime,
    /// Pause after each block.
    pub block_time: Duration,
    /// Most gas of a block: at 40 to 80 million a second it bounds the time that a block takes.
    pub block_max_gas: u64,
    /// Most gas of a query to a contract.
    pub query_max_gas: u64,
    /// Whether the ASC's code is pinned: kept in the node's memory, so that calls cost less.
    pub pin_code: bool,
    /// Whether the core may make small keys, which protect nothing.
    pub test_parameters: bool,
    /// Changes the terms on which the contract is instantiated: other operators, other limits.
    pub terms: Arc<dyn Fn(&mut InstantiateMsg) + Send + Sync>,
    /// Told what is being done, in a few words.
    pub report: Arc<dyn Fn(&str) + Send + Sync>,
}

impl StackOptions {
    /// 200 ms blocks of at most 40 million gas, queries of at most 3 million, the code pinned, the stack's one
    /// operator, nobody told.
    pub fn new(lifetime: Lifetime) -> Self {
        Self {
            lifetime,
            block_time: Duration::from_millis(200),
            block_max_gas: 40_000_000,
            query_max_gas: 3_000_000,
            pin_code: true,
            test_parameters: false,
            terms: Arc::new(|_| {}),
            report: Arc::new(|_| {}),
        }
    }
}

impl fmt::Debug for StackOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StackOptions")
            .field("lifetime", &self.lifetime)
            .field("block_time", &self.block_time)
            .field("block_max_gas", &self.block_max_gas)
            .finish_non_exhaustive()
    }
}
