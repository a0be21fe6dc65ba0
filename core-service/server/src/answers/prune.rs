//! When an answer may be forgotten.
//!
//! A request that is proven finished at height H stays finished. Proofs of heights below H may still show it pending, and the core
//! accepts headers of up to [`HEADERS_BACK`] heights behind its newest. So its answer is kept until the newest trusted height is
//! beyond H + [`HEADERS_BACK`]. The greatest such H is kept for good, as the [`Floor`]: whatever happens to the trusted header (a
//! restored backup, trust renewed by hand), nothing new is signed on a proof of that height or below.

use std::sync::atomic::{AtomicU64, Ordering};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::ANSWERS;

/// How many heights behind the newest trusted header another one may be to count.
pub(super) const HEADERS_BACK: u64 = 50;
/// Answers forgotten in one transaction, so that those who wait for a flush do not wait long.
const AT_A_TIME: usize = 1_000;

/// Requests proven finished whose answers are kept still: (height of the proof, request id).
const FINISHED: TableDefinition<(u64, u64), ()> = TableDefinition::new("finished");
/// `height`: the greatest height at which a request was proven finished whose answer is forgotten.
const PRUNED: TableDefinition<&str, u64> = TableDefinition::new("pruned");
const HEIGHT: &str = "height";

/// The height above which proofs must be to lead to a new answer.
#[derive(Debug, Default)]
pub(super) struct Floor(AtomicU64);

impl Floor {
    pub(super) fn read(database: &Database) -> Result<Self, redb::Error> {
        let table = database.begin_read()?.open_table(PRUNED)?;
        let height = table.get(HEIGHT)?.map_or(0, |height| height.value());
        Ok(Self(AtomicU64::new(height)))
    }

    pub(super) fn is_below(&self, proven: u64) -> bool {
        self.0.load(Ordering::Acquire) < proven
    }

    /// Before the answers are gone: a floor that is too high for a moment only refuses.
    fn raise(&self, height: u64) {
        self.0.fetch_max(height, Ordering::AcqRel);
    }
}

pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(FINISHED)?;
    transaction.open_table(PRUNED)?;
    Ok(())
}

/// Notes what is finished. Requests that this core did not answer leave nothing to forget.
pub(super) fn note(transaction: &WriteTransaction, ids: &[u64], height: u64) -> Result<(), redb::Error> {
    let answers = transaction.open_table(ANSWERS)?;
    let mut finished = transaction.open_table(FINISHED)?;
    for id in ids {
        if answers.get(id)?.is_some() {
            finished.insert((height, *id), ())?;
        }
    }
    Ok(())
}

/// Forgets what may be forgotten, at most [`AT_A_TIME`] answers, and says how many these were.
pub(super) fn prune(transaction: &WriteTransaction, floor: &Floor, newest: u64) -> Result<u64, redb::Error> {
    // Kept while newest - HEADERS_BACK <= H, the lowest height that is still accepted.
    let Some(last) = newest.checked_sub(HEADERS_BACK).and_then(|lowest| lowest.checked_sub(1)) else {
        return Ok(0);
    };
    let mut finished = transaction.open_table(FINISHED)?;
    let due = finished.range(..=(last, u64::MAX))?.take(AT_A_TIME);
    let due = due.map(|row| Ok(row?.0.value())).collect::<Result<Vec<_>, redb::StorageError>>()?;
    let Some((highest, _)) = due.last() else { return Ok(0) };
    let mut pruned = transaction.open_table(PRUNED)?;
    let standing = pruned.get(HEIGHT)?.map_or(0, |height| height.value());
    pruned.insert(HEIGHT, standing.max(*highest))?;
    floor.raise(*highest);

    let mut answers = transaction.open_table(ANSWERS)?;
    let mut count = 0u64;
    for row in &due {
        finished.remove(row)?;
        let forgotten = answers.remove(row.1)?.is_some();
        count = count.saturating_add(forgotten.into());
    }
    Ok(count)
}
