use kms_core_proto::reason;
use thiserror::Error;

use crate::evidence::Refusal;

/// Why a call yields no answer. The texts are for the caller; the cause of [`Error::Internal`] goes to the log only.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// Not the bytes of a request that awaits an answer.
    #[error("body is not one that the contract stores: {reason}")]
    MalformedBody {
        /// What is wrong with it.
        reason: String,
    },
    /// A field of the call has a value that it cannot have.
    #[error("{field}: {reason}")]
    MalformedArgument {
        /// The field's name in the `.proto` file.
        field: &'static str,
        /// What was given and what is allowed.
        reason: String,
    },
    /// Not one blob per ciphertext of the body.
    #[error("{given} ciphertexts given, the body names {expected}")]
    WrongCiphertextCount {
        /// Blobs in the call.
        given: usize,
        /// Ciphertexts in the body.
        expected: usize,
    },
    /// Meant for another core.
    #[error("contract {given_contract} on {given_chain} given, this core serves {contract} on {chain}")]
    WrongContract {
        /// Chain id in the call.
        given_chain: String,
        /// Contract in the call.
        given_contract: String,
        /// Chain id served.
        chain: String,
        /// Contract served.
        contract: String,
    },
    /// The body's epoch is none of this core's, or the body has none because the request was denied.
    #[error("{}, this core is a party of {served:?}", match .given {
        Some(epoch) => format!("the request is bound to epoch {epoch}"),
        None => "the request is bound to no epoch, as it was denied".to_owned(),
    })]
    WrongEpoch {
        /// The body's epoch.
        given: Option<u32>,
        /// This core's epochs.
        served: Vec<u32>,
    },
    /// An answer could no longer count.
    #[error("the deadline {deadline} has passed, the time is {now}")]
    DeadlinePassed {
        /// Seconds since 1970.
        deadline: u64,
        /// Seconds since 1970.
        now: u64,
    },
    /// The request was submitted before the core was restored from a backup, so it may have been answered already: ADR 0051.
    #[error(
        "the core was restored from a backup and answers no request submitted before {restored} anew, this one was \
         at {submitted}"
    )]
    BeforeRestore {
        /// Seconds since 1970.
        submitted: u64,
        /// Seconds since 1970.
        restored: u64,
    },
    /// Another body was answered, or is being answered, under this request id.
    #[error("request {request_id} is known to this core with another hash")]
    RequestConflict {
        /// The id.
        request_id: u64,
    },
    /// Neither Execute nor Decline was called for it, or the work failed.
    #[error("request {request_id} is not known to this core")]
    UnknownRequest {
        /// The id.
        request_id: u64,
    },
    /// What the caller proves is not enough, or shows that the core must not act.
    #[error("{0}")]
    Refused(Refusal),
    /// The vault lacks the request's key, which may still be restored.
    #[error("key {key_id} is not in this core's vault; from time {half_time} on that is signed as a failure")]
    KeyUnavailable {
        /// The key.
        key_id: u64,
        /// Seconds since 1970.
        half_time: u64,
    },
    /// A failure that waiting may mend, before half of the request's time is over.
    #[error("failure {code} is signed from time {half_time} on, the time is {now}")]
    TooEarly {
        /// The failure's number.
        code: u8,
        /// Seconds since 1970.
        half_time: u64,
        /// Seconds since 1970.
        now: u64,
    },
    /// One more would be over a limit of what is accepted at a time.
    #[error("there is too much to do: the limit is {limit} {bound}")]
    Busy {
        /// What is limited.
        bound: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The process is about to end.
    #[error("the core is stopping")]
    ShuttingDown,
    /// A fault on this side.
    #[error("the core failed, its log has the cause")]
    Internal {
        /// What went wrong; never sent to callers.
        cause: String,
    },
}

/// An error's text with those of all its causes.
pub(crate) fn full_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&format!(": {inner}"));
        source = inner.source();
    }
    text
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Error {
    /// A fault on this side, with all causes of `error`.
    pub(crate) fn internal(doing: &str, error: &dyn std::error::Error) -> Self {
        Self::Internal { cause: format!("{doing}: {}", full_text(error)) }
    }

    /// The stable name: `reason` of the `google.rpc.ErrorInfo` that callers get.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MalformedBody { .. } => reason::MALFORMED_BODY,
            Self::MalformedArgument { .. } => reason::MALFORMED_ARGUMENT,
            Self::WrongCiphertextCount { .. } => reason::WRONG_CIPHERTEXT_COUNT,
            Self::WrongContract { .. } => reason::WRONG_CONTRACT,
            Self::WrongEpoch { .. } => reason::WRONG_EPOCH,
            Self::DeadlinePassed { .. } => reason::DEADLINE_PASSED,
            Self::BeforeRestore { .. } => reason::BEFORE_RESTORE,
            Self::RequestConflict { .. } => reason::REQUEST_CONFLICT,
            Self::UnknownRequest { .. } => reason::UNKNOWN_REQUEST,
            Self::Refused(refusal) => refusal.code(),
            Self::KeyUnavailable { .. } => reason::KEY_UNAVAILABLE,
            Self::TooEarly { .. } => reason::TOO_EARLY,
            Self::Busy { .. } => reason::BUSY,
            Self::ShuttingDown => reason::SHUTTING_DOWN,
            Self::Internal { .. } => reason::INTERNAL,
        }
    }

    /// Whether the same call may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        reason::is_retryable(self.code())
    }
}
