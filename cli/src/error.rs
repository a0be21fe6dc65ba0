//! What can go wrong, under which stable code, and with which exit status.

use std::path::PathBuf;

use kms_asc_api::{CrsId, KeyId, RequestId, log::LogError};
use kms_config::ConfigError;
use kms_core_engine::EncryptError;
use kms_store::StoreError;

use crate::{exit::ExitStatus, reason::in_words};

/// Result of this program's parts.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No configuration at all.
    #[error(
        "no configuration: {} does not exist, and neither --config nor --network was given\n  \
         `make up` starts a network on this machine, whose bin/kms needs no options",
        looked_for.display()
    )]
    NoConfig {
        /// The default place.
        looked_for: PathBuf,
    },
    /// The configuration does not say what the command needs.
    #[error(
        "{what} is not configured: give {flag}, set {variable}, or write `{field}` into the configuration file"
    )]
    NotConfigured {
        /// What is missing.
        what: &'static str,
        /// The flag that gives it.
        flag: &'static str,
        /// The environment variable that gives it.
        variable: &'static str,
        /// The field that gives it.
        field: &'static str,
    },
    /// The network has no contract yet.
    #[error("the network has no contract yet: its description names none")]
    NoContract,
    /// A configuration file was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The command line is wrong in a way that only the command can see.
    #[error("{0}")]
    Usage(String),
    /// The value does not fit its type.
    #[error(transparent)]
    Value(#[from] kms_core_engine::ValueError),
    /// The chain, or the contract behind it, said no, or did not answer.
    #[error("{}", chain_text(.0))]
    Chain(Box<kms_chain::Error>),
    /// The store of ciphertexts and keys failed.
    #[error("{}", with_sources(.0))]
    Store(#[from] StoreError),
    /// Published key material is unusable.
    #[error(transparent)]
    Key(#[from] kms_core_engine::KeyError),
    /// A published reference string is unusable.
    #[error(transparent)]
    Crs(#[from] kms_core_engine::CrsError),
    /// A value was not encrypted.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
    /// The key does not take new ciphertexts.
    #[error("key {key} is {state}, only an active key encrypts")]
    KeyState {
        /// The key.
        key: KeyId,
        /// Its state.
        state: &'static str,
    },
    /// The key's owner has not allowed the reference string.
    #[error(
        "reference string {crs} proves no input under key {key}; its owner allows it by `kms key crs {key} {crs}`"
    )]
    CrsNotAllowed {
        /// The string.
        crs: CrsId,
        /// The key.
        key: KeyId,
    },
    /// The operators found that an input is none.
    #[error(
        "request {id} is fulfilled: the bytes are no input, as they do not parse, fit or prove what they should"
    )]
    NoInput {
        /// The request.
        id: RequestId,
    },
    /// What the contract has on record cannot be read.
    #[error("contract state cannot be read: {0}")]
    State(#[from] kms_asc_api::DecodeError),
    /// The request was refused on record.
    #[error("request {id} was denied: {}", in_words(reason))]
    Denied {
        /// The request.
        id: RequestId,
        /// Name of the reason.
        reason: String,
    },
    /// The operators could not answer.
    #[error("request {id} failed: {}; refund {refund}", in_words(reason))]
    RequestFailed {
        /// The request.
        id: RequestId,
        /// Name of the failure code.
        reason: String,
        /// What was paid back, with denomination.
        refund: String,
    },
    /// Nobody answered in time, and the request is closed.
    #[error("request {id} {state} without an answer; refund {refund}")]
    Unanswered {
        /// The request.
        id: RequestId,
        /// `expired` or `cancelled`.
        state: &'static str,
        /// What was paid back, with denomination.
        refund: String,
    },
    /// Nobody answered in time, and nobody closed the request.
    #[error(
        "request {id} is past its end without an answer; `kms request close {id}` closes it and refunds the price"
    )]
    NotClosed {
        /// The request.
        id: RequestId,
    },
    /// The chain did not get to the request's end in the time that it should take.
    #[error(
        "request {id} is still pending after {seconds} s, longer than it may last: does the chain make blocks?"
    )]
    WaitedTooLong {
        /// The request.
        id: RequestId,
        /// How long was waited.
        seconds: u64,
    },
    /// `request close` named a request whose end has not come.
    #[error("not due yet, so not closed: request {ids}")]
    NotDue {
        /// The requests.
        ids: String,
    },
    /// Something is not on record.
    #[error("there is no {0}")]
    NotFound(String),
    /// The log does not lead to its head.
    #[error("the log does not verify: {0}")]
    Log(#[from] LogError),
    /// An entry of the log could not follow from what came before it.
    #[error("the log does not hold together: {0}")]
    Replay(#[from] kms_audit::ReplayError),
    /// Something that was read does not verify.
    #[error("{0}")]
    Unverified(String),
    /// The operating system said no.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Whoever read stdout has gone: nothing is left to be done.
    #[error("nobody reads the output")]
    OutputClosed,
    /// A fault of this program or of the machine.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// Stable name of the kind of error; of a contract's refusal, the contract's own.
    pub fn code(&self) -> &str {
        match self {
            Self::NoConfig { .. } => "no_config",
            Self::NotConfigured { .. } => "not_configured",
            Self::NoContract => "no_contract",
            Self::Config(error) => error.code(),
            Self::Usage(_) => "usage",
            Self::Value(error) => error.code(),
            Self::Chain(error) => contract_code(error).map_or_else(|| error.code(), |(code, _)| code),
            Self::Store(error) => error.code(),
            Self::Key(error) => error.code(),
            Self::Crs(error) => error.code(),
            Self::Encrypt(error) => error.code(),
            Self::KeyState { .. } => "key_state",
            Self::CrsNotAllowed { .. } => "crs_not_allowed",
            Self::NoInput { .. } => "no_input",
            Self::State(_) => "contract_state",
            Self::Denied { reason, .. } | Self::RequestFailed { reason, .. } => reason,
            Self::Unanswered { state, .. } => state,
            Self::NotClosed { .. } => "not_closed",
            Self::WaitedTooLong { .. } => "waited_too_long",
            Self::NotDue { .. } => "not_due",
            Self::NotFound(_) => "not_found",
            Self::Log(_) => "log_unverified",
            Self::Replay(_) => "log_inconsistent",
            Self::Unverified(_) => "unverified",
            Self::Io { .. } => "io",
            Self::OutputClosed => "output_closed",
            Self::Internal(_) => "internal",
        }
    }

    /// The exit status that tells of it.
    pub fn exit(&self) -> ExitStatus {
        match self {
            Self::Config(ConfigError::Write { .. }) => ExitStatus::Failure,
            Self::NoConfig { .. }
            | Self::NotConfigured { .. }
            | Self::Config(_)
            | Self::Usage(_)
            | Self::Value(_) => ExitStatus::Usage,
            Self::NoContract | Self::NotFound(_) => ExitStatus::NotFound,
            Self::KeyState { .. }
            | Self::CrsNotAllowed { .. }
            | Self::Denied { .. }
            | Self::RequestFailed { .. }
            | Self::NotDue { .. } => ExitStatus::Refused,
            Self::Unanswered { .. } | Self::NotClosed { .. } | Self::WaitedTooLong { .. } => {
                ExitStatus::TimedOut
            }
            Self::NoInput { .. } | Self::Log(_) | Self::Replay(_) | Self::Unverified(_) => {
                ExitStatus::Unverified
            }
            Self::Encrypt(EncryptError::ValueCount { .. } | EncryptError::LargerThanCrs { .. }) => {
                ExitStatus::Usage
            }
            Self::Chain(error) => chain_exit(error),
            Self::Store(error) => store_exit(error),
            Self::OutputClosed => ExitStatus::Done,
            Self::Key(_)
            | Self::Crs(_)
            | Self::Encrypt(_)
            | Self::State(_)
            | Self::Io { .. }
            | Self::Internal(_) => ExitStatus::Failure,
        }
    }
}

impl From<kms_chain::Error> for Error {
    fn from(error: kms_chain::Error) -> Self {
        Self::Chain(Box::new(error))
    }
}

/// Code and message of a contract's refusal, which has the form `[code] message`.
fn contract_code(error: &kms_chain::Error) -> Option<(&str, &str)> {
    kms_chain::split_code(error.contract_message()?)
}

fn chain_text(error: &kms_chain::Error) -> String {
    match contract_code(error) {
        Some((code, message)) if contract_exit(code) == ExitStatus::NotFound => format!("{message} [{code}]"),
        Some((code, message)) => format!("the contract refused: {message} [{code}]"),
        None if matches!(error, kms_chain::Error::Unreachable { .. }) => {
            format!("{error}; is the network running? `make status` shows that of this machine")
        }
        None => error.to_string(),
    }
}

fn chain_exit(error: &kms_chain::Error) -> ExitStatus {
    use kms_chain::Error as Chain;
    if let Some((code, _)) = contract_code(error) {
        return contract_exit(code);
    }
    match error {
        Chain::Timeout { .. } | Chain::ChainStalled { .. } | Chain::NotIncluded { .. } => {
            ExitStatus::TimedOut
        }
        Chain::UnknownAccount { .. } | Chain::NoSuchContract { .. } | Chain::NoSuchCode { .. } => {
            ExitStatus::NotFound
        }
        Chain::FeeTooLow { .. }
        | Chain::InsufficientFunds { .. }
        | Chain::MempoolFull { .. }
        | Chain::Rejected { .. }
        | Chain::SignatureRefused { .. } => ExitStatus::Refused,
        Chain::InvalidUrl { .. }
        | Chain::InvalidAddress { .. }
        | Chain::InvalidValue { .. }
        | Chain::KeyFile { .. }
        | Chain::KeyFileMode { .. }
        | Chain::InvalidKey { .. }
        | Chain::WrongChain { .. } => ExitStatus::Usage,
        Chain::TxFailed(outcome) => match outcome.failure() {
            Some(kms_chain::Failure::NoSuchContract) => ExitStatus::NotFound,
            Some(kms_chain::Failure::FeeNotPayable | kms_chain::Failure::Contract) => ExitStatus::Refused,
            Some(kms_chain::Failure::TimedOut) => ExitStatus::TimedOut,
            _ => ExitStatus::Failure,
        },
        _ => ExitStatus::Failure,
    }
}

/// The exit status of a contract's refusal, by its code.
fn contract_exit(code: &str) -> ExitStatus {
    match code {
        "unknown_key" | "unknown_crs" | "unknown_request" | "not_found" => ExitStatus::NotFound,
        "invalid_address" => ExitStatus::Usage,
        "overflow" | "state" => ExitStatus::Failure,
        _ => ExitStatus::Refused,
    }
}

fn store_exit(error: &StoreError) -> ExitStatus {
    match error {
        StoreError::NotFound { .. } => ExitStatus::NotFound,
        StoreError::DigestMismatch { .. } | StoreError::SizeMismatch { .. } => ExitStatus::Unverified,
        StoreError::UnknownScheme { .. }
        | StoreError::NotAFolder { .. }
        | StoreError::BadBucket { .. }
        | StoreError::BadCredentials { .. } => ExitStatus::Usage,
        StoreError::TooLarge { .. } | StoreError::Unavailable { .. } => ExitStatus::Failure,
    }
}

/// The error and what caused it, on one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
