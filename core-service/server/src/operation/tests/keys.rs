use kms_asc_api::{FailureCode, KeyGen, KeyId, KeyParams, KeyRecord, KeySource, Operation, payload};

use super::scene::*;
use crate::operation::Finding;

fn takeover(key: KeyRecord) -> crate::request::Request {
    let source = KeySource::Takeover { key_id: key.id };
    let operation = Operation::KeyGen(KeyGen { params: key.params, source });
    request(30, operation, Some(key), None)
}

#[tokio::test]
async fn test_parameters_are_refused_where_they_are_not_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let shop = workshop(&folder, false);
    let operation = Operation::KeyGen(KeyGen { params: KeyParams::Test, source: KeySource::Generate });
    let finding = perform(&shop, &request(1, operation, None, None), vec![]).await;
    assert_eq!(failure_of(finding), (FailureCode::Unsupported, None));
    assert!(shop.vault.is_empty());
}

#[tokio::test]
async fn a_test_key_is_marked_in_the_vault_and_signed_under_its_own_domain() {
    let folder = tempfile::tempdir().unwrap();
    let shop = workshop(&folder, true);
    let operation = Operation::KeyGen(KeyGen { params: KeyParams::Test, source: KeySource::Generate });
    let Finding::Answer { payload, statement } =
        perform(&shop, &request(5, operation, None, None), vec![]).await
    else {
        panic!("no answer")
    };
    assert_eq!(statement, Some(key_statement(5, &payload)));
    assert_eq!(shop.vault.get(5).unwrap().record.params_name(), "test");
}

#[tokio::test]
async fn a_takeover_says_the_digests_on_record_for_the_key_that_is_taken_over() {
    let scene = Scene::new().await;
    let finding = perform(&scene.shop, &takeover(scene.key.clone()), vec![]).await;
    let Finding::Answer { payload, statement } = finding else { panic!("no answer") };
    assert_eq!(payload, payload::encode_key_digests(&scene.key.digests));
    assert_eq!(statement, Some(key_statement(KEY_ID, &payload)), "signed for another key");
    assert_eq!(scene.shop.vault.len(), 1, "a key was made");
}

#[tokio::test]
async fn a_key_that_is_not_here_or_not_the_one_on_record_is_not_taken_over() {
    let scene = Scene::new().await;
    let mut other = scene.key.clone();
    other.digests[0].digest = kms_asc_api::Digest::new([9; 32]);
    let absent = KeyRecord { id: KeyId(8), ..scene.key.clone() };
    for key in [other, absent] {
        let finding = perform(&scene.shop, &takeover(key), vec![]).await;
        assert_eq!(failure_of(finding), (FailureCode::KeyUnavailable, None));
    }
}
