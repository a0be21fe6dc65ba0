use kms_asc_api::{
    CrsGen, CrsSource, Digest, FailureCode, KeyDigest, KeyGen, KeyParams, KeySource, Operation,
};
use kms_core_engine::{CentralizedEngine, FheType, crs_digest};

use super::scene::*;
use crate::{
    operation::{Workshop, key_gen::digests_of},
    vault::{Staged, StagedCrs, StagedKey, Strongbox, settings_in},
};

/// The request under which a copy of the scene's key becomes another contract key.
const IMPORT: u64 = 40;

/// Stages the scene's key in another core, for this owner; gives that core and the key's digests.
async fn staged_for(owner: &str) -> (tempfile::TempDir, Workshop<CentralizedEngine>, Vec<KeyDigest>, Scene) {
    let scene = Scene::new().await;
    let held = scene.shop.vault.get(KEY_ID).unwrap();
    let from = Strongbox::open(&settings_in(scene.folder.path())).unwrap();
    let name = crate::vault::key_file(KEY_ID);
    let (_, secret) = from.get::<crate::vault::Record>(&name, crate::vault::Kind::Key).unwrap().unwrap();
    let key = StagedKey { params: "test".into(), parts: held.record.parts.clone() };
    let secret = kms_core_engine::SecretKey::from_bytes(secret.to_vec());

    let folder = tempfile::tempdir().unwrap();
    let to = Strongbox::open(&settings_in(folder.path())).unwrap();
    to.stage(owner, IMPORT, &Staged::Key { key, secret }).unwrap();
    let digests = digests_of(&held.record).unwrap();
    let shop = workshop(&folder, true);
    (folder, shop, digests, scene)
}

fn import(id: u64, digests: Vec<KeyDigest>) -> crate::request::Request {
    let source = KeySource::Import { digests };
    request(id, Operation::KeyGen(KeyGen { params: KeyParams::Test, source }), None, None)
}

#[tokio::test]
async fn a_staged_key_becomes_the_one_of_its_request_and_decrypts_what_its_origin_encrypted() {
    let (folder, shop, digests, scene) = staged_for(OWNER).await;
    let payload = payload_of(perform(&shop, &import(IMPORT, digests.clone()), vec![]).await);
    assert_eq!(payload, kms_asc_api::payload::encode_key_digests(&digests));
    // It is not needed twice, and a rerun gives the same.
    assert!(shop.vault.staged(OWNER, IMPORT).unwrap().is_none());
    let again = payload_of(perform(&workshop(&folder, true), &import(IMPORT, digests.clone()), vec![]).await);
    assert_eq!(again, payload);

    let bytes = scene.encryptor().encrypt_raw(&value(FheType::Uint8, "77")).unwrap();
    let ciphertext = element(&bytes, kms_asc_api::CiphertextFormat::Raw, 0, FheType::Uint8);
    let mut asked = match decryption(vec![ciphertext]) {
        Operation::PublicDecrypt(asked) => asked,
        other => panic!("{other:?}"),
    };
    asked.key_id = kms_asc_api::KeyId(IMPORT);
    let asked = request(41, Operation::PublicDecrypt(asked), Some(record(IMPORT, digests)), None);
    assert_eq!(payload_of(perform(&shop, &asked, vec![bytes]).await)[31], 77);
}

#[tokio::test]
async fn a_key_that_is_staged_for_somebody_or_something_else_is_not_imported() {
    let (_folder, shop, digests, _) = staged_for("wasm1somebody").await;
    let finding = perform(&shop, &import(IMPORT, digests), vec![]).await;
    assert_eq!(failure_of(finding), (FailureCode::KeyUnavailable, None));

    let (_folder, shop, digests, _) = staged_for(OWNER).await;
    let finding = perform(&shop, &import(IMPORT + 1, digests.clone()), vec![]).await;
    assert_eq!(failure_of(finding), (FailureCode::KeyUnavailable, None));
    let mut others = digests;
    others[1].digest = Digest::new([8; 32]);
    let finding = perform(&shop, &import(IMPORT, others), vec![]).await;
    assert_eq!(failure_of(finding), (FailureCode::KeyUnavailable, None));
    assert!(shop.vault.is_empty());
}

#[tokio::test]
async fn a_staged_string_is_published_under_the_digest_that_the_request_names() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = crs_bytes().to_vec();
    let digest = Digest::new(crs_digest(&bytes));
    let crs = StagedCrs { max_bits: CRS_BITS, digest };
    let strongbox = Strongbox::open(&settings_in(folder.path())).unwrap();
    strongbox.stage(OWNER, IMPORT, &Staged::Crs { crs, bytes }).unwrap();
    let shop = workshop(&folder, true);
    let asked = |max_bits, digest| {
        let source = CrsSource::Import { digest };
        request(IMPORT, Operation::CrsGen(CrsGen { max_bits, source }), None, None)
    };
    for wrong in [asked(65, digest), asked(64, Digest::new([8; 32]))] {
        let finding = perform(&shop, &wrong, vec![]).await;
        assert_eq!(failure_of(finding), (FailureCode::KeyUnavailable, None));
    }
    assert!(shop.published(&digest, crs_digest).await.unwrap().is_none());
    for _ in 0..2 {
        assert_eq!(payload_of(perform(&shop, &asked(64, digest), vec![]).await), digest.as_bytes());
    }
    assert!(shop.published(&digest, crs_digest).await.unwrap().is_some());
}

#[tokio::test]
async fn a_string_for_more_bits_than_the_engine_makes_is_code_10() {
    let folder = tempfile::tempdir().unwrap();
    let operation = Operation::CrsGen(CrsGen { max_bits: 4096, source: CrsSource::Generate });
    let finding = perform(&workshop(&folder, true), &request(1, operation, None, None), vec![]).await;
    assert_eq!(failure_of(finding), (FailureCode::Unsupported, None));
}
