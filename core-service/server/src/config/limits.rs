//! Section `[limits]`.

use std::{num::NonZeroUsize, thread::available_parallelism};

use kms_core_proto::DEFAULT_MAX_MESSAGE_BYTES;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsConfig {
    max_message_bytes: NonZeroUsize,
    max_ciphertext_bytes: u64,
    parallel_work: Option<NonZeroUsize>,
    max_requests: NonZeroUsize,
    stop_seconds: u32,
    allow_test_parameters: bool,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            max_message_bytes: NonZeroUsize::new(DEFAULT_MAX_MESSAGE_BYTES).unwrap_or(NonZeroUsize::MAX),
            max_ciphertext_bytes: 20 << 20,
            parallel_work: None,
            max_requests: NonZeroUsize::new(256).unwrap_or(NonZeroUsize::MIN),
            stop_seconds: 20,
            allow_test_parameters: false,
        }
    }
}

/// Bounds of what a core does at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one gRPC message.
    pub max_message_bytes: usize,
    /// Bytes of one ciphertext.
    pub max_ciphertext_bytes: u64,
    /// Decryption requests worked on at the same time.
    pub parallel_work: usize,
    /// Requests that run or wait.
    pub max_requests: usize,
    /// Seconds that running work may take to finish when the core is asked to stop.
    pub stop_seconds: u32,
    /// Whether keys are made, imported and taken over whose parameters are small and insecure.
    pub allow_test_parameters: bool,
}

impl From<&LimitsConfig> for Limits {
    fn from(limits: &LimitsConfig) -> Self {
        Self {
            max_message_bytes: limits.max_message_bytes.get(),
            max_ciphertext_bytes: limits.max_ciphertext_bytes,
            parallel_work: limits.parallel_work.or(available_parallelism().ok()).map_or(1, usize::from),
            max_requests: limits.max_requests.get(),
            stop_seconds: limits.stop_seconds,
            allow_test_parameters: limits.allow_test_parameters,
        }
    }
}
