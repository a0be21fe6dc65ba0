//! A stack's chain: its life, its fees, its keys.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use kms_chain::{Coin, Gas, Message, TxOptions};
use kms_localnet::{AccountName, Lifetime, Stack, StackOptions};

const PATIENCE: Duration = Duration::from_secs(60);

async fn started(folder: &Path, name: &str) -> Stack {
    let mut stack =
        Stack::create(&folder.join(name), name, StackOptions::new(Lifetime::Owned)).await.unwrap();
    stack.start_chain().await.unwrap();
    stack
}

async fn wait_for_height(stack: &Stack, height: u64) {
    let client = stack.client().unwrap();
    let reached = async {
        while client.status().await.map_or(0, |status| status.latest_height) < height {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.expect("the chain stands still");
}

pub async fn a_chain_starts_pays_survives_a_kill_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let mut stack = started(folder.path(), "life").await;
    assert_eq!(stack.network().chain_id, "kms-local-life");

    let user = stack.account(AccountName::User).unwrap();
    let operator = stack.account(AccountName::Operator).unwrap();
    let funds = [Coin::new(7, "ukms")];
    let message = Message::bank_send(user.address(), operator.address(), &funds).unwrap();
    user.send(std::slice::from_ref(&message), &TxOptions::default()).await.unwrap();
    let rich = stack.client().unwrap().balance(operator.address(), "ukms").await.unwrap();
    assert_eq!(rich, 1_000_000_000_007);

    let before = stack.client().unwrap().status().await.unwrap().latest_height;
    stack.kill("chain").await.unwrap();
    assert!(stack.client().unwrap().status().await.is_err());
    stack.start_chain().await.unwrap();
    wait_for_height(&stack, before + 2).await;

    stack.stop().await.unwrap();
    assert_eq!(stack.status().unwrap(), []);
    assert!(stack.client().unwrap().status().await.is_err());
}

pub async fn a_transaction_that_pays_too_little_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let stack = started(folder.path(), "fees").await;
    let user = stack.account(AccountName::User).unwrap();
    let message = Message::bank_send(user.address(), user.address(), &[Coin::new(1, "ukms")]).unwrap();
    let cheap = TxOptions { gas_price: Some("0.001ukms".parse().unwrap()), ..TxOptions::default() };
    let error = user.send(&[message], &cheap).await.unwrap_err();
    assert!(error.to_string().contains("insufficient fees"), "{error}");
}

pub async fn two_stacks_run_beside_each_other_and_only_their_owner_reads_their_keys() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = tokio::join!(started(folder.path(), "one"), started(folder.path(), "two"));
    assert_ne!(one.network().rpc_url, two.network().rpc_url);
    assert_ne!(one.network().core_url, two.network().core_url);
    wait_for_height(&one, 2).await;
    wait_for_height(&two, 2).await;
    for stack in [&one, &two] {
        let root = fs::metadata(stack.layout().root()).unwrap().permissions().mode();
        assert_eq!(root & 0o777, 0o700);
        let chain = stack.layout().chain();
        let mut secrets = vec![chain.join("config/priv_validator_key.json")];
        for folder in [stack.layout().secrets(), chain.join("keyring-test")] {
            secrets.extend(fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
        }
        assert!(secrets.len() > AccountName::ALL.len() + 1, "{secrets:?}");
        for path in secrets {
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    }
    let addresses = [&one, &two].map(|stack| stack.account(AccountName::User).unwrap().address().to_owned());
    assert_ne!(addresses[0], addresses[1]);
}

/// What the node itself says of its genesis, and how fast it goes.
pub async fn the_chain_has_a_block_gas_limit_and_blocks_of_200_ms() {
    let folder = tempfile::tempdir().unwrap();
    let stack = started(folder.path(), "limits").await;
    let config = fs::read_to_string(stack.layout().chain().join("config/config.toml")).unwrap();
    assert!(config.contains("timeout_commit = \"200ms\""), "{config}");
    let user = stack.account(AccountName::User).unwrap();
    let message = Message::bank_send(user.address(), user.address(), &[Coin::new(1, "ukms")]).unwrap();
    let limit = StackOptions::new(Lifetime::Owned).block_max_gas;
    let greedy = TxOptions { gas: Gas::Limit(limit + 1), ..TxOptions::default() };
    let error = user.send(&[message], &greedy).await.unwrap_err();
    assert!(error.to_string().contains("exceeds block max gas 40000000"), "{error}");
}

pub async fn a_creation_that_was_interrupted_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half");
    let options = StackOptions::new(Lifetime::Owned);
    let stack = Stack::create(&path, "half", options.clone()).await.unwrap();
    let first = stack.account(AccountName::User).unwrap().address().to_owned();
    // The network is written last.
    fs::remove_file(stack.layout().network()).unwrap();
    assert!(Stack::create(&path, "half", options.clone()).await.is_err(), "two programs make one stack");
    drop(stack);
    let mut stack = Stack::create(&path, "half", options).await.unwrap();
    assert_ne!(stack.account(AccountName::User).unwrap().address(), first);
    stack.start_chain().await.unwrap();
}

pub async fn a_stack_belongs_to_one_program_at_a_time_and_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let options = StackOptions::new(Lifetime::Owned);
    let path = folder.path().join("again");
    let stack = Stack::create(&path, "again", options.clone()).await.unwrap();
    assert!(Stack::open(&path, options.clone()).is_err(), "two programs have one stack open");
    let network = stack.network().clone();
    drop(stack);
    assert!(Stack::create(&path, "again", options.clone()).await.is_err(), "a stack was made over another");
    assert_eq!(Stack::open(&path, options).unwrap().network(), &network);
}
