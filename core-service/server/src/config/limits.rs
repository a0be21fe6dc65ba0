//! Section `[limits]`.

use std::{num::NonZeroUsize, thread::available_parallelism, time::Duration};

use kms_core_proto::DEFAULT_MAX_MESSAGE_BYTES;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsConfig {
    max_message_bytes: NonZeroUsize,
    max_ciphertext_bytes: u64,
    parallel_work: Option<NonZeroUsize>,
    max_calls: NonZeroUsize,
    max_requests: NonZeroUsize,
    max_work_seconds: u32,
    max_work_bytes: u64,
    stop_seconds: u32,
    allow_test_parameters: bool,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let at_least_one = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        Self {
            max_message_bytes: at_least_one(DEFAULT_MAX_MESSAGE_BYTES),
            max_ciphertext_bytes: 20 << 20,
            parallel_work: None,
            max_calls: at_least_one(512),
            max_requests: at_least_one(256),
            max_work_seconds: 30,
            max_work_bytes: 512 << 20,
            stop_seconds: 20,
            allow_test_parameters: false,
        }
    }
}

/// Bounds of what a core does at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one gRPC message.
    pub max_message_bytes: usize,
    /// Bytes of one ciphertext.
    pub max_ciphertext_bytes: u64,
    /// Decryption requests worked on at the same time.
    pub parallel_work: usize,
    /// Calls whose message is read or held.
    pub max_calls: usize,
    /// Requests that run or wait.
    pub max_requests: usize,
    /// What they may be expected to take of one processor.
    pub max_work: Duration,
    /// Bytes of their ciphertexts.
    pub max_work_bytes: u64,
    /// Seconds that running work may take to finish when the core is asked to stop.
    pub stop_seconds: u32,
    /// Whether keys are made, imported and taken over whose parameters are small and insecure.
    pub allow_test_parameters: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self::from(&LimitsConfig::default())
    }
}

impl From<&LimitsConfig> for Limits {
    fn from(limits: &LimitsConfig) -> Self {
        Self {
            max_message_bytes: limits.max_message_bytes.get(),
            max_ciphertext_bytes: limits.max_ciphertext_bytes,
            parallel_work: limits.parallel_work.or(available_parallelism().ok()).map_or(1, usize::from),
            max_calls: limits.max_calls.get(),
            max_requests: limits.max_requests.get(),
            max_work: Duration::from_secs(limits.max_work_seconds.into()),
            max_work_bytes: limits.max_work_bytes,
            stop_seconds: limits.stop_seconds,
            allow_test_parameters: limits.allow_test_parameters,
        }
    }
}
