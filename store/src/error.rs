use thiserror::Error;

use crate::Digest;

/// Why an object was not read or written, or a store not opened.
#[derive(Debug, Error)]
pub enum StoreError {
    /// No object of this digest. It may come later: whoever uploads it may be slower than who asks.
    #[error("no {kind} {digest} in the store")]
    NotFound {
        /// `ciphertext` or `public`.
        kind: &'static str,
        /// The digest asked for.
        digest: Digest,
    },
    /// An object of another size than expected; it was not read.
    #[error("{kind} {digest} has {found} bytes in the store, expected {expected}")]
    SizeMismatch {
        /// `ciphertext` or `public`.
        kind: &'static str,
        /// The digest asked for.
        digest: Digest,
        /// Bytes expected.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// An object larger than the caller allows; it was not read.
    #[error("{kind} {digest} has {size} bytes, at most {max} are allowed")]
    TooLarge {
        /// `ciphertext` or `public`.
        kind: &'static str,
        /// The digest asked for.
        digest: Digest,
        /// Bytes found.
        size: u64,
        /// Bytes allowed.
        max: u64,
    },
    /// An object whose bytes have another digest than its name: damaged or forged.
    #[error("{kind} {digest} is damaged: its bytes have digest {found}")]
    DigestMismatch {
        /// `ciphertext` or `public`.
        kind: &'static str,
        /// The digest asked for.
        digest: Digest,
        /// The digest of what was read.
        found: Digest,
    },
    /// The store does not answer, or not now.
    #[error("store cannot be reached while {doing}")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A URL of a kind of store that this version does not have.
    #[error("store URL has scheme `{given}`, allowed are `file` and `s3`")]
    UnknownScheme {
        /// The scheme given.
        given: String,
    },
    /// An `s3` URL that names no bucket, or says more than it may.
    #[error("store URL `{given}` cannot be used: {reason}")]
    BadBucket {
        /// The URL given, without its query.
        given: String,
        /// What is wrong.
        reason: String,
    },
    /// The file of the bucket's credentials cannot be used.
    #[error("credentials in {file} cannot be used: {reason}")]
    BadCredentials {
        /// The file.
        file: String,
        /// What is wrong; nothing of its content.
        reason: String,
    },
    /// A `file` URL without an absolute path on this machine.
    #[error("store URL `{given}` does not name a folder: expected file:///absolute/path")]
    NotAFolder {
        /// The URL given.
        given: String,
    },
}

impl StoreError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "store_not_found",
            Self::SizeMismatch { .. } => "store_size_mismatch",
            Self::TooLarge { .. } => "store_too_large",
            Self::DigestMismatch { .. } => "store_digest_mismatch",
            Self::Unavailable { .. } => "store_unavailable",
            Self::UnknownScheme { .. } => "store_unknown_scheme",
            Self::BadBucket { .. } => "store_bad_bucket",
            Self::BadCredentials { .. } => "store_bad_credentials",
            Self::NotAFolder { .. } => "store_not_a_folder",
        }
    }

    pub(crate) fn unavailable(
        doing: &'static str,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self::Unavailable { doing, source: Box::new(source) }
    }

    /// Whether the same call may succeed later without any change by the caller.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::Unavailable { .. })
    }
}
