use thiserror::Error;

use crate::Time;

/// What a library says of hostile bytes: its first line, and no more than people read. The rest may be megabytes.
pub(crate) fn brief(error: &dyn std::fmt::Display) -> String {
    error.to_string().lines().next().unwrap_or_default().chars().take(200).collect()
}

/// Why a light block is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// A part of it is larger than any honest one.
    #[error("{part} of {given} bytes given, {allowed} allowed")]
    TooLarge {
        /// Which part.
        part: &'static str,
        /// Bytes given.
        given: usize,
        /// Bytes allowed.
        allowed: usize,
    },
    /// A part of it is not what it should be.
    #[error("{part} does not decode: {reason}")]
    Malformed {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// It is of another chain.
    #[error("a header of chain {given} given, {served} is served")]
    OtherChain {
        /// The header's chain.
        given: String,
        /// The chain that is followed.
        served: String,
    },
    /// It is not the header that a person vouched for.
    #[error("header {given_height}:{given} given, {height}:{hash} expected")]
    NotTheAnchor {
        /// Its height.
        given_height: u64,
        /// Its hash, hexadecimal.
        given: String,
        /// The height expected.
        height: u64,
        /// The hash expected, hexadecimal.
        hash: String,
    },
    /// It is not above the header that it is to be verified from.
    #[error("height {given} given, above {trusted} allowed")]
    NotAbove {
        /// Its height.
        given: u64,
        /// The trusted height.
        trusted: u64,
    },
    /// The trusted header is too old to say anything about others.
    #[error("the trust in header {height} expired at {expired}, the time is {now}")]
    TrustExpired {
        /// The trusted height.
        height: u64,
        /// When.
        expired: Time,
        /// The time that the verification was given.
        now: Time,
    },
    /// Its time lies in the future.
    #[error("the header's time is {given}, the time is {now}")]
    FromTheFuture {
        /// The header's time.
        given: Time,
        /// The time that the verification was given.
        now: Time,
    },
    /// Too few of the validators that are trusted signed it; a header between may help.
    #[error("header {height} is not signed by enough of the validators that header {trusted} trusts")]
    NotEnoughTrust {
        /// Its height.
        height: u64,
        /// The trusted height.
        trusted: u64,
    },
    /// It is not what its validators signed.
    #[error("header {height} is not valid: {reason}")]
    Invalid {
        /// Its height.
        height: u64,
        /// What the verifier says.
        reason: String,
    },
}

impl HeaderError {
    /// Stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "header_too_large",
            Self::Malformed { .. } => "header_malformed",
            Self::OtherChain { .. } => "other_chain",
            Self::NotTheAnchor { .. } => "not_the_anchor",
            Self::NotAbove { .. } => "not_above",
            Self::TrustExpired { .. } => "trust_expired",
            Self::FromTheFuture { .. } => "from_the_future",
            Self::NotEnoughTrust { .. } => "not_enough_trust",
            Self::Invalid { .. } => "header_invalid",
        }
    }
}

/// Why an ICS23 proof is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// A part of it is larger than any honest one.
    #[error("{part} of {given} bytes given, {allowed} allowed")]
    TooLarge {
        /// Which part.
        part: &'static str,
        /// Bytes given.
        given: usize,
        /// Bytes allowed.
        allowed: usize,
    },
    /// It does not decode, or is of a kind that says nothing here.
    #[error("{reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// It does not lead from the root to the key with that value, or without one.
    #[error("the proof of key {key} does not lead to the root of height {height}")]
    NotProven {
        /// The key, hexadecimal, or the store's name.
        key: String,
        /// The height whose root it was held against.
        height: u64,
    },
}

impl ProofError {
    /// Stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "proof_too_large",
            Self::Malformed { .. } => "proof_malformed",
            Self::NotProven { .. } => "not_proven",
        }
    }
}
