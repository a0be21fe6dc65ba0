//! The work that was accepted and is not finished, and its sum.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kms_asc_api::Digest;
use tokio::sync::watch;

use super::{Outcome, Ticket};
use crate::{Error, Limits, weight::Weight};

/// What may be accepted and not finished at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    requests: usize,
    work: Duration,
    bytes: u64,
}

impl From<&Limits> for Bounds {
    fn from(limits: &Limits) -> Self {
        Self { requests: limits.max_requests, work: limits.max_work, bytes: limits.max_work_bytes }
    }
}

/// What is at the desk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Requests that wait or run.
    pub(crate) requests: usize,
    /// What they are expected to take of one processor.
    pub(crate) work: Duration,
    /// Bytes of their ciphertexts.
    pub(crate) bytes: u64,
}

pub(super) struct Work {
    hash: Digest,
    outcome: watch::Sender<Option<Outcome>>,
    weight: Weight,
    serial: u64,
}

#[derive(Default)]
pub(super) struct Book {
    works: HashMap<u64, Work>,
    load: Load,
    /// Of the newest work: tells two apart that have the same request id.
    serial: u64,
}

/// A book that all share.
pub(super) type Shared = Arc<Mutex<Book>>;

/// A panic while the lock is held cannot leave the book half-changed.
pub(super) fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    pub(super) fn load(&self) -> Load {
        Load { requests: self.works.len(), ..self.load }
    }

    /// A claim on the work for a request, if there is any.
    pub(super) fn find(&self, id: u64, hash: &Digest) -> Result<Option<Ticket>, Error> {
        match self.works.get(&id) {
            Some(work) if work.hash == *hash => Ok(Some(Ticket(work.outcome.subscribe()))),
            Some(_) => Err(Error::RequestConflict { request_id: id }),
            None => Ok(None),
        }
    }

    /// Whether more may come. Bytes and time of one piece of work alone are bounded elsewhere: with nothing else at the desk it
    /// is accepted, whatever its weight.
    pub(super) fn check(&self, weight: Weight, bounds: &Bounds) -> Result<(), Error> {
        let Load { requests, work, bytes } = self.load();
        if requests >= bounds.requests {
            return Err(Error::Busy { bound: "requests", limit: as_u64(bounds.requests) });
        }
        if requests > 0 && work.saturating_add(weight.time) > bounds.work {
            return Err(Error::Busy { bound: "seconds of work", limit: bounds.work.as_secs() });
        }
        if requests > 0 && bytes.saturating_add(weight.bytes) > bounds.bytes {
            return Err(Error::Busy { bound: "bytes of ciphertexts", limit: bounds.bytes });
        }
        Ok(())
    }

    /// Enters work for a request that has none, and returns its serial number.
    pub(super) fn enter(
        &mut self,
        id: u64,
        hash: Digest,
        weight: Weight,
        outcome: watch::Sender<Option<Outcome>>,
    ) -> u64 {
        self.serial = self.serial.wrapping_add(1);
        self.load.work = self.load.work.saturating_add(weight.time);
        self.load.bytes = self.load.bytes.saturating_add(weight.bytes);
        self.works.insert(id, Work { hash, outcome, weight, serial: self.serial });
        self.serial
    }

    /// Takes the work off, unless it is off already.
    pub(super) fn take(&mut self, id: u64, serial: u64) {
        self.take_if(id, |work| work.serial == serial);
    }

    /// Takes the work off if nobody waits for it. Says whether it did: from then on nobody can join it.
    pub(super) fn take_unwanted(&mut self, id: u64, serial: u64) -> bool {
        self.take_if(id, |work| work.serial == serial && work.outcome.receiver_count() == 0)
    }

    fn take_if(&mut self, id: u64, condition: impl Fn(&Work) -> bool) -> bool {
        match self.works.entry(id) {
            Entry::Occupied(found) if condition(found.get()) => {
                let weight = found.remove().weight;
                self.load.work = self.load.work.saturating_sub(weight.time);
                self.load.bytes = self.load.bytes.saturating_sub(weight.bytes);
                true
            }
            _ => false,
        }
    }
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weight::Lane;

    fn weight(seconds: u64, bytes: u64) -> Weight {
        Weight { lane: Lane::Decryption, time: Duration::from_secs(seconds), bytes }
    }

    #[test]
    fn what_is_accepted_is_bounded_by_number_by_time_and_by_bytes() {
        let bounds = Bounds { requests: 3, work: Duration::from_secs(10), bytes: 1_000 };
        let mut book = Book::default();
        let enter = |book: &mut Book, id, weight| {
            book.check(weight, &bounds)?;
            Ok(book.enter(id, Digest::new([0; 32]), weight, watch::channel(None).0))
        };
        let busy = |bound, limit| Err(Error::Busy { bound, limit });

        // Alone, anything goes.
        let first = enter(&mut book, 1, weight(99, 9_999)).unwrap();
        assert_eq!(enter(&mut book, 2, weight(0, 0)), busy("seconds of work", 10));
        book.take(1, first);

        let second = enter(&mut book, 2, weight(6, 600)).unwrap();
        assert_eq!(enter(&mut book, 3, weight(5, 1)), busy("seconds of work", 10));
        assert_eq!(enter(&mut book, 3, weight(1, 401)), busy("bytes of ciphertexts", 1_000));
        enter(&mut book, 3, weight(4, 400)).unwrap();
        assert_eq!(book.load(), Load { requests: 2, work: Duration::from_secs(10), bytes: 1_000 });
        book.take(2, second);
        enter(&mut book, 4, weight(1, 1)).unwrap();
        enter(&mut book, 5, weight(1, 1)).unwrap();
        assert_eq!(enter(&mut book, 6, weight(0, 0)), busy("requests", 3));
    }

    #[test]
    fn work_is_taken_off_once_and_never_that_of_a_successor() {
        let mut book = Book::default();
        let hash = Digest::new([1; 32]);
        let first = book.enter(1, hash, weight(1, 10), watch::channel(None).0);
        book.take(1, first);
        let second = book.enter(1, hash, weight(2, 20), watch::channel(None).0);
        book.take(1, first);
        assert!(!book.take_unwanted(1, first));
        assert_eq!(book.load(), Load { requests: 1, work: Duration::from_secs(2), bytes: 20 });
        let ticket = book.find(1, &hash).unwrap();
        assert!(!book.take_unwanted(1, second));
        drop(ticket);
        assert!(book.take_unwanted(1, second));
        assert_eq!(book.load(), Load::default());
    }
}
