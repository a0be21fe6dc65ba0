use kms_asc_api::{
    CiphertextFormat, Digest, EpochId, FailureCode, KeyGen, KeyParams, KeyRecord, KeySource, KeyState,
    Operation, eip712::KeyDestruction, signing,
};
use kms_core_engine::FheType;

use super::scene::*;
use crate::{
    Error,
    operation::{
        destroy,
        ready::{StringParts, VerifierParts},
    },
};

fn destroyed(key: &KeyRecord) -> KeyRecord {
    KeyRecord { state: KeyState::Destroyed, ..key.clone() }
}

const RECORD_HASH: Digest = Digest::new([4; 32]);

#[tokio::test]
async fn a_destroyed_key_is_gone_from_disk_and_memory_and_what_is_said_of_it_stays() {
    let scene = Scene::new().await;
    let file = scene.folder.path().join("vault").join(crate::vault::key_file(KEY_ID));
    assert!(file.is_file());
    let string = StringParts { params: kms_core_engine::ParameterSet::Test, crs: scene.crs().await.digest };
    let parts = VerifierParts { public_key: public_digest(&scene.key), string };
    let verifier = kms_core_engine::InputVerifier::load(&scene.published[1], reference_string()).unwrap();
    scene.shop.verifiers.keep(parts, verifier);

    let said = destroy(&scene.shop, &scene.signer, &destroyed(&scene.key), RECORD_HASH).unwrap();
    assert!(!file.exists() && scene.shop.vault.get(KEY_ID).is_none());
    assert!(scene.shop.verifiers.get(&parts).is_none());
    assert!(said.held);
    let statement = KeyDestruction {
        chain_id: "kms-1",
        contract: "wasm1asc",
        key_id: scene.key.id,
        record_hash: RECORD_HASH,
        epoch: EpochId(1),
        party: kms_asc_api::PartyId(1),
        time: said.time,
        held: true,
    };
    let signer = signing::recover(&statement.signing_hash(), &said.signature).unwrap();
    assert_eq!(signer, scene.signer.public_key());

    // Again, also after a restart and when the record has changed in another field: the same.
    let again = destroy(&scene.shop, &scene.signer, &destroyed(&scene.key), Digest::new([5; 32])).unwrap();
    assert_eq!(again, said);
    let restarted = workshop(&scene.folder, true);
    assert_eq!(destroy(&restarted, &scene.signer, &destroyed(&scene.key), RECORD_HASH).unwrap(), said);
}

#[tokio::test]
async fn a_destroyed_key_decrypts_nothing_and_its_id_is_not_used_again() {
    let scene = Scene::new().await;
    let bytes = scene.encryptor().encrypt_raw(&value(FheType::Uint8, "1")).unwrap();
    let ciphertext = element(&bytes, CiphertextFormat::Raw, 0, FheType::Uint8);
    assert_eq!(payload_of(scene.decrypt(vec![ciphertext.clone()], vec![bytes.clone()]).await)[31], 1);
    destroy(&scene.shop, &scene.signer, &destroyed(&scene.key), RECORD_HASH).unwrap();
    let finding = scene.decrypt(vec![ciphertext], vec![bytes]).await;
    assert_eq!(failure_of(finding), (FailureCode::KeyUnavailable, None));

    let sources = [KeySource::Generate, KeySource::Import { digests: scene.key.digests.clone() }];
    for source in sources {
        let operation = Operation::KeyGen(KeyGen { params: KeyParams::Test, source });
        let finding = perform(&scene.shop, &request(KEY_ID, operation, None, None), vec![]).await;
        assert_eq!(failure_of(finding), (FailureCode::KeyUnavailable, None));
    }
    assert!(scene.shop.vault.is_empty());
}

#[tokio::test]
async fn a_key_that_was_never_here_is_attested_as_not_held() {
    let scene = Scene::new().await;
    let absent = KeyRecord { id: kms_asc_api::KeyId(99), ..destroyed(&scene.key) };
    let said = destroy(&scene.shop, &scene.signer, &absent, RECORD_HASH).unwrap();
    assert!(!said.held);
    assert!(scene.shop.vault.get(KEY_ID).is_some(), "another key went with it");
}

#[tokio::test]
async fn a_key_of_a_later_epoch_is_attested_by_what_this_core_was_when_it_made_it() {
    let scene = Scene::new().await;
    let later = KeyRecord { epoch: EpochId(2), ..destroyed(&scene.key) };
    assert_eq!(destroy(&scene.shop, &scene.signer, &later, RECORD_HASH).unwrap().epoch, EpochId(1));

    let foreign = KeyRecord { id: kms_asc_api::KeyId(99), ..later };
    let refused = destroy(&scene.shop, &scene.signer, &foreign, RECORD_HASH);
    assert!(matches!(refused, Err(Error::WrongEpoch { given: Some(2), .. })));
    assert!(!scene.shop.destroyed.contains(99));
}

#[tokio::test]
async fn a_key_of_which_this_core_can_say_nothing_is_destroyed_all_the_same() {
    let scene = Scene::new().await;
    let mut moved = workshop(&scene.folder, true);
    moved.identity = std::sync::Arc::new(crate::Identity { memberships: vec![], ..identity() });
    let refused = destroy(&moved, &scene.signer, &destroyed(&scene.key), RECORD_HASH);
    assert!(matches!(refused, Err(Error::WrongEpoch { .. })));
    assert!(moved.vault.get(KEY_ID).is_none());
    assert!(!scene.folder.path().join("vault").join(crate::vault::key_file(KEY_ID)).exists());
}
