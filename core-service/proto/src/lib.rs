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
    /// A proof is missing, does not decode, or is larger than any honest one.
    pub const MALFORMED_PROOF: &str = "malformed_proof";
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
    /// Something that must be proven is not in the proof; metadata `missing` names it.
    pub const PROOF_INCOMPLETE: &str = "proof_incomplete";
    /// A proof does not lead to the header's app hash.
    pub const PROOF_INVALID: &str = "proof_invalid";
    /// A header is not one that the trusted validators signed.
    pub const HEADER_INVALID: &str = "header_invalid";
    /// A header is too old, by its time or its height.
    pub const HEADER_STALE: &str = "header_stale";
    /// The core's newest header is older than the trusting period; an operator must renew the trust.
    pub const TRUST_EXPIRED: &str = "trust_expired";
    /// The core saw two valid headers of one height; a person must look.
    pub const CONFLICTING_HEADERS: &str = "conflicting_headers";
    /// The contract has no such request, or no such record.
    pub const NOT_RECORDED: &str = "not_recorded";
    /// The contract stores other bytes under this request's id.
    pub const BODY_MISMATCH: &str = "body_mismatch";
    /// The request is finished.
    pub const NOT_PENDING: &str = "not_pending";
    /// The contract runs, or ran, code that the core does not pin.
    pub const CODE_NOT_ALLOWED: &str = "code_not_allowed";
    /// Somebody else than the contract may change its code.
    pub const WASM_ADMIN: &str = "wasm_admin";
    /// The epoch's record is not the one that the core pins.
    pub const EPOCH_NOT_PINNED: &str = "epoch_not_pinned";
    /// The epoch was revoked.
    pub const EPOCH_REVOKED: &str = "epoch_revoked";
    /// The key is in a state that forbids this use.
    pub const KEY_STATE: &str = "key_state";
    /// The key's record does not say that it is destroyed.
    pub const KEY_NOT_DESTROYED: &str = "key_not_destroyed";
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
    pub const ALL: [&str; 30] = [
        MALFORMED_BODY,
        MALFORMED_ARGUMENT,
        WRONG_CIPHERTEXT_COUNT,
        MALFORMED_PROOF,
        WRONG_CONTRACT,
        WRONG_EPOCH,
        REQUEST_CONFLICT,
        DEADLINE_PASSED,
        BEFORE_RESTORE,
        UNKNOWN_REQUEST,
        PROOF_INCOMPLETE,
        PROOF_INVALID,
        HEADER_INVALID,
        HEADER_STALE,
        TRUST_EXPIRED,
        CONFLICTING_HEADERS,
        NOT_RECORDED,
        BODY_MISMATCH,
        NOT_PENDING,
        CODE_NOT_ALLOWED,
        WASM_ADMIN,
        EPOCH_NOT_PINNED,
        EPOCH_REVOKED,
        KEY_STATE,
        KEY_NOT_DESTROYED,
        KEY_UNAVAILABLE,
        TOO_EARLY,
        BUSY,
        SHUTTING_DOWN,
        INTERNAL,
    ];

    /// Metadata of [`PROOF_INCOMPLETE`]: `light_block`, `store_proof`, or the key of an entry in hexadecimal.
    pub const MISSING: &str = "missing";
    /// Metadata of [`PROOF_INCOMPLETE`] with `light_block`: the height of the light block that is missing.
    pub const HEIGHT: &str = "height";

    /// Whether the same call may succeed later without any change.
    pub fn is_retryable(reason: &str) -> bool {
        [KEY_UNAVAILABLE, TOO_EARLY, BUSY, SHUTTING_DOWN, INTERNAL].contains(&reason)
    }
}
