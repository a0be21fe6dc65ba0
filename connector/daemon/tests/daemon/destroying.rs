//! Having keys destroyed: from state or from an event, until the core attests it, once.

use std::{sync::Arc, time::Duration};

use kms_asc_api::{
    Digest, Eip712Domain, Epoch, EpochId, EpochMode, EvmAddress, KeyId, KeyParams, KeyRecord, KeyState,
    Party, PartyId, PublicKey, state_key,
};
use kms_connector::{core::Core, destroy::Destroyer, evidence::Evidence, inbox::Inbox};
use kms_core_proto::v1;
use kms_proofs::store_key;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::{
    fake_core::{Distortion, FakeCore, attest, signer},
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

/// The record of an epoch with one party, the fake core.
fn epoch(id: u32, party: PartyId) -> Epoch {
    let party = Party { party, name: "us".into(), signer: signer(), payout: "wasm1payout".into() };
    Epoch {
        id: EpochId(id),
        mode: EpochMode::Centralized,
        faulty: 0,
        majority: 1,
        reconstruction: 1,
        parties: vec![party],
        revoked_at: None,
    }
}

/// Keys 1 to 3, of which the second is destroyed; the core holds all.
fn chain() -> (FakeLedger, FakeCore) {
    let (ledger, core) = (FakeLedger::new(), FakeCore::new());
    let states = [KeyState::Active, KeyState::Destroyed, KeyState::Suspended];
    ledger.state().keys = (1..).zip(states).map(|(id, state)| (id, record(id, state))).collect();
    ledger.state().epochs.insert(US.epoch.get(), epoch(US.epoch.get(), US.party));
    core.state().keys = vec![1, 2, 3];
    ledger.state().moves = true;
    (ledger, core)
}

fn destroyer(ledger: &FakeLedger, core: &FakeCore, inbox: &Inbox) -> Destroyer<FakeLedger> {
    let ledger = Arc::new(ledger.clone());
    let core = Core::new(&settings(core.serve())).unwrap();
    let share = Duration::from_secs(1);
    Destroyer {
        chain_id: "kms-local".into(),
        contract: "wasm1asc".into(),
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
    let stored = serde_json::to_vec(&record(2, KeyState::Destroyed)).unwrap();
    assert_eq!((word.time, word.held, word.record_hash), (77, true, Digest::sha256(&stored)));
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

/// The key is attested in the end, and was asked for so many times: each of these words was refused before.
async fn is_attested_only_after(words: &[Distortion]) {
    let ((ledger, core), place) = (chain(), Place::new());
    let inbox = place.inbox();
    core.state().distortions.extend(words);
    until(destroyer(&ledger, &core, &inbox).run(CancellationToken::new()), || is_attested(&inbox, 2)).await;
    assert_eq!(asked(&core), vec![2; words.len() + 1]);
    assert_eq!(inbox.attestation(KeyId(2)).unwrap().map(|word| (word.epoch, word.time)), Some((1, 77)));
}

#[tokio::test]
async fn an_attestation_that_was_changed_after_it_was_signed_is_refused_and_the_core_is_asked_again() {
    is_attested_only_after(&[
        |mut word| {
            word.signature[40] ^= 1;
            word
        },
        |word| v1::KeyDestruction { time: 78, ..word },
        |word| v1::KeyDestruction { signature: vec![6; 65], ..word },
    ])
    .await;
}

#[tokio::test]
async fn an_attestation_of_another_key_record_or_epoch_is_refused_though_it_is_well_signed() {
    is_attested_only_after(&[
        |word| attest(v1::KeyDestruction { key_id: 3, ..word }),
        |word| attest(v1::KeyDestruction { record_hash: vec![5; 32], ..word }),
        |word| attest(v1::KeyDestruction { epoch: 9, ..word }),
        |word| attest(v1::KeyDestruction { epoch: 0, ..word }),
        |word| attest(v1::KeyDestruction { party: 2, ..word }),
    ])
    .await;
}

#[tokio::test]
async fn an_attestation_by_a_signer_that_the_contract_does_not_have_on_record_is_never_kept() {
    let ((ledger, core), place) = (chain(), Place::new());
    let inbox = place.inbox();
    ledger.state().epochs.get_mut(&US.epoch.get()).unwrap().parties[0].signer = PublicKey::new([2; 33]);
    let asked_thrice = || asked(&core).len() >= 3 || is_attested(&inbox, 2);
    until(destroyer(&ledger, &core, &inbox).run(CancellationToken::new()), asked_thrice).await;
    assert_eq!((inbox.attestation(KeyId(2)).unwrap(), inbox.destructions().unwrap()), (None, vec![KeyId(2)]));
}

#[tokio::test]
async fn after_a_takeover_the_word_of_the_epoch_that_had_the_key_before_is_taken() {
    let ((ledger, core), place) = (chain(), Place::new());
    let inbox = place.inbox();
    let later = US.epoch.get() + 1;
    let taken_over = KeyRecord { epoch: EpochId(later), ..record(2, KeyState::Destroyed) };
    ledger.state().keys.insert(2, taken_over);
    inbox.want_destruction(vec![KeyId(2)]).await.unwrap();
    until(destroyer(&ledger, &core, &inbox).run(CancellationToken::new()), || is_attested(&inbox, 2)).await;
    assert_eq!(inbox.attestation(KeyId(2)).unwrap().unwrap().epoch, US.epoch.get());
}

#[tokio::test]
async fn a_word_of_another_core_is_refused_though_that_core_is_on_record() {
    let ((ledger, core), place) = (chain(), Place::new());
    let inbox = place.inbox();
    let later = US.epoch.get() + 1;
    let taken_over = KeyRecord { epoch: EpochId(later), ..record(2, KeyState::Destroyed) };
    {
        let mut state = ledger.state();
        state.keys.insert(2, taken_over);
        state.epochs.insert(later, epoch(later, PartyId(5)));
        state.epochs.get_mut(&US.epoch.get()).unwrap().parties[0].signer = PublicKey::new([2; 33]);
    }
    let theirs: Distortion = |word| attest(v1::KeyDestruction { epoch: 2, party: 5, ..word });
    core.state().distortions.extend([theirs; 2]);
    inbox.want_destruction(vec![KeyId(2)]).await.unwrap();
    let asked_thrice = || asked(&core).len() >= 3 || is_attested(&inbox, 2);
    until(destroyer(&ledger, &core, &inbox).run(CancellationToken::new()), asked_thrice).await;
    assert_eq!(inbox.attestation(KeyId(2)).unwrap(), None);
}
