//! What a real node proves is accepted by the verifier, and nothing else is.

use std::{
    fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use kms_chain::{Client, Error, Message, TxOptions};
use kms_localnet::{AccountName, Lifetime, Programs, Stack, StackOptions};
use kms_proofs::{
    LightBlock, ProofError, StateEntry, Time, TrustOptions, VerifiedHeader, anchor, store_key, verify_entry,
    verify_header, verify_root,
};

async fn light_block(client: &Client, height: u64) -> (LightBlock, [u8; 32]) {
    loop {
        if let Some(block) = client.light_block(height).await.unwrap() {
            assert_eq!(block.height, height);
            let kms_chain::LightBlock { signed_header, validators, next_validators, hash, .. } = block;
            return (LightBlock { signed_header, validators, next_validators }, hash);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn now() -> Time {
    Time::of(SystemTime::now().duration_since(UNIX_EPOCH).unwrap())
}

fn options(chain_id: &str) -> TrustOptions {
    TrustOptions {
        chain_id: chain_id.to_owned(),
        trusting_period: Duration::from_secs(3_600),
        clock_drift: Duration::from_secs(10),
    }
}

async fn entry(client: &Client, key: Vec<u8>, height: u64) -> (StateEntry, Vec<u8>) {
    let found = client.proven_value(key.clone(), height).await.unwrap();
    (StateEntry { key, value: found.value, proof: found.proof }, found.store_proof)
}

async fn anchored(client: &Client, height: u64, options: &TrustOptions) -> VerifiedHeader {
    let (block, hash) = light_block(client, height).await;
    anchor(&block, height, hash, options, now()).unwrap()
}

pub async fn a_value_and_an_absence_are_proven_from_a_header_that_a_person_named() {
    let wasm = Programs::of_this_build().unwrap().contract().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut stack =
        Stack::create(&folder.path().join("proofs"), "proofs", StackOptions::new(Lifetime::Owned))
            .await
            .unwrap();
    stack.start_chain().await.unwrap();
    let client = stack.client().unwrap();
    let options = options(&stack.network().chain_id);
    let named = anchored(&client, 1, &options).await;

    let admin = stack.account(AccountName::Admin).unwrap();
    let store = Message::store_code(admin.address(), &fs::read(wasm).unwrap()).unwrap();
    let stored = admin.send(&[store], &TxOptions::default()).await.unwrap();
    let (code_id, checksum) = stored.stored_code(0).unwrap();
    let height = stored.height;

    // In one step from the first header to that which commits to the state.
    let (next, _) = light_block(&client, height + 1).await;
    let header = verify_header(&named, &next, &options, now()).unwrap();
    assert_eq!((header.height(), header.state_height()), (height + 1, height));
    let (present, store_proof) = entry(&client, store_key::code_info(code_id), height).await;
    let root = verify_root(&header, &store_proof).unwrap();
    verify_entry(&root, &present).unwrap();
    let value = present.value.clone().unwrap();
    assert!(value.windows(32).any(|window| window == checksum), "the record does not name the code");
    let (absent, _) = entry(&client, store_key::code_info(code_id + 1), height).await;
    assert_eq!(absent.value, None);
    verify_entry(&root, &absent).unwrap();

    let other = StateEntry { value: Some([value, vec![0]].concat()), ..present.clone() };
    assert!(matches!(verify_entry(&root, &other), Err(ProofError::NotProven { .. })));
    // State of one height is not proven by the header of another.
    let (before, _) = light_block(&client, height).await;
    let before = verify_header(&named, &before, &options, now()).unwrap();
    assert!(verify_root(&before, &store_proof).is_err());

    // A height to come has no state to prove, and no header.
    let far = height + 100_000;
    let error = client.proven_value(store_key::code_info(code_id), far).await.unwrap_err();
    assert!(matches!(error, Error::HeightUnavailable { .. }), "{error}");
    assert_eq!(client.light_block(far).await.unwrap(), None);
    stack.stop().await.unwrap();
}
