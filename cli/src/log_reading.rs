//! Reads the log from its first entry on and checks every number and hash against the contract's head.

use kms_asc_api::log::{LogEntry, LogError, LogHead, LogReader};

use crate::{
    error::{Error, Result},
    ledger::Ledger,
};

/// Where entries and the head come from: the contract, or a list in tests.
pub trait LogSource {
    /// Length and hash of the log.
    async fn head(&self) -> Result<LogHead>;
    /// The bytes of some entries from `from` on; none behind the end.
    async fn page(&self, from: u64) -> Result<Vec<Vec<u8>>>;
}

impl LogSource for Ledger {
    async fn head(&self) -> Result<LogHead> {
        self.log_head().await
    }

    async fn page(&self, from: u64) -> Result<Vec<Vec<u8>>> {
        Ok(self.log(from, None).await?.entries.into_iter().map(Into::into).collect())
    }
}

/// An entry and its bytes, as they are hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadEntry {
    pub entry: LogEntry,
    pub bytes: Vec<u8>,
}

/// A log that is being read, verified as far as it was read.
#[derive(Debug)]
pub struct VerifiedLog<S> {
    source: S,
    reader: LogReader,
}

impl<S: LogSource> VerifiedLog<S> {
    /// Nothing is read yet.
    pub fn new(source: S) -> Self {
        Self { source, reader: LogReader::after(LogHead::EMPTY) }
    }

    /// What was read and verified so far.
    pub fn head(&self) -> LogHead {
        self.reader.head()
    }

    /// Reads on to the contract's head of this moment. Entries are given out page by page, before the head is reached:
    /// they are verified only when this returns.
    ///
    /// # Errors
    /// [`Error::Log`] if an entry is missing, moved or changed, or the log is shorter than it was.
    pub async fn advance(&mut self, mut each: impl FnMut(ReadEntry) -> Result<()>) -> Result<LogHead> {
        let target = self.source.head().await?;
        if target.count < self.head().count {
            return Err(Error::Log(LogError::Head { computed: self.head(), given: target }));
        }
        while self.head().count < target.count {
            let next = self.head().count.saturating_add(1);
            let page = self.source.page(next).await?;
            if page.is_empty() {
                return Err(Error::Log(LogError::Head { computed: self.head(), given: target }));
            }
            let wanted = usize::try_from(target.count - self.head().count).unwrap_or(usize::MAX);
            for bytes in page.into_iter().take(wanted) {
                let entry = self.reader.push(&bytes)?;
                each(ReadEntry { entry, bytes })?;
            }
        }
        self.reader.finish(target)?;
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use kms_asc_api::log::LogBody;

    use super::*;

    /// A log in memory that gives out pages of two.
    #[derive(Default)]
    struct Fake {
        entries: RefCell<Vec<Vec<u8>>>,
        head: RefCell<Option<LogHead>>,
    }

    impl Fake {
        fn grow(&self, count: u64) {
            let mut entries = self.entries.borrow_mut();
            for _ in 0..count {
                let seq = u64::try_from(entries.len()).unwrap() + 1;
                let body = LogBody::Withdrawn { address: "a".into(), to: "b".into(), amount: 5u128.into() };
                let entry = LogEntry { seq, height: seq, time: 1, actor: "a".into(), request_id: None, body };
                entries.push(entry.encode().unwrap());
            }
        }
    }

    impl LogSource for &Fake {
        async fn head(&self) -> Result<LogHead> {
            let entries = self.entries.borrow();
            let real = entries.iter().fold(LogHead::EMPTY, |head, bytes| head.extend(bytes).unwrap());
            Ok(self.head.borrow().unwrap_or(real))
        }

        async fn page(&self, from: u64) -> Result<Vec<Vec<u8>>> {
            let from = usize::try_from(from).unwrap() - 1;
            Ok(self.entries.borrow().iter().skip(from).take(2).cloned().collect())
        }
    }

    async fn read(log: &mut VerifiedLog<&Fake>) -> Result<Vec<u64>> {
        let mut seen = Vec::new();
        log.advance(|read| {
            seen.push(read.entry.seq);
            Ok(())
        })
        .await?;
        Ok(seen)
    }

    #[tokio::test]
    async fn every_entry_comes_once_and_in_order_while_the_log_grows() {
        let fake = Fake::default();
        let mut log = VerifiedLog::new(&fake);
        assert_eq!(read(&mut log).await.unwrap(), [0; 0]);
        fake.grow(5);
        assert_eq!(read(&mut log).await.unwrap(), [1, 2, 3, 4, 5]);
        fake.grow(2);
        assert_eq!(read(&mut log).await.unwrap(), [6, 7]);
        assert_eq!(log.head(), (&fake).head().await.unwrap());
    }

    #[tokio::test]
    async fn an_entry_changed_in_place_is_found() {
        let fake = Fake::default();
        fake.grow(3);
        let head = (&fake).head().await.unwrap();
        *fake.head.borrow_mut() = Some(head);
        let changed = String::from_utf8(fake.entries.borrow()[1].clone()).unwrap().replace("\"5\"", "\"6\"");
        fake.entries.borrow_mut()[1] = changed.into_bytes();
        let error = read(&mut VerifiedLog::new(&fake)).await.unwrap_err();
        assert_eq!((error.code(), error.exit().number()), ("log_unverified", 6));
    }

    #[tokio::test]
    async fn a_log_that_is_cut_short_is_found() {
        let fake = Fake::default();
        fake.grow(3);
        let mut log = VerifiedLog::new(&fake);
        read(&mut log).await.unwrap();
        fake.entries.borrow_mut().pop();
        assert_eq!(read(&mut log).await.unwrap_err().code(), "log_unverified");

        let fake = Fake::default();
        fake.grow(3);
        *fake.head.borrow_mut() = Some((&fake).head().await.unwrap());
        fake.entries.borrow_mut().pop();
        assert_eq!(read(&mut VerifiedLog::new(&fake)).await.unwrap_err().code(), "log_unverified");
    }

    #[tokio::test]
    async fn entries_recorded_while_reading_wait_for_the_next_look() {
        let fake = Fake::default();
        fake.grow(3);
        *fake.head.borrow_mut() = Some((&fake).head().await.unwrap());
        fake.grow(1);
        let mut log = VerifiedLog::new(&fake);
        assert_eq!(read(&mut log).await.unwrap(), [1, 2, 3]);
        *fake.head.borrow_mut() = None;
        assert_eq!(read(&mut log).await.unwrap(), [4]);
    }
}
