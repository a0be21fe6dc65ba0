//! The one table from errors to what callers see of them.

use std::collections::HashMap;

use kms_core_proto::ERROR_DOMAIN;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{Error, evidence::Refusal};

fn code(error: &Error) -> Code {
    match error {
        Error::MalformedBody { .. }
        | Error::MalformedArgument { .. }
        | Error::WrongCiphertextCount { .. } => Code::InvalidArgument,
        Error::WrongContract { .. }
        | Error::WrongEpoch { .. }
        | Error::DeadlinePassed { .. }
        | Error::BeforeRestore { .. }
        | Error::RequestConflict { .. } => Code::FailedPrecondition,
        Error::UnknownRequest { .. } => Code::NotFound,
        Error::Refused(refusal) => refused(refusal),
        Error::Busy { .. } => Code::ResourceExhausted,
        Error::KeyUnavailable { .. } | Error::TooEarly { .. } | Error::ShuttingDown => Code::Unavailable,
        Error::Internal { .. } => Code::Internal,
    }
}

const fn refused(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::Malformed { .. } => Code::InvalidArgument,
        Refusal::NotRecorded { .. } => Code::NotFound,
        _ => Code::FailedPrecondition,
    }
}

/// The gRPC status of an error, with its reason in a `google.rpc.ErrorInfo`.
pub fn status_of(error: &Error) -> Status {
    let metadata: HashMap<String, String> = match error {
        Error::MalformedArgument { field, .. } => [("field".to_owned(), (*field).to_owned())].into(),
        Error::Refused(refusal) => {
            let metadata = refusal.metadata().into_iter();
            metadata.map(|(name, value)| (name.to_owned(), value)).collect()
        }
        _ => HashMap::new(),
    };
    let details = ErrorDetails::with_error_info(error.code(), ERROR_DOMAIN, metadata);
    Status::with_error_details(code(error), error.to_string(), details)
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        status_of(&error)
    }
}

#[cfg(test)]
mod tests {
    use kms_asc_api::{KeyState, State};
    use kms_core_proto::reason;
    use kms_proofs::{HeaderError, ProofError, Time};

    use super::*;
    use crate::evidence::Missing;

    fn every_refusal() -> Vec<Refusal> {
        let hash = || "ab".repeat(32);
        vec![
            Refusal::Malformed { reason: "no proof given".into() },
            Refusal::Incomplete { missing: Missing::LightBlock { height: 12 } },
            Refusal::Incomplete { missing: Missing::StoreProof },
            Refusal::Incomplete { missing: Missing::Entry { key: vec![3, 0xAB] } },
            Refusal::NotProven(ProofError::NotProven { key: "03ab".into(), height: 11 }),
            Refusal::Header(HeaderError::NotEnoughTrust { height: 12, trusted: 5 }),
            Refusal::Behind { height: 12, newest: 100 },
            Refusal::Old { height: 12, age: 31, allowed: 30 },
            Refusal::TrustExpired { height: 12, expired: Time::of_seconds(1000) },
            Refusal::ConflictingHeaders { height: 12 },
            Refusal::OtherContract { given: hash() },
            Refusal::NotRecorded { what: "request 7".into() },
            Refusal::BodyMismatch { request_id: 7 },
            Refusal::NotPending { request_id: 7, state: State::Fulfilled },
            Refusal::Code { code_id: 3, hash: hash() },
            Refusal::WasmAdmin { admin: "wasm1other".into() },
            Refusal::WasmAdmin { admin: String::new() },
            Refusal::EpochNotPinned { epoch: 1, hash: hash() },
            Refusal::EpochRevoked { epoch: 1, at: 500 },
            Refusal::KeyState { key_id: 3, state: KeyState::Suspended },
            Refusal::KeyNotDestroyed { key_id: 3, state: KeyState::Active },
        ]
    }

    fn every_error() -> Vec<Error> {
        let mut errors = other_errors();
        errors.extend(every_refusal().into_iter().map(Error::Refused));
        errors
    }

    fn other_errors() -> Vec<Error> {
        vec![
            Error::MalformedBody { reason: "request: expected value at line 1 column 1".into() },
            Error::MalformedArgument { field: "code", reason: "2 given, 1 allowed".into() },
            Error::WrongCiphertextCount { given: 1, expected: 2 },
            Error::WrongContract {
                given_chain: "kms-2".into(),
                given_contract: "wasm1b".into(),
                chain: "kms-1".into(),
                contract: "wasm1a".into(),
            },
            Error::WrongEpoch { given: Some(2), served: vec![1] },
            Error::WrongEpoch { given: None, served: vec![1, 3] },
            Error::DeadlinePassed { deadline: 100, now: 101 },
            Error::BeforeRestore { submitted: 100, restored: 101 },
            Error::RequestConflict { request_id: 7 },
            Error::UnknownRequest { request_id: 7 },
            Error::KeyUnavailable { key_id: 3, half_time: 130 },
            Error::TooEarly { code: 1, half_time: 130, now: 101 },
            Error::Busy { bound: "requests", limit: 64 },
            Error::ShuttingDown,
            Error::Internal { cause: "writing /data/vault: no space left".into() },
        ]
    }

    const GOLDEN: &str = "\
InvalidArgument malformed_body: body is not one that the contract stores: request: expected value at line 1 column 1
InvalidArgument malformed_argument [field=code]: code: 2 given, 1 allowed
InvalidArgument wrong_ciphertext_count: 1 ciphertexts given, the body names 2
FailedPrecondition wrong_contract: contract wasm1b on kms-2 given, this core serves wasm1a on kms-1
FailedPrecondition wrong_epoch: the request is bound to epoch 2, this core is a party of [1]
FailedPrecondition wrong_epoch: the request is bound to no epoch, as it was denied, this core is a party of [1, 3]
FailedPrecondition deadline_passed: the deadline 100 has passed, the time is 101
FailedPrecondition before_restore: the core was restored from a backup and answers no request submitted before 101 anew, this one was at 100
FailedPrecondition request_conflict: request 7 is known to this core with another hash
NotFound unknown_request: request 7 is not known to this core
Unavailable key_unavailable retryable: key 3 is not in this core's vault; from time 130 on that is signed as a failure
Unavailable too_early retryable: failure 1 is signed from time 130 on, the time is 101
ResourceExhausted busy retryable: there is too much to do: the limit is 64 requests
Unavailable shutting_down retryable: the core is stopping
Internal internal retryable: the core failed, its log has the cause
InvalidArgument malformed_proof: the proof is malformed: no proof given
FailedPrecondition proof_incomplete [height=12] [missing=light_block]: the proof lacks the light block of height 12
FailedPrecondition proof_incomplete [missing=store_proof]: the proof lacks the store's proof
FailedPrecondition proof_incomplete [missing=03ab]: the proof lacks the entry of key 03ab
FailedPrecondition proof_invalid: the proof of key 03ab does not lead to the root of height 11
FailedPrecondition header_invalid: header 12 is not signed by enough of the validators that header 5 trusts
FailedPrecondition header_stale: the header of height 12 is more than 50 behind the newest, 100
FailedPrecondition header_stale: the header of height 12 is 31 s old, 30 s are allowed
FailedPrecondition trust_expired: the trust in header 12 expired at 1000.000000000; an operator must renew it with `kms-core trust`
FailedPrecondition conflicting_headers: two valid headers of height 12 were seen; nothing is done until an operator has looked
FailedPrecondition wrong_contract: the proof shows state of another contract, 0xabababababababababababababababababababababababababababababababab
NotFound not_recorded: the contract has no request 7
FailedPrecondition body_mismatch: the contract stores another body for request 7
FailedPrecondition not_pending: request 7 is fulfilled
FailedPrecondition code_not_allowed: the contract ran code 3 with hash abababababababababababababababababababababababababababababababab, which is not allowed
FailedPrecondition wasm_admin: wasm1other may change the contract's code, the contract itself is allowed
FailedPrecondition wasm_admin: nobody may change the contract's code, the contract itself is allowed
FailedPrecondition epoch_not_pinned: the record of epoch 1 has hash abababababababababababababababababababababababababababababababab, which is not the pinned one
FailedPrecondition epoch_revoked: epoch 1 was revoked at 500
FailedPrecondition key_state: key 3 is suspended
FailedPrecondition key_not_destroyed: key 3 is active, not destroyed
";

    fn line(error: &Error) -> String {
        let status = status_of(error);
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.domain, ERROR_DOMAIN);
        let metadata: String = std::collections::BTreeMap::from_iter(&info.metadata)
            .iter()
            .map(|(key, value)| format!(" [{key}={value}]"))
            .collect();
        let retryable = if error.is_retryable() { " retryable" } else { "" };
        format!("{:?} {}{metadata}{retryable}: {}\n", status.code(), info.reason, status.message())
    }

    #[test]
    fn the_table_of_errors_is_what_callers_count_on() {
        let table: String = every_error().iter().map(line).collect();
        assert_eq!(table, GOLDEN);
    }

    #[test]
    fn every_reason_of_the_interface_is_in_the_table() {
        let used: Vec<_> = every_error().iter().map(Error::code).collect();
        for reason in reason::ALL {
            assert!(used.contains(&reason), "{reason} is given by no error");
        }
    }

    #[test]
    fn the_cause_of_an_internal_error_does_not_leave_the_core() {
        let status = status_of(&Error::Internal { cause: "the secret cause".into() });
        assert!(!format!("{status:?}").contains("secret cause"));
    }
}
