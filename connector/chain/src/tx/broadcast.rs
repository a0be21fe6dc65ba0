//! Handing a transaction to the node.

use tendermint_rpc::Client as _;

use super::SignedTx;
use crate::{Client, Error, Result, log_text};

/// The node's good answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broadcast {
    /// Checked and now in the mempool. It may still vanish; only confirmation tells.
    Accepted,
    /// The node has seen these very bytes before: they are pending, or in a block already.
    AlreadyKnown,
}

impl Client {
    /// Sends a signed transaction to the node's mempool, once. Sending the same bytes again is
    /// always safe.
    ///
    /// # Errors
    /// A refusal with its type. If [`Error::is_uncertain`], the node may have taken it nevertheless.
    pub async fn broadcast(&self, address: &str, tx: &SignedTx) -> Result<Broadcast> {
        let (bytes, limit) = (tx.bytes.len(), self.config().max_tx_bytes);
        let too_large = Error::TooLarge { step: "broadcast", bytes, limit };
        if bytes > limit {
            return Err(too_large);
        }
        let call = self.http().broadcast_tx_sync(tx.bytes.clone());
        let answer = match self.call("broadcast_tx_sync", call).await {
            Ok(answer) => answer,
            Err(Error::HttpStatus { status: 400 | 413, .. }) => return Err(too_large),
            Err(Error::Rpc { message, method }) => return rpc_answer(tx, limit, method, message),
            Err(error) => return Err(error),
        };
        match (answer.code.value(), answer.codespace.as_str()) {
            (0, _) => Ok(Broadcast::Accepted),
            (19, "sdk") => Ok(Broadcast::AlreadyKnown),
            (code, codespace) => Err(refusal(address, tx, limit, (code, codespace), answer.log)),
        }
    }
}

/// The mempool's own answers come as JSON-RPC errors.
fn rpc_answer(tx: &SignedTx, limit: usize, method: &'static str, message: String) -> Result<Broadcast> {
    let text = message.to_lowercase();
    if text.contains("tx already exists in cache") {
        Ok(Broadcast::AlreadyKnown)
    } else if text.contains("mempool is full") {
        Err(Error::MempoolFull { log: message })
    } else if text.contains("tx too large") {
        Err(Error::TooLarge { step: "broadcast", bytes: tx.bytes.len(), limit })
    } else {
        Err(Error::Rpc { method, message })
    }
}

/// Types of the codes with which the checks before the mempool refuse.
fn refusal(address: &str, tx: &SignedTx, limit: usize, (code, codespace): (u32, &str), log: String) -> Error {
    let other = |log| Error::Rejected { code, codespace: codespace.to_owned(), log };
    if codespace != "sdk" {
        return other(log);
    }
    match code {
        4 => Error::SignatureRefused { log },
        5 => Error::InsufficientFunds { log },
        9 => Error::UnknownAccount { address: address.to_owned() },
        11 => Error::GasTooLow { log },
        13 => Error::FeeTooLow { log },
        20 => Error::MempoolFull { log },
        21 => Error::TooLarge { step: "broadcast", bytes: tx.bytes.len(), limit },
        30 => Error::NotIncluded { hash: tx.hash, timeout_height: tx.timeout_height },
        32 => Error::SequenceMismatch {
            expected: log_text::sequence_mismatch(&log).map(|(expected, _)| expected),
            got: tx.sequence,
        },
        41 => Error::GasAboveBlockLimit { gas: tx.gas_limit, log },
        _ => other(log),
    }
}
