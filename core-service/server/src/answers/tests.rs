use std::{
    io,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use redb::{StorageBackend, backends::InMemoryBackend};

use super::*;
use crate::answers::prune::HEADERS_BACK;

/// A disk in memory whose flushes are counted, held back and broken.
#[derive(Clone, Debug)]
struct Disk {
    memory: Arc<InMemoryBackend>,
    controls: Arc<Controls>,
}

#[derive(Debug, Default)]
struct Controls {
    flushes: AtomicUsize,
    broken: AtomicBool,
    held: Mutex<bool>,
    changed: Condvar,
}

impl Controls {
    fn hold(&self) {
        *self.held.lock().unwrap() = true;
    }

    fn let_go(&self) {
        *self.held.lock().unwrap() = false;
        self.changed.notify_all();
    }

    fn flushes(&self) -> usize {
        self.flushes.load(Ordering::SeqCst)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        self.memory.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.memory.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.memory.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.controls.flushes.fetch_add(1, Ordering::SeqCst);
        let held = self.controls.held.lock().unwrap();
        drop(self.controls.changed.wait_while(held, |held| *held).unwrap());
        match self.controls.broken.load(Ordering::SeqCst) {
            true => Err(io::Error::other("no space left")),
            false => self.memory.sync_data(),
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.memory.write(offset, data)
    }
}

fn identity() -> Identity {
    Identity {
        chain_id: "kms-test-1".into(),
        contract: "wasm1asc".into(),
        memberships: Vec::new(),
        key_domain: kms_asc_api::KeyDomain { name: "KMS".into(), version: "1".into(), chain_id: 1 },
    }
}

fn store() -> (Arc<Answers>, Arc<Controls>, Arc<Metrics>) {
    let disk = Disk { memory: Arc::default(), controls: Arc::default() };
    let controls = disk.controls.clone();
    let database = Builder::new().create_with_backend(disk).unwrap();
    served(&database, &identity()).unwrap();
    let metrics = Arc::new(Metrics::default());
    (Arc::new(Answers::over(database, metrics.clone()).unwrap()), controls, metrics)
}

fn answer(request_id: u64, party: u32) -> Answer {
    Answer { request_id, party, ..Answer::default() }
}

fn spawn(answers: &Arc<Answers>, answer: Answer) -> tokio::task::JoinHandle<Result<Answer, Error>> {
    let answers = answers.clone();
    tokio::spawn(async move { answers.record(answer).await })
}

async fn begun(controls: &Controls, flushes: usize) {
    while controls.flushes() < flushes {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_answer_leaves_after_its_flush_and_answers_that_wait_share_one() {
    let (answers, controls, metrics) = store();
    let before = controls.flushes();
    answers.record(answer(1, 1)).await.unwrap();
    let of_one = controls.flushes() - before;

    controls.hold();
    let first = spawn(&answers, answer(2, 1));
    begun(&controls, before + of_one + 1).await;
    let others: Vec<_> = (3..103).map(|id| spawn(&answers, answer(id, 1))).collect();
    // All of them are at the writer, or on their way to it, and none has left.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(!first.is_finished() && others.iter().all(|other| !other.is_finished()));
    controls.let_go();
    assert_eq!(first.await.unwrap().unwrap().request_id, 2);
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(controls.flushes() - before, 3 * of_one, "three groups: of 1, 1 and 100 answers");
    let text = metrics.text(Default::default()).unwrap();
    assert!(text.contains("kms_core_flush_group_answers_count 3"), "{text}");
    assert!(text.contains("kms_core_flush_group_answers_sum 102"), "{text}");
}

#[tokio::test]
async fn the_first_answer_recorded_stands_also_within_a_group() {
    let (answers, controls, _) = store();
    controls.hold();
    let before = controls.flushes();
    let first = spawn(&answers, answer(1, 1));
    begun(&controls, before + 1).await;
    let second = spawn(&answers, answer(1, 2));
    let others = [spawn(&answers, answer(2, 3)), spawn(&answers, answer(2, 4))];
    controls.let_go();
    assert_eq!(first.await.unwrap(), Ok(answer(1, 1)));
    assert_eq!(second.await.unwrap(), Ok(answer(1, 1)));
    let [third, fourth] = others;
    let (third, fourth) = (third.await.unwrap().unwrap(), fourth.await.unwrap().unwrap());
    assert_eq!(third, fourth);
    assert_eq!(answers.get(2).unwrap(), Some(third));
}

#[tokio::test]
async fn what_cannot_be_flushed_is_not_answered() {
    let (answers, controls, _) = store();
    controls.broken.store(true, Ordering::SeqCst);
    let error = answers.record(answer(1, 1)).await.unwrap_err();
    assert!(matches!(&error, Error::Internal { cause } if cause.contains("no space left")), "{error:?}");
    assert!(answers.check().await.is_err());
}

#[tokio::test]
async fn an_answer_is_forgotten_when_no_acceptable_proof_shows_its_request_pending() {
    let (answers, _, metrics) = store();
    for id in 1..=3 {
        answers.record(answer(id, 1)).await.unwrap();
    }
    answers.finished(vec![1, 99], 100).await.unwrap();
    answers.finished(vec![2], 101).await.unwrap();

    // A header of height 100 + 50 still lets proofs of height 100 in.
    assert_eq!(answers.prune(100 + HEADERS_BACK).await, Ok(0));
    assert!(answers.may_answer_at(100));
    assert_eq!(answers.prune(100 + HEADERS_BACK + 1).await, Ok(1));
    assert_eq!(answers.get(1).unwrap(), None);
    assert!(answers.get(2).unwrap().is_some());
    assert!(!answers.may_answer_at(100) && answers.may_answer_at(101));

    assert_eq!(answers.prune(1_000).await, Ok(1));
    assert!(answers.get(3).unwrap().is_some(), "not proven finished");
    let text = metrics.text(Default::default()).unwrap();
    assert!(text.contains("kms_core_pruned_answers_total 2"), "{text}");
}

#[tokio::test]
async fn the_height_of_what_was_forgotten_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answers.redb");
    let open = || Answers::open(&file, &identity(), Arc::default()).unwrap();
    let answers = open();
    answers.record(answer(1, 1)).await.unwrap();
    answers.finished(vec![1], 100).await.unwrap();
    answers.prune(151).await.unwrap();
    drop(answers);
    let answers = open();
    assert_eq!(answers.get(1).unwrap(), None);
    assert!(!answers.may_answer_at(100) && answers.may_answer_at(101));
}

#[tokio::test]
async fn more_than_one_transaction_takes_is_forgotten_in_turns() {
    let (answers, _, _) = store();
    let ids: Vec<u64> = (1..=2_500).collect();
    for id in &ids {
        spawn(&answers, answer(*id, 1));
    }
    while answers.get(2_500).unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    answers.finished(ids, 10).await.unwrap();
    let mut forgotten = Vec::new();
    while forgotten.last() != Some(&0) {
        forgotten.push(answers.prune(100).await.unwrap());
    }
    assert_eq!(forgotten, [1_000, 1_000, 500, 0]);
}
