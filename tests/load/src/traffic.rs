//! Calls at a given concurrency, and how long each took.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use kms_core_proto::v1::{Answer, ExecuteRequest, answer, kms_client::KmsClient};
use tonic::transport::Channel;

/// How a run of calls went.
#[derive(Debug, Default)]
pub struct Run {
    /// From the first call to the last answer.
    pub took: Duration,
    /// Of each call, ascending.
    pub latencies: Vec<Duration>,
    /// Calls besides, which are in neither.
    pub uncounted: usize,
}

impl Run {
    /// Answers per second.
    pub fn rate(&self) -> f64 {
        count(self.latencies.len()) / self.took.as_secs_f64()
    }

    /// Milliseconds that this share of the calls did not exceed.
    pub fn percentile(&self, percent: usize) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let index = last.saturating_mul(percent).div_ceil(100);
        self.latencies.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
    }

    /// Adds another run, which followed on this one.
    pub fn join(&mut self, other: Self) {
        self.took = self.took.saturating_add(other.took);
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
        self.uncounted = self.uncounted.saturating_add(other.uncounted);
    }
}

/// A number for arithmetic.
pub fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

/// One call; an error unless it is answered with success.
pub async fn call(client: &mut KmsClient<Channel>, call: ExecuteRequest) -> Result<Answer> {
    let answer = client.execute(call).await.context("a call was refused")?.into_inner();
    match &answer.outcome {
        Some(answer::Outcome::Success(_)) => Ok(answer),
        other => bail!("request {} got {other:?}", answer.request_id),
    }
}

/// All calls, `concurrency` of them at a time, over several connections.
pub async fn run(
    clients: &[KmsClient<Channel>],
    calls: Vec<ExecuteRequest>,
    concurrency: usize,
) -> Result<Run> {
    let total = calls.len();
    let calls: Arc<Vec<_>> = Arc::new(calls.into_iter().map(|call| Mutex::new(Some(call))).collect());
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut workers = Vec::with_capacity(concurrency);
    for client in clients.iter().cycle().take(concurrency) {
        workers.push(tokio::spawn(work(client.clone(), calls.clone(), next.clone())));
    }
    let mut latencies = Vec::with_capacity(total);
    for worker in workers {
        latencies.extend(worker.await??);
    }
    let took = started.elapsed();
    latencies.sort_unstable();
    ensure!(latencies.len() == total, "{} of {total} calls were answered", latencies.len());
    Ok(Run { took, latencies, uncounted: 0 })
}

async fn work(
    mut client: KmsClient<Channel>,
    calls: Arc<Vec<Mutex<Option<ExecuteRequest>>>>,
    next: Arc<AtomicUsize>,
) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    while let Some(slot) = calls.get(next.fetch_add(1, Ordering::Relaxed)) {
        let taken = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(request) = taken else { continue };
        let started = Instant::now();
        call(&mut client, request).await?;
        latencies.push(started.elapsed());
    }
    Ok(latencies)
}
