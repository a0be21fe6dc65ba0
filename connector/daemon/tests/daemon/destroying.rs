//! Having keys destroyed: from state or from an event, until the core attests it, once.

use std::{sync::Arc, time::Duration};

use kms_asc_api::{
    Eip712Domain, EpochId, EvmAddress, KeyId, KeyParams, KeyRecord, KeyState, Signature, state_key,
};
use kms_connector::{core::Core, destroy::Destroyer, evidence::Evidence, inbox::Inbox};
use kms_proofs::store_key;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::{
    fake_core::FakeCore,
    fake_ledger::FakeLedger,
    scene::{Place, US, contract, until},
    working::settings,
};

fn record(id: u64, state: KeyState) -> KeyRecord {
    KeyRecord {
        id: KeyId(id),
        state,
        epoch: US.epoch,
        owner: "wasm1user".into(),
        generation: 1,
        params: KeyParams::Test,
        imported: false,
        digests: Vec::new(),
        domain: Eip712Domain {
            name: "d".into(),
            version: "1".into(),
            chain_id: 1,
            verifying_contract: EvmAddress::new([1; 20]),
            salt: None,
        },
        attesters: Vec::new(),
        attester_threshold: 0,
        crs_ids: Vec::new(),
        offered_to: None,
        height: 5,
        time: 100,
    }
}

/// Keys 1 to 3, of which the second is destroyed; the core holds all.
fn chain() -> (FakeLedger, FakeCore) {
    let (ledger, core) = (FakeLedger::new(), FakeCore::new());
    let states = [KeyState::Active, KeyState::Destroyed, KeyState::Suspended];
    ledger.state().keys = (1..).zip(states).map(|(id, state)| (id, record(id, state))).collect();
    core.state().keys = vec![1, 2, 3];
    ledger.state().moves = true;
    (ledger, core)
}

fn destroyer(ledger: &FakeLedger, core: &FakeCore, inbox: &Inbox) -> Destroyer<FakeLedger> {
    let ledger = Arc::new(ledger.clone());
    let core = Core::new(&settings(core.serve())).unwrap();
    let share = Duration::from_secs(1);
    Destroyer {
        evidence: Arc::new(Evidence::new(Arc::clone(&ledger), core.clone(), contract(), share)),
        ledger,
        core,
        inbox: inbox.clone(),
        operator: US,
        every: Duration::from_millis(2),
    }
}

fn is_attested(inbox: &Inbox, key: u64) -> bool {
    inbox.attestation(KeyId(key)).unwrap().is_some()
}

/// Keys that the core was asked to destroy, in order.
fn asked(core: &FakeCore) -> Vec<u64> {
    core.state().destroyed.iter().map(|(key, _)| *key).collect()
}

#[tokio::test]
async fn a_key_whose_record_says_destroyed_is_destroyed_at_the_start_and_the_cores_word_is_kept() {
    let ((ledger, core), place) = (chain(), Place::new());
    let inbox = place.inbox();
    until(destroyer(&ledger, &core, &inbox).run(CancellationToken::new()), || is_attested(&inbox, 2)).await;
    assert_eq!(asked(&core), [2]);
    let proof = &core.state().destroyed[0].1;
    let key = store_key::contract_state(contract().bytes(), &state_key::KEY.key(2));
    assert!(proof.entries.iter().any(|entry| entry.key == key) && proof.light_blocks.len() == 1);
    let word = inbox.attestation(KeyId(2)).unwrap().unwrap();
    assert_eq!((word.time, word.held, word.signature), (77, true, Signature::new([6; 65])));
    assert!(inbox.destructions().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_attested_is_not_asked_for_again_after_a_restart() {
    let ((ledger, core), place) = (chain(), Place::new());
    let inbox = place.inbox();
    until(destroyer(&ledger, &core, &inbox).run(CancellationToken::new()), || is_attested(&inbox, 2)).await;
    ledger.state().keys.insert(4, record(4, KeyState::Destroyed));
    until(destroyer(&ledger, &core, &inbox).run(CancellationToken::new()), || is_attested(&inbox, 4)).await;
    assert_eq!(asked(&core), [2, 4]);
}

#[tokio::test]
async fn a_core_that_cannot_is_asked_again_until_it_attests() {
    let ((ledger, core), place) = (chain(), Place::new());
    let inbox = place.inbox();
    let errors = [(Code::Unavailable, "shutting_down"), (Code::FailedPrecondition, "code_not_allowed")];
    core.state().errors.extend(errors.map(|(code, reason)| FakeCore::error(code, reason)));
    until(destroyer(&ledger, &core, &inbox).run(CancellationToken::new()), || is_attested(&inbox, 2)).await;
    assert_eq!(asked(&core), [2, 2, 2]);
}

#[tokio::test]
async fn a_key_destroyed_while_the_daemon_runs_is_found_also_without_its_event() {
    let ((ledger, core), place) = (chain(), Place::new());
    let inbox = place.inbox();
    let later = || {
        if is_attested(&inbox, 2) {
            ledger.state().keys.insert(3, record(3, KeyState::Destroyed));
        }
        is_attested(&inbox, 3)
    };
    until(destroyer(&ledger, &core, &inbox).run(CancellationToken::new()), later).await;
    assert_eq!(asked(&core), [2, 3]);
}

#[tokio::test]
async fn an_event_is_only_a_hint_and_keys_of_others_are_left_alone() {
    let ((ledger, core), place) = (chain(), Place::new());
    let inbox = place.inbox();
    let foreign = KeyRecord { epoch: EpochId(9), ..record(5, KeyState::Destroyed) };
    ledger.state().keys.insert(5, foreign);
    inbox.want_destruction(vec![KeyId(1)]).await.unwrap();
    until(destroyer(&ledger, &core, &inbox).run(CancellationToken::new()), || is_attested(&inbox, 2)).await;
    assert_eq!(asked(&core), [2]);
    assert_eq!(inbox.destructions().unwrap(), [KeyId(1)]);
}
