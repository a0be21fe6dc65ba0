//! Answers that the chain does not take even when they are alone: each rests for a growing while, and is given up
//! in the end, so that one of them neither holds up the others nor eats the account.

use std::{collections::HashMap, time::Duration};

use kms_asc_api::RequestId;
use tokio::time::Instant;

use crate::backoff::Backoff;

/// How often an answer may fail alone before it is given up: over a minute, in which a node may come to itself.
const MOST: u32 = 8;
/// First and longest rest of an answer that failed alone.
const RESTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How often which answers failed alone. Forgotten when the daemon stops.
#[derive(Debug, Default)]
pub struct Strikes {
    rests: HashMap<RequestId, Rest>,
}

#[derive(Debug)]
struct Rest {
    until: Instant,
    backoff: Backoff,
}

impl Strikes {
    /// Whether this answer failed alone, so that it must not spoil a batch.
    pub fn has(&self, request: RequestId) -> bool {
        self.rests.contains_key(&request)
    }

    /// Whether this answer may be tried now.
    pub fn has_rested(&self, request: RequestId) -> bool {
        self.rests.get(&request).is_none_or(|rest| rest.until <= Instant::now())
    }

    /// This answer failed alone. True if it was once too often: it is to be given up, and forgotten here.
    pub fn strike(&mut self, request: RequestId) -> bool {
        let fresh = || Rest { until: Instant::now(), backoff: Backoff::new(RESTS.0, RESTS.1) };
        let rest = self.rests.entry(request).or_insert_with(fresh);
        rest.until = Instant::now() + rest.backoff.pause();
        let over = rest.backoff.tries() >= MOST;
        if over {
            self.forget(request);
        }
        over
    }

    /// This answer went through, or is no longer wanted.
    pub fn forget(&mut self, request: RequestId) {
        self.rests.remove(&request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_rests_after_each_failure_and_is_given_up_after_the_last() {
        let (mut strikes, poor, other) = (Strikes::default(), RequestId(1), RequestId(2));
        let begin = Instant::now();
        for _ in 1..MOST {
            assert!(!strikes.strike(poor));
            assert!(strikes.has(poor) && !strikes.has_rested(poor));
            assert!(!strikes.has(other) && strikes.has_rested(other));
            tokio::time::sleep(RESTS.1).await;
            assert!(strikes.has_rested(poor));
        }
        assert!(begin.elapsed() > RESTS.1);
        assert!(strikes.strike(poor));
        assert!(!strikes.has(poor), "started anew, it has all its tries again");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_went_through_is_as_good_as_any_other() {
        let mut strikes = Strikes::default();
        strikes.strike(RequestId(1));
        strikes.forget(RequestId(1));
        assert!(strikes.has_rested(RequestId(1)) && !strikes.has(RequestId(1)));
    }
}
