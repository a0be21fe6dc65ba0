//! Having requests answered: a few at a time, oldest first, each as often as it takes.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kms_asc_api::RequestId;
use kms_store::Store;
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    ciphertexts::{self, Found},
    config,
    core::Core,
    evidence::{Evidence, EvidenceError},
    failpoint,
    inbox::{Inbox, InboxError},
    item::Item,
    ledger::{Ledger, LedgerError},
    machine::{End, Facts, Operator, Stage, Step, verdict},
    metrics::{Metrics, Outcome},
};

/// How often a request that state does not know is looked for before it is dropped.
const UNKNOWN_TRIES: u32 = 20;

/// What the tasks that have requests answered share.
#[derive(Debug)]
pub struct Worker<L> {
    /// The contract.
    pub ledger: Arc<L>,
    /// The core.
    pub core: Core,
    /// What shows the core that it may work.
    pub evidence: Arc<Evidence<L>>,
    /// The ciphertexts.
    pub store: Store,
    /// The rows.
    pub inbox: Inbox,
    /// Whom the daemon serves.
    pub operator: Operator,
    /// Limits and times.
    pub config: config::Work,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// What came of one try.
#[derive(Debug)]
enum Tried {
    /// The row went on.
    Progress,
    /// To be tried again after a pause, which ends by the request's half time: what did not come by then is signed as
    /// a failure, and the core begins nothing shortly before the end.
    Again {
        /// How long it is to the half time, if that is still to come.
        half_time_in: Option<Duration>,
    },
}

/// To be tried again, whatever the time of the request is.
const AGAIN: Tried = Tried::Again { half_time_in: None };

/// When a row is tried again.
struct Rest {
    until: Instant,
    backoff: Backoff,
}

impl<L: Ledger> Worker<L> {
    /// Works until it is told to stop, then finishes what is under way.
    ///
    /// # Errors
    /// When the inbox fails.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) -> Result<(), InboxError> {
        let mut tries = Tries::default();
        while !stop.is_cancelled() {
            self.begin(&mut tries)?;
            let wake = tries.next_rest();
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.inbox.work_came() => {}
                () = sleep_until(wake) => {}
                Some(ended) = tries.running.join_next_with_id() => self.ended(&mut tries, ended)?,
            }
        }
        while let Some(ended) = tries.running.join_next_with_id().await {
            self.ended(&mut tries, ended)?;
        }
        Ok(())
    }

    /// Begins as many tries as there is room for.
    fn begin(self: &Arc<Self>, tries: &mut Tries) -> Result<(), InboxError> {
        let room = self.config.concurrency.saturating_sub(tries.running.len());
        if room == 0 {
            return Ok(());
        }
        for entry in self.inbox.queue(Stage::Seen, 0, room, |request| tries.may_begin(request))? {
            let request = entry.request;
            let count = tries.resting.get(&request).map_or(0, |rest| rest.backoff.tries());
            let worker = Arc::clone(self);
            let handle = tries.running.spawn(async move { worker.attempt(request, count).await });
            tries.requests.insert(handle.id(), request);
        }
        Ok(())
    }

    fn ended(
        &self,
        tries: &mut Tries,
        ended: Result<(Id, Result<Tried, InboxError>), JoinError>,
    ) -> Result<(), InboxError> {
        let (id, tried) = match ended {
            Ok((id, tried)) => (id, tried?),
            Err(error) => {
                tracing::error!(%error, "a try broke off");
                (error.id(), AGAIN)
            }
        };
        let Some(request) = tries.requests.remove(&id) else { return Ok(()) };
        match tried {
            Tried::Progress => {
                tries.resting.remove(&request);
            }
            Tried::Again { half_time_in } => {
                self.metrics.tried(Outcome::Again);
                let (first, longest) = (self.config.first_pause.get(), self.config.longest_pause.get());
                let fresh = || Rest { until: Instant::now(), backoff: Backoff::new(first, longest) };
                let rest = tries.resting.entry(request).or_insert_with(fresh);
                let pause = rest.backoff.pause();
                rest.until = Instant::now() + half_time_in.map_or(pause, |half| half.min(pause));
            }
        }
        Ok(())
    }

    /// One try: from what state says to a stored answer.
    async fn attempt(&self, request: RequestId, tries: u32) -> Result<Tried, InboxError> {
        let facts = match self.ledger.facts(request).await {
            Ok(Some(facts)) => facts,
            Ok(None) if tries >= UNKNOWN_TRIES => return self.finish(request, End::Unknown).await,
            Ok(None) => return Ok(AGAIN),
            Err(error @ LedgerError::State(_)) => return self.park(request, error.code(), &error).await,
            Err(error) => {
                tracing::debug!(%request, code = error.code(), %error, "cannot read the request now");
                return Ok(AGAIN);
            }
        };
        if let Some(end) = verdict(&facts, self.operator) {
            return self.finish(request, end).await;
        }
        let half_time = facts.body.half_time().unwrap_or(0);
        let half_time_in = half_time.checked_sub(facts.now).filter(|left| *left > 0).map(Duration::from_secs);
        match self.ask(&facts).await {
            Ok(Some(item)) => self.keep(&facts, item).await,
            Ok(None) => Ok(Tried::Again { half_time_in }),
            Err(error) if error.is_retryable() => {
                tracing::info!(%request, code = error.code(), %error, tries, "the core is asked again later");
                Ok(Tried::Again { half_time_in })
            }
            Err(error) => self.park(request, error.code(), &error).await,
        }
    }

    /// The core's answer; `None` if a ciphertext may still come.
    async fn ask(&self, facts: &Facts) -> Result<Option<Item>, EvidenceError> {
        let request = facts.body.id;
        let found = match ciphertexts::read(&self.store, &facts.body).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%request, code = error.code(), %error, "the store cannot be read now");
                return Ok(None);
            }
        };
        failpoint::reach(failpoint::CORE_ASKED);
        match found {
            Found::All(ciphertexts) => {
                let ask = |proof| self.core.execute(facts, proof, ciphertexts.clone());
                self.evidence.for_request(&facts.body, ask).await.map(Some)
            }
            Found::Missing(index) if facts.body.half_time().is_some_and(|half| facts.now >= half) => {
                tracing::warn!(%request, index, "a ciphertext did not come by half time");
                let ask = |proof| self.core.decline(facts, proof, index);
                self.evidence.for_request(&facts.body, ask).await.map(Some)
            }
            Found::Missing(index) => {
                tracing::debug!(%request, index, "a ciphertext is not in the store yet");
                Ok(None)
            }
        }
    }

    async fn keep(&self, facts: &Facts, item: Item) -> Result<Tried, InboxError> {
        failpoint::reach(failpoint::CORE_ANSWERED);
        let failure = item.failure_code().map(|code| code.name());
        tracing::info!(request = %facts.body.id, failure, "the core answered");
        let not_before = item.not_before(&facts.body);
        self.inbox.answered(item, not_before).await?;
        failpoint::reach(failpoint::ANSWER_STORED);
        self.metrics.tried(Outcome::Done);
        Ok(Tried::Progress)
    }

    async fn finish(&self, request: RequestId, end: End) -> Result<Tried, InboxError> {
        tracing::info!(%request, %end, "nothing to do");
        self.inbox.steps(vec![(request, Step::Finish(end))]).await?;
        Ok(Tried::Progress)
    }

    async fn park(
        &self,
        request: RequestId,
        reason: &str,
        error: &(dyn std::error::Error + Sync),
    ) -> Result<Tried, InboxError> {
        tracing::error!(%request, reason, %error, "given up: mend the cause and start the daemon again");
        self.inbox.steps(vec![(request, Step::Park(reason.to_owned()))]).await?;
        self.metrics.tried(Outcome::Parked);
        Ok(Tried::Progress)
    }
}

/// The tries under way, and the rows that rest after one.
#[derive(Default)]
struct Tries {
    running: JoinSet<Result<Tried, InboxError>>,
    requests: HashMap<Id, RequestId>,
    resting: HashMap<RequestId, Rest>,
}

impl Tries {
    fn may_begin(&self, request: RequestId) -> bool {
        let rested = self.resting.get(&request).is_none_or(|rest| rest.until <= Instant::now());
        rested && !self.requests.values().any(|running| *running == request)
    }

    /// When the next row has rested; some time from now if none rests.
    fn next_rest(&self) -> Instant {
        let now = Instant::now();
        let running = |request: &RequestId| self.requests.values().any(|other| other == request);
        let rests = self.resting.iter().filter(|(request, _)| !running(request)).map(|(_, rest)| rest.until);
        rests.filter(|until| *until > now).min().unwrap_or(now + Duration::from_secs(5))
    }
}
