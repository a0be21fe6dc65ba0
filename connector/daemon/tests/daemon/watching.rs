//! What `/ready` says, while parts fail one after another. Time is virtual.

use std::{cell::Cell, sync::Arc};

use kms_connector::{
    core::Core,
    health::{Condition, Health},
    watch::Watcher,
};
use tokio_util::sync::CancellationToken;

use crate::{
    fake_ledger::FakeLedger,
    scene::{Place, until},
    working::settings,
};

fn watcher(place: &Place, ledger: &FakeLedger, health: &Arc<Health>) -> Watcher<FakeLedger> {
    Watcher {
        ledger: Arc::new(ledger.clone()),
        core: Core::new(&settings("127.0.0.1:1".parse().unwrap())).unwrap(),
        inbox: place.inbox(),
        health: Arc::clone(health),
        metrics: Arc::default(),
    }
}

fn problem(health: &Health, condition: Condition) -> Option<String> {
    health.report().conditions[&condition].clone()
}

#[tokio::test(start_paused = true)]
async fn every_condition_is_looked_at_and_named() {
    let (place, ledger, health) = (Place::new(), FakeLedger::new(), Arc::default());
    ledger.state().lacks = Some("it has nothing".into());
    let watcher = watcher(&place, &ledger, &health);
    let height = ledger.state().height;
    watcher.inbox.begin_at(height).await.unwrap();
    let looked = || problem(&health, Condition::Account).is_some_and(|text| text.contains("nothing"));
    until(watcher.run(CancellationToken::new()), looked).await;
    assert!(problem(&health, Condition::Core).is_some(), "nobody listens on that port");
    for well in [Condition::Chain, Condition::Cursor, Condition::Inbox] {
        assert_eq!(problem(&health, well), None, "{well:?}");
    }
    assert!(!health.report().ready);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_answers_but_makes_no_block_is_not_well() {
    let (place, ledger, health) = (Place::new(), FakeLedger::new(), Arc::default());
    let watcher = watcher(&place, &ledger, &health);
    let was_well = Cell::new(false);
    let stalled = || {
        was_well.set(was_well.get() || problem(&health, Condition::Chain).is_none());
        was_well.get() && problem(&health, Condition::Chain).is_some_and(|text| text.contains("no block"))
    };
    until(watcher.run(CancellationToken::new()), stalled).await;
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_stays_behind_is_told() {
    let (place, ledger, health) = (Place::new(), FakeLedger::new(), Arc::default());
    let watcher = watcher(&place, &ledger, &health);
    watcher.inbox.begin_at(50).await.unwrap();
    ledger.state().height = 500;
    let told = || problem(&health, Condition::Cursor).is_some_and(|text| text.contains("50 of 500"));
    until(watcher.run(CancellationToken::new()), told).await;
}
