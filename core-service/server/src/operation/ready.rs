//! What takes time to make, ready for use.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kms_asc_api::Digest;
use kms_core_engine::ParameterSet;

/// What a reference string is loaded from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StringParts {
    pub(super) params: ParameterSet,
    /// Digest of the reference string.
    pub(super) crs: Digest,
}

/// What a verifier is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VerifierParts {
    /// Digest of the key's public key.
    pub(super) public_key: Digest,
    pub(super) string: StringParts,
}

/// The things used last, so many at most, by what they were made from.
pub(super) struct Ready<P, T> {
    /// The last used at the back.
    things: Mutex<VecDeque<(P, Arc<T>)>>,
    limit: usize,
}

impl<P: PartialEq, T> Ready<P, T> {
    pub(super) fn new(limit: usize) -> Self {
        Self { things: Mutex::default(), limit }
    }

    pub(super) fn get(&self, parts: &P) -> Option<Arc<T>> {
        let mut things = self.lock();
        let place = things.iter().position(|(of, _)| of == parts)?;
        let found = things.remove(place)?;
        let thing = found.1.clone();
        things.push_back(found);
        Some(thing)
    }

    /// Keeps a thing. If another was faster, that one is given back.
    pub(super) fn keep(&self, parts: P, thing: T) -> Arc<T> {
        if let Some(other) = self.get(&parts) {
            return other;
        }
        let thing = Arc::new(thing);
        let mut things = self.lock();
        things.push_back((parts, thing.clone()));
        while things.len() > self.limit {
            things.pop_front();
        }
        thing
    }

    /// Forgets those that were made from such parts.
    pub(super) fn forget(&self, made_from: impl Fn(&P) -> bool) {
        self.lock().retain(|(parts, _)| !made_from(parts));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(P, Arc<T>)>> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_was_not_used_for_longest_gives_way() {
        let ready = Ready::new(2);
        ready.keep(1, "one");
        ready.keep(2, "two");
        assert_eq!(ready.get(&1).as_deref(), Some(&"one"));
        ready.keep(3, "three");
        assert_eq!(ready.get(&2), None);
        assert_eq!(ready.get(&1).as_deref(), Some(&"one"));
    }

    #[test]
    fn the_first_of_two_that_were_made_at_the_same_time_is_kept() {
        let ready = Ready::new(2);
        ready.keep(1, "first");
        assert_eq!(*ready.keep(1, "second"), "first");
    }

    #[test]
    fn those_made_from_what_is_gone_are_forgotten() {
        let ready = Ready::new(2);
        ready.keep(1, "one");
        ready.keep(2, "two");
        ready.forget(|parts| *parts == 1);
        assert_eq!((ready.get(&1), ready.get(&2).as_deref()), (None, Some(&"two")));
    }
}
