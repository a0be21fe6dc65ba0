//! What a core makes of its folder when it starts.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use kms_core_proto::v1::ListKeysRequest;

use crate::{
    seed::{KEY_ID, Seed},
    stack::{CONTRACT, Stack},
};

/// The first contract of every wasmd chain.
const OTHER_CONTRACT: &str = "wasm14hj2tavq8fpesdwxxcu44rty3hh90vhujrvcmstl4zr3txmfvw9s0phg4d";

const FILE: &str = "00000000000000000007.key";

fn key_file(stack: &Stack) -> PathBuf {
    stack.vault().join(FILE)
}

#[tokio::test]
async fn keys_are_there_after_a_restart() {
    let seed = Seed::get().await;
    let stack = Stack::with_key().await.start().await.stop().await.start().await;
    let keys = stack.client().list_keys(ListKeysRequest {}).await.unwrap().into_inner().keys;
    assert_eq!(keys, seed.listed);
    assert_eq!(keys[0].key_id, KEY_ID);
}

#[tokio::test]
async fn the_vaults_file_is_its_owners_alone() {
    let stack = Stack::with_key().await;
    assert_eq!(Seed::get().await.vault_file.0, FILE);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(key_file(&stack)), 0o600);
    assert_eq!(mode(stack.vault()), 0o700);
}

#[tokio::test]
async fn a_damaged_vault_file_stops_the_start_and_is_named() {
    let stack = Stack::with_key().await;
    let whole = fs::read(key_file(&stack)).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    for damaged in [&changed[..], &whole[..whole.len() - 1], &[], b"something else"] {
        fs::write(key_file(&stack), damaged).unwrap();
        let error = stack.refused().await;
        assert_eq!(error.code(), "vault_damaged");
        assert!(error.to_string().contains(FILE), "{error}");
    }
    fs::write(key_file(&stack), whole).unwrap();
    assert!(stack.bind().await.is_ok());
}

#[tokio::test]
async fn a_vault_file_that_others_may_read_stops_the_start() {
    let stack = Stack::with_key().await;
    fs::set_permissions(key_file(&stack), fs::Permissions::from_mode(0o640)).unwrap();
    let error = stack.refused().await;
    assert_eq!(error.code(), "vault_exposed");
    assert!(error.to_string().contains(FILE), "{error}");
}

#[tokio::test]
async fn a_vault_of_another_contract_stops_the_start() {
    let mut stack = Stack::with_key().await;
    stack.settings.identity.contract = OTHER_CONTRACT.into();
    let error = stack.refused().await;
    assert_eq!(error.code(), "vault_of_other_contract");
    assert!(error.to_string().contains(CONTRACT), "{error}");
}

#[tokio::test]
async fn answers_of_another_contract_stop_the_start() {
    let mut stack = Stack::empty().start().await.stop().await;
    stack.settings.identity.chain_id = "kms-test-2".into();
    let error = stack.refused().await;
    assert_eq!(error.code(), "answers_of_other_contract");
    assert!(error.to_string().contains("kms-test-1"), "{error}");
}

#[tokio::test]
async fn a_second_core_on_the_same_folder_does_not_start() {
    let stack = Stack::empty();
    let _first = stack.bind().await.unwrap();
    assert_eq!(stack.refused().await.code(), "answers_in_use");
}

#[tokio::test]
async fn a_contract_that_is_none_stops_the_start() {
    let mut stack = Stack::empty();
    stack.settings.identity.contract = "wasm1other".into();
    let error = stack.refused().await;
    assert_eq!(error.code(), "contract_invalid");
    assert!(error.to_string().contains("wasm1other"), "{error}");
}

#[tokio::test]
async fn damaged_trusted_headers_stop_the_start_and_are_named() {
    let stack = Stack::empty();
    fs::create_dir_all(&stack.settings.data_dir).unwrap();
    fs::write(stack.settings.data_dir.join("trust.redb"), vec![7; 10_000]).unwrap();
    let error = stack.refused().await;
    assert_eq!(error.code(), "headers_unusable");
    assert!(error.to_string().contains("trust.redb"), "{error}");
}

#[tokio::test]
async fn a_damaged_answer_store_stops_the_start_and_is_named() {
    let stack = Stack::empty();
    fs::create_dir_all(&stack.settings.data_dir).unwrap();
    fs::write(stack.settings.data_dir.join("answers.redb"), vec![7; 10_000]).unwrap();
    let error = stack.refused().await;
    assert_eq!(error.code(), "answers_unusable");
    assert!(error.to_string().contains("answers.redb"), "{error}");
}

#[tokio::test]
async fn only_what_a_crash_left_half_written_in_the_vault_is_removed() {
    let stack = Stack::with_key().await;
    let half = stack.vault().join(".tmp8Wc2");
    let backup = stack.vault().join("00000000000000000007.key.backup");
    stack.write_secret(half.clone(), &[1; 1000]);
    stack.write_secret(backup.clone(), &[1; 1000]);
    assert!(stack.bind().await.is_ok());
    assert!(!half.exists());
    assert!(backup.exists(), "a file of the operator's was removed");
    assert!(key_file(&stack).exists());
}

#[tokio::test]
async fn without_a_signer_the_core_does_not_start_and_says_how_to_make_one() {
    let stack = Stack::empty();
    fs::remove_file(&stack.settings.signer_file).unwrap();
    let error = stack.refused().await;
    assert!(error.to_string().contains("kms-core init"), "{error}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stack = Stack::empty();
    stack.settings.listen = taken.local_addr().unwrap();
    let error = stack.refused().await;
    assert_eq!(error.code(), "cannot_listen");
    assert!(error.to_string().contains(&stack.settings.listen.to_string()), "{error}");
}
