//! A chain of one account, as far as sending needs one. A block is made whenever somebody asks for
//! the next one: waiting drives the chain, and no test waits for time.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use cosmrs::proto::{
    cosmos::{
        auth::v1beta1::{BaseAccount, QueryAccountResponse},
        base::abci::v1beta1::GasInfo,
        tx::v1beta1::{AuthInfo, SimulateRequest, SimulateResponse, TxBody, TxRaw},
    },
    prost::{Message, Name},
};
use serde_json::{Value, json};

use super::{FakeNode, Reply};
use crate::TxHash;

/// What goes wrong with the next broadcast.
pub(crate) enum Fault {
    /// The node refuses with a JSON-RPC error.
    RpcError(&'static str),
    /// The check refuses.
    Refuse(u32, &'static str),
    /// The node takes it, and the answer is lost.
    LoseAnswer,
    /// The node takes it, and forgets it at once, as at a restart.
    Vanish,
}

#[derive(Default)]
pub(crate) struct FakeChain {
    pub height: u64,
    /// The sequence as committed.
    pub sequence: u64,
    pub faults: VecDeque<Fault>,
    /// What becomes of the next transactions in their block: code and codespace.
    pub deliveries: VecDeque<(u32, &'static str)>,
    /// If set, simulation fails with this text.
    pub simulation_fails: Option<&'static str>,
    /// Whether the chain makes no more blocks.
    pub halted: bool,
    pub broadcasts: u64,
    pub gas_limits: Vec<u64>,
    pending: Vec<Vec<u8>>,
    seen: HashSet<TxHash>,
    blocks: Vec<Vec<(Vec<u8>, u32, &'static str)>>,
}

impl FakeChain {
    /// A chain at height 10, whose account has number 3 and sequence 16.
    pub async fn start() -> (FakeNode, Arc<Mutex<Self>>) {
        let chain = Self { height: 10, sequence: 16, blocks: vec![Vec::new(); 10], ..Self::default() };
        let chain = Arc::new(Mutex::new(chain));
        let shared = chain.clone();
        let node = FakeNode::start(move |method, params| lock(&shared).answer(method, params)).await;
        (node, chain)
    }

    /// Numbers of transactions in the blocks that have any.
    pub fn block_sizes(&self) -> Vec<usize> {
        self.blocks.iter().map(Vec::len).filter(|size| *size > 0).collect()
    }

    /// Another signer of the same key gets in between.
    pub fn steal_sequence(&mut self) {
        self.sequence += 1;
    }

    fn answer(&mut self, method: &str, params: &Value) -> Reply {
        match method {
            "status" => Reply::Result(status("test-1", self.height)),
            "abci_query" => self.query(params),
            "broadcast_tx_sync" => self.broadcast(params),
            "block" => self.block(height_of(params)),
            "block_results" => self.block_results(height_of(params)),
            other => Reply::Error(format!("no {other} here")),
        }
    }

    /// The sequence that the next transaction must have: pending ones count.
    fn expected(&self) -> u64 {
        self.sequence + u64::try_from(self.pending.len()).unwrap()
    }

    fn query(&self, params: &Value) -> Reply {
        let data = hex::decode(params["data"].as_str().unwrap()).unwrap();
        match params["path"].as_str().unwrap() {
            "/cosmos.auth.v1beta1.Query/Account" => {
                let account =
                    BaseAccount { account_number: 3, sequence: self.sequence, ..Default::default() };
                let account =
                    cosmrs::Any { type_url: BaseAccount::type_url(), value: account.encode_to_vec() };
                found(&QueryAccountResponse { account: Some(account) })
            }
            "/cosmos.tx.v1beta1.Service/Simulate" => self.simulate(&data),
            path => refused(6, &format!("unknown query path {path}")),
        }
    }

    fn simulate(&self, data: &[u8]) -> Reply {
        let tx = SimulateRequest::decode(data).unwrap().tx_bytes;
        if let Some(log) = self.simulation_fails {
            return refused(6, log);
        }
        if let Err(log) = self.check(&tx) {
            return refused(6, &format!("rpc error: code = Unknown desc = {log}"));
        }
        let gas_info = Some(GasInfo { gas_wanted: 0, gas_used: 100_000 });
        found(&SimulateResponse { gas_info, result: None })
    }

    fn check(&self, tx: &[u8]) -> Result<(), String> {
        let (expected, got) = (self.expected(), sequence_of(tx));
        if expected == got {
            return Ok(());
        }
        Err(format!("account sequence mismatch, expected {expected}, got {got}: incorrect account sequence"))
    }

    fn broadcast(&mut self, params: &Value) -> Reply {
        self.broadcasts += 1;
        let tx = STANDARD.decode(params["tx"].as_str().unwrap()).unwrap();
        let hash = TxHash::of(&tx);
        let fault = self.faults.pop_front();
        match fault {
            Some(Fault::RpcError(text)) => return Reply::Error(text.to_owned()),
            Some(Fault::Refuse(code, log)) => return checked(hash, code, "sdk", log),
            _ => {}
        }
        if self.seen.contains(&hash) {
            return Reply::Error("tx already exists in cache".to_owned());
        }
        if let Err(log) = self.check(&tx) {
            return checked(hash, 32, "sdk", &log);
        }
        self.gas_limits.push(gas_limit_of(&tx));
        if matches!(fault, Some(Fault::Vanish)) {
            return checked(hash, 0, "", "");
        }
        self.seen.insert(hash);
        self.pending.push(tx);
        match fault {
            Some(Fault::LoseAnswer) => Reply::Http(502),
            _ => checked(hash, 0, "", ""),
        }
    }

    /// A block with what is pending and in time. What the fee and signature checks refuse there uses
    /// no sequence.
    fn make_block(&mut self) {
        self.height += 1;
        let mut block = Vec::new();
        for tx in std::mem::take(&mut self.pending) {
            if timeout_of(&tx) < self.height {
                continue;
            }
            let (code, codespace) = self.deliveries.pop_front().unwrap_or((0, ""));
            if (code, codespace) != (32, "sdk") {
                self.sequence += 1;
            }
            block.push((tx, code, codespace));
        }
        self.blocks.push(block);
    }

    fn block(&mut self, height: u64) -> Reply {
        let Some(block) = self.blocks.get(usize::try_from(height - 1).unwrap()) else {
            let reply = future(height, self.height);
            if !self.halted {
                self.make_block();
            }
            return reply;
        };
        let txs: Vec<_> = block.iter().map(|(tx, ..)| STANDARD.encode(tx)).collect();
        Reply::Result(block_with(height, &txs))
    }

    fn block_results(&self, height: u64) -> Reply {
        let Some(block) = self.blocks.get(usize::try_from(height - 1).unwrap()) else {
            return future(height, self.height);
        };
        let result = |(_, code, codespace): &(Vec<u8>, u32, &str)| {
            let fee = json!({"type": "tx", "attributes": [{"key": "fee", "value": "1ucosm", "index": true}]});
            let events = if *code == 32 { json!([]) } else { json!([fee]) };
            json!({"code": code, "codespace": codespace, "data": null, "log": "log", "info": "",
                   "gas_wanted": "130000", "gas_used": "100000", "events": events})
        };
        let results: Vec<_> = block.iter().map(result).collect();
        Reply::Result(results_with(height, &json!(results)))
    }
}

pub(crate) fn lock(chain: &Mutex<FakeChain>) -> MutexGuard<'_, FakeChain> {
    chain.lock().unwrap()
}

pub(crate) fn height_of(params: &Value) -> u64 {
    params["height"].as_str().unwrap().parse().unwrap()
}

pub(crate) fn future(asked: u64, latest: u64) -> Reply {
    Reply::Error(format!(
        "height {asked} must be less than or equal to the current blockchain height {latest}"
    ))
}

pub(crate) fn checked(hash: TxHash, code: u32, codespace: &str, log: &str) -> Reply {
    Reply::Result(
        json!({"code": code, "data": "", "log": log, "codespace": codespace, "hash": hash.to_string()}),
    )
}

fn found<M: Message>(message: &M) -> Reply {
    let value = STANDARD.encode(message.encode_to_vec());
    Reply::Result(json!({"response": {"code": 0, "log": "", "info": "", "index": "0", "key": null,
        "value": value, "proofOps": null, "height": "9", "codespace": ""}}))
}

pub(crate) fn refused(code: u32, log: &str) -> Reply {
    Reply::Result(json!({"response": {"code": code, "log": log, "info": "", "index": "0", "key": null,
        "value": null, "proofOps": null, "height": "9", "codespace": "sdk"}}))
}

pub(crate) fn results_with(height: u64, results: &Value) -> Value {
    let block_event =
        json!({"type": "mint", "attributes": [{"key": "mode", "value": "BeginBlock", "index": true}]});
    json!({"height": height.to_string(), "txs_results": results, "finalize_block_events": [block_event],
        "validator_updates": [], "consensus_param_updates": null,
        "app_hash": "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"})
}

pub(crate) fn status(chain_id: &str, height: u64) -> Value {
    let hash = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
    json!({
        "node_info": {
            "protocol_version": {"p2p": "8", "block": "11", "app": "0"},
            "id": "4bde25537219be88e0e914be5f9c8a11269716ba",
            "listen_addr": "tcp://127.0.0.1:1", "network": chain_id, "version": "0.38.19",
            "channels": "40202122233038606100", "moniker": "t",
            "other": {"tx_index": "on", "rpc_address": "tcp://127.0.0.1:1"}
        },
        "sync_info": {
            "latest_block_hash": hash, "latest_app_hash": hash, "latest_block_height": height.to_string(),
            "latest_block_time": "2026-01-02T03:04:05.006Z", "earliest_block_hash": hash,
            "earliest_app_hash": hash, "earliest_block_height": "1",
            "earliest_block_time": "2026-01-02T03:04:05.006Z", "catching_up": false
        },
        "validator_info": {
            "address": "04CF4B78739AA0A25B755F7F5425C1AA8F9C9970",
            "pub_key": {"type": "tendermint/PubKeyEd25519", "value": "gd3cHNz3GNZU/H7vI9y+1x8rnKmxjKhBNTgWWzblWEk="},
            "voting_power": "1000"
        }
    })
}

pub(crate) fn header(height: u64) -> Value {
    let hash = "92C8A261601D113AAF53BD3092BC470669F844290B7081F33138171407766422";
    json!({
        "version": {"block": "11"}, "chain_id": "test-1", "height": height.to_string(),
        "time": "2026-01-02T03:04:05.006Z",
        "last_block_id": {"hash": hash, "parts": {"total": 1, "hash": hash}},
        "last_commit_hash": hash, "data_hash": hash, "validators_hash": hash, "next_validators_hash": hash,
        "consensus_hash": hash, "app_hash": hash, "last_results_hash": hash, "evidence_hash": hash,
        "proposer_address": "04CF4B78739AA0A25B755F7F5425C1AA8F9C9970"
    })
}

pub(crate) fn block_with(height: u64, txs_base64: &[String]) -> Value {
    let hash = "92C8A261601D113AAF53BD3092BC470669F844290B7081F33138171407766422";
    let id = json!({"hash": hash, "parts": {"total": 1, "hash": hash}});
    json!({
        "block_id": id,
        "block": {
            "header": header(height), "data": {"txs": txs_base64}, "evidence": {"evidence": []},
            "last_commit": {"height": (height - 1).max(1).to_string(), "round": 0, "block_id": id, "signatures": [{
                "block_id_flag": 2, "validator_address": "04CF4B78739AA0A25B755F7F5425C1AA8F9C9970",
                "timestamp": "2026-01-02T03:04:05.006Z",
                "signature": "XB9/NgKYqAWeangnk10WtOnt2dvtTawYqLL4Yki4cT9xDoXY/BmDKHCtXj2CHByXT1eNb+zSnuTMxD0HGmR+CQ=="
            }]}
        }
    })
}

fn raw(tx: &[u8]) -> (TxBody, AuthInfo) {
    let raw = TxRaw::decode(tx).unwrap();
    let auth_info = AuthInfo::decode(raw.auth_info_bytes.as_slice()).unwrap();
    (TxBody::decode(raw.body_bytes.as_slice()).unwrap(), auth_info)
}

fn sequence_of(tx: &[u8]) -> u64 {
    raw(tx).1.signer_infos[0].sequence
}

fn gas_limit_of(tx: &[u8]) -> u64 {
    raw(tx).1.fee.unwrap().gas_limit
}

fn timeout_of(tx: &[u8]) -> u64 {
    raw(tx).0.timeout_height
}
