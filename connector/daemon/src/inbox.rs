//! The daemon's own state: a cursor, a row for each request that is or was work, the core's answers and the
//! transactions under way, in one redb file.
//!
//! Whatever belongs together is written in one transaction, which is on disk when the call returns. The file is a
//! cache of the contract's state but for answers and transactions, and those can be had again too: losing the file
//! loses no request.

mod destruction;
mod error;
mod read;
mod tables;
mod write;

use std::{path::Path, sync::Arc};

use redb::{Database, ReadableDatabase};
use tokio::{sync::Notify, task::spawn_blocking};

pub use destruction::Attestation;
pub use error::InboxError;
pub use read::QueueEntry;
pub use tables::StoredTx;

/// The open inbox. Clones share it.
///
/// Writes wait for the disk and run off the async threads; reads come from memory.
#[derive(Debug, Clone)]
pub struct Inbox {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    db: Database,
    work: Notify,
    answers: Notify,
    destructions: Notify,
}

impl Inbox {
    /// Opens the file, or makes it. `serves` names the chain, contract and party that its rows are of.
    ///
    /// # Errors
    /// [`InboxError::Foreign`] if the file was made for another; [`InboxError::InUse`] if a daemon has it open.
    pub fn open(path: &Path, serves: &str) -> Result<Self, InboxError> {
        let db = Database::create(path).map_err(|error| InboxError::opening(path, error))?;
        write::prepare(&db, path, serves)?;
        let (work, answers, destructions) = (Notify::new(), Notify::new(), Notify::new());
        Ok(Self { shared: Arc::new(Shared { db, work, answers, destructions }) })
    }

    /// Returns when there may be new rows to work on.
    pub async fn work_came(&self) {
        self.shared.work.notified().await;
    }

    /// Returns when there may be new answers to post.
    pub async fn answers_came(&self) {
        self.shared.answers.notified().await;
    }

    fn reading(&self) -> Result<redb::ReadTransaction, InboxError> {
        Ok(self.shared.db.begin_read()?)
    }

    /// Runs one write transaction off the async threads. It is on disk when this returns, or nothing of it is.
    async fn writing<T: Send + 'static>(
        &self,
        write: impl FnOnce(&redb::WriteTransaction) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let result = self.writing_unnoticed(write).await;
        if result.is_ok() {
            self.shared.work.notify_one();
            self.shared.answers.notify_one();
        }
        result
    }

    /// The same, for what makes no row ready.
    async fn writing_unnoticed<T: Send + 'static>(
        &self,
        write: impl FnOnce(&redb::WriteTransaction) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let shared = Arc::clone(&self.shared);
        let job = spawn_blocking(move || {
            let transaction = shared.db.begin_write()?;
            let result = write(&transaction)?;
            transaction.commit()?;
            Ok(result)
        });
        job.await.map_err(|error| InboxError::Storage { reason: error.to_string() })?
    }
}

#[cfg(test)]
mod tests;
