//! The one table from errors to what callers see of them.

use std::collections::HashMap;

use kms_core_proto::ERROR_DOMAIN;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::Error;

fn code(error: &Error) -> Code {
    match error {
        Error::MalformedBody { .. }
        | Error::MalformedArgument { .. }
        | Error::WrongCiphertextCount { .. } => Code::InvalidArgument,
        Error::WrongContract { .. }
        | Error::WrongEpoch { .. }
        | Error::DeadlinePassed { .. }
        | Error::RequestConflict { .. } => Code::FailedPrecondition,
        Error::UnknownRequest { .. } => Code::NotFound,
        Error::Busy { .. } => Code::ResourceExhausted,
        Error::KeyUnavailable { .. } | Error::TooEarly { .. } | Error::ShuttingDown => Code::Unavailable,
        Error::Internal { .. } => Code::Internal,
    }
}

/// The gRPC status of an error, with its reason in a `google.rpc.ErrorInfo`.
pub fn status_of(error: &Error) -> Status {
    let metadata: HashMap<String, String> = match error {
        Error::MalformedArgument { field, .. } => [("field".to_owned(), (*field).to_owned())].into(),
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
    use kms_core_proto::reason;

    use super::*;

    fn every_error() -> Vec<Error> {
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
            Error::RequestConflict { request_id: 7 },
            Error::UnknownRequest { request_id: 7 },
            Error::KeyUnavailable { key_id: 3, half_time: 130 },
            Error::TooEarly { code: 1, half_time: 130, now: 101 },
            Error::Busy { limit: 64 },
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
FailedPrecondition request_conflict: request 7 is known to this core with another hash
NotFound unknown_request: request 7 is not known to this core
Unavailable key_unavailable retryable: key 3 is not in this core's vault; from time 130 on that is signed as a failure
Unavailable too_early retryable: failure 1 is signed from time 130 on, the time is 101
ResourceExhausted busy retryable: 64 requests are waiting, which is the limit
Unavailable shutting_down retryable: the core is stopping
Internal internal retryable: the core failed, its log has the cause
";

    fn line(error: &Error) -> String {
        let status = status_of(error);
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.domain, ERROR_DOMAIN);
        let metadata: String = info.metadata.iter().map(|(key, value)| format!(" [{key}={value}]")).collect();
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
