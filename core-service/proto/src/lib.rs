//! gRPC interface of the KMS core: the code generated from `proto/kms/v1/kms.proto`, its file descriptor set
//! for reflection, and the constants of its error contract.

/// Package `kms.v1`. The `.proto` file documents every field and every error.
pub mod v1 {
    #![allow(missing_docs, clippy::as_conversions, clippy::large_futures)]
    tonic::include_proto!("kms.v1");
}

/// Encoded `FileDescriptorSet` of package `kms.v1`, for the reflection service.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kms_descriptor.bin"));

/// Default limit of one message, both ways, in bytes: 64 MiB.
pub const DEFAULT_MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// `index` of a [`v1::Failure`] or [`v1::DeclineRequest`] that concerns no ciphertext in particular.
pub const NO_INDEX: u32 = 0xFFFF;

/// `domain` of every `google.rpc.ErrorInfo` that the core returns.
pub const ERROR_DOMAIN: &str = "kms.core";

/// Stable values of `reason` in `google.rpc.ErrorInfo`; the `.proto` file says with which status and what to do.
pub mod reason {
    /// The body is not what a contract of this kind stores.
    pub const MALFORMED_BODY: &str = "malformed_body";
    /// A field has a wrong length or range; metadata `field` names it.
    pub const MALFORMED_ARGUMENT: &str = "malformed_argument";
    /// The number of blobs differs from the number of ciphertexts in the body.
    pub const WRONG_CIPHERTEXT_COUNT: &str = "wrong_ciphertext_count";
    /// Another chain or contract than the core serves.
    pub const WRONG_CONTRACT: &str = "wrong_contract";
    /// The core is no party of the body's epoch.
    pub const WRONG_EPOCH: &str = "wrong_epoch";
    /// The core has answered, or is working on, another body under this request's id.
    pub const REQUEST_CONFLICT: &str = "request_conflict";
    /// The request's deadline has passed.
    pub const DEADLINE_PASSED: &str = "deadline_passed";
    /// The core was restored from a backup since the request was submitted, and may have answered it.
    pub const BEFORE_RESTORE: &str = "before_restore";
    /// Nothing is known of the request.
    pub const UNKNOWN_REQUEST: &str = "unknown_request";
    /// The vault lacks the request's key, and half of the request's time is not over; worth a retry.
    pub const KEY_UNAVAILABLE: &str = "key_unavailable";
    /// A failure that waiting may mend is not signed before half of the request's time is over; worth a retry.
    pub const TOO_EARLY: &str = "too_early";
    /// Too much work is waiting; worth a retry.
    pub const BUSY: &str = "busy";
    /// The core is stopping; worth a retry.
    pub const SHUTTING_DOWN: &str = "shutting_down";
    /// The core failed; worth a retry.
    pub const INTERNAL: &str = "internal";

    /// Every reason.
    pub const ALL: [&str; 14] = [
        MALFORMED_BODY,
        MALFORMED_ARGUMENT,
        WRONG_CIPHERTEXT_COUNT,
        WRONG_CONTRACT,
        WRONG_EPOCH,
        REQUEST_CONFLICT,
        DEADLINE_PASSED,
        BEFORE_RESTORE,
        UNKNOWN_REQUEST,
        KEY_UNAVAILABLE,
        TOO_EARLY,
        BUSY,
        SHUTTING_DOWN,
        INTERNAL,
    ];

    /// Whether the same call may succeed later without any change.
    pub fn is_retryable(reason: &str) -> bool {
        [KEY_UNAVAILABLE, TOO_EARLY, BUSY, SHUTTING_DOWN, INTERNAL].contains(&reason)
    }
}
