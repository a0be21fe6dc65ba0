//! The queue: who may work now.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{
    Outcome,
    book::{Shared, lock},
};
use crate::weight::Lane;

/// Room for work that runs, by lane; in each, first come, first served.
pub(super) struct Rooms {
    decryption: Arc<Semaphore>,
    verification: Arc<Semaphore>,
    generation: Arc<Semaphore>,
}

impl Rooms {
    /// For so many decryptions, and as many verifications, at a time. One generation, as it takes every processor.
    pub(super) fn new(parallel_work: usize) -> Self {
        let room = |size| Arc::new(Semaphore::new(size));
        Self { decryption: room(parallel_work), verification: room(parallel_work), generation: room(1) }
    }

    pub(super) fn of(&self, lane: Lane) -> Arc<Semaphore> {
        match lane {
            Lane::Decryption => self.decryption.clone(),
            Lane::Verification => self.verification.clone(),
            Lane::Generation => self.generation.clone(),
        }
    }
}

/// The place of accepted work in the queue.
pub(crate) struct Turn {
    pub(super) room: Arc<Semaphore>,
    pub(super) waiters: watch::Sender<Option<Outcome>>,
    pub(super) book: Shared,
    pub(super) id: u64,
    pub(super) serial: u64,
}

/// Room to work, until it is dropped.
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
}

impl Slot {
    /// Gives the room to the next.
    pub(crate) fn leave(self) {}
}

/// Nobody waits for the work any more, and it has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unwanted;

impl Turn {
    /// Waits for room to work. From then on the work is finished, whether somebody waits for it or not.
    pub(crate) async fn begin(self) -> Result<Slot, Unwanted> {
        let Self { room, waiters, book, id, serial } = self;
        let permit = room.acquire_owned();
        tokio::pin!(permit);
        loop {
            tokio::select! {
                biased;
                () = waiters.closed() => {
                    // Unless somebody has joined just now.
                    if lock(&book).take_unwanted(id, serial) {
                        return Err(Unwanted);
                    }
                }
                permit = &mut permit => {
                    return permit.map(|permit| Slot { _permit: permit }).map_err(|_| Unwanted);
                }
            }
        }
    }
}
