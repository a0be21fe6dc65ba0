//! Why a log cannot be what it claims to be.

use kms_asc_api::log::LogError;
use kms_asc_api::{DecodeError, RequestId};

/// A log that cannot have come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// `log`: the bytes are no entry, or not the next one, or lead to another head.
    #[error(transparent)]
    Log(#[from] LogError),
    /// `entry`: an entry that could not follow from what came before it.
    #[error("entry {seq} ({kind}): {violation}")]
    Entry {
        /// Its number.
        seq: u64,
        /// Its kind.
        kind: &'static str,
        /// What is wrong with it.
        violation: Violation,
    },
    /// `unfinished`: the log ends where an entry has to follow.
    #[error("the log ends where {expected} has to follow")]
    Unfinished {
        /// The kind that is missing.
        expected: String,
    },
}

impl ReplayError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Log(_) => "log",
            Self::Entry { .. } => "entry",
            Self::Unfinished { .. } => "unfinished",
        }
    }
}

/// Why an entry could not follow from what came before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// It is about something that does not exist.
    #[error("there is no {what} {id}")]
    Unknown {
        /// What.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// It makes something that exists.
    #[error("{what} {id} exists already")]
    Exists {
        /// What.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// It says something else than what follows from the entries before it.
    #[error("{what} is {given}, but what came before gives {expected}")]
    Differs {
        /// What.
        what: &'static str,
        /// In the entry.
        given: String,
        /// By the rules.
        expected: String,
    },
    /// Somebody acted who may not.
    #[error("{given} acted, only {allowed} may")]
    Actor {
        /// Who acted.
        given: String,
        /// Who may.
        allowed: String,
    },
    /// A rule does not allow it.
    #[error("{0}")]
    Rule(&'static str),
    /// Another entry has to come first.
    #[error("{expected} has to come first")]
    Missing {
        /// The kind that has to come.
        expected: String,
    },
    /// No body is given for a request.
    #[error("the body of request {0} is not given")]
    NoBody(RequestId),
    /// The body given cannot be read.
    #[error(transparent)]
    Body(#[from] DecodeError),
    /// Amounts that no arithmetic allows.
    #[error("an amount leaves its range")]
    Amount,
}

impl From<cosmwasm_std::OverflowError> for Violation {
    fn from(_: cosmwasm_std::OverflowError) -> Self {
        Self::Amount
    }
}

/// Refuses what differs from what follows.
pub fn same<T: PartialEq + std::fmt::Debug>(
    what: &'static str,
    given: &T,
    expected: &T,
) -> Result<(), Violation> {
    if given == expected {
        return Ok(());
    }
    Err(Violation::Differs { what, given: format!("{given:?}"), expected: format!("{expected:?}") })
}

/// Refuses what a rule does not allow.
pub const fn rule(holds: bool, otherwise: &'static str) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation::Rule(otherwise)) }
}
