//! State of contract and bank against the model's, record by record.

use std::collections::BTreeMap;

use cosmwasm_std::{Addr, Empty, Order, Storage};
use cw_storage_plus::{KeyDeserialize, Map, PrimaryKey};
use kms_asc_api::log::{LogHead, LogReader};
use kms_asc_api::state_key::{self, RawMap};
use kms_asc_api::{Outcome, State, Status, StoredResponse, Totals};

use crate::chain::Chain;
use crate::model::Model;
use crate::world::{APP, CONTRACT, DENOM, OTHER, address};

/// Fails with both sides if they differ.
macro_rules! same {
    ($what:expr, $found:expr, $expected:expr) => {{
        let (found, expected) = (&$found, &$expected);
        if found != expected {
            return Err(format!("{} is {found:?}, the model says {expected:?}", $what));
        }
    }};
}

impl Chain {
    /// Reads all of state, and the new entries of the log; gives their kinds.
    pub fn read_state(&mut self) -> Result<Vec<&'static str>, String> {
        let contract = Addr::unchecked(address(CONTRACT));
        self.raw = self.app.dump_wasm_raw(&contract).into_iter().collect();
        let mut reader = LogReader::after(self.log);
        let mut kinds = Vec::new();
        while let Some(entry) = self.raw.get(&state_key::LOG.key(reader.head().count + 1)) {
            let entry = reader.push(entry).map_err(|error| error.to_string())?;
            kinds.push(entry.body.kind());
        }
        self.log = reader.head();
        let stored = self.raw.get(state_key::LOG_HEAD).and_then(|bytes| LogHead::decode(bytes).ok());
        same!("the head of the log", stored, Some(self.log));
        Ok(kinds)
    }

    /// Everything that the model knows is as the model has it.
    pub fn compare(&mut self, model: &Model) -> Result<(), String> {
        let kinds = self.read_state()?;
        same!("the log's new entries", kinds, model.expected.kinds);
        same!("the log's length", self.log.count, model.entries);
        for who in 0..=CONTRACT {
            let balance = self.balance(&address(who), DENOM);
            same!(format!("the balance of {who}"), balance, model.balances[&address(who)]);
        }
        same!("what is held of another denomination", self.balance(&address(CONTRACT), OTHER), model.other);
        let contract = Addr::unchecked(address(CONTRACT));
        let storage = self.app.contract_storage(&contract);
        requests(&*storage, model)?;
        records(&*storage, model)?;
        items(&*storage, model)?;
        drop(storage);
        let (count, last) = &model.results;
        let app = Addr::unchecked(address(APP));
        let (called, said): (u64, String) = self.app.wrap().query_wasm_smart(app, &Empty {}).unwrap();
        same!("the number of callbacks", called, *count);
        if let Some((id, state, code, payload)) = last {
            let payload = payload.as_ref().map(cosmwasm_std::Binary::from);
            let said: serde_json::Value = serde_json::from_str(&said).unwrap();
            let expected = serde_json::json!({
                "request_id": id, "state": state, "outcome": code, "payload": payload,
            });
            same!("the last callback", said, expected);
        }
        Ok(())
    }

    fn balance(&self, address: &str, denom: &str) -> u128 {
        let coin = self.app.wrap().query_balance(address, denom).unwrap();
        coin.amount.to_string().parse().unwrap()
    }
}

fn raw<'a, K>(storage: &dyn Storage, map: &RawMap<K>) -> BTreeMap<K::Output, Vec<u8>>
where
    K: PrimaryKey<'a> + KeyDeserialize,
    K::Output: Ord + Clone + Into<K> + 'static,
{
    let keys = map.keys().keys(storage, None, None, Order::Ascending).map(Result::unwrap);
    keys.map(|key| (key.clone(), map.may_load(storage, key.into()).unwrap())).collect()
}

fn json<'a, K, V>(storage: &dyn Storage, map: &Map<K, V>) -> BTreeMap<K::Output, V>
where
    K: PrimaryKey<'a> + KeyDeserialize,
    K::Output: Ord + 'static,
    V: serde::Serialize + serde::de::DeserializeOwned,
{
    map.range(storage, None, None, Order::Ascending).map(Result::unwrap).collect()
}

fn requests(storage: &dyn Storage, model: &Model) -> Result<(), String> {
    let bodies = raw(storage, &state_key::REQUEST);
    same!("the number of requests", bodies.len(), model.requests.len());
    let statuses = raw(storage, &state_key::STATUS);
    let responses = raw(storage, &state_key::RESPONSE);
    let mut open = Vec::new();
    let mut pending = BTreeMap::<String, u32>::new();
    let mut answers = 0;
    for (id, request) in (1u64..).zip(&model.requests) {
        same!(format!("the body of request {id}"), bodies[&id], request.bytes);
        let status = Status::decode(&statuses[&id]).map_err(|error| error.to_string())?;
        if !request.codes.contains(&status.code) {
            return Err(format!("request {id} has code {}, the model says {:?}", status.code, request.codes));
        }
        let bits = |failed: bool| {
            let counted = request.answers.iter().filter(|(_, a)| !a.late && (a.outcome != 0) == failed);
            counted.fold(0u32, |bits, (party, _)| bits | 1 << (party - 1))
        };
        let expected = Status {
            state: request.state,
            code: status.code,
            height: request.at.0,
            time: request.at.1,
            cancel_at: request.cancel_at,
            answered: bits(false),
            failed: bits(true),
            equivocated: request.equivocated,
            winner: request.winner,
        };
        same!(format!("the status of request {id}"), status, expected);
        for (party, answer) in &request.answers {
            let stored = responses.get(&(id, *party)).ok_or(format!("no answer of {party} to {id}"))?;
            let stored = StoredResponse::decode(stored).map_err(|error| error.to_string())?;
            let payload = if answer.late {
                kms_asc_api::Digest::sha256(&answer.payload).as_bytes().to_vec()
            } else {
                answer.payload.clone()
            };
            let said = (stored.outcome, stored.late, Some(stored.epoch), stored.payload);
            let outcome = Outcome::try_from(answer.outcome).unwrap();
            same!(
                format!("the answer of {party} to {id}"),
                said,
                (outcome, answer.late, request.body.epoch, payload)
            );
            answers += 1;
        }
        if request.state == State::Pending {
            open.push(id);
            *pending.entry(request.body.requester.clone()).or_default() += 1;
        }
    }
    same!("the number of answers", responses.len(), answers);
    same!("open requests", raw(storage, &state_key::OPEN).into_keys().collect::<Vec<_>>(), open);
    let counted: BTreeMap<_, _> =
        json(storage, &state_key::PENDING).into_iter().map(|(who, count)| (who.to_string(), count)).collect();
    same!("pending requests by requester", counted, pending);
    Ok(())
}

fn records(storage: &dyn Storage, model: &Model) -> Result<(), String> {
    same!("keys", json(storage, &state_key::KEY), model.keys);
    same!("reference strings", json(storage, &state_key::CRS), model.crs);
    let grants: BTreeMap<_, _> = json(storage, &state_key::GRANT)
        .into_iter()
        .map(|((key, grantee), grant)| ((key, grantee.to_string()), grant))
        .collect();
    same!("grants", grants, model.grants);
    same!("epochs", json(storage, &state_key::EPOCH).into_values().collect::<Vec<_>>(), model.epochs);
    let credits: BTreeMap<_, _> = json(storage, &state_key::CREDIT)
        .into_iter()
        .map(|(who, credit)| (who.to_string(), credit.u128()))
        .collect();
    same!("credits", credits, model.credits);
    let domains: BTreeMap<_, _> = json(storage, &state_key::DOMAIN)
        .into_iter()
        .map(|(separator, key)| (separator, key.get()))
        .collect();
    let expected: BTreeMap<_, _> =
        model.domains.iter().map(|(separator, key)| (separator.as_bytes().to_vec(), *key)).collect();
    same!("domains", domains, expected);
    let digests: BTreeMap<_, _> =
        json(storage, &state_key::DIGEST).into_iter().map(|(digest, id)| (digest, id.get())).collect();
    let expected: BTreeMap<_, _> =
        model.digests.iter().map(|(digest, id)| (digest.as_bytes().to_vec(), *id)).collect();
    same!("digests", digests, expected);
    Ok(())
}

fn items(storage: &dyn Storage, model: &Model) -> Result<(), String> {
    let totals = state_key::TOTALS.load(storage).unwrap();
    let expected = Totals {
        escrow: model.escrow().into(),
        credits: model.credits.values().sum::<u128>().into(),
        treasury: model.treasury.into(),
    };
    same!("totals", totals, expected);
    same!("parameters", state_key::CONFIG.load(storage).unwrap(), model.config);
    same!("the next id", state_key::NEXT_ID.load(storage).unwrap(), model.next_id());
    same!("the newest epoch", state_key::NEWEST_EPOCH.load(storage).unwrap(), model.newest().id.get());
    same!("the admin", state_key::ADMIN.load(storage).unwrap().into_string(), model.admin);
    let proposed = state_key::PROPOSED_ADMIN.may_load(storage).unwrap().map(Addr::into_string);
    same!("the proposed admin", proposed, model.proposed);
    same!("the pause", state_key::PAUSED.load(storage).unwrap(), model.paused);
    let announced = state_key::MIGRATION.may_load(storage).unwrap().map(|migration| migration.not_before);
    same!("the announced migration", announced, model.announced);
    Ok(())
}
