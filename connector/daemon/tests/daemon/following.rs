//! Following: no block left out, and state wherever blocks cannot be had.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use kms_asc_api::{EpochId, OperationKind, RequestId, State, event::Event};
use kms_chain::{Block, BlockSource, BlockTime, Error, Event as ChainEvent, Fetched, TxEvents};
use kms_connector::{
    follow::Follower,
    inbox::Inbox,
    machine::{End, Row, Stage, Step},
    metrics::Metrics,
    reconcile::{Pace, Reconciler, Scope},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    fake_ledger::FakeLedger,
    scene::{Place, US, row, until},
};

const ASC: &str = "wasm1asc";

/// Blocks up to a height, some with requests, some pruned.
#[derive(Debug, Clone, Default)]
struct Chain {
    blocks: Arc<Mutex<Blocks>>,
}

#[derive(Debug, Default)]
struct Blocks {
    latest: u64,
    lowest: u64,
    requests: BTreeMap<u64, Vec<u64>>,
    errors: Vec<Error>,
    /// Blocks that the client cannot read.
    unreadable: Vec<u64>,
}

impl BlockSource for Chain {
    async fn fetch(&self, height: u64, _tx_hashes: bool) -> Result<Fetched, Error> {
        let mut blocks = self.blocks.lock().unwrap();
        if let Some(error) = blocks.errors.pop() {
            return Err(error);
        }
        if height < blocks.lowest {
            return Err(Error::Pruned { height, lowest: blocks.lowest });
        }
        if blocks.unreadable.contains(&height) {
            return Err(unreadable());
        }
        if height > blocks.latest {
            return Ok(Fetched::NotYet);
        }
        let events = blocks.requests.get(&height).into_iter().flatten().map(|id| opened(*id)).collect();
        let txs = vec![TxEvents { index: 0, hash: None, events }];
        let time = BlockTime { seconds: 100, nanos: 0 };
        Ok(Fetched::Block(Block { height, time, txs, block_events: Vec::new() }))
    }
}

fn unreadable() -> Error {
    Error::BadResponse { what: "block_results".into(), reason: "odd".into() }
}

fn opened(id: u64) -> ChainEvent {
    let event = cosmwasm_std::Event::from(Event::Request {
        request_id: RequestId(id),
        operation: OperationKind::KeyGen,
        state: State::Pending,
        epoch: Some(EpochId(US.epoch.get())),
    });
    let first = ("_contract_address".to_owned(), ASC.to_owned());
    let own = event.attributes.into_iter().map(|attribute| (attribute.key, attribute.value));
    let attributes = std::iter::once(first).chain(own).collect();
    ChainEvent { kind: format!("wasm-{}", event.ty), attributes }
}

/// Follows until the cursor is at `height`.
async fn follow_to(height: u64, chain: &Chain, ledger: &FakeLedger, inbox: &Inbox) -> Arc<Metrics> {
    let metrics = Arc::<Metrics>::default();
    let shared = Arc::new(ledger.clone());
    let follower = Follower {
        ledger: Arc::clone(&shared),
        source: chain.clone(),
        reconciler: Reconciler { ledger: shared, inbox: inbox.clone(), metrics: Arc::default() },
        inbox: inbox.clone(),
        contract: ASC.into(),
        operator: US,
        start_height: None,
        poll_interval: Duration::from_millis(50),
        cursor: watch::channel(0).0,
        health: Arc::default(),
        metrics: Arc::clone(&metrics),
    };
    until(follower.run(CancellationToken::new()), || inbox.cursor().unwrap() == Some(height)).await;
    metrics
}

fn seen(inbox: &Inbox) -> Vec<u64> {
    let found = inbox.queue(Stage::Seen, 0, 100, |_| true).unwrap();
    found.into_iter().map(|entry| entry.request.get()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_inbox_takes_what_is_open_from_state_and_what_comes_from_blocks() {
    let (place, chain, ledger) = (Place::new(), Chain::default(), FakeLedger::new());
    ledger.state().height = 50;
    ledger.state().open = vec![1, 2, 3, 4, 5, 6, 7];
    *chain.blocks.lock().unwrap() =
        Blocks { latest: 53, requests: [(51, vec![8, 9]), (53, vec![10])].into(), ..Blocks::default() };
    let inbox = place.inbox();
    follow_to(53, &chain, &ledger, &inbox).await;
    assert_eq!(seen(&inbox), (1..=10).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn the_next_life_goes_on_behind_the_cursor() {
    let (place, chain, ledger) = (Place::new(), Chain::default(), FakeLedger::new());
    let inbox = place.inbox();
    inbox.begin_at(20).await.unwrap();
    let requests = [(20, vec![1]), (21, vec![2]), (50, vec![3])].into();
    *chain.blocks.lock().unwrap() = Blocks { latest: 50, requests, ..Blocks::default() };
    follow_to(50, &chain, &ledger, &inbox).await;
    assert_eq!(seen(&inbox), [2, 3], "block 20 was read in the earlier life");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_fails_for_a_while_costs_no_block() {
    let (place, chain, ledger) = (Place::new(), Chain::default(), FakeLedger::new());
    let inbox = place.inbox();
    inbox.begin_at(20).await.unwrap();
    let gone = || Error::Unreachable { method: "block_results", reason: "refused".into() };
    let requests = [(21, vec![1])].into();
    *chain.blocks.lock().unwrap() =
        Blocks { latest: 22, requests, errors: vec![gone(), gone(), gone()], ..Blocks::default() };
    follow_to(22, &chain, &ledger, &inbox).await;
    assert_eq!(seen(&inbox), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_block_that_cannot_be_read_is_replaced_by_what_state_says_and_counted() {
    let (place, chain, ledger) = (Place::new(), Chain::default(), FakeLedger::new());
    let inbox = place.inbox();
    inbox.begin_at(20).await.unwrap();
    ledger.state().height = 24;
    let requests = [(22, vec![2]), (23, vec![3]), (25, vec![5])].into();
    *chain.blocks.lock().unwrap() =
        Blocks { latest: 25, requests, unreadable: vec![22], ..Blocks::default() };
    ledger.state().open = vec![2];
    let metrics = follow_to(25, &chain, &ledger, &inbox).await;
    assert_eq!(seen(&inbox), [2, 5], "3 was closed meanwhile");
    let text = metrics.text().unwrap();
    assert!(text.contains("kms_connector_skipped_blocks_total 3"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_block_that_cannot_be_read_for_a_while_costs_nothing() {
    let (place, chain, ledger) = (Place::new(), Chain::default(), FakeLedger::new());
    let inbox = place.inbox();
    inbox.begin_at(20).await.unwrap();
    ledger.state().height = 21; // while nothing is known to come behind it, the newest block is waited for
    let errors = (0..30).map(|_| unreadable()).collect();
    *chain.blocks.lock().unwrap() =
        Blocks { latest: 21, requests: [(21, vec![1])].into(), errors, ..Blocks::default() };
    let metrics = follow_to(21, &chain, &ledger, &inbox).await;
    assert_eq!(seen(&inbox), [1]);
    assert!(metrics.text().unwrap().contains("kms_connector_skipped_blocks_total 0"));
}

#[tokio::test(start_paused = true)]
async fn open_requests_are_found_in_time_also_when_no_block_is_read() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    let inbox = place.inbox();
    ledger.state().open = vec![4];
    let reconciler =
        Reconciler { ledger: Arc::new(ledger.clone()), inbox: inbox.clone(), metrics: Arc::default() };
    let (_never_moves, cursor) = watch::channel(20);
    let pace = Pace { blocks: 100, every: Duration::from_secs(30) };
    let begin = tokio::time::Instant::now();
    let run = reconciler.run(cursor, pace, CancellationToken::new());
    until(run, || row(&inbox, 4) == Some(Row::Seen)).await;
    assert!((30..40).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_request_that_state_knows_in_the_end_is_taken_up_while_running() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    let inbox = place.inbox();
    inbox.admit([1, 2, 3].map(RequestId).to_vec()).await.unwrap();
    let ends = [Step::Finish(End::Unknown), Step::Finish(End::PastEnd), Step::Park("x".into())];
    inbox.steps([1, 2, 3].map(RequestId).into_iter().zip(ends).collect()).await.unwrap();
    ledger.state().open = vec![1, 2, 3];
    let reconciler = Reconciler { ledger: Arc::new(ledger), inbox: inbox.clone(), metrics: Arc::default() };
    let (moves, cursor) = watch::channel(20);
    let pace = Pace { blocks: 100, every: Duration::from_secs(600) };
    let moved = || {
        moves.send_modify(|height| *height += 1);
        row(&inbox, 1) == Some(Row::Seen)
    };
    until(reconciler.run(cursor, pace, CancellationToken::new()), moved).await;
    assert_eq!(row(&inbox, 2), Some(Row::Done { end: End::PastEnd }));
    assert_eq!(row(&inbox, 3), Some(Row::Parked { reason: "x".into() }));
}

#[tokio::test(start_paused = true)]
async fn pruned_blocks_are_replaced_by_what_state_says() {
    let (place, chain, ledger) = (Place::new(), Chain::default(), FakeLedger::new());
    let inbox = place.inbox();
    inbox.begin_at(20).await.unwrap();
    ledger.state().height = 90;
    ledger.state().open = vec![4];
    let requests = [(30, vec![3, 4]), (91, vec![5])].into();
    *chain.blocks.lock().unwrap() = Blocks { latest: 91, lowest: 60, requests, ..Blocks::default() };
    follow_to(91, &chain, &ledger, &inbox).await;
    assert_eq!(seen(&inbox), [4, 5], "3 was closed meanwhile");
}

#[tokio::test(start_paused = true)]
async fn a_start_looks_again_at_open_requests_that_were_given_up() {
    let (place, chain, ledger) = (Place::new(), Chain::default(), FakeLedger::new());
    let inbox = place.inbox();
    inbox.begin_at(50).await.unwrap();
    inbox.admit([1, 2].map(RequestId).to_vec()).await.unwrap();
    let parked = [1, 2].map(|id| (RequestId(id), Step::Park("wrong_epoch".into())));
    inbox.steps(parked.to_vec()).await.unwrap();
    ledger.state().open = vec![2];
    chain.blocks.lock().unwrap().latest = 51;
    follow_to(51, &chain, &ledger, &inbox).await;
    assert_eq!((row(&inbox, 1), row(&inbox, 2)), (None, Some(Row::Seen)));
}

#[tokio::test]
async fn a_node_of_another_chain_ends_the_task() {
    let ledger = FakeLedger::new();
    ledger.state().wrong_chain = true;
    let place = Place::new();
    let inbox = place.inbox();
    let reconciler = Reconciler { ledger: Arc::new(ledger), inbox, metrics: Arc::default() };
    let ended = reconciler.run_until_done(Scope::Running).await;
    assert_eq!(ended.unwrap_err().code(), "wrong_chain");
}
