use std::path::Path;

use crate::machine::IllegalStep;

/// Why the inbox cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// Another process has it open.
    #[error("{path} is in use by another process: one daemon at a time can serve it")]
    InUse {
        /// The file.
        path: String,
    },
    /// It was made for another chain, contract or party.
    #[error("{path} belongs to {found}, this daemon serves {expected}")]
    Foreign {
        /// The file.
        path: String,
        /// Whom it was made for.
        found: String,
        /// Whom the configuration names.
        expected: String,
    },
    /// A block that does not follow the last one.
    #[error("block {given} cannot follow the cursor, {cursor}")]
    NotContiguous {
        /// The cursor.
        cursor: u64,
        /// The block's height.
        given: u64,
    },
    /// A row that was to be changed is not there.
    #[error("no row for request {0}")]
    NoRow(u64),
    /// A row cannot take a step.
    #[error(transparent)]
    Step(#[from] IllegalStep),
    /// What was read is not what was written.
    #[error("damaged record {record}: {reason}")]
    Damaged {
        /// The record.
        record: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The file or the disk fails.
    #[error("the inbox's file fails: {reason}")]
    Storage {
        /// What the database says.
        reason: String,
    },
}

impl InboxError {
    /// Stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "inbox_in_use",
            Self::Foreign { .. } => "inbox_foreign",
            Self::NotContiguous { .. } => "inbox_not_contiguous",
            Self::NoRow(_) => "inbox_no_row",
            Self::Step(_) => "inbox_illegal_step",
            Self::Damaged { .. } => "inbox_damaged",
            Self::Storage { .. } => "inbox_storage",
        }
    }

    pub(super) fn opening(path: &Path, error: redb::DatabaseError) -> Self {
        let path = path.display().to_string();
        match error {
            redb::DatabaseError::DatabaseAlreadyOpen => Self::InUse { path },
            error => Self::Storage { reason: format!("{path}: {error}") },
        }
    }

    pub(super) fn damaged(record: &'static str, reason: &dyn std::fmt::Display) -> Self {
        Self::Damaged { record, reason: reason.to_string() }
    }
}

macro_rules! from_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for InboxError {
            fn from(error: $error) -> Self {
                Self::Storage { reason: error.to_string() }
            }
        }
    )*};
}
from_redb!(redb::TransactionError, redb::TableError, redb::StorageError, redb::CommitError);
