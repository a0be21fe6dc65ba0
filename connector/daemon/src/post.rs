//! Posting answers: many in one contract call, few calls, nothing forgotten.

mod outcome;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::join_all;
use kms_asc_api::{Callback, RequestId};
use kms_chain::{Error as ChainError, Fraction, Gas};
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use self::outcome::MOST_BOOSTS;
use crate::{
    backoff::Backoff,
    batch::{Width, first_batch},
    config, failpoint,
    health::{Condition, Health},
    inbox::{Inbox, InboxError, StoredTx},
    item::Item,
    ledger::{Head, Ledger, LedgerError},
    machine::{Operator, Stage, Step, verdict},
    metrics::Metrics,
    settle::{Fate, settle},
    strikes::Strikes,
};

/// How often is looked for answers whose time has come.
const TICK: Duration = Duration::from_millis(500);
/// First pause after the chain took nothing.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Gas above the simulated: the answer that decides costs more than it did in simulation.
const HEADROOM: u64 = 100_000;
/// Gas of a failed callback beside its own limit: the contract's reply and its log entry.
const CALLBACK_FAILURE: u64 = 150_000;
/// Factor on simulated gas, in percent, and its growth each time a transaction runs out of it.
const GAS_PERCENT: (u64, u64) = (130, 60);

/// What posting needs.
#[derive(Debug)]
pub struct Outlet<L> {
    /// The contract.
    pub ledger: Arc<L>,
    /// The rows.
    pub inbox: Inbox,
    /// Whom the daemon serves.
    pub operator: Operator,
    /// Limits and times.
    pub config: config::Post,
    /// Where the state of the account is told.
    pub health: Arc<Health>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// The one task that posts.
#[derive(Debug)]
pub struct Poster<L> {
    outlet: Outlet<L>,
    width: Width,
    boosts: u64,
    strikes: Strikes,
    backoff: Backoff,
    hold: Option<Instant>,
    ready_since: Option<Instant>,
    flights: JoinSet<Result<Landed, InboxError>>,
}

#[derive(Debug)]
struct Landed {
    fate: Fate,
    requests: Vec<RequestId>,
}

impl<L: Ledger> Poster<L> {
    /// A poster with nothing under way.
    pub fn new(outlet: Outlet<L>) -> Self {
        let width = Width::new(outlet.config.max_items);
        let backoff = Backoff::new(FIRST_PAUSE, outlet.config.longest_pause.get());
        Self {
            outlet,
            width,
            boosts: 0,
            strikes: Strikes::default(),
            backoff,
            hold: None,
            ready_since: None,
            flights: JoinSet::new(),
        }
    }

    /// Takes up what was under way, then posts until it is told to stop and sees to its end what is under way.
    ///
    /// # Errors
    /// When the inbox fails.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), InboxError> {
        self.take_up().await?;
        while !stop.is_cancelled() {
            let wake = self.post_what_is_ready().await?;
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.outlet.inbox.answers_came() => {}
                () = sleep_until(wake) => {}
                Some(landed) = self.flights.join_next() => self.landed(landed).await?,
            }
        }
        while let Some(landed) = self.flights.join_next().await {
            self.landed(landed).await?;
        }
        Ok(())
    }

    /// Sends again what an earlier life of the daemon signed, and sees it to its end.
    async fn take_up(&mut self) -> Result<(), InboxError> {
        for stored in self.outlet.inbox.transactions()? {
            tracing::info!(tx = %stored.tx.hash, items = stored.requests.len(), "transaction taken up again");
            if let Err(error) = self.outlet.ledger.broadcast(&stored.tx).await {
                tracing::info!(tx = %stored.tx.hash, code = error.code(), %error, "its fate is looked up");
            }
            self.see_off(stored);
        }
        Ok(())
    }

    /// Posts while there is something to post and room for it; says when to look again.
    async fn post_what_is_ready(&mut self) -> Result<Instant, InboxError> {
        loop {
            let now = Instant::now();
            if let Some(hold) = self.hold.filter(|hold| *hold > now) {
                return Ok(hold);
            }
            self.hold = None;
            if self.flights.len() >= self.outlet.config.in_flight {
                return Ok(now + TICK);
            }
            match self.next_batch().await {
                Ok(Next::Batch { items, callback_gas }) => self.post(items, callback_gas).await?,
                Ok(Next::Nothing) => return Ok(now + TICK),
                Ok(Next::Wait(until)) => return Ok(until),
                Err(NextError::Inbox(error)) => return Err(error),
                Err(NextError::Ledger(error)) => {
                    tracing::warn!(code = error.code(), %error, "the contract cannot be read now");
                    self.rest();
                }
            }
        }
    }

    /// The answers of the next transaction.
    ///
    /// While one is under way, the next waits until it is full; and the first waits a moment for company. What
    /// failed alone goes alone, after its rest.
    async fn next_batch(&mut self) -> Result<Next, NextError> {
        let Outlet { ledger, inbox, config, .. } = &self.outlet;
        let Head { time, .. } = ledger.head().await?;
        let width = self.width.get();
        let strikes = &mut self.strikes;
        let mut ready = inbox.queue(Stage::Answered, time, width, |request| strikes.has_rested(request))?;
        match ready.first() {
            Some(first) if strikes.has(first.request) => ready.truncate(1),
            _ => ready.retain(|entry| !strikes.has(entry.request)),
        }
        if ready.is_empty() {
            self.ready_since = None;
            return Ok(Next::Nothing);
        }
        if ready.len() < width {
            if !self.flights.is_empty() {
                return Ok(Next::Nothing);
            }
            let since = *self.ready_since.get_or_insert_with(Instant::now);
            let until = since + config.linger.get();
            let more_may_come = !inbox.queue(Stage::Seen, 0, 1, |_| true)?.is_empty();
            if more_may_come && Instant::now() < until {
                return Ok(Next::Wait(until));
            }
        }
        self.ready_since = None;
        let mut items = Vec::with_capacity(ready.len());
        let facts = join_all(ready.iter().map(|entry| ledger.facts(entry.request))).await;
        let mut finished = Vec::new();
        let mut callbacks = BTreeMap::new();
        for (entry, facts) in ready.iter().zip(facts) {
            let end = match facts {
                Ok(facts) => facts.and_then(|facts| {
                    callbacks.insert(entry.request, facts.body.callback.as_ref().map_or(0, callback_gas));
                    verdict(&facts, self.outlet.operator)
                }),
                Err(error @ LedgerError::State(_)) => {
                    tracing::error!(request = %entry.request, %error, "given up");
                    finished.push((entry.request, Step::Park(error.code().to_owned())));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            match (end, inbox.answer(entry.request)?) {
                (Some(end), _) => {
                    tracing::info!(request = %entry.request, %end, "nothing to post");
                    finished.push((entry.request, Step::Finish(end)));
                }
                (None, Some(item)) => items.push(item),
                (None, None) => finished.push((entry.request, Step::Park("answer_lost".into()))),
            }
        }
        if !finished.is_empty() {
            finished.iter().for_each(|(request, _)| strikes.forget(*request));
            inbox.steps(finished).await?;
        }
        let batch = first_batch(items, width, config);
        let gas = batch.iter().filter_map(|item| callbacks.get(&item.request_id()));
        let callback_gas = gas.fold(0u64, |sum, gas| sum.saturating_add(*gas));
        Ok(if batch.is_empty() { Next::Nothing } else { Next::Batch { items: batch, callback_gas } })
    }

    /// Simulates, signs, stores and sends, in this order.
    async fn post(&mut self, items: Vec<Item>, callback_gas: u64) -> Result<(), InboxError> {
        let tx = match self.outlet.ledger.prepare(&items, self.gas(callback_gas)).await {
            Ok(tx) if tx.gas_limit > self.outlet.config.max_gas && self.width.narrow(items.len()) => {
                tracing::info!(gas = tx.gas_limit, items = items.len(), "too much gas for one transaction");
                return Ok(());
            }
            Ok(tx) => tx,
            Err(error) => return self.refused(error, &items).await,
        };
        failpoint::reach(failpoint::TX_SIGNED);
        let stored = StoredTx { tx, requests: requests(&items) };
        self.outlet.inbox.posting(stored.clone()).await?;
        failpoint::reach(failpoint::TX_STORED);
        match self.outlet.ledger.broadcast(&stored.tx).await {
            Ok(_) => {
                tracing::info!(tx = %stored.tx.hash, items = items.len(), gas = stored.tx.gas_limit, "posted");
                self.account_pays();
            }
            Err(error) if error.is_uncertain() || matches!(error, ChainError::MempoolFull { .. }) => {
                tracing::warn!(tx = %stored.tx.hash, code = error.code(), %error, "sent again until it is known");
                self.rest();
            }
            Err(error) => {
                let back = stored.requests.iter().map(|id| (*id, Step::TakeBack { not_before: 0 })).collect();
                self.outlet.inbox.settled(stored.tx.hash, back).await?;
                return self.refused(error, &items).await;
            }
        }
        failpoint::reach(failpoint::TX_SENT);
        self.see_off(stored);
        Ok(())
    }

    /// A task that saw a transaction off ended without a result: the transaction is still stored.
    fn broke_off(&mut self, error: &JoinError) -> Result<(), InboxError> {
        tracing::error!(%error, "a transaction was lost from sight");
        if self.flights.is_empty() {
            self.outlet.inbox.transactions()?.into_iter().for_each(|stored| self.see_off(stored));
        }
        self.rest();
        Ok(())
    }

    fn see_off(&mut self, stored: StoredTx) {
        let (ledger, inbox) = (Arc::clone(&self.outlet.ledger), self.outlet.inbox.clone());
        let requests = stored.requests.clone();
        self.flights
            .spawn(async move { Ok(Landed { fate: settle(ledger, inbox, stored).await?, requests }) });
    }

    fn gas(&self, callback_gas: u64) -> Gas {
        let (base, growth) = GAS_PERCENT;
        let percent = base.saturating_add(growth.saturating_mul(self.boosts.min(MOST_BOOSTS)));
        Gas::Simulated {
            factor: Fraction::new(percent, 100).ok(),
            headroom: HEADROOM.saturating_add(callback_gas),
        }
    }

    fn cannot_pay(&mut self, error: &dyn std::fmt::Display) {
        tracing::warn!(%error, "the account cannot pay for transactions: send coins to it; answers wait");
        self.outlet.health.set(Condition::Account, Err(error.to_string()));
        self.rest();
    }

    fn account_pays(&mut self) {
        self.outlet.health.set(Condition::Account, Ok(()));
        self.backoff.reset();
    }

    fn rest(&mut self) {
        self.hold = Some(Instant::now() + self.backoff.pause());
    }
}

fn requests(items: &[Item]) -> Vec<RequestId> {
    items.iter().map(Item::request_id).collect()
}

/// The most that the call of a requesting contract can cost. Simulation cannot tell: the answer may turn out to be the
/// one that decides, and the contract may do something else when it comes to it. The requester has paid for this gas.
const fn callback_gas(callback: &Callback) -> u64 {
    callback.gas_limit.saturating_add(CALLBACK_FAILURE)
}

/// What there is to post.
#[derive(Debug)]
enum Next {
    Batch { items: Vec<Item>, callback_gas: u64 },
    Nothing,
    Wait(Instant),
}

#[derive(Debug, thiserror::Error)]
enum NextError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Inbox(#[from] InboxError),
}
