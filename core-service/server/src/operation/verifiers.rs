//! Verifiers of inputs that are ready for use.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kms_asc_api::Digest;
use kms_core_engine::ParameterSet;

/// What a verifier is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) params: ParameterSet,
    /// Digest of the key's public key.
    pub(super) public_key: Digest,
    /// Digest of the reference string.
    pub(super) crs: Digest,
}

/// The verifiers used last, so many at most: each takes some 10 MB.
pub(super) struct Verifiers<V> {
    /// The last used at the back.
    ready: Mutex<VecDeque<(Parts, Arc<V>)>>,
    limit: usize,
}

impl<V> Verifiers<V> {
    pub(super) fn new(limit: usize) -> Self {
        Self { ready: Mutex::default(), limit }
    }

    pub(super) fn get(&self, parts: &Parts) -> Option<Arc<V>> {
        let mut ready = self.lock();
        let place = ready.iter().position(|(of, _)| of == parts)?;
        let found = ready.remove(place)?;
        let verifier = found.1.clone();
        ready.push_back(found);
        Some(verifier)
    }

    /// Keeps a verifier. If another was faster, that one is given back.
    pub(super) fn keep(&self, parts: Parts, verifier: V) -> Arc<V> {
        if let Some(other) = self.get(&parts) {
            return other;
        }
        let verifier = Arc::new(verifier);
        let mut ready = self.lock();
        ready.push_back((parts, verifier.clone()));
        while ready.len() > self.limit {
            ready.pop_front();
        }
        verifier
    }

    /// Forgets those that were made with a key.
    pub(super) fn forget(&self, public_key: &Digest) {
        self.lock().retain(|(parts, _)| parts.public_key != *public_key);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Parts, Arc<V>)>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(key: u8) -> Parts {
        let digest = |byte| Digest::new([byte; 32]);
        Parts { params: ParameterSet::Test, public_key: digest(key), crs: digest(0) }
    }

    #[test]
    fn the_one_that_was_not_used_for_longest_gives_way() {
        let verifiers = Verifiers::new(2);
        verifiers.keep(parts(1), "one");
        verifiers.keep(parts(2), "two");
        assert_eq!(verifiers.get(&parts(1)).as_deref(), Some(&"one"));
        verifiers.keep(parts(3), "three");
        assert_eq!(verifiers.get(&parts(2)), None);
        assert_eq!(verifiers.get(&parts(1)).as_deref(), Some(&"one"));
    }

    #[test]
    fn the_first_of_two_that_were_made_at_the_same_time_is_kept() {
        let verifiers = Verifiers::new(2);
        verifiers.keep(parts(1), "first");
        assert_eq!(*verifiers.keep(parts(1), "second"), "first");
    }

    #[test]
    fn those_of_a_destroyed_key_are_forgotten() {
        let verifiers = Verifiers::new(2);
        verifiers.keep(parts(1), "one");
        verifiers.keep(parts(2), "two");
        verifiers.forget(&parts(1).public_key);
        assert_eq!((verifiers.get(&parts(1)), verifiers.get(&parts(2)).as_deref()), (None, Some(&"two")));
    }
}
