//! Which answers go into one transaction.

use crate::{config, item::Item};

/// Bytes of a transaction besides its items' JSON, generously.
const ENVELOPE: usize = 1_000;

/// The longest run of items, from the first on, that one contract call can take: of one kind, at most
/// `width` and within the configured bytes. The first item is always in it.
pub fn first_batch(items: Vec<Item>, width: usize, limits: &config::Post) -> Vec<Item> {
    let kind = items.first().map(Item::kind);
    let mut bytes = ENVELOPE;
    let mut batch = Vec::new();
    for item in items.into_iter().filter(|item| Some(item.kind()) == kind) {
        bytes = bytes.saturating_add(json_bytes(&item));
        let full = batch.len() >= width || bytes > limits.max_bytes;
        if full && !batch.is_empty() {
            break;
        }
        batch.push(item);
    }
    batch
}

/// Bytes of an item in the contract call.
fn json_bytes(item: &Item) -> usize {
    serde_json::to_vec(item).map_or(usize::MAX, |json| json.len())
}

/// How many answers a transaction may have, learnt from what the chain took.
#[derive(Debug, Clone)]
pub struct Width {
    now: usize,
    most: usize,
}

impl Width {
    /// At most `most`, to begin with.
    pub const fn new(most: usize) -> Self {
        Self { now: most, most }
    }

    /// The present limit.
    pub const fn get(&self) -> usize {
        self.now
    }

    /// A batch of `items` was too much: half of it next time. False if it had one item only, so that nothing can
    /// be halved.
    pub fn narrow(&mut self, items: usize) -> bool {
        if items > 1 {
            self.now = items / 2;
        }
        items > 1
    }

    /// A batch of `items` went through.
    pub fn widen(&mut self, items: usize) {
        if items >= self.now {
            self.now = self.now.saturating_mul(2).min(self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use kms_asc_api::{Answer, EpochId, Failure, PartyId, RequestId, Signature};

    use super::*;

    fn answer(id: u64, payload: usize) -> Item {
        Item::Answer(Answer {
            request_id: RequestId(id),
            epoch: EpochId(1),
            party: PartyId(1),
            payload: vec![0; payload].into(),
            external_signature: None,
            receipt: Signature::new([1; 65]).into(),
        })
    }

    fn failure(id: u64) -> Item {
        Item::Failure(Failure {
            request_id: RequestId(id),
            epoch: EpochId(1),
            party: PartyId(1),
            code: 3,
            index: 0,
            receipt: Signature::new([1; 65]).into(),
        })
    }

    fn ids(batch: &[Item]) -> Vec<u64> {
        batch.iter().map(|item| item.request_id().get()).collect()
    }

    #[test]
    fn a_batch_is_of_one_kind_and_the_other_waits_for_the_next() {
        let items = vec![answer(1, 32), failure(2), answer(3, 32)];
        assert_eq!(ids(&first_batch(items, 10, &config::Post::default())), [1, 3]);
        assert_eq!(ids(&first_batch(vec![failure(2), answer(3, 32)], 10, &config::Post::default())), [2]);
        assert!(first_batch(vec![], 10, &config::Post::default()).is_empty());
    }

    #[test]
    fn a_batch_keeps_within_count_and_bytes() {
        let limits = config::Post { max_bytes: 10_000, ..config::Post::default() };
        let items: Vec<_> = (1..=9).map(|id| answer(id, 1_500)).collect();
        assert_eq!(ids(&first_batch(items.clone(), 2, &limits)), [1, 2]);
        let batch = first_batch(items, 9, &limits);
        let bytes = serde_json::to_vec(&batch).unwrap().len();
        assert!(batch.len() == 4 && bytes <= 10_000, "{} items, {bytes} bytes", batch.len());
    }

    #[test]
    fn an_item_that_is_too_large_goes_alone() {
        let limits = config::Post { max_bytes: 1_000, ..config::Post::default() };
        assert_eq!(ids(&first_batch(vec![answer(1, 5_000), answer(2, 1)], 9, &limits)), [1]);
    }

    #[test]
    fn the_width_halves_down_to_one_and_grows_back_when_full_batches_pass() {
        let mut width = Width::new(64);
        assert!(width.narrow(50));
        assert_eq!(width.get(), 25);
        assert!(width.narrow(3));
        assert!(!width.narrow(1));
        assert_eq!(width.get(), 1);
        for expected in [2, 4, 8, 16, 32, 64, 64] {
            width.widen(width.get());
            assert_eq!(width.get(), expected);
        }
        width.widen(3);
        assert_eq!(width.get(), 64);
    }
}
