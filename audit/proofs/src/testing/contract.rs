//! What the contract and the chain's module `wasm` would write.

use kms_asc_api::{
    Config, CrsRecord, Digest, Epoch, KeyId, KeyRecord, RequestBody, Status, request_hash, state_key,
};
use prost::Message;
use serde::Serialize;

use super::FakeChain;
use crate::{
    StateProof, keys_of_contract, keys_of_destruction, keys_of_request, store_key,
    wasm::{CodeInfo, ContractInfo, HistoryEntry},
};

impl FakeChain {
    /// Makes the contract run a code from now on: the first time an instantiation, later a migration. The contract is its own
    /// admin.
    pub fn install(&mut self, code_id: u64, code_hash: [u8; 32]) {
        self.set_raw(
            store_key::code_info(code_id),
            &CodeInfo { code_hash: code_hash.to_vec() }.encode_to_vec(),
        );
        let operation = if self.history == 0 { 1 } else { 2 };
        self.history = self.history.saturating_add(1);
        let position = store_key::code_history(self.contract.bytes(), self.history);
        self.set_raw(position, &HistoryEntry { operation, code_id }.encode_to_vec());
        // The module's index of contracts by code: a key without a value, next to the history in the tree.
        let index = [&[6], code_id.to_be_bytes().as_slice(), self.contract.bytes()].concat();
        self.set_raw(index, &[]);
        let admin = self.contract.text().to_owned();
        self.set_contract_info(code_id, &admin);
    }

    /// Writes the contract's record in the module `wasm`.
    pub fn set_contract_info(&mut self, code_id: u64, admin: &str) {
        let info = ContractInfo { code_id, creator: "wasm1creator".to_owned(), admin: admin.to_owned() };
        self.set_raw(store_key::contract_info(self.contract.bytes()), &info.encode_to_vec());
    }

    /// Writes the contract's configuration.
    pub fn put_config(&mut self, config: &Config) {
        self.set(state_key::CONFIG.as_slice(), &json(config));
    }

    /// Writes an epoch, and returns SHA-256 of its record.
    pub fn put_epoch(&mut self, epoch: &Epoch) -> Digest {
        let record = json(epoch);
        self.set(&state_key::EPOCH.key(epoch.id.get()), &record);
        Digest::sha256(&record)
    }

    /// Writes a key's record, and returns its bytes.
    pub fn put_key(&mut self, key: &KeyRecord) -> Vec<u8> {
        let record = json(key);
        self.set(&state_key::KEY.key(key.id.get()), &record);
        record
    }

    /// Writes the record of a reference string.
    pub fn put_crs(&mut self, crs: &CrsRecord) {
        self.set(&state_key::CRS.key(crs.id.get()), &json(crs));
    }

    /// Writes a request, and returns its body's bytes and their hash.
    pub fn put_request(&mut self, body: &RequestBody, status: &Status) -> (Vec<u8>, Digest) {
        let stored = json(body);
        self.set(&state_key::REQUEST.key(body.id.get()), &stored);
        self.set(&state_key::STATUS.key(body.id.get()), &status.encode());
        let hash = request_hash(&stored);
        (stored, hash)
    }

    /// Keys of the store that every proof contains: the contract's configuration and info, the history of its code with the
    /// absence of a further entry, and the code infos.
    pub fn contract_keys(&self) -> Vec<Vec<u8>> {
        let address = self.contract.bytes();
        let mut keys = keys_of_contract(&self.contract);
        for position in 1..=self.history.saturating_add(1) {
            let key = store_key::code_history(address, position);
            let entry = self.get_raw(&key).and_then(|bytes| HistoryEntry::decode(bytes).ok());
            keys.extend(entry.map(|entry| store_key::code_info(entry.code_id)));
            keys.push(key);
        }
        distinct(keys)
    }

    /// All that a request's proof at a height contains.
    pub fn request_proof(&self, height: u64, body: &RequestBody) -> StateProof {
        let keys = keys_of_request(&self.contract, body).into_iter().chain(self.contract_keys());
        self.proof(height, distinct(keys.collect()))
    }

    /// All that the proof of a key's destruction at a height contains.
    pub fn destruction_proof(&self, height: u64, key: &KeyRecord) -> StateProof {
        let keys = keys_of_destruction(&self.contract, KeyId(key.id.get()), key.epoch);
        self.proof(height, distinct(keys.into_iter().chain(self.contract_keys()).collect()))
    }
}

fn distinct(mut keys: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    keys.sort();
    keys.dedup();
    keys
}

fn json(record: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(record).unwrap_or_else(|error| unreachable!("{error}"))
}
