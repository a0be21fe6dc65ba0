//! What the inbox can be asked.

use std::collections::BTreeMap;

use kms_asc_api::RequestId;
use redb::{ReadableTable, ReadableTableMetadata};

use super::{
    Inbox, InboxError, StoredTx,
    tables::{ANSWER, CURSOR, NUMBER, QUEUE, ROW, TX, decode},
};
use crate::{
    item::Item,
    machine::{Row, Stage},
};

/// A row's place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueEntry {
    /// Block time in seconds before which there is nothing to do.
    pub not_before: u64,
    /// The request.
    pub request: RequestId,
}

impl Inbox {
    /// The height up to which blocks were read; `None` in a new inbox.
    pub fn cursor(&self) -> Result<Option<u64>, InboxError> {
        Ok(self.reading()?.open_table(NUMBER)?.get(CURSOR)?.map(|cursor| cursor.value()))
    }

    /// The row of a request.
    pub fn row(&self, request: RequestId) -> Result<Option<Row>, InboxError> {
        let found = self.reading()?.open_table(ROW)?.get(request.get())?;
        found.map(|bytes| decode("row", bytes.value())).transpose()
    }

    /// What the core signed for a request.
    pub fn answer(&self, request: RequestId) -> Result<Option<Item>, InboxError> {
        let found = self.reading()?.open_table(ANSWER)?.get(request.get())?;
        found.map(|bytes| decode("answer", bytes.value())).transpose()
    }

    /// Up to `most` rows of a stage that are ready at block time `now` and wanted, oldest first.
    pub fn queue(
        &self,
        stage: Stage,
        now: u64,
        most: usize,
        mut wanted: impl FnMut(RequestId) -> bool,
    ) -> Result<Vec<QueueEntry>, InboxError> {
        let table = self.reading()?.open_table(QUEUE)?;
        let number = stage.number();
        let mut found = Vec::new();
        for entry in table.range((number, 0, 0)..=(number, now, u64::MAX))? {
            if found.len() >= most {
                break;
            }
            let (_, not_before, id) = entry?.0.value();
            if wanted(RequestId(id)) {
                found.push(QueueEntry { not_before, request: RequestId(id) });
            }
        }
        Ok(found)
    }

    /// How many rows are in a stage.
    pub fn count(&self, stage: Stage) -> Result<u64, InboxError> {
        let table = self.reading()?.open_table(QUEUE)?;
        let number = stage.number();
        let mut count = 0;
        for entry in table.range((number, 0, 0)..=(number, u64::MAX, u64::MAX))? {
            entry?;
            count += 1;
        }
        Ok(count)
    }

    /// How many rows were given up, by reason.
    pub fn parked(&self) -> Result<BTreeMap<String, u64>, InboxError> {
        let mut counts = BTreeMap::new();
        for entry in self.queue(Stage::Parked, u64::MAX, usize::MAX, |_| true)? {
            if let Some(Row::Parked { reason }) = self.row(entry.request)? {
                let count = counts.entry(reason).or_insert(0u64);
                *count = count.saturating_add(1);
            }
        }
        Ok(counts)
    }

    /// How many rows there are.
    pub fn rows(&self) -> Result<u64, InboxError> {
        Ok(self.reading()?.open_table(ROW)?.len()?)
    }

    /// The transactions under way, oldest sequence first.
    pub fn transactions(&self) -> Result<Vec<StoredTx>, InboxError> {
        let table = self.reading()?.open_table(TX)?;
        let mut found = Vec::new();
        for entry in table.iter()? {
            found.push(decode::<StoredTx>("tx", entry?.1.value())?);
        }
        found.sort_by_key(|stored| (stored.tx.prepared_at, stored.tx.sequence));
        Ok(found)
    }
}
