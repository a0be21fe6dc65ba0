use std::sync::atomic::Ordering;

use kms_asc_api::{KeyDomain, KeyId, KeyType, eip712, payload};

use crate::{
    bodies::{body, key_gen},
    seed::{KEY_ID, Seed},
    stack::{CHAIN_ID, CONTRACT, Stack, reason, recovered, success},
};

#[tokio::test]
async fn a_generated_key_is_published_signed_for_and_listed() {
    let seed = Seed::get().await;
    let said = success(&seed.answer);
    let digests = payload::decode_key_digests(&said.payload).unwrap();
    let types: Vec<_> = digests.iter().map(|part| part.key_type).collect();
    assert_eq!(types, [KeyType::Server, KeyType::Public]);

    let domain = KeyDomain { name: "KMSGeneration".into(), version: "1".into(), chain_id: 9000 }
        .for_key(CHAIN_ID, CONTRACT, KeyId(KEY_ID))
        .unwrap();
    let statement = eip712::key_gen_hash(&domain, KeyId(KEY_ID), &digests);
    let stack = Stack::with_key().await.start().await;
    assert_eq!(recovered(&statement, &said.external_signature), stack.signer);
    stack.check_receipt(&seed.body, &seed.answer);

    let [key] = seed.listed.as_slice() else { panic!("{} keys are listed", seed.listed.len()) };
    assert_eq!((key.key_id, key.params.as_str(), key.epoch), (KEY_ID, "default", 1));
    let listed: Vec<_> = key.parts.iter().map(|part| (part.key_type, part.digest.clone())).collect();
    let signed: Vec<_> =
        digests.iter().map(|part| (part.key_type.number().into(), part.digest.as_bytes().to_vec())).collect();
    assert_eq!(listed, signed);
    // The server key is compressed: uncompressed it would have hundreds of megabytes.
    assert_eq!(key.parts.iter().map(|part| part.size).collect::<Vec<_>>(), seed.published);
    assert!((50_000_000..110_000_000).contains(&seed.published[0]), "{:?}", seed.published);
}

#[tokio::test]
async fn a_request_run_again_after_a_crash_behind_the_vault_makes_no_second_key() {
    let seed = Seed::get().await;
    let stack = Stack::with_key().await.start().await;
    let answer = stack.execute(&seed.body, vec![]).await.unwrap();
    assert_eq!(answer, seed.answer);
    assert_eq!(stack.engine.controls.generated.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn another_request_under_the_id_of_a_key_is_a_conflict() {
    let seed = Seed::get().await;
    let stack = Stack::with_key().await.start().await;
    let mut other = body(KEY_ID, key_gen());
    other.height += 1;
    assert_eq!(reason(&stack.execute(&other, vec![]).await.unwrap_err()), "request_conflict");
    assert_eq!(stack.execute(&seed.body, vec![]).await.unwrap(), seed.answer);
}
