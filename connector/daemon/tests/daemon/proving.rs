//! Showing the core that it may work: what is shared, what it forgets, and headers that it cannot reach in one step.

use std::sync::Arc;

use kms_asc_api::{RequestId, state_key};
use kms_connector::{
    core::Core,
    evidence::{EvidenceError, Feeder, Guide},
    health::{Condition, Health},
    machine::{Facts, Row, Stage},
};
use kms_core_proto::v1;
use kms_proofs::store_key;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::{
    fake_core::FakeCore,
    fake_ledger::FakeLedger,
    scene::{contract, count, request, row, until},
    working::{Scene, settings},
};

/// Works on the scene's requests one after the other, until they are answered.
async fn one_by_one(scene: &Scene, requests: u64) {
    let mut settings = settings(scene.core.serve());
    settings.work.concurrency = 1;
    settings.work.share_proofs = "10m".to_owned().try_into().unwrap();
    let worker = scene.worker_with(settings);
    until(worker.run(CancellationToken::new()), || count(&scene.inbox, Stage::Answered) == requests).await;
}

fn keys(proof: &v1::Proof) -> Vec<&[u8]> {
    proof.entries.iter().map(|entry| entry.key.as_slice()).collect()
}

fn own(key: &[u8]) -> Vec<u8> {
    store_key::contract_state(contract().bytes(), key)
}

#[tokio::test]
async fn a_proof_is_of_one_height_and_has_the_header_and_the_whole_history_of_code() {
    let scene = Scene::with_requests(1..=1).await;
    one_by_one(&scene, 1).await;
    let state = scene.core.state();
    let [proof] = state.proofs.as_slice() else { panic!("{:?}", state.proofs) };
    assert_eq!((proof.height, proof.store_proof.as_slice()), (49, b"store".as_slice()));
    assert_eq!(proof.light_blocks.len(), 1);
    assert_eq!(proof.light_blocks[0].signed_header, b"50");
    let address = *contract().bytes();
    let expected = [
        own(&state_key::REQUEST.key(1)),
        own(&state_key::STATUS.key(1)),
        own(&state_key::EPOCH.key(1)),
        own(&state_key::KEY.key(1)),
        own(state_key::CONFIG.as_slice()),
        store_key::contract_info(&address),
        store_key::code_history(&address, 1),
        store_key::code_info(9),
        store_key::code_history(&address, 2),
    ];
    assert_eq!(keys(proof), expected);
    let absent: Vec<_> = proof.entries.iter().filter(|entry| entry.value.is_none()).collect();
    assert_eq!(absent.len(), 1, "{absent:?}");
    assert!(scene.ledger.state().proven.iter().all(|(_, height)| *height == 49));
}

#[tokio::test]
async fn what_requests_share_is_fetched_once_and_sent_once() {
    let scene = Scene::with_requests(1..=3).await;
    one_by_one(&scene, 3).await;
    let state = scene.core.state();
    assert_eq!(state.proofs.len(), 3);
    for (id, proof) in (1..).zip(&state.proofs).skip(1) {
        assert_eq!((proof.height, proof.light_blocks.len(), proof.store_proof.len()), (49, 0, 0));
        assert_eq!(keys(proof), [own(&state_key::REQUEST.key(id)), own(&state_key::STATUS.key(id))]);
    }
    let mut proven = scene.ledger.state().proven.clone();
    let all = proven.len();
    proven.sort();
    proven.dedup();
    assert_eq!((all, proven.len()), (13, 13));
}

#[tokio::test]
async fn a_core_that_has_forgotten_is_sent_everything_again() {
    let scene = Scene::with_requests(1..=2).await;
    one_by_one(&scene, 2).await;
    scene.inbox.admit(vec![RequestId(3)]).await.unwrap();
    for part in ["store_proof", "light_block"] {
        let before = scene.core.state().proofs.len();
        let id = scene.inbox.rows().unwrap();
        scene.core.state().errors.push_back(FakeCore::lacks(part));
        one_by_one(&scene, id).await;
        {
            let state = scene.core.state();
            let [.., last] = state.proofs.as_slice() else { panic!("no proof") };
            assert_eq!(state.proofs.len(), before + 2, "{part}");
            assert_eq!((last.entries.len(), last.light_blocks.len()), (9, 1), "{part}");
            assert_eq!(last.store_proof, b"store");
        }
        scene.inbox.admit(vec![RequestId(id + 1)]).await.unwrap();
    }
}

#[tokio::test]
async fn an_entry_that_the_core_names_is_sent_too() {
    let scene = Scene::with_requests(1..=1).await;
    scene.core.state().errors.push_back(FakeCore::lacks("0102"));
    one_by_one(&scene, 1).await;
    let state = scene.core.state();
    assert!(!keys(&state.proofs[0]).contains(&[1, 2].as_slice()));
    assert!(keys(&state.proofs[1]).contains(&[1, 2].as_slice()));
}

#[tokio::test]
async fn a_core_that_calls_a_header_stale_is_shown_a_newer_height() {
    let scene = Scene::with_requests(1..=1).await;
    scene.ledger.state().moves = true;
    scene.core.state().errors.push_back(FakeCore::error(Code::FailedPrecondition, "header_stale"));
    one_by_one(&scene, 1).await;
    let state = scene.core.state();
    assert!(state.proofs[1].height > state.proofs[0].height);
    assert_eq!(state.proofs[1].light_blocks.len(), 1);
}

#[tokio::test]
async fn a_request_of_the_newest_block_waits_for_the_header_that_commits_to_it() {
    let scene = Scene::with_requests(1..=1).await;
    let fresh = request(1, b"x");
    let body = kms_asc_api::RequestBody { height: 60, ..fresh.body };
    let stored_body = serde_json::to_vec(&body).unwrap();
    scene.ledger.state().requests.insert(1, Some(Facts { body, stored_body, ..fresh }));
    scene.ledger.state().moves = true;
    one_by_one(&scene, 1).await;
    let state = scene.core.state();
    assert!(state.proofs[0].height >= 60, "{}", state.proofs[0].height);
    assert!(scene.ledger.state().proven.iter().all(|(_, height)| *height == state.proofs[0].height));
}

#[tokio::test]
async fn a_node_without_the_state_of_a_height_is_asked_for_a_newer_one() {
    let scene = Scene::with_requests(1..=1).await;
    let gone = kms_chain::Error::HeightUnavailable { height: 49, log: "proof is unexpectedly empty".into() };
    scene.ledger.state().moves = true;
    scene.ledger.state().proof_errors.push_back(gone);
    scene.work_until(|scene| scene.is_answered(1)).await;
    let heights: std::collections::BTreeSet<_> =
        scene.ledger.state().proven.iter().map(|(_, height)| *height).collect();
    assert_eq!(heights.len(), 1, "a proof of several heights: {heights:?}");
}

#[tokio::test]
async fn what_no_evidence_can_mend_is_parked_with_the_cores_reason() {
    for reason in ["code_not_allowed", "wasm_admin", "epoch_not_pinned", "epoch_revoked"] {
        let scene = Scene::with_requests(1..=1).await;
        scene.core.state().errors.push_back(FakeCore::error(Code::FailedPrecondition, reason));
        scene.work_until(|scene| count(&scene.inbox, Stage::Parked) == 1).await;
        assert_eq!(row(&scene.inbox, 1), Some(Row::Parked { reason: reason.into() }));
        assert_eq!(scene.core.state().proofs.len(), 1, "{reason}");
    }
}

fn guide(core: &FakeCore, ledger: &FakeLedger) -> Guide<FakeLedger> {
    Guide::new(Arc::new(ledger.clone()), Core::new(&settings(core.serve())).unwrap())
}

#[tokio::test]
async fn a_core_that_is_far_behind_is_led_by_headers_between() {
    let (core, ledger) = (FakeCore::new(), FakeLedger::new());
    ledger.state().height = 1_000;
    (core.state().trusted, core.state().reach) = (3, Some(100));
    guide(&core, &ledger).lead_to(1_000).await.unwrap();
    let state = core.state();
    assert_eq!((state.trusted, state.shown.first(), state.shown.last()), (1_000, Some(&1_000), Some(&1_000)));
    assert!(state.shown.len() < 60, "{:?}", state.shown);
}

#[tokio::test]
async fn a_core_that_is_not_behind_is_shown_nothing() {
    let (core, ledger) = (FakeCore::new(), FakeLedger::new());
    core.state().trusted = 50;
    guide(&core, &ledger).lead_to(50).await.unwrap();
    assert!(core.state().shown.is_empty());
}

#[tokio::test]
async fn a_header_that_the_core_refuses_right_behind_its_own_ends_the_search() {
    let (core, ledger) = (FakeCore::new(), FakeLedger::new());
    (core.state().trusted, core.state().reach) = (3, Some(0));
    let error = guide(&core, &ledger).lead_to(50).await.unwrap_err();
    assert!(matches!(&error, EvidenceError::Core(_)) && error.code() == "header_invalid", "{error}");
    assert_eq!(core.state().shown.last(), Some(&4));
}

#[tokio::test]
async fn the_core_is_fed_with_headers_while_nobody_asks_for_anything() {
    let (core, ledger, health) = (FakeCore::new(), FakeLedger::new(), Arc::<Health>::default());
    (core.state().trusted, ledger.state().moves) = (1, true);
    let every = std::time::Duration::from_millis(2);
    let feeder = Feeder { guide: guide(&core, &ledger), every, health: Arc::clone(&health) };
    until(feeder.run(CancellationToken::new()), || core.state().shown.len() >= 3).await;
    assert!(core.state().shown.is_sorted_by(|one, next| one < next), "{:?}", core.state().shown);
    assert_eq!(health.report().conditions[&Condition::Trust], None);
}

#[tokio::test]
async fn a_core_that_takes_no_header_is_told_by_the_readiness_page() {
    let (core, ledger, health) = (FakeCore::new(), FakeLedger::new(), Arc::<Health>::default());
    core.state().reach = Some(0);
    let every = std::time::Duration::from_millis(2);
    let feeder = Feeder { guide: guide(&core, &ledger), every, health: Arc::clone(&health) };
    let told = || {
        let problem = health.report().conditions[&Condition::Trust].clone();
        problem.is_some_and(|text| text.contains("header_invalid"))
    };
    until(feeder.run(CancellationToken::new()), told).await;
}
