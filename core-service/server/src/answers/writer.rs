//! The one thread that writes answers. It takes all that wait into one transaction, so that they share one flush, and tells
//! each that it is on disk only after that.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
    time::Instant,
};

use redb::{Database, ReadableTable, WriteTransaction};
use tokio::sync::{mpsc, oneshot};

use super::{
    ANSWERS, SERVED,
    prune::{self, Floor},
};
use crate::{
    Error,
    metrics::{Metrics, Stage},
};

/// Jobs in one transaction.
const GROUP: usize = 1_024;

type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// What the thread is asked to do.
enum Job {
    /// The reply is the answer that stands already, if there is one.
    Record {
        request_id: u64,
        stored: Vec<u8>,
        reply: Reply<Option<Vec<u8>>>,
    },
    Finished {
        request_ids: Vec<u64>,
        height: u64,
        reply: Reply<()>,
    },
    Prune {
        newest: u64,
        reply: Reply<u64>,
    },
    Check {
        reply: Reply<()>,
    },
}

/// The thread, and the way to it. Dropped, it finishes what it was given, and closes the database.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        database: Arc<Database>,
        floor: Arc<Floor>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, redb::Error> {
        let (jobs, waiting) = mpsc::channel(GROUP);
        let scribe = Scribe { database, floor, metrics };
        let thread = thread::Builder::new().name("answers".to_owned()).spawn(move || scribe.work(waiting))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Records an answer; what stands already for its id, if there is something.
    pub(super) async fn record(&self, request_id: u64, stored: Vec<u8>) -> Result<Option<Vec<u8>>, Error> {
        self.ask(|reply| Job::Record { request_id, stored, reply }).await
    }

    pub(super) async fn finished(&self, request_ids: Vec<u64>, height: u64) -> Result<(), Error> {
        self.ask(|reply| Job::Finished { request_ids, height, reply }).await
    }

    pub(super) async fn prune(&self, newest: u64) -> Result<u64, Error> {
        self.ask(|reply| Job::Prune { newest, reply }).await
    }

    pub(super) async fn check(&self) -> Result<(), Error> {
        self.ask(|reply| Job::Check { reply }).await
    }

    /// Once a job is handed over it is done, also when nobody waits for the reply any more.
    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, Error> {
        let gone = || Error::Internal { cause: "the writer of answers gave up, or has ended".to_owned() };
        let (reply, replied) = oneshot::channel();
        self.jobs.as_ref().ok_or_else(gone)?.send(job(reply)).await.map_err(|_| gone())?;
        replied.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so, and has nothing left to wait for.
            thread.join().ok();
        }
    }
}

struct Scribe {
    database: Arc<Database>,
    floor: Arc<Floor>,
    metrics: Arc<Metrics>,
}

/// Tells one who waits how it went.
type Told = Box<dyn FnOnce(Result<(), Error>)>;

impl Scribe {
    fn work(self, mut waiting: mpsc::Receiver<Job>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP {
                match waiting.try_recv() {
                    Ok(job) => group.push(job),
                    Err(_) => break,
                }
            }
            self.write(group);
        }
    }

    /// One transaction for all: it is on disk as a whole, or nobody is told that anything is.
    fn write(&self, group: Vec<Job>) {
        let started = Instant::now();
        let answers = group.iter().filter(|job| matches!(job, Job::Record { .. })).count();
        let mut told = Vec::with_capacity(group.len());
        let written = self
            .transact(group, &mut told)
            .map_err(|error| Error::internal("writing the answer store", &error))
            .inspect_err(|error| tracing::error!(?error, "a group of answers is not written"));
        if answers > 0 {
            self.metrics.flushed(answers);
            self.metrics.took(Stage::Flush, started.elapsed());
        }
        for tell in told {
            tell(written.clone());
        }
    }

    fn transact(&self, group: Vec<Job>, told: &mut Vec<Told>) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        for job in group {
            told.push(self.apply(&transaction, job)?);
        }
        Ok(transaction.commit()?)
    }

    fn apply(&self, transaction: &WriteTransaction, job: Job) -> Result<Told, redb::Error> {
        Ok(match job {
            Job::Record { request_id, stored, reply } => {
                told(reply, record(transaction, request_id, &stored)?)
            }
            Job::Finished { request_ids, height, reply } => {
                told(reply, prune::note(transaction, &request_ids, height)?)
            }
            Job::Prune { newest, reply } => {
                let count = prune::prune(transaction, &self.floor, newest)?;
                self.metrics.pruned(count);
                told(reply, count)
            }
            Job::Check { reply } => told(reply, rewrite(transaction)?),
        })
    }
}

fn told<T: 'static>(reply: Reply<T>, value: T) -> Told {
    // Who has gone away needs no reply.
    Box::new(move |written| drop(reply.send(written.map(|()| value))))
}

/// Keeps what stands, which may be an answer of the same group.
fn record(
    transaction: &WriteTransaction,
    request_id: u64,
    stored: &[u8],
) -> Result<Option<Vec<u8>>, redb::Error> {
    let mut table = transaction.open_table(ANSWERS)?;
    if let Some(standing) = table.get(request_id)? {
        return Ok(Some(standing.value().to_vec()));
    }
    table.insert(request_id, stored)?;
    Ok(None)
}

/// Writes what is there already, so that there is something to flush.
fn rewrite(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(SERVED)?;
    let chain_id = table.get("chain_id")?.map(|found| found.value().to_owned());
    if let Some(chain_id) = chain_id {
        table.insert("chain_id", chain_id.as_str())?;
    }
    Ok(())
}
