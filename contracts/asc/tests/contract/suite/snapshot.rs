//! All of the contract's state at one moment, taken apart.

use std::collections::BTreeMap;

use cosmwasm_std::{Order, Storage};
use cw_storage_plus::{KeyDeserialize, Map, PrimaryKey};
use kms_asc_api::log::{LogEntry, LogHead, LogReader};
use kms_asc_api::state_key::{self, RawMap};
use kms_asc_api::{CrsRecord, KeyRecord, RequestBody, RequestId, Status, StoredResponse, Totals};

use super::Suite;

/// State, by record.
pub struct Snapshot {
    /// Everything, byte by byte.
    pub raw: BTreeMap<Vec<u8>, Vec<u8>>,
    pub bodies: BTreeMap<u64, (Vec<u8>, RequestBody)>,
    pub statuses: BTreeMap<u64, Status>,
    pub responses: BTreeMap<(u64, u32), (Vec<u8>, StoredResponse)>,
    pub open: BTreeMap<u64, Vec<u8>>,
    pub log: BTreeMap<u64, Vec<u8>>,
    pub entries: Vec<LogEntry>,
    pub head: LogHead,
    pub keys: BTreeMap<u64, KeyRecord>,
    pub crs: BTreeMap<u64, CrsRecord>,
    pub digests: BTreeMap<Vec<u8>, RequestId>,
    pub credits: BTreeMap<String, u128>,
    pub pending: BTreeMap<String, u32>,
    pub totals: Totals,
    pub next_id: u64,
}

impl Snapshot {
    /// Reads all of it. Fails if the log's entries do not lead to the head's stored bytes.
    pub fn take(suite: &Suite) -> Self {
        let storage = suite.storage();
        let storage = &*storage;
        let log = raw_map(storage, &state_key::LOG);
        let (entries, head) = read_log(log.values(), storage.get(state_key::LOG_HEAD).as_deref());
        let bodies = raw_map(storage, &state_key::REQUEST).into_iter();
        let statuses = raw_map(storage, &state_key::STATUS).into_iter();
        let responses = raw_map(storage, &state_key::RESPONSE).into_iter();
        let credits = json_map(storage, &state_key::CREDIT).into_iter();
        let pending = json_map(storage, &state_key::PENDING).into_iter();
        Self {
            raw: suite.app.dump_wasm_raw(&suite.contract).into_iter().collect(),
            bodies: bodies
                .map(|(id, bytes)| {
                    let body = RequestBody::parse(&bytes).unwrap();
                    (id, (bytes, body))
                })
                .collect(),
            statuses: statuses.map(|(id, bytes)| (id, Status::decode(&bytes).unwrap())).collect(),
            responses: responses
                .map(|(key, bytes)| {
                    let response = StoredResponse::decode(&bytes).unwrap();
                    (key, (bytes, response))
                })
                .collect(),
            open: raw_map(storage, &state_key::OPEN),
            log,
            entries,
            head,
            keys: json_map(storage, &state_key::KEY),
            crs: json_map(storage, &state_key::CRS),
            digests: digests(storage),
            credits: credits.map(|(address, amount)| (address.to_string(), amount.u128())).collect(),
            pending: pending.map(|(address, count)| (address.to_string(), count)).collect(),
            totals: state_key::TOTALS.load(storage).unwrap(),
            next_id: state_key::NEXT_ID.load(storage).unwrap(),
        }
    }
}

fn raw_map<'a, K>(storage: &dyn Storage, map: &RawMap<K>) -> BTreeMap<K::Output, Vec<u8>>
where
    K: PrimaryKey<'a> + KeyDeserialize,
    K::Output: Ord + Clone + Into<K> + 'static,
{
    let keys = map.keys().keys(storage, None, None, Order::Ascending).map(Result::unwrap);
    keys.map(|key| (key.clone(), map.may_load(storage, key.into()).unwrap())).collect()
}

fn json_map<'a, K, V>(storage: &dyn Storage, map: &Map<K, V>) -> BTreeMap<K::Output, V>
where
    K: PrimaryKey<'a> + KeyDeserialize,
    K::Output: Ord + 'static,
    V: serde::Serialize + serde::de::DeserializeOwned,
{
    map.range(storage, None, None, Order::Ascending).map(Result::unwrap).collect()
}

fn digests(storage: &dyn Storage) -> BTreeMap<Vec<u8>, RequestId> {
    let all = state_key::DIGEST.range(storage, None, None, Order::Ascending);
    all.map(Result::unwrap).collect()
}

fn read_log<'a>(
    entries: impl Iterator<Item = &'a Vec<u8>>,
    stored_head: Option<&[u8]>,
) -> (Vec<LogEntry>, LogHead) {
    let mut reader = LogReader::after(LogHead::EMPTY);
    let entries = entries.map(|bytes| reader.push(bytes).unwrap()).collect();
    assert_eq!(stored_head, Some(reader.head().encode().as_slice()), "the log leads to its head");
    (entries, reader.head())
}
