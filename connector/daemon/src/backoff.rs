//! Growing pauses between tries.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    time::Duration,
};

/// Pauses that double from a first to a longest one, each shortened by up to a half at random, so that what
/// failed together does not come back together.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    tries: u32,
}

impl Backoff {
    /// Pauses from `first` to `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, tries: 0 }
    }

    /// How often [`pause`](Self::pause) was called since the last reset.
    pub const fn tries(&self) -> u32 {
        self.tries
    }

    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        let factor = 1u32.checked_shl(self.tries.min(16)).unwrap_or(u32::MAX);
        self.tries = self.tries.saturating_add(1);
        let whole = self.first.saturating_mul(factor).min(self.longest);
        let half = whole / 2;
        let nanos = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_nanos(random() % nanos)
    }

    /// Begins anew.
    pub const fn reset(&mut self) {
        self.tries = 0;
    }
}

/// A number that differs from call to call and process to process; not for secrets.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_begin_anew_after_a_reset() {
        let (first, longest) = (Duration::from_millis(100), Duration::from_millis(1_000));
        let mut backoff = Backoff::new(first, longest);
        for whole in [100, 200, 400, 800, 1_000, 1_000] {
            let (pause, whole) = (backoff.pause(), Duration::from_millis(whole));
            assert!(pause >= whole / 2 && pause <= whole, "{pause:?} of {whole:?}");
        }
        (0..100).for_each(|_| assert!(backoff.pause() <= longest));
        backoff.reset();
        assert!(backoff.pause() <= first);
    }
}
