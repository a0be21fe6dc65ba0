//! Where work is accepted, waits, runs, and is waited for.
//!
//! ```text
//! desk        at most one piece of work per request, which all who ask for it share
//! desk/book   what is accepted, and the bounds of it
//! desk/turn   the queue
//! ```

mod book;
mod turn;

use std::{
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
};

use kms_asc_api::Digest;
use kms_core_proto::v1::Answer;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

pub(crate) use self::{
    book::Load,
    turn::{Turn, Unwanted},
};
use self::{
    book::{Bounds, Shared, lock},
    turn::Rooms,
};
use crate::{Error, Limits, weight::Weight};

type Outcome = Result<Answer, Error>;

/// At most one piece of work per request id. All who ask for the same request meanwhile wait for the same work. Work that nobody
/// waits for is dropped if it has not begun, and finished if it has. Work that fails or panics leaves nothing behind, so asking
/// again starts anew.
pub(crate) struct Desk {
    book: Shared,
    bounds: Bounds,
    rooms: Rooms,
    tasks: TaskTracker,
    closed: AtomicBool,
    abandoned: CancellationToken,
}

/// A claim on the outcome of work.
pub(crate) struct Ticket(watch::Receiver<Option<Outcome>>);

impl Ticket {
    pub(crate) async fn outcome(mut self) -> Outcome {
        match self.0.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            _ => Err(Error::Internal { cause: "the work on this request panicked".to_owned() }),
        }
    }
}

impl Desk {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            book: Shared::default(),
            bounds: limits.into(),
            rooms: Rooms::new(limits.parallel_work),
            tasks: TaskTracker::new(),
            closed: AtomicBool::new(false),
            abandoned: CancellationToken::new(),
        }
    }

    /// What waits or runs.
    pub(crate) fn load(&self) -> Load {
        lock(&self.book).load()
    }

    /// The work under way for a request, if there is any.
    pub(crate) fn find(&self, id: u64, hash: &Digest) -> Result<Option<Ticket>, Error> {
        lock(&self.book).find(id, hash)
    }

    /// Joins the work under way for a request, or accepts `work`, which has to wait for its turn.
    pub(crate) fn join_or_start<F>(
        &self,
        id: u64,
        hash: Digest,
        weight: Weight,
        work: impl FnOnce(Turn) -> F,
    ) -> Result<Ticket, Error>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut book = lock(&self.book);
        if let Some(ticket) = book.find(id, &hash)? {
            return Ok(ticket);
        }
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::ShuttingDown);
        }
        book.check(weight, &self.bounds)?;
        let (report, outcome) = watch::channel(None);
        let serial = book.enter(id, hash, weight, report.clone());
        let leave = Leave { book: self.book.clone(), id, serial };
        let turn = Turn {
            room: self.rooms.of(weight.lane),
            waiters: report.clone(),
            book: self.book.clone(),
            id,
            serial,
        };
        self.spawn(work(turn), report, leave);
        Ok(Ticket(outcome))
    }

    fn spawn(
        &self,
        work: impl Future<Output = Outcome> + Send + 'static,
        report: watch::Sender<Option<Outcome>>,
        leave: Leave,
    ) {
        let abandoned = self.abandoned.clone();
        self.tasks.spawn(
            async move {
                let leave = leave;
                let outcome = tokio::select! {
                    biased;
                    outcome = work => outcome,
                    () = abandoned.cancelled() => Err(Error::ShuttingDown),
                };
                report.send_replace(Some(outcome));
                drop(leave);
            }
            .in_current_span(),
        );
    }

    /// Takes no new work from now on.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.tasks.close();
    }

    /// Gives up all work under way. Who waits for it is told that the core is stopping.
    pub(crate) fn abandon(&self) {
        self.abandoned.cancel();
    }

    /// Ends when no work is under way, after [`Desk::close`].
    pub(crate) async fn drained(&self) {
        self.tasks.wait().await;
    }
}

/// Takes the work off the desk, also when it panics.
struct Leave {
    book: Shared,
    id: u64,
    serial: u64,
}

impl Drop for Leave {
    fn drop(&mut self) {
        lock(&self.book).take(self.id, self.serial);
    }
}

#[cfg(test)]
mod tests;
