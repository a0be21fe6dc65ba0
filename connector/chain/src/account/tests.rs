use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;

use super::*;
use crate::{
    Failure,
    fake_node::{FakeChain, FakeNode, Fault, lock},
};

struct Scene {
    chain: Arc<Mutex<FakeChain>>,
    account: Account,
    _node: FakeNode,
}

async fn scene_with(change: impl FnOnce(&mut AccountConfig)) -> Scene {
    let (node, chain) = FakeChain::start().await;
    let mut config = AccountConfig::new("test-1", "0.025ucosm".parse().unwrap());
    change(&mut config);
    let account = Account::new(node.client(), Wallet::generate("wasm").unwrap(), config);
    Scene { chain, account, _node: node }
}

async fn scene() -> Scene {
    scene_with(|_| ()).await
}

impl Scene {
    fn messages(&self) -> Vec<Message> {
        let me = self.account.address();
        vec![Message::bank_send(me, me, &[Coin::new(1, "ucosm")]).unwrap()]
    }

    async fn send(&self) -> Result<TxOutcome> {
        self.account.send(&self.messages(), &TxOptions::default()).await
    }

    fn fault(&self, fault: Fault) {
        lock(&self.chain).faults.push_back(fault);
    }

    fn deliver(&self, code: u32, codespace: &'static str) {
        lock(&self.chain).deliveries.push_back((code, codespace));
    }

    fn sizes(&self) -> Vec<usize> {
        lock(&self.chain).block_sizes()
    }
}

#[tokio::test]
async fn gas_is_the_simulated_times_the_factor_plus_the_head_room_and_pays_its_price() {
    let scene = scene().await;
    let options = TxOptions { gas: Gas::with_headroom(7), ..Default::default() };
    let tx = scene.account.prepare(&scene.messages(), &options).await.unwrap();
    assert_eq!(tx.gas_limit, 130_007);
    assert_eq!(tx.fee, Coin::new(3_251, "ucosm"));
    assert_eq!((tx.sequence, tx.prepared_at, tx.timeout_height), (16, 10, 60));
}

#[tokio::test]
async fn equal_calls_at_once_are_as_many_transactions_in_few_blocks() {
    let scene = scene().await;
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (account, messages) = (scene.account.clone(), scene.messages());
        calls.spawn(async move { account.send(&messages, &TxOptions::default()).await.unwrap().hash });
    }
    let mut hashes = calls.join_all().await;
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 20);
    assert_eq!(scene.sizes().iter().sum::<usize>(), 20);
    assert_eq!(lock(&scene.chain).sequence, 36);
}

#[tokio::test]
async fn a_sequence_stolen_before_simulation_is_corrected() {
    let scene = scene().await;
    scene.send().await.unwrap();
    lock(&scene.chain).steal_sequence();
    scene.send().await.unwrap();
    assert_eq!(lock(&scene.chain).sequence, 19);
}

#[tokio::test]
async fn a_sequence_stolen_between_simulation_and_broadcast_is_corrected() {
    let scene = scene().await;
    scene.fault(Fault::Refuse(
        32,
        "account sequence mismatch, expected 16, got 21: incorrect account sequence",
    ));
    scene.fault(Fault::Refuse(32, "incorrect account sequence"));
    scene.send().await.unwrap();
    assert_eq!(lock(&scene.chain).broadcasts, 3);
}

#[tokio::test]
async fn a_sequence_that_is_always_wrong_is_an_error_in_the_end() {
    let scene = scene().await;
    for _ in 0..SEQUENCE_ATTEMPTS {
        scene.fault(Fault::Refuse(32, "incorrect account sequence"));
    }
    let error = scene.send().await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), ("sequence_mismatch", true));
}

#[tokio::test]
async fn a_transaction_that_vanished_is_sent_anew_and_blocks_nothing() {
    let scene = scene_with(|config| config.timeout_blocks = 3).await;
    scene.fault(Fault::Vanish);
    scene.send().await.unwrap();
    scene.send().await.unwrap();
    assert_eq!(lock(&scene.chain).sequence, 18);
}

#[tokio::test]
async fn without_resending_a_vanished_transaction_is_not_included() {
    let scene = scene_with(|config| (config.timeout_blocks, config.resend) = (3, 0)).await;
    scene.fault(Fault::Vanish);
    let error = scene.send().await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), ("not_included", true));
    scene.send().await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_does_not_send_twice() {
    let scene = scene().await;
    scene.fault(Fault::LoseAnswer);
    scene.send().await.unwrap();
    assert_eq!(scene.sizes(), [1]);
    assert_eq!(lock(&scene.chain).sequence, 17);
}

#[tokio::test]
async fn a_full_mempool_is_offered_again() {
    let scene = scene().await;
    scene.fault(Fault::RpcError("mempool is full: number of txs 5000 (max: 5000)"));
    scene.fault(Fault::Refuse(20, "mempool is full"));
    scene.send().await.unwrap();
    assert_eq!(lock(&scene.chain).broadcasts, 3);
}

#[tokio::test]
async fn a_mempool_that_stays_full_is_a_retryable_error() {
    let scene = scene_with(|config| config.patience = Duration::ZERO).await;
    scene.fault(Fault::RpcError("mempool is full: number of txs 5000 (max: 5000)"));
    let error = scene.send().await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable(), error.is_uncertain()), ("mempool_full", true, false));
    scene.send().await.unwrap();
    assert_eq!(lock(&scene.chain).sequence, 17);
}

#[tokio::test]
async fn a_refusal_frees_its_sequence() {
    let scene = scene().await;
    scene.fault(Fault::Refuse(13, "insufficient fees; got: 1ucosm required: 2ucosm: insufficient fee"));
    assert_eq!(scene.send().await.unwrap_err().code(), "fee_too_low");
    let gas = TxOptions { gas: Gas::Limit(100_000), ..Default::default() };
    let tx = scene.account.prepare(&scene.messages(), &gas).await.unwrap();
    assert_eq!(tx.sequence, 16);
}

#[tokio::test]
async fn a_contracts_refusal_in_simulation_sends_nothing_and_keeps_its_text() {
    let scene = scene().await;
    lock(&scene.chain).simulation_fails = Some(
        "rpc error: code = Unknown desc = failed to execute message; message index: 0: [paused] no requests now: \
         execute wasm contract failed [CosmWasm/wasmd@v0.61.14/x/wasm/keeper/keeper.go:452] with gas used: '1'",
    );
    let error = scene.send().await.unwrap_err();
    assert_eq!(error.code(), "simulation_failed");
    assert_eq!(error.contract_message(), Some("[paused] no requests now"));
    assert_eq!(error.to_string(), "simulation failed: [paused] no requests now");
    assert_eq!(lock(&scene.chain).broadcasts, 0);
}

#[tokio::test]
async fn a_failure_in_the_block_is_an_error_that_says_which() {
    let scene = scene().await;
    for (code, codespace, failure) in [
        (11, "sdk", Failure::OutOfGas),
        (5, "wasm", Failure::Contract),
        (22, "wasm", Failure::NoSuchContract),
        (5, "sdk", Failure::Other),
        (29, "wasm", Failure::Other),
    ] {
        scene.deliver(code, codespace);
        let error = scene.send().await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (failure.code(), false));
    }
    scene.send().await.unwrap();
    assert_eq!(lock(&scene.chain).sequence, 22);
}

#[tokio::test]
async fn what_stood_behind_a_failed_one_in_its_block_is_sent_anew() {
    let scene = scene().await;
    scene.deliver(32, "sdk");
    let outcome = scene.send().await.unwrap();
    assert_eq!(outcome.code, 0);
    let chain = lock(&scene.chain);
    assert_eq!((chain.broadcasts, chain.sequence), (2, 17));
}

#[tokio::test]
async fn a_prepared_transaction_that_is_never_sent_blocks_nothing() {
    let scene = scene().await;
    let lost = scene.account.prepare(&scene.messages(), &TxOptions::default()).await.unwrap();
    let outcome = scene.send().await.unwrap();
    assert_ne!(outcome.hash, lost.hash, "equal messages must stay two transactions");
    assert_eq!(scene.account.broadcast(&lost).await.unwrap_err().code(), "sequence_mismatch");
}

#[tokio::test]
async fn a_stored_transaction_can_be_sent_again_after_a_restart() {
    let scene = scene().await;
    let tx = scene.account.prepare(&scene.messages(), &TxOptions::default()).await.unwrap();
    assert_eq!(scene.account.broadcast(&tx).await.unwrap(), Broadcast::Accepted);
    let stored = serde_json::to_string(&tx).unwrap();
    let restored: SignedTx = serde_json::from_str(&stored).unwrap();
    assert_eq!(scene.account.broadcast(&restored).await.unwrap(), Broadcast::AlreadyKnown);
    assert_eq!(scene.account.confirm(&restored).await.unwrap().hash, tx.hash);
    assert_eq!(scene.sizes(), [1]);
}

#[tokio::test]
async fn a_call_that_was_dropped_halfway_blocks_nothing() {
    let scene = scene().await;
    lock(&scene.chain).halted = true;
    let (account, messages) = (scene.account.clone(), scene.messages());
    let dropped = tokio::spawn(async move { account.send(&messages, &TxOptions::default()).await });
    while lock(&scene.chain).broadcasts == 0 {
        tokio::task::yield_now().await;
    }
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    lock(&scene.chain).halted = false;
    scene.send().await.unwrap();
    assert_eq!(lock(&scene.chain).sequence, 18);
}

#[tokio::test]
async fn a_transaction_too_large_to_simulate_or_to_send_is_refused_here() {
    let (node, chain) = FakeChain::start().await;
    let mut config = node.config();
    (config.max_tx_bytes, config.max_simulate_bytes) = (300, 100);
    let client = Client::new(config).unwrap();
    let config = AccountConfig::new("test-1", "0.025ucosm".parse().unwrap());
    let account = Account::new(client, Wallet::generate("wasm").unwrap(), config);
    let message = Message::bank_send(account.address(), account.address(), &[Coin::new(1, "ucosm")]).unwrap();
    let simulated = account.send(std::slice::from_ref(&message), &TxOptions::default()).await.unwrap_err();
    assert!(matches!(simulated, Error::TooLarge { step: "simulate", limit: 100, .. }));
    let gas = TxOptions { gas: Gas::Limit(1), memo: "m".repeat(300), ..Default::default() };
    let sent = account.send(&[message], &gas).await.unwrap_err();
    assert!(matches!(sent, Error::TooLarge { step: "broadcast", limit: 300, .. }));
    assert_eq!(lock(&chain).broadcasts, 0);
}
