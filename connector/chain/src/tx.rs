//! The way of a transaction, one verb per file: simulate, sign, broadcast, confirm.

mod broadcast;
mod confirm;
mod outcome;
mod sign;
mod simulate;

use crate::{Fraction, GasPrice};

pub use broadcast::Broadcast;
pub(crate) use confirm::BlockScan;
pub use outcome::{Failure, MsgResponse, TxOutcome};
pub use sign::SignedTx;
pub(crate) use sign::{Draft, Signing};

/// How much gas a transaction may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gas {
    /// What simulation says, times a factor, plus a head room.
    ///
    /// The cost of a call may depend on what runs before it (the answer that reaches a quorum costs
    /// more than it did in simulation): that difference is what the head room is for.
    Simulated {
        /// Factor on the simulated gas; `None`: the account's (1.3 by default).
        factor: Option<Fraction>,
        /// Gas added after the multiplication.
        headroom: u64,
    },
    /// This limit, without simulation.
    Limit(u64),
}

impl Default for Gas {
    fn default() -> Self {
        Self::Simulated { factor: None, headroom: 0 }
    }
}

impl Gas {
    /// Simulation with the account's factor and this head room.
    pub fn with_headroom(headroom: u64) -> Self {
        Self::Simulated { factor: None, headroom }
    }
}

/// Choices for one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TxOptions {
    /// How much gas it may use.
    pub gas: Gas,
    /// Public note in the transaction.
    pub memo: String,
    /// For how many blocks from now it may be included; `None`: the account's (50 by default).
    pub timeout_blocks: Option<u64>,
    /// Gas price; `None`: the account's.
    pub gas_price: Option<GasPrice>,
}
