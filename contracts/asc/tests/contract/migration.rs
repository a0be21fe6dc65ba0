//! New code: announced, delayed, run by the contract itself, and never with a request lost.

use std::collections::BTreeMap;

use cosmwasm_std::{Addr, Storage, Timestamp, WasmMsg, coins, to_json_binary};
use cw_multi_test::{ContractWrapper, Executor};
use kms_asc::contract;
use kms_asc_api::event::Event;
use kms_asc_api::log::LogBody;
use kms_asc_api::{
    CloseOutcome, Digest, ExecuteMsg, ItemOutcome, MigrateMsg, MigrationRecord, QueryMsg, RequestId, State,
    Version, state_key,
};
use serde::Deserialize;

use crate::suite::{DENOM, START, Snapshot, Suite, account, payout, word};

const DELAY: u64 = 86_400;

/// What is done to a state by hand.
type Change = Box<dyn Fn(&mut dyn Storage)>;

fn schedule(suite: &Suite, code_id: u64) -> ExecuteMsg {
    ExecuteMsg::ScheduleMigration { code_id, checksum: suite.checksum(code_id) }
}

/// What the chain is asked by whoever wants to migrate without the contract.
fn migrate(suite: &Suite, code_id: u64) -> cosmwasm_std::CosmosMsg {
    let msg = to_json_binary(&MigrateMsg {}).unwrap();
    WasmMsg::Migrate { contract_addr: suite.contract.to_string(), new_code_id: code_id, msg }.into()
}

impl Suite {
    pub fn checksum(&self, code_id: u64) -> Digest {
        let code = self.app.wrap().query_wasm_code_info(code_id).unwrap();
        Digest::try_from(code.checksum.as_slice()).unwrap()
    }

    /// The same code, stored once more.
    pub fn store_again(&mut self) -> u64 {
        let code = ContractWrapper::new(contract::execute, contract::instantiate, contract::query);
        self.app.store_code(Box::new(code.with_reply(contract::reply).with_migrate(contract::migrate)))
    }

    /// Code that may run in a day.
    pub fn announce_code(&mut self) -> u64 {
        let code_id = self.store_again();
        let msg = schedule(self, code_id);
        self.done(&self.admin(), &msg);
        code_id
    }

    fn code_now(&self) -> u64 {
        self.app.wrap().query_wasm_contract_info(&self.contract).unwrap().code_id
    }
}

#[test]
fn announced_code_runs_after_the_delay_and_no_second_earlier() {
    let mut suite = Suite::new();
    let admin = suite.admin();
    assert_eq!(suite.refused(&admin, &ExecuteMsg::MigrateNow {}), "migration", "nothing is announced");
    let code_id = suite.store_again();
    let msg = schedule(&suite, code_id);
    let done = suite.done(&admin, &msg);
    assert_eq!(done.events, [Event::Config { kind: "migration_scheduled".to_owned() }]);
    let checksum = suite.checksum(code_id);
    let migration = MigrationRecord { code_id, checksum, not_before: START + DELAY };
    assert_eq!(suite.log().pop().unwrap().body, LogBody::MigrationScheduled { migration });
    assert_eq!(suite.governance().migration, Some(migration));

    suite.at(START + DELAY - 1);
    assert_eq!(suite.refused(&admin, &ExecuteMsg::MigrateNow {}), "migration");
    assert_ne!(suite.code_now(), code_id);
    suite.at(START + DELAY);
    suite.done(&admin, &ExecuteMsg::MigrateNow {});
    assert_eq!((suite.code_now(), suite.governance().migration), (code_id, None));

    let mut log = suite.log();
    let (migrated, started) = (log.pop().unwrap(), log.pop().unwrap());
    let version = env!("CARGO_PKG_VERSION").to_owned();
    assert_eq!(started.body, LogBody::MigrationStarted { migration, version: version.clone() });
    let stored_config = suite.storage().get(state_key::CONFIG.as_slice()).unwrap();
    let expected = LogBody::Migrated {
        code_id,
        checksum,
        from_version: version.clone(),
        to_version: version,
        config_hash: Digest::sha256(&stored_config),
        admin: admin.to_string(),
    };
    assert_eq!(migrated.body, expected);
    assert_eq!((started.actor, migrated.actor), (admin.to_string(), suite.contract.to_string()));
    assert_eq!(suite.refused(&admin, &ExecuteMsg::MigrateNow {}), "migration", "it is announced no more");
}

#[test]
fn code_that_the_chain_does_not_have_or_of_another_checksum_is_refused() {
    let mut suite = Suite::new();
    let admin = suite.admin();
    let code_id = suite.store_again();
    let other = ExecuteMsg::ScheduleMigration { code_id, checksum: Digest::new([7; 32]) };
    assert_eq!(suite.refused(&admin, &other), "migration");
    let missing = ExecuteMsg::ScheduleMigration { code_id: 99, checksum: suite.checksum(code_id) };
    assert_eq!(suite.refused(&admin, &missing), "migration");
    assert_eq!(suite.governance().migration, None);
}

#[test]
fn a_second_announcement_replaces_the_first_and_begins_its_own_delay() {
    let mut suite = Suite::new();
    let admin = suite.admin();
    suite.announce_code();
    suite.at(START + DELAY - 1);
    let second = suite.announce_code();
    suite.at(START + DELAY);
    assert_eq!(suite.refused(&admin, &ExecuteMsg::MigrateNow {}), "migration");
    suite.at(START + 2 * DELAY - 1);
    suite.done(&admin, &ExecuteMsg::MigrateNow {});
    assert_eq!(suite.code_now(), second);
}

#[test]
fn nobody_but_the_admin_announces_code_and_nobody_but_the_contract_runs_it() {
    let mut suite = Suite::new();
    let code_id = suite.announce_code();
    suite.at(START + DELAY);
    for sender in [suite.owner(), suite.stranger(), payout(1)] {
        let msg = schedule(&suite, code_id);
        assert_eq!(suite.refused(&sender, &msg), "unauthorized");
        assert_eq!(suite.refused(&sender, &ExecuteMsg::MigrateNow {}), "unauthorized");
    }
    // The chain itself lets only the wasm admin migrate, and that is the contract.
    for sender in [suite.admin(), account("creator"), suite.stranger()] {
        let msg = migrate(&suite, code_id);
        let refusal = suite.execute_all(&sender, vec![msg]).unwrap_err();
        assert!(refusal.text.contains("Only admin can migrate"), "{}", refusal.text);
    }
    // Were somebody else the wasm admin after all, as chain governance is in effect, the code refuses him.
    suite.make_wasm_admin(&account("creator"));
    let msg = migrate(&suite, code_id);
    let refusal = suite.execute_all(&account("creator"), vec![msg]).unwrap_err();
    assert_eq!(refusal.code, "unauthorized", "{}", refusal.text);
}

impl Suite {
    /// As no message of this contract can.
    fn make_wasm_admin(&mut self, admin: &Addr) {
        let (contract_addr, admin) = (self.contract.to_string(), admin.to_string());
        let msg = WasmMsg::UpdateAdmin { contract_addr, admin };
        self.app.execute(self.contract.clone(), msg.into()).unwrap();
    }
}

#[test]
fn a_state_of_another_contract_or_of_newer_code_is_refused() {
    let newer = |state: &mut dyn Storage| state_key::STATE_VERSION.save(state, &99).unwrap();
    let cases: [(&str, Change); 8] = [
        ("another contract", named("crates.io:cw20-base", "0.1.0")),
        ("a newer patch", named("kms-asc", concat!(env!("CARGO_PKG_VERSION"), "9"))),
        ("a newer minor", named("kms-asc", "0.100.0")),
        ("a newer major", named("kms-asc", "1.0.0")),
        ("no version", named("kms-asc", "")),
        ("a version that is none", named("kms-asc", "0.1")),
        ("a newer layout", Box::new(newer)),
        ("no layout", Box::new(|state| state_key::STATE_VERSION.save(state, &0).unwrap())),
    ];
    for (what, change) in cases {
        let mut suite = Suite::new();
        let code_id = suite.announce_code();
        suite.at(START + DELAY);
        suite.change_state(|state| change(state));
        let refusal = suite.execute(&suite.admin(), &ExecuteMsg::MigrateNow {}, &[]).unwrap_err();
        assert_eq!(refusal.code, "migration", "{what}: {}", refusal.text);
        assert_ne!(suite.code_now(), code_id, "{what}");
    }
}

/// `contract_info` as the library cw2 writes it.
fn named(contract: &str, version: &str) -> Change {
    let json = format!(r#"{{"contract":"{contract}","version":"{version}"}}"#);
    Box::new(move |state| state.set(b"contract_info", json.as_bytes()))
}

#[test]
fn requests_that_are_pending_outlive_a_migration_and_end_as_they_would_have() {
    let mut suite = Suite::threshold();
    let (admin, key_id) = (suite.admin(), suite.key());
    suite.announce_code();
    suite.at(START + DELAY);
    let (half, silent) = (suite.decryption(key_id), suite.decryption(key_id));
    suite.respond((1..=2).map(|party| suite.answer(half, party, &word(7))).collect());
    let before = Snapshot::take(&suite);
    suite.done(&admin, &ExecuteMsg::MigrateNow {});
    let after = Snapshot::take(&suite);
    assert_eq!(changed_keys(&before, &after), ["log_head", "migration", "new log entry", "new log entry"]);
    suite.respond(vec![suite.answer(half, 3, &word(7))]);
    assert_eq!(suite.view(half).state, State::Fulfilled);
    suite.at(START + DELAY + 60);
    assert_eq!(suite.close(&[silent]), [CloseOutcome::Closed(State::Expired)]);
}

/// What differs between two states, by name.
fn changed_keys(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let keys = before.raw.keys().chain(after.raw.keys()).collect::<std::collections::BTreeSet<_>>();
    let name = |key: &&Vec<u8>| match (key.get(2..5), before.raw.contains_key(*key)) {
        (Some(b"log"), false) => "new log entry".to_owned(),
        _ => String::from_utf8_lossy(key).into_owned(),
    };
    let mut names: Vec<_> =
        keys.iter().filter(|key| before.raw.get(**key) != after.raw.get(**key)).map(name).collect();
    names.sort();
    names
}

/// A state that version 0.1.0 left behind: four operators, a key, an answered, a denied and three pending
/// requests, one of them with two answers and a failure. Written by that version's own tests.
#[derive(Deserialize)]
struct Left {
    contract: String,
    balance: String,
    height: u64,
    time: u64,
    state: BTreeMap<String, String>,
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// This code's contract over that state, with announced code that is due. Version 0.1.0 could announce none.
fn over_the_state_of_0_1_0() -> Suite {
    let left: Left = serde_json::from_str(include_str!("fixtures/state-0.1.0.json")).unwrap();
    let mut suite = Suite::threshold();
    assert_eq!(suite.contract.as_str(), left.contract, "receipts name the contract");
    let own: Vec<_> = suite.app.dump_wasm_raw(&suite.contract).into_iter().map(|(key, _)| key).collect();
    let code_id = suite.store_again();
    let migration = MigrationRecord { code_id, checksum: suite.checksum(code_id), not_before: left.time };
    suite.change_state(|state| {
        own.iter().for_each(|key| state.remove(key));
        left.state.iter().for_each(|(key, value)| state.set(&bytes(key), &bytes(value)));
        state_key::MIGRATION.save(state, &migration).unwrap();
    });
    let (owner, contract) = (suite.owner(), suite.contract.clone());
    suite.app.send_tokens(owner, contract, &coins(left.balance.parse().unwrap(), DENOM)).unwrap();
    suite.app.update_block(|block| {
        (block.height, block.time) = (left.height, Timestamp::from_seconds(left.time));
    });
    suite
}

#[test]
fn a_state_of_the_previous_version_is_taken_over_with_its_requests_pending() {
    let mut suite = over_the_state_of_0_1_0();
    let before: BTreeMap<_, _> = suite.app.dump_wasm_raw(&suite.contract).into_iter().collect();
    let msg = migrate(&suite, suite.governance().migration.unwrap().code_id);
    // As a message of the contract, which is its own wasm admin.
    suite.app.execute(suite.contract.clone(), msg).unwrap();

    let after: BTreeMap<_, _> = suite.app.dump_wasm_raw(&suite.contract).into_iter().collect();
    let kept = ["contract_info", "log_head", "migration"].map(str::as_bytes);
    for (key, value) in &before {
        assert!(kept.contains(&key.as_slice()) || after.get(key) == Some(value), "{key:?} changed");
    }
    let version: Version = suite.query(&QueryMsg::Version {}).unwrap();
    assert_eq!((version.version.as_str(), version.state), (env!("CARGO_PKG_VERSION"), 2));
    let LogBody::Migrated { from_version, to_version, .. } = suite.log().pop().unwrap().body else {
        panic!("migrated")
    };
    assert_eq!((from_version.as_str(), to_version.as_str()), ("0.1.0", env!("CARGO_PKG_VERSION")));

    let [half, silent, key_gen] = [4, 5, 6].map(RequestId);
    assert_eq!(suite.view(half).answered.len() + suite.view(half).failed.len(), 3);
    assert_eq!(suite.respond(vec![suite.answer(half, 4, &word(9))]), [ItemOutcome::Recorded]);
    assert_eq!(suite.view(half).state, State::Fulfilled);
    let payload = suite.key_payload(key_gen);
    suite.respond((1..=3).map(|party| suite.answer(key_gen, party, &payload)).collect());
    assert_eq!(suite.view(key_gen).state, State::Fulfilled);
    suite.at(START + 70);
    assert_eq!(suite.close(&[silent]), [CloseOutcome::Closed(State::Expired)]);
    suite.withdraw(&payout(1), None).unwrap();
    suite.done(&suite.admin(), &ExecuteMsg::Pause {});
}
