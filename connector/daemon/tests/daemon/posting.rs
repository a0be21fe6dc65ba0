//! Posting: nothing lost, nothing posted twice, in few transactions. Time is virtual: pauses take none.

use std::sync::Arc;

use kms_asc_api::{Callback, ItemOutcome, RejectReason};
use kms_chain::{Error, Gas, TxHash};
use kms_connector::{
    config,
    health::{Condition, Health},
    inbox::Inbox,
    machine::{End, Row, Stage},
    post::{Outlet, Poster},
};
use tokio_util::sync::CancellationToken;

use crate::{
    fake_ledger::{FakeLedger, Fate},
    scene::{Place, US, answered, count, request, row, until},
};

fn outlet(ledger: &FakeLedger, inbox: &Inbox, health: &Arc<Health>) -> Outlet<FakeLedger> {
    Outlet {
        ledger: Arc::new(ledger.clone()),
        inbox: inbox.clone(),
        operator: US,
        config: config::Post::default(),
        health: Arc::clone(health),
        metrics: Arc::default(),
    }
}

/// Posts until every row is done or parked.
async fn post_all(ledger: &FakeLedger, inbox: &Inbox) {
    let poster = Poster::new(outlet(ledger, inbox, &Arc::default()));
    let quiet =
        || [Stage::Seen, Stage::Answered, Stage::Posted].into_iter().all(|stage| count(inbox, stage) == 0);
    until(poster.run(CancellationToken::new()), quiet).await;
}

const DONE: Option<Row> = Some(Row::Done { end: End::Recorded });

#[tokio::test(start_paused = true)]
async fn fifty_answers_need_one_transaction() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    let inbox = place.inbox();
    answered(&inbox, 1..=50).await;
    post_all(&ledger, &inbox).await;
    assert_eq!((ledger.sizes(), count(&inbox, Stage::Done)), (vec![50], 50));
    assert!(inbox.transactions().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_vanished_is_posted_anew() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    ledger.state().fates.extend([Fate::Vanished, Fate::Vanished]);
    let inbox = place.inbox();
    answered(&inbox, 1..=3).await;
    post_all(&ledger, &inbox).await;
    assert_eq!((ledger.sizes(), row(&inbox, 3)), (vec![3, 3, 3], DONE));
}

#[tokio::test(start_paused = true)]
async fn what_vanished_but_was_recorded_by_another_way_is_done() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    ledger.state().fates.push_back(Fate::Vanished);
    let inbox = place.inbox();
    answered(&inbox, 1..=1).await;
    let poster = Poster::new(outlet(&ledger, &inbox, &Arc::default()));
    let chain = ledger.clone();
    let sent = move || {
        let is_sent = !chain.state().sent.is_empty();
        if is_sent {
            chain.state().recorded.insert(1);
        }
        is_sent && row(&inbox, 1) == DONE
    };
    until(poster.run(CancellationToken::new()), sent).await;
    assert!(ledger.sizes().len() <= 2, "{:?}", ledger.sizes());
}

#[tokio::test(start_paused = true)]
async fn out_of_gas_is_tried_again_with_more() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    ledger.state().fates.push_back(Fate::OutOfGas);
    let inbox = place.inbox();
    answered(&inbox, 1..=1).await;
    post_all(&ledger, &inbox).await;
    let factor = |gas: Gas| match gas {
        Gas::Simulated { factor: Some(factor), .. } => factor.mul_ceil(1_000),
        other => panic!("{other:?}"),
    };
    let factors: Vec<_> = ledger.state().prepared.iter().map(|(.., gas)| factor(*gas)).collect();
    assert!(factors.len() == 2 && factors[1] > factors[0], "{factors:?}");
}

#[tokio::test(start_paused = true)]
async fn too_much_for_one_transaction_is_halved_until_it_passes() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    ledger.state().gas_per_item = 5_000_000; // six fit
    let too_large = Error::TooLarge { step: "simulate", bytes: 500_000, limit: 495_000 };
    ledger.state().prepare_errors.push_back(too_large);
    let inbox = place.inbox();
    answered(&inbox, 1..=20).await;
    post_all(&ledger, &inbox).await;
    let sent = ledger.state().sent.clone();
    let prepared = ledger.state().prepared.clone();
    let sizes: Vec<_> =
        prepared.iter().filter(|(hash, ..)| sent.contains(hash)).map(|(_, ids, _)| ids.len()).collect();
    assert!(sizes.iter().all(|size| *size <= 6) && sizes.iter().sum::<usize>() == 20, "{sizes:?}");
    assert_eq!(count(&inbox, Stage::Done), 20);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_can_never_be_posted_is_parked_and_stops_no_other() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    let too_large = || Error::TooLarge { step: "broadcast", bytes: 800_000, limit: 740_000 };
    ledger.state().prepare_errors.extend([too_large(), too_large()]);
    let inbox = place.inbox();
    answered(&inbox, 1..=2).await;
    post_all(&ledger, &inbox).await;
    assert_eq!(row(&inbox, 1), Some(Row::Parked { reason: "tx_too_large".into() }));
    assert_eq!(row(&inbox, 2), DONE);
}

#[tokio::test(start_paused = true)]
async fn one_answer_whose_simulation_fails_is_found_and_given_up_while_the_others_pass() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    ledger.state().unsimulated.insert(7);
    let inbox = place.inbox();
    answered(&inbox, 1..=20).await;
    let poster = Poster::new(outlet(&ledger, &inbox, &Arc::default()));
    let was_waiting = std::cell::Cell::new(false);
    let all = || {
        let waits = row(&inbox, 7) == Some(Row::Answered { not_before: 0 });
        was_waiting.set(was_waiting.get() || count(&inbox, Stage::Done) == 19 && waits);
        count(&inbox, Stage::Done) == 19 && count(&inbox, Stage::Parked) == 1
    };
    until(poster.run(CancellationToken::new()), all).await;
    assert!(was_waiting.get(), "the others waited for the one, or it was given up at once");
    assert_eq!(row(&inbox, 7), Some(Row::Parked { reason: "simulation_failed".into() }));
    assert!(ledger.state().simulated < 40, "{} simulations", ledger.state().simulated);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_cannot_simulate_for_a_while_costs_no_answer() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    ledger.state().unsimulated.extend(1..=5);
    let inbox = place.inbox();
    answered(&inbox, 1..=5).await;
    let poster = Poster::new(outlet(&ledger, &inbox, &Arc::default()));
    let mended = || {
        if ledger.state().simulated == 12 {
            ledger.state().unsimulated.clear();
        }
        count(&inbox, Stage::Answered) + count(&inbox, Stage::Posted) == 0
    };
    until(poster.run(CancellationToken::new()), mended).await;
    assert_eq!(count(&inbox, Stage::Done), 5);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_fails_in_every_block_is_given_up_before_it_eats_the_account() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    ledger.state().unexecuted.insert(3);
    let inbox = place.inbox();
    answered(&inbox, 1..=8).await;
    post_all(&ledger, &inbox).await;
    assert_eq!(row(&inbox, 3), Some(Row::Parked { reason: "tx_failed".into() }));
    assert_eq!(count(&inbox, Stage::Done), 7);
    assert!(ledger.state().sent.len() < 25, "{} transactions were paid for", ledger.state().sent.len());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_taken_and_leaves_no_trace_is_not_paid_for_for_ever() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    ledger.state().unrecorded.insert(2);
    let inbox = place.inbox();
    answered(&inbox, 1..=3).await;
    let poster = Poster::new(outlet(&ledger, &inbox, &Arc::default()));
    let ended = || {
        let sent = u64::try_from(ledger.state().sent.len()).unwrap();
        ledger.state().now = 105 + 2 * sent;
        count(&inbox, Stage::Answered) + count(&inbox, Stage::Posted) == 0
    };
    until(poster.run(CancellationToken::new()), ended).await;
    assert_eq!(row(&inbox, 2), Some(Row::Parked { reason: "not_recorded".into() }));
    assert_eq!((count(&inbox, Stage::Done), ledger.state().sent.len()), (2, 8));
}

#[tokio::test(start_paused = true)]
async fn of_a_transaction_whose_block_cannot_be_read_state_tells_the_fate_once_it_is_past() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    ledger.state().unreadable_blocks = true;
    let inbox = place.inbox();
    answered(&inbox, 1..=3).await;
    let poster = Poster::new(outlet(&ledger, &inbox, &Arc::default()));
    let begin = tokio::time::Instant::now();
    let (height, timeout) = (50, 75);
    let settled = || {
        // A block a second.
        ledger.state().height = height + begin.elapsed().as_secs();
        let done = row(&inbox, 3) == DONE;
        assert!(!done || ledger.state().height > timeout, "told too early");
        done
    };
    until(poster.run(CancellationToken::new()), settled).await;
    assert_eq!((ledger.sizes(), count(&inbox, Stage::Done)), (vec![3], 3));
}

#[tokio::test(start_paused = true)]
async fn an_empty_account_loses_nothing_and_is_told() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    let (inbox, health) = (place.inbox(), Arc::default());
    let broke = || Error::InsufficientFunds { log: "0ukms is smaller than 5ukms".into() };
    ledger.state().prepare_errors.extend((0..5).map(|_| broke()));
    ledger.state().broadcast_errors.push_back(broke());
    answered(&inbox, 1..=2).await;
    let poster = Poster::new(outlet(&ledger, &inbox, &health));
    let told =
        || health.report().conditions[&Condition::Account].as_ref().is_some_and(|p| p.contains("5ukms"));
    let was_told = std::cell::Cell::new(false);
    let done = || {
        was_told.set(was_told.get() || told());
        count(&inbox, Stage::Done) == 2
    };
    until(poster.run(CancellationToken::new()), done).await;
    assert!(was_told.get());
    assert_eq!(health.report().conditions[&Condition::Account], None, "topped up");
}

#[tokio::test(start_paused = true)]
async fn refused_items_are_parked_or_wait_and_their_neighbours_are_done() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    let rejected = ItemOutcome::Rejected;
    ledger.state().outcomes.insert(1, rejected(RejectReason::Receipt));
    ledger.state().outcomes.insert(2, ItemOutcome::Late);
    ledger.state().outcomes.insert(3, rejected(RejectReason::TooEarly));
    let inbox = place.inbox();
    answered(&inbox, 1..=4).await;
    let poster = Poster::new(outlet(&ledger, &inbox, &Arc::default()));
    let chain = ledger.clone();
    let others = || [2, 4].into_iter().all(|id| row(&inbox, id) == DONE) && row(&inbox, 1) != DONE;
    let waits = || matches!(row(&inbox, 3), Some(Row::Answered { not_before: 106 }));
    let seen_waiting = std::cell::Cell::new(false);
    let finished = || {
        if waits() && others() {
            seen_waiting.set(true);
            chain.state().now = 106;
        }
        row(&inbox, 3) == DONE
    };
    until(poster.run(CancellationToken::new()), finished).await;
    assert!(seen_waiting.get());
    assert_eq!(row(&inbox, 1), Some(Row::Parked { reason: "rejected:receipt".into() }));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_of_the_node_does_not_make_a_second_transaction() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    let lost = Error::Unreachable { method: "broadcast_tx_sync", reason: "broken pipe".into() };
    ledger.state().broadcast_errors.push_back(lost);
    let inbox = place.inbox();
    answered(&inbox, 1..=1).await;
    post_all(&ledger, &inbox).await;
    assert_eq!(ledger.sizes(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_stolen_sequence_is_signed_anew() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    let stolen = || Error::SequenceMismatch { expected: Some(9), got: 8 };
    ledger.state().broadcast_errors.extend([stolen(), stolen(), stolen()]);
    let inbox = place.inbox();
    answered(&inbox, 1..=1).await;
    post_all(&ledger, &inbox).await;
    assert_eq!((ledger.sizes().len(), ledger.state().sent.len()), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn a_transaction_of_an_earlier_life_is_sent_again_and_not_made_again() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    let inbox = place.inbox();
    answered(&inbox, 1..=2).await;
    // The earlier life: signed and stored, killed before it was sent.
    let items = [1, 2].map(crate::scene::answer);
    let tx = kms_connector::ledger::Ledger::prepare(&ledger, &items, Gas::default()).await.unwrap();
    let requests = items.iter().map(kms_connector::item::Item::request_id).collect();
    inbox.posting(kms_connector::inbox::StoredTx { tx, requests }).await.unwrap();
    drop(inbox);

    let inbox = place.inbox();
    post_all(&ledger, &inbox).await;
    assert_eq!((ledger.sizes(), ledger.state().sent.clone()), (vec![2], vec![TxHash([1; 32])]));
    assert_eq!((row(&inbox, 1), row(&inbox, 2)), (DONE, DONE));
}

#[tokio::test(start_paused = true)]
async fn what_became_void_meanwhile_is_not_posted() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    let inbox = place.inbox();
    answered(&inbox, 1..=3).await;
    ledger.state().recorded.insert(1);
    let mut closed = crate::scene::request(2, b"x");
    closed.status.state = kms_asc_api::State::Expired;
    ledger.state().requests.insert(2, Some(closed));
    post_all(&ledger, &inbox).await;
    assert_eq!(ledger.state().prepared[0].1, [3]);
    assert_eq!((row(&inbox, 1), row(&inbox, 2)), (DONE, Some(Row::Done { end: End::Closed })));
}

/// Which answer decides, and what a called contract does, is known only in the block: simulation cannot tell.
#[tokio::test(start_paused = true)]
async fn a_transaction_has_gas_for_every_callback_that_it_may_cause() {
    let (place, ledger) = (Place::new(), FakeLedger::new());
    let inbox = place.inbox();
    answered(&inbox, 1..=4).await;
    for id in [2, 3] {
        let mut facts = request(id, b"x");
        facts.body.callback = Some(Callback { gas_limit: 1_000_000 });
        ledger.state().requests.insert(id, Some(facts));
    }
    post_all(&ledger, &inbox).await;
    answered(&inbox, 5..=5).await;
    post_all(&ledger, &inbox).await;
    let headrooms: Vec<u64> = ledger
        .state()
        .prepared
        .iter()
        .map(|(.., gas)| match gas {
            Gas::Simulated { headroom, .. } => *headroom,
            Gas::Limit(limit) => panic!("a limit of {limit} without simulation"),
        })
        .collect();
    let [with, without] = headrooms[..] else { panic!("{headrooms:?}") };
    assert!(with - without >= 2_000_000, "{with} with two callbacks, {without} with none");
}
