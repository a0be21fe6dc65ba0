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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Coin, TxHash,
        fake_node::{FakeNode, Reply, checked},
    };

    fn tx() -> SignedTx {
        SignedTx {
            hash: TxHash::of(b"tx"),
            bytes: b"tx".to_vec(),
            sequence: 21,
            prepared_at: 1,
            timeout_height: 50,
            gas_limit: 7,
            fee: Coin::new(1, "ucosm"),
        }
    }

    async fn answer_to(reply: impl Fn() -> Reply + Send + 'static) -> Result<Broadcast> {
        let node = FakeNode::start(move |_, _| reply()).await;
        node.client().broadcast("wasm1me", &tx()).await
    }

    #[tokio::test]
    async fn every_refusal_of_the_check_has_its_type() {
        let mismatch = "account sequence mismatch, expected 16, got 21: incorrect account sequence";
        for (code, codespace, log, expected, retryable) in [
            (32, "sdk", mismatch, "sequence_mismatch", true),
            (13, "sdk", "insufficient fees; got: 1ucosm required: 2ucosm", "fee_too_low", false),
            (11, "sdk", "out of gas in location: ReadPerByte", "gas_too_low", false),
            (41, "sdk", "tx gas limit 40000000 exceeds block max gas", "gas_above_block_limit", false),
            (4, "sdk", "signature verification failed", "signature_refused", false),
            (9, "sdk", "account wasm1me does not exist", "unknown_account", false),
            (5, "sdk", "spendable balance 0ucosm is smaller", "insufficient_funds", false),
            (20, "sdk", "mempool is full", "mempool_full", true),
            (21, "sdk", "tx too large", "tx_too_large", false),
            (30, "sdk", "tx timeout height", "not_included", true),
            (2, "sdk", "tx parse error", "tx_rejected", false),
            (14, "wasm", "invalid", "tx_rejected", false),
            (32, "wasm", "another module's code", "tx_rejected", false),
        ] {
            let error = answer_to(move || checked(tx().hash, code, codespace, log)).await.unwrap_err();
            assert_eq!((error.code(), error.is_retryable()), (expected, retryable), "{code} {codespace}");
            assert!(!error.is_uncertain());
        }
    }

    #[tokio::test]
    async fn the_sequence_that_the_node_expects_is_told() {
        let log = "account sequence mismatch, expected 16, got 21: incorrect account sequence";
        let error = answer_to(move || checked(tx().hash, 32, "sdk", log)).await.unwrap_err();
        assert_eq!(error, Error::SequenceMismatch { expected: Some(16), got: 21 });
    }

    #[tokio::test]
    async fn the_same_bytes_again_are_a_good_answer() {
        let answer = answer_to(|| Reply::Error("tx already exists in cache".into())).await;
        assert_eq!(answer.unwrap(), Broadcast::AlreadyKnown);
        let answer = answer_to(|| checked(tx().hash, 19, "sdk", "tx already in mempool")).await;
        assert_eq!(answer.unwrap(), Broadcast::AlreadyKnown);
        let answer = answer_to(|| checked(tx().hash, 0, "", "")).await;
        assert_eq!(answer.unwrap(), Broadcast::Accepted);
    }

    #[tokio::test]
    async fn the_mempools_own_refusals_have_their_types() {
        let full = answer_to(|| Reply::Error("mempool is full: number of txs 5000 (max: 5000)".into())).await;
        assert_eq!(full.unwrap_err().code(), "mempool_full");
        let large =
            answer_to(|| Reply::Error("Tx too large. Max size is 1048576, but got 2000000".into())).await;
        assert_eq!(large.unwrap_err().code(), "tx_too_large");
        let body = answer_to(|| Reply::Http(400)).await;
        assert_eq!(body.unwrap_err().code(), "tx_too_large");
        let other = answer_to(|| Reply::Error("something else".into())).await;
        assert_eq!(other.unwrap_err().code(), "node_refused");
    }

    #[tokio::test]
    async fn a_lost_answer_is_uncertain() {
        let error = answer_to(|| Reply::Http(502)).await.unwrap_err();
        assert!(error.is_uncertain() && error.is_retryable());
    }
}
