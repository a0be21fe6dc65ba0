//! Having requests answered, by a core and from a store that fail.

use std::{net::SocketAddr, sync::Arc};

use kms_asc_api::RequestId;
use kms_config::{Decimal, KeyDomain, Network};
use kms_connector::{
    config::{self, Settings, Transport},
    core::Core,
    evidence::Evidence,
    inbox::Inbox,
    item::Item,
    machine::{End, Row, Stage},
    metrics::Metrics,
    work::Worker,
};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use url::Url;

use crate::{
    fake_core::FakeCore,
    fake_ledger::FakeLedger,
    scene::{Place, TIMES, US, contract, count, request, row, until},
};

pub struct Scene {
    pub place: Place,
    pub ledger: FakeLedger,
    pub core: FakeCore,
    pub inbox: Inbox,
}

impl Scene {
    /// Requests with these ids, whose ciphertext `x` is in the store.
    pub async fn with_requests(ids: impl Iterator<Item = u64>) -> Self {
        let place = Place::new();
        let inbox = place.inbox();
        inbox.admit(ids.map(RequestId).collect()).await.unwrap();
        place.store().put_ciphertext(b"x".to_vec()).await.unwrap();
        Self { place, ledger: FakeLedger::new(), core: FakeCore::new(), inbox }
    }

    fn worker(&self, address: SocketAddr) -> Arc<Worker<FakeLedger>> {
        self.worker_with(settings(address))
    }

    pub fn worker_with(&self, settings: Settings) -> Arc<Worker<FakeLedger>> {
        let ledger = Arc::new(self.ledger.clone());
        let core = Core::new(&settings).unwrap();
        let share = settings.work.share_proofs.get();
        Arc::new(Worker {
            evidence: Arc::new(Evidence::new(Arc::clone(&ledger), core.clone(), contract(), share)),
            ledger,
            core,
            store: self.place.store(),
            inbox: self.inbox.clone(),
            operator: US,
            config: settings.work,
            metrics: Arc::default(),
        })
    }

    /// Works until a condition holds.
    pub async fn work_until(&self, condition: impl Fn(&Self) -> bool) {
        let worker = self.worker(self.core.serve());
        until(worker.run(CancellationToken::new()), || condition(self)).await;
    }

    pub fn is_answered(&self, id: u64) -> bool {
        matches!(row(&self.inbox, id), Some(Row::Answered { .. }))
    }
}

/// How many tries ended with another one to come.
fn tried_again(metrics: &Metrics) -> u64 {
    let text = metrics.text().unwrap();
    let mut lines = text.lines();
    let count = lines.find_map(|line| line.strip_prefix("kms_connector_tries_total{outcome=\"Again\"} "));
    count.map_or(0, |count| count.parse().unwrap())
}

pub fn settings(core: SocketAddr) -> Settings {
    let period = |text: &str| text.to_owned().try_into().unwrap();
    let work = config::Work {
        concurrency: 3,
        first_pause: period("2ms"),
        longest_pause: period("20ms"),
        ..config::Work::default()
    };
    Settings {
        network: Network {
            chain_id: "kms-local".into(),
            rpc_url: Url::parse("http://127.0.0.1:1").unwrap(),
            denom: "ukms".into(),
            gas_price: Decimal::try_from("0.025".to_owned()).unwrap(),
            contract: Some("wasm1asc".into()),
            core_url: Url::parse(&format!("http://{core}")).unwrap(),
            store_url: Url::parse("file:///unused").unwrap(),
            key_domain: KeyDomain { name: "KMSGeneration".into(), version: "1".into(), chain_id: 1 },
        },
        contract: "wasm1asc".into(),
        data: "unused".into(),
        wallet: "unused".into(),
        operator: US,
        start_height: None,
        admin: None,
        transport: Transport::Plaintext,
        headers_every: std::time::Duration::from_secs(60),
        follow: config::Follow::default(),
        work,
        post: config::Post::default(),
    }
}

#[tokio::test]
async fn the_core_gets_the_stored_body_and_the_ciphertexts_and_its_answer_is_kept() {
    let scene = Scene::with_requests(1..=1).await;
    scene.work_until(|scene| scene.is_answered(1)).await;
    assert_eq!(scene.core.state().executed, [(1, vec![b"x".to_vec()])]);
    let Some(Item::Answer(answer)) = scene.inbox.answer(RequestId(1)).unwrap() else { panic!("no answer") };
    assert_eq!(answer.payload.as_slice(), [7; 32]);
}

#[tokio::test]
async fn a_core_that_is_busy_or_fails_is_asked_again() {
    let scene = Scene::with_requests(1..=1).await;
    scene.core.state().errors.extend([
        FakeCore::error(Code::ResourceExhausted, "busy"),
        FakeCore::error(Code::Internal, "internal"),
        tonic::Status::unavailable("no details"),
    ]);
    scene.work_until(|scene| scene.is_answered(1)).await;
    assert_eq!(scene.core.state().executed.len(), 4);
}

#[tokio::test]
async fn a_core_that_is_away_is_waited_for() {
    let scene = Scene::with_requests(1..=1).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let worker = scene.worker(address);
    let metrics = Arc::clone(&worker.metrics);
    let tried = || tried_again(&metrics) >= 3;
    until(worker.run(CancellationToken::new()), tried).await;
    assert_eq!(row(&scene.inbox, 1), Some(Row::Seen));
    scene.work_until(|scene| scene.is_answered(1)).await;
}

#[tokio::test]
async fn what_the_core_refuses_for_good_is_parked_and_looked_at_again_after_a_restart() {
    let scene = Scene::with_requests(1..=1).await;
    scene.core.state().errors.push_back(FakeCore::error(Code::FailedPrecondition, "wrong_epoch"));
    scene.work_until(|scene| count(&scene.inbox, Stage::Parked) == 1).await;
    assert_eq!(row(&scene.inbox, 1), Some(Row::Parked { reason: "wrong_epoch".into() }));
    scene.inbox.revive(vec![RequestId(1)], |_| true).await.unwrap();
    scene.work_until(|scene| scene.is_answered(1)).await;
}

#[tokio::test]
async fn a_message_that_is_too_large_is_given_up_with_its_reason_and_never_sent() {
    let scene = Scene::with_requests(1..=2).await;
    let large = vec![7; 3_000];
    scene.place.store().put_ciphertext(large.clone()).await.unwrap();
    scene.ledger.state().requests.insert(1, Some(request(1, &large)));
    let mut settings = settings(scene.core.serve());
    settings.work.max_message_bytes = 2_000;
    let worker = scene.worker_with(settings);
    let ended = || count(&scene.inbox, Stage::Parked) == 1 && scene.is_answered(2);
    until(worker.run(CancellationToken::new()), ended).await;
    assert_eq!(row(&scene.inbox, 1), Some(Row::Parked { reason: "message_too_large".into() }));
    assert_eq!(scene.core.state().executed.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [2]);
}

#[tokio::test]
async fn a_core_is_well_only_if_it_says_so_and_signs_for_us() {
    use kms_core_proto::v1::kms_server::SERVICE_NAME;
    use tonic_health::{ServingStatus, server::health_reporter};
    let core = FakeCore::new();
    let look = |address| async move { Core::new(&settings(address)).unwrap().check().await };

    let (_, silent) = health_reporter();
    assert!(look(core.serve_with(silent)).await.is_err(), "it does not say that it serves");
    let (reporter, health) = health_reporter();
    let address = core.serve_with(health);
    reporter.set_service_status(SERVICE_NAME, ServingStatus::Serving).await;
    assert_eq!(look(address).await, Ok(()));
    let mut another = settings(address);
    another.operator.party = kms_asc_api::PartyId(2);
    let error = Core::new(&another).unwrap().check().await.unwrap_err();
    assert!(error.contains("party 2"), "{error}");
    reporter.set_service_status(SERVICE_NAME, ServingStatus::NotServing).await;
    let error = look(address).await.unwrap_err();
    assert!(error.contains("not_serving"), "{error}");
}

#[tokio::test]
async fn a_missing_ciphertext_is_waited_for_until_half_time_and_then_declined() {
    let scene = Scene::with_requests(1..=2).await;
    scene.ledger.state().requests.insert(2, Some(request(2, b"missing")));
    let [_, half, _] = TIMES;
    scene.ledger.state().now = half - 1;
    let worker = scene.worker(scene.core.serve());
    let metrics = Arc::clone(&worker.metrics);
    // Both run at once: the other one may be answered after the third try.
    let tried = || tried_again(&metrics) >= 3 && scene.is_answered(1);
    until(worker.run(CancellationToken::new()), tried).await;
    assert!(scene.core.state().declined.is_empty());
    assert_eq!(row(&scene.inbox, 2), Some(Row::Seen));

    scene.ledger.state().now = half;
    scene.work_until(|scene| scene.is_answered(2)).await;
    assert_eq!(scene.core.state().declined, [(2, 1, 0)]);
    assert_eq!(row(&scene.inbox, 2), Some(Row::Answered { not_before: half }));
}

/// A pause that goes on over the half time of a short request leaves no time to decline it.
#[tokio::test]
async fn a_pause_ends_by_the_half_time_of_the_request() {
    let scene = Scene::with_requests(1..=1).await;
    scene.ledger.state().requests.insert(1, Some(request(1, b"missing")));
    let [_, half, _] = TIMES;
    scene.ledger.state().now = half - 1;
    let mut settings = settings(scene.core.serve());
    let long = || "1h".to_owned().try_into().unwrap();
    (settings.work.first_pause, settings.work.longest_pause) = (long(), long());
    let worker = scene.worker_with(settings);
    let metrics = Arc::clone(&worker.metrics);
    let declined = || {
        // Half time comes while the row rests.
        if tried_again(&metrics) == 1 {
            scene.ledger.state().now = half;
        }
        scene.is_answered(1)
    };
    until(worker.run(CancellationToken::new()), declined).await;
    assert_eq!(scene.core.state().declined, [(1, 1, 0)]);
}

#[tokio::test]
async fn a_ciphertext_that_comes_late_is_decrypted() {
    let scene = Scene::with_requests(1..=1).await;
    scene.ledger.state().requests.insert(1, Some(request(1, b"late")));
    let worker = scene.worker(scene.core.serve());
    let metrics = Arc::clone(&worker.metrics);
    let tried = || tried_again(&metrics) >= 2;
    until(worker.run(CancellationToken::new()), tried).await;
    scene.place.store().put_ciphertext(b"late".to_vec()).await.unwrap();
    scene.work_until(|scene| scene.is_answered(1)).await;
    assert_eq!(scene.core.state().executed, [(1, vec![b"late".to_vec()])]);
}

#[tokio::test]
async fn what_is_past_its_end_or_recorded_never_reaches_the_core() {
    let scene = Scene::with_requests(1..=2).await;
    let [.., end] = TIMES;
    scene.ledger.state().now = end;
    scene.ledger.state().recorded.insert(2);
    scene.work_until(|scene| count(&scene.inbox, Stage::Done) == 2).await;
    assert_eq!(row(&scene.inbox, 1), Some(Row::Done { end: End::PastEnd }));
    assert_eq!(row(&scene.inbox, 2), Some(Row::Done { end: End::Recorded }));
    assert!(scene.core.state().executed.is_empty());
}

#[tokio::test]
async fn a_request_that_state_does_not_know_is_dropped_in_the_end() {
    let scene = Scene::with_requests(1..=1).await;
    scene.ledger.state().requests.insert(1, None);
    scene.work_until(|scene| row(&scene.inbox, 1) == Some(Row::Done { end: End::Unknown })).await;
}

#[tokio::test]
async fn several_requests_are_in_work_at_a_time_but_no_more_than_allowed() {
    let mut scene = Scene::with_requests(1..=12).await;
    scene.core.permits = Arc::new(tokio::sync::Semaphore::new(0));
    let worker = scene.worker(scene.core.serve());
    let run = worker.run(CancellationToken::new());
    let all = || {
        if scene.core.state().busy == 3 {
            scene.core.permits.add_permits(3);
        }
        count(&scene.inbox, Stage::Answered) == 12
    };
    until(run, all).await;
    assert_eq!(scene.core.state().most_busy, 3);
}
