//! Why the core gave no usable answer, and what can be done about it.

use kms_core_proto::{ERROR_DOMAIN, reason};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::item::ItemError;

/// Reason of a refusal because a message is larger than one of the two ends takes.
pub(super) const MESSAGE_TOO_LARGE: &str = "message_too_large";
/// Metadata that says what a proof lacks.
const MISSING: &str = "missing";

/// What the core says of evidence that other evidence may mend: the node was behind, or lied; the core has
/// forgotten.
const OF_EVIDENCE: [&str; 5] = [
    reason::MALFORMED_PROOF,
    reason::PROOF_INCOMPLETE,
    reason::PROOF_INVALID,
    reason::HEADER_INVALID,
    reason::HEADER_STALE,
];

/// What time, the contract's state or an operator mends while the daemon runs. The core judges by its clock and by the
/// header that it was shown, the chain by block time: a block's word ends the request, not the core's.
const MENDED_ELSEWHERE: [&str; 6] = [
    reason::DEADLINE_PASSED,
    reason::NOT_RECORDED,
    reason::NOT_PENDING,
    reason::KEY_STATE,
    reason::TRUST_EXPIRED,
    reason::CONFLICTING_HEADERS,
];

/// Why the core gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CoreError {
    /// It may answer later.
    #[error("the core cannot answer now ({reason}): {message}")]
    NotNow {
        /// Its reason, or the name of the gRPC status.
        reason: String,
        /// Its text.
        message: String,
    },
    /// It may answer if it is shown other evidence.
    #[error("the core wants other evidence ({reason}): {message}")]
    Evidence {
        /// Its reason.
        reason: String,
        /// Its text.
        message: String,
        /// What it lacks: `light_block`, `store_proof`, or a key in hexadecimal.
        missing: Option<String>,
    },
    /// It will never answer this question.
    #[error("the core refuses ({reason}): {message}")]
    Refused {
        /// Its reason, or the name of the gRPC status.
        reason: String,
        /// Its text.
        message: String,
    },
    /// Its answer is not one to the question, or signed by nobody who may: another party's core, or a fault.
    #[error(transparent)]
    Answer(#[from] ItemError),
    /// Its address cannot be used.
    #[error("{url} is not the address of a core: {reason}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// What this side would show cannot be used.
    #[error("no TLS with {certificate}: {reason}")]
    Certificates {
        /// The certificate's file.
        certificate: String,
        /// What is wrong.
        reason: String,
    },
}

impl CoreError {
    /// Stable name; of a refusal the core's own.
    pub fn code(&self) -> &str {
        match self {
            Self::NotNow { reason, .. } | Self::Evidence { reason, .. } | Self::Refused { reason, .. } => {
                reason
            }
            Self::Answer(_) => "foreign_answer",
            Self::Address { .. } => "core_address",
            Self::Certificates { .. } => "core_certificates",
        }
    }

    /// Whether the same question may be answered later.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::NotNow { .. } | Self::Evidence { .. })
    }
}

/// Sorts a failed call by the core's own reason, or by the status where it gives none that is known here.
pub(super) fn typed(status: &Status) -> CoreError {
    let message = status.message().to_owned();
    let info = status.get_details_error_info().filter(|info| info.domain == ERROR_DOMAIN);
    let missing = info.as_ref().and_then(|info| info.metadata.get(MISSING).cloned());
    let reason = info.map(|info| info.reason);
    if let Some(reason) = reason.clone().filter(|reason| reason::ALL.contains(&reason.as_str())) {
        return sorted(reason, message, missing);
    }
    let reason = reason.unwrap_or_else(|| format!("{:?}", status.code()).to_lowercase());
    match status.code() {
        // What gRPC itself says of a message over the limit of either end.
        Code::OutOfRange => CoreError::Refused { reason: MESSAGE_TOO_LARGE.to_owned(), message },
        Code::InvalidArgument
        | Code::Unimplemented
        | Code::FailedPrecondition
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::NotFound => CoreError::Refused { reason, message },
        _ => CoreError::NotNow { reason, message },
    }
}

fn sorted(reason: String, message: String, missing: Option<String>) -> CoreError {
    let known = reason.as_str();
    if OF_EVIDENCE.contains(&known) {
        CoreError::Evidence { reason, message, missing }
    } else if MENDED_ELSEWHERE.contains(&known) || reason::is_retryable(known) {
        CoreError::NotNow { reason, message }
    } else {
        CoreError::Refused { reason, message }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    fn with_reason(code: Code, reason: &str, domain: &str) -> CoreError {
        let metadata = HashMap::from([(MISSING.to_owned(), "light_block".to_owned())]);
        let details = ErrorDetails::with_error_info(reason, domain, metadata);
        typed(&Status::with_error_details(code, "text", details))
    }

    #[test]
    fn every_reason_of_the_core_is_sorted_by_who_can_mend_it() {
        let final_ones = [
            "malformed_body",
            "malformed_argument",
            "wrong_ciphertext_count",
            "wrong_contract",
            "wrong_epoch",
            "request_conflict",
            "unknown_request",
            "body_mismatch",
            "code_not_allowed",
            "wasm_admin",
            "epoch_not_pinned",
            "epoch_revoked",
            "key_not_destroyed",
            "before_restore",
        ];
        for reason in reason::ALL {
            let error = with_reason(Code::Internal, reason, ERROR_DOMAIN);
            assert_eq!((error.code(), error.is_retryable()), (reason, !final_ones.contains(&reason)));
        }
    }

    #[test]
    fn what_other_evidence_may_mend_says_what_is_missing() {
        let error = with_reason(Code::FailedPrecondition, "proof_incomplete", ERROR_DOMAIN);
        let CoreError::Evidence { missing, .. } = error else { panic!("{error}") };
        assert_eq!(missing.as_deref(), Some("light_block"));
    }

    #[test]
    fn without_a_reason_of_the_core_the_status_decides() {
        let retryable = |code| typed(&Status::new(code, "text")).is_retryable();
        for code in [Code::Unavailable, Code::ResourceExhausted, Code::Internal, Code::Unknown] {
            assert!(retryable(code), "{code:?}");
        }
        for code in [Code::InvalidArgument, Code::OutOfRange, Code::Unimplemented, Code::FailedPrecondition] {
            assert!(!retryable(code), "{code:?}");
        }
        let foreign = with_reason(Code::Unavailable, "malformed_body", "elsewhere");
        assert!(foreign.is_retryable(), "{foreign}");
        assert_eq!(typed(&Status::out_of_range("too large")).code(), "message_too_large");
    }

    #[test]
    fn a_reason_that_only_a_later_core_knows_is_sorted_by_its_status() {
        let later = with_reason(Code::Unavailable, "warming_up", ERROR_DOMAIN);
        assert_eq!((later.code(), later.is_retryable()), ("warming_up", true));
        let never = with_reason(Code::FailedPrecondition, "retired", ERROR_DOMAIN);
        assert_eq!((never.code(), never.is_retryable()), ("retired", false));
    }
}
