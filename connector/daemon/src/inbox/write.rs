//! What can happen to the inbox, each call one transaction.

use std::{collections::BTreeSet, path::Path};

use kms_asc_api::RequestId;
use kms_chain::{SignedTx, TxHash};
use redb::{Database, ReadableTable, WriteTransaction};

use super::{
    Inbox, InboxError, StoredTx,
    tables::{
        ANSWER, CURSOR, DESTRUCTION, FORMAT, FORMAT_VERSION, NUMBER, PROBE, QUEUE, ROW, SERVES, TEXT, TX,
        decode, encode,
    },
};
use crate::{
    item::Item,
    machine::{Row, Stage, Step},
};

/// Makes the tables of a new file; checks whom an old one belongs to.
pub(super) fn prepare(db: &Database, path: &Path, serves: &str) -> Result<(), InboxError> {
    let transaction = db.begin_write()?;
    transaction.open_table(NUMBER)?;
    transaction.open_table(ROW)?;
    transaction.open_table(QUEUE)?;
    transaction.open_table(ANSWER)?;
    transaction.open_table(TX)?;
    transaction.open_table(DESTRUCTION)?;
    {
        let mut text = transaction.open_table(TEXT)?;
        for (key, expected) in [(FORMAT, FORMAT_VERSION), (SERVES, serves)] {
            let found = text.get(key)?.map(|value| value.value().to_owned());
            match found {
                Some(found) if found != expected => {
                    let (path, expected) = (path.display().to_string(), format!("{key} {expected}"));
                    return Err(InboxError::Foreign { path, found: format!("{key} {found}"), expected });
                }
                Some(_) => {}
                None => {
                    text.insert(key, expected)?;
                }
            }
        }
    }
    Ok(transaction.commit()?)
}

impl Inbox {
    /// Sets the cursor of a new inbox; an existing one stays.
    pub async fn begin_at(&self, height: u64) -> Result<(), InboxError> {
        self.writing(move |transaction| {
            let mut numbers = transaction.open_table(NUMBER)?;
            if numbers.get(CURSOR)?.is_none() {
                numbers.insert(CURSOR, height)?;
            }
            Ok(())
        })
        .await
    }

    /// Takes a block in: its new requests and the cursor, or neither. Returns how many had no row yet.
    ///
    /// # Errors
    /// [`InboxError::NotContiguous`] unless the block follows the cursor: no block is left out, and none is
    /// taken twice.
    pub async fn advance(&self, height: u64, requests: Vec<RequestId>) -> Result<u64, InboxError> {
        self.writing(move |transaction| {
            let cursor = set_cursor(transaction, height)?;
            if cursor.checked_add(1) != Some(height) {
                return Err(InboxError::NotContiguous { cursor, given: height });
            }
            admit(transaction, &requests)
        })
        .await
    }

    /// Moves the cursor forward over blocks that cannot be had any more. The caller has read from the contract's
    /// state what they could have said.
    ///
    /// # Errors
    /// [`InboxError::NotContiguous`] if that would be backwards.
    pub async fn jump(&self, height: u64) -> Result<(), InboxError> {
        self.writing(move |transaction| {
            let cursor = set_cursor(transaction, height)?;
            if cursor > height {
                return Err(InboxError::NotContiguous { cursor, given: height });
            }
            Ok(())
        })
        .await
    }

    /// Makes rows for requests that have none. Returns how many.
    pub async fn admit(&self, requests: Vec<RequestId>) -> Result<u64, InboxError> {
        self.writing(move |transaction| admit(transaction, &requests)).await
    }

    /// Begins anew with those of the requests that were given up or finished, and whose row is one of these.
    /// Returns how many.
    pub async fn revive(&self, requests: Vec<RequestId>, which: fn(&Row) -> bool) -> Result<u64, InboxError> {
        self.writing(move |transaction| {
            let mut count = 0;
            for request in requests {
                let row = find(transaction, request)?;
                let ended = |row: &Row| matches!(row.stage(), Stage::Parked | Stage::Done);
                if row.is_some_and(|row| ended(&row) && which(&row)) {
                    step(transaction, request, &Step::Revive)?;
                    count += 1;
                }
            }
            Ok(count)
        })
        .await
    }

    /// Keeps what the core signed.
    pub async fn answered(&self, item: Item, not_before: u64) -> Result<(), InboxError> {
        self.writing(move |transaction| {
            let id = item.request_id();
            let bytes = encode("answer", &item)?;
            transaction.open_table(ANSWER)?.insert(id.get(), bytes.as_slice())?;
            step(transaction, id, &Step::Answer { not_before })
        })
        .await
    }

    /// Keeps a signed transaction before it is sent, and marks what it answers.
    pub async fn posting(&self, stored: StoredTx) -> Result<(), InboxError> {
        self.writing(move |transaction| {
            let SignedTx { hash, timeout_height, .. } = stored.tx;
            let bytes = encode("tx", &stored)?;
            transaction.open_table(TX)?.insert(&hash.0, bytes.as_slice())?;
            let post = Step::Post { tx: hash, timeout_height };
            stored.requests.iter().try_for_each(|request| step(transaction, *request, &post))
        })
        .await
    }

    /// Takes steps of single rows.
    pub async fn steps(&self, steps: Vec<(RequestId, Step)>) -> Result<(), InboxError> {
        self.writing(move |transaction| {
            steps.iter().try_for_each(|(request, change)| step(transaction, *request, change))
        })
        .await
    }

    /// Writes something of no meaning, to see whether the disk takes it.
    pub async fn probe(&self) -> Result<(), InboxError> {
        let write = |transaction: &WriteTransaction| {
            let mut numbers = transaction.open_table(NUMBER)?;
            let before = numbers.get(PROBE)?.map_or(0, |count| count.value());
            numbers.insert(PROBE, before.wrapping_add(1))?;
            Ok(())
        };
        self.writing_unnoticed(write).await
    }

    /// Forgets a transaction whose fate is known, with what that means for its rows.
    pub async fn settled(&self, tx: TxHash, steps: Vec<(RequestId, Step)>) -> Result<(), InboxError> {
        self.writing(move |transaction| {
            transaction.open_table(TX)?.remove(&tx.0)?;
            steps.iter().try_for_each(|(request, change)| step(transaction, *request, change))
        })
        .await
    }

    /// Forgets finished rows of requests that are not open any more. Returns how many.
    pub async fn forget_closed(&self, open: BTreeSet<RequestId>) -> Result<u64, InboxError> {
        self.writing(move |transaction| {
            let mut closed = Vec::new();
            for stage in [Stage::Parked, Stage::Done] {
                let number = stage.number();
                let queue = transaction.open_table(QUEUE)?;
                for entry in queue.range((number, 0, 0)..=(number, u64::MAX, u64::MAX))? {
                    let key = entry?.0.value();
                    if !open.contains(&RequestId(key.2)) {
                        closed.push(key);
                    }
                }
            }
            for key in &closed {
                transaction.open_table(QUEUE)?.remove(key)?;
                transaction.open_table(ROW)?.remove(key.2)?;
                transaction.open_table(ANSWER)?.remove(key.2)?;
            }
            u64::try_from(closed.len()).map_err(|error| InboxError::damaged("queue", &error))
        })
        .await
    }
}

/// Sets the cursor and returns where it was.
fn set_cursor(transaction: &WriteTransaction, height: u64) -> Result<u64, InboxError> {
    let mut numbers = transaction.open_table(NUMBER)?;
    let before = numbers.insert(CURSOR, height)?.map(|cursor| cursor.value());
    before.ok_or_else(|| InboxError::damaged("cursor", &"there is none"))
}

fn admit(transaction: &WriteTransaction, requests: &[RequestId]) -> Result<u64, InboxError> {
    let mut count = 0;
    for request in requests {
        if find(transaction, *request)?.is_none() {
            put(transaction, *request, &Row::Seen)?;
            count += 1;
        }
    }
    Ok(count)
}

fn find(transaction: &WriteTransaction, request: RequestId) -> Result<Option<Row>, InboxError> {
    let rows = transaction.open_table(ROW)?;
    let found = rows.get(request.get())?;
    found.map(|bytes| decode("row", bytes.value())).transpose()
}

fn put(transaction: &WriteTransaction, request: RequestId, row: &Row) -> Result<(), InboxError> {
    let bytes = encode("row", row)?;
    transaction.open_table(ROW)?.insert(request.get(), bytes.as_slice())?;
    let place = (row.stage().number(), row.not_before(), request.get());
    transaction.open_table(QUEUE)?.insert(place, ())?;
    Ok(())
}

fn step(transaction: &WriteTransaction, request: RequestId, step: &Step) -> Result<(), InboxError> {
    let row = find(transaction, request)?.ok_or(InboxError::NoRow(request.get()))?;
    let after = row.after(step)?;
    let place = (row.stage().number(), row.not_before(), request.get());
    transaction.open_table(QUEUE)?.remove(place)?;
    put(transaction, request, &after)
}
