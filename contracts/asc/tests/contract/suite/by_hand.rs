//! What a key's owner and the admin decide, as their messages leave it: a record and its entry in the log.

use cosmwasm_std::{Addr, Storage};
use kms_asc_api::log::{LogBody, LogEntry, LogHead};
use kms_asc_api::{CrsId, Eip712Domain, Epoch, EpochId, GrantRecord, KeyId, KeyRecord, KeyState, state_key};

use super::Suite;
use super::evidence::wallet;
use super::terms::START;

impl Suite {
    fn by_hand(&mut self, body: LogBody, change: impl FnOnce(&mut dyn Storage)) {
        let block = self.app.block_info();
        let actor = self.owner().to_string();
        self.change_state(|storage| {
            change(storage);
            let head = LogHead::decode(&storage.get(state_key::LOG_HEAD).unwrap()).unwrap();
            let (height, time) = (block.height, block.time.seconds());
            let entry = LogEntry { seq: head.count + 1, height, time, actor, request_id: None, body };
            let bytes = entry.encode().unwrap();
            state_key::LOG.save(storage, entry.seq, &bytes);
            storage.set(state_key::LOG_HEAD, &head.extend(&bytes).unwrap().encode());
        });
    }

    pub fn key_record(&self, id: KeyId) -> KeyRecord {
        state_key::KEY.load(&*self.storage(), id.get()).unwrap()
    }

    fn change_key(&mut self, key: KeyRecord, entry: fn(Box<KeyRecord>) -> LogBody) {
        self.by_hand(entry(Box::new(key.clone())), |storage| {
            state_key::KEY.save(storage, key.id.get(), &key).unwrap();
        });
    }

    pub fn set_attesters(&mut self, key_id: KeyId, seeds: &[u32], attester_threshold: u32) {
        let attesters = seeds.iter().map(|seed| wallet(*seed)).collect();
        let key = KeyRecord { attesters, attester_threshold, ..self.key_record(key_id) };
        self.change_key(key, |key| LogBody::AttestersSet { key });
    }

    pub fn set_crs(&mut self, key_id: KeyId, crs_ids: &[CrsId]) {
        let key = KeyRecord { crs_ids: crs_ids.to_vec(), ..self.key_record(key_id) };
        self.change_key(key, |key| LogBody::CrsAllowed { key });
    }

    pub fn set_key_state(&mut self, key_id: KeyId, state: KeyState) {
        let key = KeyRecord { state, ..self.key_record(key_id) };
        self.change_key(key, |key| LogBody::KeyStateSet { key });
    }

    /// The key goes to somebody else: no grant of its old owner holds any more.
    pub fn hand_over(&mut self, key_id: KeyId, to: &Addr) {
        let key = self.key_record(key_id);
        let generation = key.generation + 1;
        let key = KeyRecord { owner: to.to_string(), generation, ..key };
        self.change_key(key, |key| LogBody::KeyAccepted { key });
    }

    pub fn grant(&mut self, key_id: KeyId, grantee: &Addr, until: Option<u64>) {
        let generation = self.key_record(key_id).generation;
        let grant =
            GrantRecord { key_id, grantee: grantee.to_string(), generation, until, height: 100, time: START };
        self.by_hand(LogBody::Granted { grant: grant.clone() }, |storage| {
            state_key::GRANT.save(storage, (key_id.get(), grantee), &grant).unwrap();
        });
    }

    pub fn register_domain(&mut self, key_id: KeyId, domain: &Eip712Domain) {
        let separator = domain.separator();
        self.by_hand(LogBody::DomainRegistered { key_id, domain: domain.clone(), separator }, |storage| {
            state_key::DOMAIN.save(storage, separator.as_bytes(), &key_id).unwrap();
        });
    }

    /// The next set of operators, from now on the suite's.
    pub fn set_epoch(&mut self, epoch: Epoch) {
        self.by_hand(LogBody::EpochSet { epoch: epoch.clone() }, |storage| {
            state_key::EPOCH.save(storage, epoch.id.get(), &epoch).unwrap();
            state_key::NEWEST_EPOCH.save(storage, &epoch.id.get()).unwrap();
        });
        self.epoch = epoch;
    }

    pub fn revoke_epoch(&mut self, id: EpochId) {
        let mut epoch = state_key::EPOCH.load(&*self.storage(), id.get()).unwrap();
        epoch.revoked_at = Some(self.app.block_info().time.seconds());
        self.by_hand(LogBody::EpochRevoked { epoch: epoch.clone() }, |storage| {
            state_key::EPOCH.save(storage, id.get(), &epoch).unwrap();
        });
    }
}
