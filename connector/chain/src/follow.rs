//! Following the chain block by block.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep_until};

use crate::{Block, Error, Result, client::unreadable};

/// Where blocks come from: a [`Client`](crate::Client), or a fake in tests.
pub trait BlockSource: Send + Sync {
    /// The block of this height with its events; hashes of its transactions if `tx_hashes`.
    ///
    /// # Errors
    /// [`Error::Pruned`] and [`Error::ResultsMissing`] if this node will never have it; transport
    /// errors are retryable.
    fn fetch(&self, height: u64, tx_hashes: bool) -> impl Future<Output = Result<Fetched>> + Send;
}

impl<S: BlockSource> BlockSource for &S {
    fn fetch(&self, height: u64, tx_hashes: bool) -> impl Future<Output = Result<Fetched>> + Send {
        (**self).fetch(height, tx_hashes)
    }
}

/// Answer of a [`BlockSource`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The block.
    Block(Block),
    /// The chain, or the results of this block, are not there yet.
    NotYet,
}

/// How to follow.
#[derive(Debug, Clone, Copy)]
pub struct FollowerConfig {
    /// Pause after the answer "not yet". Default 50 ms: results are seen about 30 ms after commit.
    pub poll_interval: Duration,
    /// Pause after an error, before the next call asks again. Default 500 ms.
    pub error_interval: Duration,
    /// Whether to fetch the hashes of transactions. It costs the whole block instead of its header,
    /// for blocks with successful transactions only. Default: yes.
    pub tx_hashes: bool,
}

impl Default for FollowerConfig {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_millis(50),
            error_interval: Duration::from_millis(500),
            tx_hashes: true,
        }
    }
}

/// Yields blocks with **no gaps, in order, no duplicates**, from a first height on.
///
/// * A height is asked for until it is there; the next one only after it was yielded.
/// * An answer for another height is an error, never skipped over.
/// * Dropping the future of [`next`](Self::next) loses nothing: the height counts as yielded only
///   when `next` returns it.
/// * Never a busy loop: there is a pause after "not yet" and after an error, also across calls.
///
/// Where to begin after a restart is the caller's cursor. A node that is behind, or was restarted,
/// only makes `next` wait.
#[derive(Debug)]
pub struct BlockFollower<S> {
    source: S,
    config: FollowerConfig,
    next: u64,
    not_before: Option<Instant>,
}

impl<S: BlockSource> BlockFollower<S> {
    /// Follows from `first` on; heights begin at 1.
    pub fn new(source: S, first: u64, config: FollowerConfig) -> Self {
        Self { source, config, next: first.max(1), not_before: None }
    }

    /// The height that [`next`](Self::next) will yield.
    pub fn next_height(&self) -> u64 {
        self.next
    }

    /// Waits for the next block.
    ///
    /// After a retryable error, call again: the same height is asked for, after a pause. On
    /// [`Error::Pruned`] or [`Error::ResultsMissing`] this node cannot give the block: use another
    /// node, or reconcile from contract state and follow from a later height.
    pub async fn next(&mut self) -> Result<Block> {
        loop {
            if let Some(instant) = self.not_before {
                sleep_until(instant).await;
            }
            match self.source.fetch(self.next, self.config.tx_hashes).await {
                Ok(Fetched::Block(block)) => return self.accept(block),
                Ok(Fetched::NotYet) => self.pause(self.config.poll_interval),
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    fn accept(&mut self, block: Block) -> Result<Block> {
        if block.height != self.next {
            let text = format!("asked for height {}, got {}", self.next, block.height);
            return Err(self.failed(unreadable("block", &text)));
        }
        let next = self.next.checked_add(1);
        self.next = next.ok_or_else(|| unreadable("block", &"heights are exhausted"))?;
        self.not_before = None;
        Ok(block)
    }

    fn failed(&mut self, error: Error) -> Error {
        self.pause(self.config.error_interval);
        error
    }

    fn pause(&mut self, pause: Duration) {
        self.not_before = Some(Instant::now() + pause.max(Duration::from_millis(1)));
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, sync::Mutex};

    use super::*;
    use crate::BlockTime;

    /// Answers in the order given, and remembers what it was asked.
    struct Script {
        answers: Mutex<VecDeque<Result<Fetched>>>,
        asked: Mutex<Vec<u64>>,
    }

    impl BlockSource for Script {
        async fn fetch(&self, height: u64, _: bool) -> Result<Fetched> {
            self.asked.lock().unwrap().push(height);
            let answer = self.answers.lock().unwrap().pop_front();
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        }
    }

    fn script(answers: impl IntoIterator<Item = Result<Fetched>>) -> Script {
        Script { answers: Mutex::new(answers.into_iter().collect()), asked: Mutex::default() }
    }

    fn block(height: u64) -> Result<Fetched> {
        let time = BlockTime { seconds: height, nanos: 0 };
        Ok(Fetched::Block(Block { height, time, txs: Vec::new(), block_events: Vec::new() }))
    }

    fn broken() -> Result<Fetched> {
        Err(Error::Unreachable { method: "block_results", reason: "gone".into() })
    }

    fn quick() -> FollowerConfig {
        let interval = Duration::from_millis(10);
        FollowerConfig { poll_interval: interval, error_interval: interval, tx_hashes: true }
    }

    #[tokio::test]
    async fn heights_come_in_order_without_gaps_or_duplicates_whatever_happens_between() {
        let answers = [
            block(5),
            Ok(Fetched::NotYet),
            broken(),
            Ok(Fetched::NotYet),
            block(6),
            broken(),
            broken(),
            block(7),
        ];
        let source = script(answers);
        let mut follower = BlockFollower::new(&source, 5, quick());
        let mut heights = Vec::new();
        let mut errors = 0;
        while heights.len() < 3 {
            match follower.next().await {
                Ok(block) => heights.push(block.height),
                Err(error) => {
                    assert!(error.is_retryable());
                    errors += 1;
                }
            }
        }
        assert_eq!((heights, errors), (vec![5, 6, 7], 3));
        assert_eq!(*source.asked.lock().unwrap(), [5, 6, 6, 6, 6, 7, 7, 7]);
        assert_eq!(follower.next_height(), 8);
    }

    #[tokio::test]
    async fn a_block_of_another_height_is_never_yielded() {
        let source = script([block(6), block(4), block(5)]);
        let mut follower = BlockFollower::new(&source, 5, quick());
        assert_eq!(follower.next().await.unwrap_err().code(), "bad_response");
        assert_eq!(follower.next().await.unwrap_err().code(), "bad_response");
        assert_eq!(follower.next().await.unwrap().height, 5);
    }

    #[tokio::test]
    async fn dropping_the_wait_loses_no_block() {
        let source = script([block(1), Ok(Fetched::NotYet), Ok(Fetched::NotYet)]);
        let mut follower = BlockFollower::new(&source, 0, quick());
        assert_eq!(follower.next().await.unwrap().height, 1);
        for _ in 0..3 {
            let dropped = tokio::time::timeout(Duration::from_millis(5), follower.next()).await;
            assert!(dropped.is_err());
        }
        source.answers.lock().unwrap().clear();
        source.answers.lock().unwrap().extend([block(2), block(3)]);
        assert_eq!(follower.next().await.unwrap().height, 2);
        assert_eq!(follower.next().await.unwrap().height, 3);
    }

    #[tokio::test]
    async fn a_pruned_height_is_told_and_not_skipped() {
        let pruned = Error::Pruned { height: 1, lowest: 5 };
        let source = script([Err(pruned.clone()), Err(pruned.clone())]);
        let mut follower = BlockFollower::new(&source, 1, quick());
        assert_eq!(follower.next().await.unwrap_err(), pruned);
        assert_eq!(follower.next().await.unwrap_err(), pruned);
        assert_eq!(follower.next_height(), 1);
    }

    #[tokio::test]
    async fn there_is_a_pause_after_not_yet_and_after_an_error_but_none_while_catching_up() {
        let source = script([Ok(Fetched::NotYet), broken(), block(1), block(2), block(3)]);
        let begin = Instant::now();
        let mut follower = BlockFollower::new(&source, 1, quick());
        assert!(follower.next().await.is_err());
        assert_eq!(follower.next().await.unwrap().height, 1);
        assert!(begin.elapsed() >= Duration::from_millis(20));
        assert!(follower.not_before.is_none());
        follower.config.poll_interval = Duration::ZERO;
        follower.pause(Duration::ZERO);
        assert!(follower.not_before.is_some_and(|at| at > Instant::now() - Duration::from_millis(1)));
    }
}
