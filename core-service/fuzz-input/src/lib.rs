//! Bytes like those that a fuzzer tries, for tests: kept seeds, changed at random, for a minute.
//!
//! A fuzzer with coverage finds more and takes hours (`make fuzz`). This finds at every `make test` what a change broke close
//! to what is read every day.
//!
//! ```
//! use std::time::Duration;
//! use kms_fuzz_input::{Corpus, Shape};
//!
//! let seeds = vec![b"7 apples".to_vec()];
//! let tried = Corpus::new(seeds, Shape::Bytes).try_for(Duration::from_millis(20), |bytes| {
//!     String::from_utf8_lossy(bytes).split(' ').next().map(str::len);
//! });
//! assert!(tried > 1);
//! ```

mod edit;
mod message;

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestError, TestRunner},
};

use edit::Edit;

/// Inputs that are tried between two looks at the clock.
const BATCH: u32 = 64;
/// Most changes to one input.
const MOST_EDITS: usize = 6;

/// How inputs are built, so that a change reaches what lies behind the first check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Bytes are changed where they are.
    Bytes,
    /// One byte, then a protobuf message: its fields are changed, at any depth, and the lengths around them mended.
    Message,
}

/// What inputs are made from.
#[derive(Clone, Debug)]
pub struct Corpus {
    seeds: Vec<Vec<u8>>,
    shape: Shape,
}

impl Corpus {
    /// From inputs that are read to the end.
    ///
    /// # Panics
    /// Without a seed.
    pub fn new(seeds: Vec<Vec<u8>>, shape: Shape) -> Self {
        assert!(!seeds.is_empty(), "there is no seed");
        Self { seeds, shape }
    }

    /// Tries each seed, then changed seeds for a minute; how many inputs, which is printed too.
    ///
    /// # Panics
    /// On a finding: an input on which `entry` panics, made as small as it could be, in hexadecimal digits.
    pub fn try_for_a_minute(&self, entry: impl Fn(&[u8])) -> u64 {
        let tried = self.try_for(Duration::from_secs(60), entry);
        println!("{tried} inputs in a minute");
        tried
    }

    /// The same for another time, which begins after the seeds: what is made for the first input may take long.
    ///
    /// # Panics
    /// As [`Corpus::try_for_a_minute`].
    pub fn try_for(&self, time: Duration, entry: impl Fn(&[u8])) -> u64 {
        let tried = Cell::new(0);
        let entry = |input: &[u8]| {
            tried.set(tried.get() + 1);
            entry(input);
        };
        self.seeds.iter().for_each(|seed| entry(seed));
        let config = Config { cases: BATCH, failure_persistence: None, ..Config::default() };
        let (inputs, end) = (self.inputs(), Instant::now() + time);
        while Instant::now() < end {
            // A new one each time: a runner that has had its cases has no more of them.
            let result = TestRunner::new(config.clone()).run(&inputs, |input| {
                entry(&input);
                Ok::<(), TestCaseError>(())
            });
            if let Err(error) = result {
                report(error, tried.get());
            }
        }
        tried.get()
    }

    fn inputs(&self) -> impl Strategy<Value = Vec<u8>> + use<> {
        let (seeds, shape) = (self.seeds.clone(), self.shape);
        let edits = proptest::collection::vec(edit::edits(), 1..=MOST_EDITS);
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), edits).prop_map(
            move |(seed, other, edits)| {
                let (seed, other) = (seed.get(&seeds), other.get(&seeds));
                match shape {
                    Shape::Bytes => edit::apply_all(&edits, seed.clone(), other),
                    Shape::Message => changed_message(&edits, seed, other),
                }
            },
        )
    }
}

/// The first byte stays: it only says which message it is.
fn changed_message(edits: &[Edit], seed: &[u8], other: &[u8]) -> Vec<u8> {
    let Some((kind, message)) = seed.split_first() else { return Vec::new() };
    let donor = other.get(1..).unwrap_or_default();
    let changed = message::changed(edits, message, donor);
    [std::slice::from_ref(kind), &changed].concat()
}

#[allow(clippy::panic, reason = "a test ends like this")]
fn report(error: TestError<Vec<u8>>, tried: u64) -> ! {
    match error {
        TestError::Fail(reason, input) => {
            let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
            panic!("{reason}\nafter {tried} inputs, on these {} bytes: {hex}", input.len())
        }
        TestError::Abort(reason) => panic!("no input could be made: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field 2 is a message, whose field 1 is a count of the bytes in its field 2.
    fn seed() -> Vec<u8> {
        vec![0, 0x12, 7, 0x08, 3, 0x12, 3, b'a', b'b', b'c']
    }

    /// What a careless reader of that seed does.
    fn careless(bytes: &[u8]) {
        if let [0, 0x12, length, 0x08, count, 0x12, _, text @ ..] = bytes
            && usize::from(*length) == bytes.len() - 3
        {
            assert!(usize::from(*count) <= text.len(), "reads behind the end");
        }
    }

    #[test]
    fn a_careless_reader_is_found_and_what_it_stumbles_on_is_shown() {
        let corpus = Corpus::new(vec![seed()], Shape::Message);
        let found = std::panic::catch_unwind(|| corpus.try_for(Duration::from_secs(60), careless));
        let message = *found.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains("reads behind the end"), "{message}");
        assert!(message.contains("bytes: 0012"), "{message}");
    }

    #[test]
    fn inputs_are_tried_until_the_time_is_over_and_none_is_counted_that_was_not() {
        let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
        let corpus = Corpus::new(vec![vec![7; 1000]], Shape::Bytes);
        let count = Cell::new(0);
        let tried = corpus.try_for(Duration::from_secs(1), |bytes| {
            count.set(count.get() + 1);
            seen.lock().unwrap().insert(bytes.to_vec());
        });
        assert_eq!(tried, count.get());
        let different = seen.into_inner().unwrap().len();
        assert!(different > 4 * usize::try_from(BATCH).unwrap(), "{different} different ones of {tried}");
    }

    #[test]
    fn each_seed_is_tried_as_it_is() {
        let seeds = vec![b"one".to_vec(), b"two".to_vec()];
        let seen = std::sync::Mutex::new(Vec::new());
        let corpus = Corpus::new(seeds.clone(), Shape::Bytes);
        let tried = corpus.try_for(Duration::ZERO, |bytes| seen.lock().unwrap().push(bytes.to_vec()));
        assert_eq!((tried, seen.into_inner().unwrap()), (2, seeds));
    }
}
