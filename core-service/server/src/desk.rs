use std::{
    collections::{HashMap, hash_map::Entry},
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use kms_asc_api::Digest;
use kms_core_proto::v1::Answer;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use crate::Error;

type Outcome = Result<Answer, Error>;

/// At most one piece of work per request id. All who ask for the same request meanwhile wait for the same work, which goes on
/// when they leave. Work that fails or panics leaves nothing behind, so asking again starts anew.
pub(crate) struct Desk {
    running: Running,
    tasks: TaskTracker,
    closed: AtomicBool,
    abandoned: CancellationToken,
    limit: usize,
}

type Running = Arc<Mutex<HashMap<u64, Work>>>;

struct Work {
    hash: Digest,
    outcome: watch::Receiver<Option<Outcome>>,
}

/// A claim on the outcome of work under way.
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
    /// A desk for at most `limit` requests at a time.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            running: Running::default(),
            tasks: TaskTracker::new(),
            closed: AtomicBool::new(false),
            abandoned: CancellationToken::new(),
            limit,
        }
    }

    /// The work under way for a request, if there is any.
    pub(crate) fn find(&self, id: u64, hash: &Digest) -> Result<Option<Ticket>, Error> {
        lock(&self.running).get(&id).map(|work| work.ticket(id, hash)).transpose()
    }

    /// Joins the work under way for a request, or starts `work`.
    pub(crate) fn join_or_start<F>(
        &self,
        id: u64,
        hash: Digest,
        work: impl FnOnce() -> F,
    ) -> Result<Ticket, Error>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut running = lock(&self.running);
        let count = running.len();
        let place = match running.entry(id) {
            Entry::Occupied(found) => return found.get().ticket(id, &hash),
            Entry::Vacant(place) => place,
        };
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::ShuttingDown);
        }
        if count >= self.limit {
            return Err(Error::Busy { limit: self.limit });
        }
        let (report, outcome) = watch::channel(None);
        place.insert(Work { hash, outcome: outcome.clone() });

        let leave = Leave { running: self.running.clone(), id };
        let work = work();
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
        Ok(Ticket(outcome))
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

impl Work {
    fn ticket(&self, id: u64, hash: &Digest) -> Result<Ticket, Error> {
        match self.hash == *hash {
            true => Ok(Ticket(self.outcome.clone())),
            false => Err(Error::RequestConflict { request_id: id }),
        }
    }
}

/// Takes the work off the desk, also when it panics.
struct Leave {
    running: Running,
    id: u64,
}

impl Drop for Leave {
    fn drop(&mut self) {
        lock(&self.running).remove(&self.id);
    }
}

/// A panic while the lock is held cannot leave the map half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn answer(id: u64) -> Answer {
        Answer { request_id: id, ..Answer::default() }
    }

    fn hash(byte: u8) -> Digest {
        Digest::new([byte; 32])
    }

    #[tokio::test]
    async fn who_asks_meanwhile_waits_for_the_same_work() {
        let desk = Desk::new(8);
        let (go, gone) = oneshot::channel::<()>();
        let first = desk
            .join_or_start(1, hash(1), || async {
                gone.await.ok();
                Ok(answer(1))
            })
            .unwrap();
        let second = desk.join_or_start(1, hash(1), || async { Ok(answer(2)) }).unwrap();
        let third = desk.find(1, &hash(1)).unwrap().unwrap();
        go.send(()).unwrap();
        for ticket in [first, second, third] {
            assert_eq!(ticket.outcome().await, Ok(answer(1)));
        }
    }

    #[tokio::test]
    async fn another_hash_under_the_same_id_is_a_conflict() {
        let desk = Desk::new(8);
        let _running = desk.join_or_start(1, hash(1), std::future::pending).unwrap();
        let conflict = Err(Error::RequestConflict { request_id: 1 });
        assert_eq!(desk.join_or_start(1, hash(2), std::future::pending).map(|_| ()), conflict);
        assert_eq!(desk.find(1, &hash(2)).map(|_| ()), conflict);
    }

    #[tokio::test]
    async fn work_goes_on_when_nobody_waits_and_leaves_the_desk_empty() {
        let desk = Desk::new(8);
        let (done, finished) = oneshot::channel();
        drop(desk.join_or_start(1, hash(1), || async {
            done.send(()).ok();
            Ok(answer(1))
        }));
        finished.await.unwrap();
        desk.close();
        desk.drained().await;
        assert!(desk.find(1, &hash(1)).unwrap().is_none());
    }

    #[tokio::test]
    async fn work_that_panics_is_an_internal_error_and_can_be_started_anew() {
        let desk = Desk::new(8);
        let panics = || async { panic!("on purpose") };
        let error = desk.join_or_start(1, hash(1), panics).unwrap().outcome().await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        // The entry goes with the panicking task, at the latest when the task is over.
        while desk.find(1, &hash(1)).unwrap().is_some() {
            tokio::task::yield_now().await;
        }
        let again = desk.join_or_start(1, hash(1), || async { Ok(answer(1)) }).unwrap();
        assert_eq!(again.outcome().await, Ok(answer(1)));
    }

    #[tokio::test]
    async fn a_full_or_closed_desk_takes_no_new_work_but_gives_what_runs() {
        let desk = Desk::new(1);
        let (go, gone) = oneshot::channel::<()>();
        let running = desk
            .join_or_start(1, hash(1), || async {
                gone.await.ok();
                Ok(answer(1))
            })
            .unwrap();
        let start = |id| desk.join_or_start(id, hash(1), std::future::pending).map(|_| ());
        assert_eq!(start(2), Err(Error::Busy { limit: 1 }));
        assert_eq!(start(1), Ok(()));
        desk.close();
        assert_eq!(start(2), Err(Error::ShuttingDown));
        assert_eq!(start(1), Ok(()));
        go.send(()).unwrap();
        desk.drained().await;
        assert_eq!(running.outcome().await, Ok(answer(1)));
    }

    #[tokio::test]
    async fn abandoned_work_tells_those_who_wait_and_leaves_the_desk_empty() {
        let desk = Desk::new(8);
        let running = desk.join_or_start(1, hash(1), std::future::pending).unwrap();
        desk.close();
        desk.abandon();
        assert_eq!(running.outcome().await, Err(Error::ShuttingDown));
        desk.drained().await;
        assert!(desk.find(1, &hash(1)).unwrap().is_none());
    }
}
