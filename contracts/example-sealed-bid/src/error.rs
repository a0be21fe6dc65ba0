//! What makes a message fail.

use cosmwasm_std::{OverflowError, StdError};
use cw_utils::ParseReplyError;

/// An error of the auction.
#[derive(Debug, thiserror::Error)]
pub enum AuctionError {
    /// The sender may not do this.
    #[error("only {0} may do this")]
    Unauthorized(&'static str),
    /// Not now.
    #[error("{0}")]
    NotNow(&'static str),
    /// The bid is none.
    #[error("{0}")]
    Bid(&'static str),
    /// The result is of no request of this contract, or was taken before.
    #[error("request {0} is none of this auction's that is under way")]
    UnknownRequest(u64),
    /// The answer is not the number that was asked for.
    #[error("the answer to request {0} is no number of 64 bits")]
    Answer(u64),
    /// Nobody is owed anything here.
    #[error("nothing to withdraw")]
    Nothing,
    /// An amount left its range.
    #[error(transparent)]
    Overflow(#[from] OverflowError),
    /// The ASC's reply cannot be read.
    #[error(transparent)]
    Reply(#[from] ParseReplyError),
    /// The chain's own word.
    #[error(transparent)]
    Std(#[from] StdError),
}
