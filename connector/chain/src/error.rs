//! What can go wrong, and whether trying again can help.

use std::time::Duration;

use crate::{
    Failure, TxHash, TxOutcome,
    log_text::{self, shortened},
};

/// Result of this crate's calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the chain client. [`Error::code`] is stable; texts may change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The node's address is not an `http://` or `https://` address.
    #[error("{url:?} is not a node address: {reason}")]
    InvalidUrl {
        /// What was given.
        url: String,
        /// Why it is refused.
        reason: String,
    },
    /// The node did not answer in time. It may only be busy: queries wait while a block executes.
    #[error("the node did not answer {method} within {after:?}")]
    Timeout {
        /// RPC method.
        method: &'static str,
        /// The time allowed.
        after: Duration,
    },
    /// No connection, or it broke.
    #[error("cannot reach the node for {method}: {reason}")]
    Unreachable {
        /// RPC method.
        method: &'static str,
        /// What the transport says.
        reason: String,
    },
    /// The node (or something before it) answered with another HTTP status than 200.
    #[error("the node answered {method} with HTTP status {status}")]
    HttpStatus {
        /// RPC method.
        method: &'static str,
        /// HTTP status.
        status: u16,
    },
    /// The node answered with a JSON-RPC error that has no type of its own here.
    #[error("the node refused {method}: {}", shortened(message))]
    Rpc {
        /// RPC method.
        method: &'static str,
        /// The node's text.
        message: String,
    },
    /// The node's answer cannot be read.
    #[error("unreadable answer to {what}: {reason}")]
    BadResponse {
        /// What was asked.
        what: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// An application query was refused.
    #[error("query {path} failed with code {code} ({codespace}): {}", shortened(log))]
    Query {
        /// Query path.
        path: String,
        /// ABCI code.
        code: u32,
        /// Module that gave the code.
        codespace: String,
        /// The node's text.
        log: String,
    },
    /// The contract answered a smart query with an error of its own.
    #[error("contract {contract} refused the query: {}", shortened(message))]
    ContractQuery {
        /// Contract address.
        contract: String,
        /// The contract's own text.
        message: String,
    },
    /// The account is not on the chain yet: nothing was ever sent to it.
    #[error("account {address} does not exist on the chain")]
    UnknownAccount {
        /// Address asked for.
        address: String,
    },
    /// No contract lives at this address.
    #[error("there is no contract at {address}")]
    NoSuchContract {
        /// Address asked for.
        address: String,
    },
    /// No code with this id was stored.
    #[error("there is no code {code_id}")]
    NoSuchCode {
        /// Code id asked for.
        code_id: u64,
    },
    /// The node is on another chain than the configuration says.
    #[error("the node is on chain {found:?}, expected {expected:?}")]
    WrongChain {
        /// Chain id of the configuration.
        expected: String,
        /// Chain id that the node says.
        found: String,
    },
    /// The node has no state of this height: too old, or not there yet.
    #[error("the node has no state of height {height}: {}", shortened(log))]
    HeightUnavailable {
        /// Height asked for.
        height: u64,
        /// The node's text.
        log: String,
    },
    /// The node no longer has this height.
    #[error("height {height} is gone from this node, its lowest is {lowest}")]
    Pruned {
        /// Height asked for.
        height: u64,
        /// Lowest height the node still has.
        lowest: u64,
    },
    /// The node has the block but not its results, and is far past it: they will not come.
    #[error("this node has no results for height {height} although it is at {latest}")]
    ResultsMissing {
        /// Height asked for.
        height: u64,
        /// Latest height of the node.
        latest: u64,
    },
    /// No new block for too long.
    #[error("no block after height {height} for {waited:?}")]
    ChainStalled {
        /// Last height seen.
        height: u64,
        /// How long was waited.
        waited: Duration,
    },
    /// A key file cannot be read, written or used.
    #[error("key file {path}: {reason}")]
    KeyFile {
        /// Path.
        path: String,
        /// What is wrong; never the content.
        reason: String,
    },
    /// A key file that others may read.
    #[error("key file {path} has mode {mode:04o}, allowed are 0600 and 0400")]
    KeyFileMode {
        /// Path.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// A secret that is no secp256k1 key.
    #[error("not a secp256k1 secret key: {reason}")]
    InvalidKey {
        /// What is wrong; never the key.
        reason: String,
    },
    /// A bech32 address that cannot be used.
    #[error("{address:?} is not an address: {reason}")]
    InvalidAddress {
        /// What was given.
        address: String,
        /// Why it is refused.
        reason: String,
    },
    /// A gas price, fraction, coin or hash that cannot be parsed, or leaves the range of its type.
    #[error("{value:?} is not a {what}: {reason}")]
    InvalidValue {
        /// What it should be.
        what: &'static str,
        /// What was given.
        value: String,
        /// Why it is refused.
        reason: String,
    },
    /// A message cannot be made: its JSON or its wasm cannot be encoded.
    #[error("cannot encode {what}: {reason}")]
    Encode {
        /// What was to be encoded.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// The transaction is larger than the node's RPC accepts; nothing was sent.
    #[error("transaction of {bytes} bytes is too large, at most {limit} are accepted for {step}")]
    TooLarge {
        /// `simulate` or `broadcast`.
        step: &'static str,
        /// Size of the transaction.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The transaction would fail; found by simulation, nothing was sent.
    #[error("simulation failed: {}", shortened(log_text::contract_error(log).unwrap_or(log)))]
    Simulation {
        /// The node's text, whole.
        log: String,
    },
    /// The node has no simulation service: it registers it only if it serves gRPC or the REST API.
    #[error("the node cannot simulate: enable grpc or api in its app.toml, or give a gas limit")]
    SimulationUnavailable,
    /// The account's sequence is not the one signed with. The next
    /// [`prepare`](crate::Account::prepare) uses the right one.
    ///
    /// After a restart this may also mean that this very transaction is in a block already: confirm
    /// before signing its content anew.
    #[error("the transaction has account sequence {got}, the node expects {}", or_another(*expected))]
    SequenceMismatch {
        /// Sequence that the node expects, if it says.
        expected: Option<u64>,
        /// Sequence that was signed.
        got: u64,
    },
    /// The fee is below the node's minimum.
    #[error("fee too low: {log}")]
    FeeTooLow {
        /// The node's text, with what was given and what is required.
        log: String,
    },
    /// The account cannot pay the fee or the funds.
    #[error("insufficient funds: {log}")]
    InsufficientFunds {
        /// The node's text.
        log: String,
    },
    /// The gas limit does not even cover the checks before execution.
    #[error("gas limit too low: {log}")]
    GasTooLow {
        /// The node's text.
        log: String,
    },
    /// The gas limit is above what a block may hold.
    #[error("gas limit {gas} is above the block's limit: {log}")]
    GasAboveBlockLimit {
        /// Gas limit of the transaction.
        gas: u64,
        /// The node's text.
        log: String,
    },
    /// The node's mempool is full.
    #[error("the node's mempool is full: {log}")]
    MempoolFull {
        /// The node's text.
        log: String,
    },
    /// Signature refused: wrong chain id or account number.
    #[error("signature refused, chain id or account number is wrong: {log}")]
    SignatureRefused {
        /// The node's text.
        log: String,
    },
    /// Refused before the mempool for another reason.
    #[error("transaction refused with code {code} ({codespace}): {}", shortened(log))]
    Rejected {
        /// ABCI code.
        code: u32,
        /// Module that gave the code.
        codespace: String,
        /// The node's text.
        log: String,
    },
    /// The chain passed the timeout height without the transaction: it had no effect and never will.
    #[error("transaction {hash} was not included by height {timeout_height}")]
    NotIncluded {
        /// Transaction hash.
        hash: TxHash,
        /// Its timeout height.
        timeout_height: u64,
    },
    /// The transaction is in a block, and failed there.
    #[error("transaction {} failed in block {}: {}", .0.hash, .0.height, shortened(.0.reason()))]
    TxFailed(Box<TxOutcome>),
}

impl Error {
    /// Stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidUrl { .. } => "invalid_url",
            Self::Timeout { .. } => "node_timeout",
            Self::Unreachable { .. } => "node_unreachable",
            Self::HttpStatus { .. } => "http_status",
            Self::Rpc { .. } => "node_refused",
            Self::BadResponse { .. } => "bad_response",
            Self::Query { .. } => "query_failed",
            Self::ContractQuery { .. } => "contract_query_failed",
            Self::UnknownAccount { .. } => "unknown_account",
            Self::NoSuchContract { .. } => "no_such_contract",
            Self::NoSuchCode { .. } => "no_such_code",
            Self::WrongChain { .. } => "wrong_chain",
            Self::HeightUnavailable { .. } => "height_unavailable",
            Self::Pruned { .. } => "pruned",
            Self::ResultsMissing { .. } => "results_missing",
            Self::ChainStalled { .. } => "chain_stalled",
            Self::KeyFile { .. } => "key_file",
            Self::KeyFileMode { .. } => "key_file_mode",
            Self::InvalidKey { .. } => "invalid_key",
            Self::InvalidAddress { .. } => "invalid_address",
            Self::InvalidValue { .. } => "invalid_value",
            Self::Encode { .. } => "encode",
            Self::TooLarge { .. } => "tx_too_large",
            Self::Simulation { .. } => "simulation_failed",
            Self::SimulationUnavailable => "simulation_unavailable",
            Self::SequenceMismatch { .. } => "sequence_mismatch",
            Self::FeeTooLow { .. } => "fee_too_low",
            Self::InsufficientFunds { .. } => "insufficient_funds",
            Self::GasTooLow { .. } => "gas_too_low",
            Self::GasAboveBlockLimit { .. } => "gas_above_block_limit",
            Self::MempoolFull { .. } => "mempool_full",
            Self::SignatureRefused { .. } => "signature_refused",
            Self::Rejected { .. } => "tx_rejected",
            Self::NotIncluded { .. } => "not_included",
            Self::TxFailed(outcome) => outcome.failure().map_or("tx_failed", Failure::code),
        }
    }

    /// Whether the same call may succeed later without anything being mended by a person.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::ChainStalled { .. }
            | Self::SequenceMismatch { .. }
            | Self::MempoolFull { .. }
            | Self::NotIncluded { .. } => true,
            Self::HttpStatus { status, .. } => *status == 429 || *status >= 500,
            Self::TxFailed(outcome) => outcome.failure().is_some_and(Failure::is_retryable),
            _ => false,
        }
    }

    /// Whether it is unknown if the node took the transaction: the connection failed during the
    /// call. Only the chain can tell then.
    pub fn is_uncertain(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Unreachable { .. } | Self::BadResponse { .. } => true,
            Self::HttpStatus { status, .. } => *status >= 500,
            _ => false,
        }
    }

    /// The contract's own error text, without the node's wrapping, if a contract refused.
    pub fn contract_message(&self) -> Option<&str> {
        match self {
            Self::Simulation { log } => log_text::contract_error(log),
            Self::ContractQuery { message, .. } => Some(message),
            Self::TxFailed(outcome) => outcome.contract_message(),
            _ => None,
        }
    }
}

fn or_another(expected: Option<u64>) -> String {
    expected.map_or_else(|| "another".to_owned(), |sequence| sequence.to_string())
}
