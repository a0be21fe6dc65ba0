//! A contract whose chain does what a test says.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use kms_asc_api::{
    Digest, Epoch, EpochId, ItemOutcome, KeyId, KeyRecord, OutcomesData, Page, RequestId, state_key,
};
use kms_chain::{
    BlockTime, Broadcast, Coin, Error, Gas, LightBlock, MsgResponse, ProvenValue, SignedTx, TxHash, TxOutcome,
};
use kms_connector::{
    item::Item,
    ledger::{Head, Ledger, LedgerError, StoredKey},
    machine::Facts,
};

use crate::scene::{contract, request};

/// What happens to a transaction that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Included,
    OutOfGas,
    Vanished,
}

#[derive(Debug, Default)]
pub struct State {
    pub now: u64,
    pub height: u64,
    /// Whether the node is one of another chain.
    pub wrong_chain: bool,
    /// Requests that are not the usual open one.
    pub requests: BTreeMap<u64, Option<Facts>>,
    pub open: Vec<u64>,
    pub recorded: BTreeSet<u64>,
    /// The contract's outcome for items that it does not simply record, once each.
    pub outcomes: BTreeMap<u64, ItemOutcome>,
    /// Answers of the next calls; afterwards all is well.
    pub prepare_errors: VecDeque<Error>,
    pub broadcast_errors: VecDeque<Error>,
    pub fates: VecDeque<Fate>,
    /// Items whose simulation fails, also among others.
    pub unsimulated: BTreeSet<u64>,
    /// Items whose transaction fails in its block.
    pub unexecuted: BTreeSet<u64>,
    /// Items that are taken and leave no trace.
    pub unrecorded: BTreeSet<u64>,
    /// Whether blocks are made that the client cannot read.
    pub unreadable_blocks: bool,
    /// What the account lacks.
    pub lacks: Option<String>,
    pub gas_per_item: u64,
    /// Whether a block is made whenever somebody asks for the newest, or for one to come.
    pub moves: bool,
    /// Keys that exist.
    pub keys: BTreeMap<u64, KeyRecord>,
    /// Epochs that exist.
    pub epochs: BTreeMap<u32, Epoch>,
    /// Answers of the next proofs; afterwards all is well.
    pub proof_errors: VecDeque<Error>,
    /// What was proven, at which height.
    pub proven: Vec<(Vec<u8>, u64)>,
    /// How often a call was simulated.
    pub simulated: usize,
    /// What was done.
    pub prepared: Vec<(TxHash, Vec<u64>, Gas)>,
    pub sent: Vec<TxHash>,
}

#[derive(Debug, Clone, Default)]
pub struct FakeLedger {
    state: Arc<Mutex<State>>,
}

impl FakeLedger {
    pub fn new() -> Self {
        let ledger = Self::default();
        ledger.state().now = 105;
        ledger.state().height = 50;
        ledger.state().gas_per_item = 100_000;
        ledger
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How many items each transaction had, in order.
    pub fn sizes(&self) -> Vec<usize> {
        self.state().prepared.iter().map(|(_, ids, _)| ids.len()).collect()
    }
}

impl State {
    fn include(&mut self, tx: &SignedTx) -> TxOutcome {
        let ids = self.prepared.iter().find(|(hash, ..)| *hash == tx.hash).unwrap().1.clone();
        let mut outcomes = Vec::new();
        for id in ids {
            let outcome = self.outcomes.remove(&id).unwrap_or(ItemOutcome::Recorded);
            if !matches!(outcome, ItemOutcome::Rejected(_)) && !self.unrecorded.contains(&id) {
                self.recorded.insert(id);
            }
            outcomes.push(outcome);
        }
        let data = serde_json::to_vec(&OutcomesData { outcomes }).unwrap();
        let response = MsgResponse {
            type_url: "/cosmwasm.wasm.v1.MsgExecuteContractResponse".into(),
            value: protobuf_bytes(&data),
        };
        outcome(tx, 0, "", vec![response])
    }
}

impl Ledger for FakeLedger {
    async fn head(&self) -> Result<Head, LedgerError> {
        let mut state = self.state();
        state.height += u64::from(state.moves);
        if state.wrong_chain {
            return Err(Error::WrongChain { expected: "kms-local".into(), found: "other".into() }.into());
        }
        Ok(Head { height: state.height, time: state.now })
    }

    async fn facts(&self, id: RequestId) -> Result<Option<Facts>, LedgerError> {
        let state = self.state();
        let facts = state.requests.get(&id.get()).cloned().unwrap_or_else(|| Some(request(id.get(), b"x")));
        let responded = state.recorded.contains(&id.get());
        Ok(facts.map(|facts| Facts { responded, now: state.now, ..facts }))
    }

    async fn responded(&self, id: RequestId, _height: u64) -> Result<Option<bool>, LedgerError> {
        Ok(Some(self.state().recorded.contains(&id.get())))
    }

    async fn open(&self, after: Option<RequestId>) -> Result<Page<RequestId, RequestId>, LedgerError> {
        const PAGE: usize = 3;
        let state = self.state();
        let behind =
            state.open.iter().copied().map(RequestId).filter(|id| after.is_none_or(|after| *id > after));
        let items: Vec<_> = behind.take(PAGE).collect();
        let next = if items.len() == PAGE { items.last().copied() } else { None };
        Ok(Page { items, next })
    }

    async fn keys(&self, after: Option<KeyId>) -> Result<Page<KeyRecord, KeyId>, LedgerError> {
        let state = self.state();
        let behind = state.keys.values().find(|record| after.is_none_or(|after| record.id > after));
        let items: Vec<_> = behind.cloned().into_iter().collect();
        Ok(Page { next: items.first().map(|record| record.id), items })
    }

    async fn key(&self, key: KeyId) -> Result<Option<StoredKey>, LedgerError> {
        let record = self.state().keys.get(&key.get()).cloned();
        Ok(record.map(|record| StoredKey { hash: Digest::sha256(&stored(&record)), record }))
    }

    async fn epoch(&self, epoch: EpochId) -> Result<Option<Epoch>, LedgerError> {
        Ok(self.state().epochs.get(&epoch.get()).cloned())
    }

    async fn light_block(&self, height: u64) -> Result<Option<LightBlock>, LedgerError> {
        let mut state = self.state();
        if height > state.height {
            state.height += u64::from(state.moves);
            return Ok(None);
        }
        let bytes = height.to_string().into_bytes();
        Ok(Some(LightBlock {
            height,
            time: BlockTime { seconds: state.now, nanos: 0 },
            hash: [0; 32],
            signed_header: bytes.clone(),
            validators: bytes.clone(),
            next_validators: bytes,
        }))
    }

    async fn proven(&self, key: Vec<u8>, height: u64) -> Result<ProvenValue, LedgerError> {
        let mut state = self.state();
        if let Some(error) = state.proof_errors.pop_front() {
            return Err(error.into());
        }
        assert!(height <= state.height, "state of a height to come");
        state.proven.push((key.clone(), height));
        let history = |position| kms_proofs::store_key::code_history(contract().bytes(), position);
        let own = |key: &[u8]| kms_proofs::store_key::contract_state(contract().bytes(), key);
        let record = state.keys.values().find(|record| key == own(&state_key::KEY.key(record.id.get())));
        let value = if key == history(1) {
            // code id 9
            Some(vec![0x08, 1, 0x10, 9])
        } else if let Some(record) = record {
            Some(stored(record))
        } else {
            (key != history(2)).then(|| b"value".to_vec())
        };
        Ok(ProvenValue { height, value, proof: key, store_proof: b"store".to_vec() })
    }

    async fn lacks(&self, _gas: u64) -> Result<Option<String>, LedgerError> {
        Ok(self.state().lacks.clone())
    }

    async fn prepare(&self, items: &[Item], gas: Gas) -> Result<SignedTx, Error> {
        let mut state = self.state();
        if let Some(error) = state.prepare_errors.pop_front() {
            return Err(error);
        }
        state.simulated += 1;
        if items.iter().any(|item| state.unsimulated.contains(&item.request_id().get())) {
            return Err(Error::Simulation { log: "out of gas in location: wasm contract".into() });
        }
        let number = state.prepared.len() + 1;
        let hash = TxHash([u8::try_from(number).unwrap(); 32]);
        state.prepared.push((hash, items.iter().map(|item| item.request_id().get()).collect(), gas));
        Ok(SignedTx {
            bytes: vec![1],
            hash,
            sequence: u64::try_from(number).unwrap(),
            prepared_at: state.height,
            timeout_height: state.height + 25,
            gas_limit: state.gas_per_item * u64::try_from(items.len()).unwrap(),
            fee: Coin::new(1, "ukms"),
        })
    }

    async fn broadcast(&self, tx: &SignedTx) -> Result<Broadcast, Error> {
        let mut state = self.state();
        if let Some(error) = state.broadcast_errors.pop_front() {
            return Err(error);
        }
        state.sent.push(tx.hash);
        Ok(Broadcast::Accepted)
    }

    async fn confirm(&self, tx: &SignedTx) -> Result<TxOutcome, Error> {
        let mut state = self.state();
        if state.unreadable_blocks {
            state.include(tx);
            return Err(Error::BadResponse { what: "block".into(), reason: "odd".into() });
        }
        let ids = state.prepared.iter().find(|(hash, ..)| *hash == tx.hash).unwrap().1.clone();
        if ids.iter().any(|id| state.unexecuted.contains(id)) {
            return Ok(outcome(tx, 5, "wasm", Vec::new()));
        }
        match state.fates.pop_front().unwrap_or(Fate::Included) {
            Fate::Included => Ok(state.include(tx)),
            Fate::OutOfGas => Ok(outcome(tx, 11, "sdk", Vec::new())),
            Fate::Vanished => Err(Error::NotIncluded { hash: tx.hash, timeout_height: tx.timeout_height }),
        }
    }
}

/// A key's record as the contract stores it.
fn stored(record: &KeyRecord) -> Vec<u8> {
    serde_json::to_vec(record).unwrap()
}

fn outcome(tx: &SignedTx, code: u32, codespace: &str, responses: Vec<MsgResponse>) -> TxOutcome {
    TxOutcome {
        hash: tx.hash,
        height: tx.prepared_at + 1,
        code,
        codespace: codespace.into(),
        log: String::new(),
        gas_wanted: tx.gas_limit,
        gas_used: tx.gas_limit,
        responses,
        events: Vec::new(),
    }
}

/// A protobuf message with one field, number 1, of bytes.
fn protobuf_bytes(data: &[u8]) -> Vec<u8> {
    let mut message = vec![0x0a];
    let mut length = data.len();
    while length >= 0x80 {
        message.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    message.push(u8::try_from(length).unwrap());
    message.extend_from_slice(data);
    message
}
