//! The contract's state, key by key, as the log tells it.

use std::collections::BTreeMap;

use cosmwasm_std::{Addr, StdError, to_json_vec};
use kms_asc_api::{DefaultDomains, Digest, State, Terms, state_key};
use serde::Serialize;

use crate::Ledger;

/// Name under which the contract stores its version.
const CONTRACT_NAME: &str = "kms-asc";
/// The version whose state does not say how it is laid out.
const FIRST_VERSION: &str = "0.1.0";
/// The layout that later versions write.
const LAYOUT: u32 = 2;

/// What must stand under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes with this SHA-256.
    Sha256(Digest),
}

/// A key of state at which log and state disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key.
    pub key: Vec<u8>,
    /// What the log tells; nothing if no entry speaks of it.
    pub expected: Option<Expected>,
    /// What stands there.
    pub found: Option<Vec<u8>>,
}

#[derive(Serialize)]
struct ContractInfo<'a> {
    contract: &'a str,
    version: &'a str,
}

impl Ledger {
    /// Every key that stands in the contract's state, but the log's own entries, and what stands under it.
    ///
    /// # Errors
    /// Never for records that were read from a log; the JSON library decides.
    pub fn expected_state(&self) -> Result<BTreeMap<Vec<u8>, Expected>, StdError> {
        let mut state = Keys(BTreeMap::new());
        self.requests_state(&mut state);
        self.records_state(&mut state)?;
        self.items_state(&mut state)?;
        Ok(state.0)
    }

    /// Where the contract's state is not what the log tells; `state` is all of it. Not compared are the log's
    /// entries, which led to this ledger, and the number of the state's layout, of which no entry speaks.
    ///
    /// # Errors
    /// As [`Ledger::expected_state`].
    pub fn differences(
        &self,
        state: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Vec<Difference>, StdError> {
        let mut expected = self.expected_state()?;
        let mut differences = Vec::new();
        let prefix = log_prefix();
        for (key, found) in state.into_iter().filter(|(key, _)| !key.starts_with(&prefix)) {
            let wanted = expected.remove(&key);
            let same = match &wanted {
                Some(Expected::Bytes(bytes)) => *bytes == found,
                Some(Expected::Sha256(digest)) => *digest == Digest::sha256(&found),
                None => false,
            };
            if !same {
                differences.push(Difference { key, expected: wanted, found: Some(found) });
            }
        }
        let missing = expected.into_iter();
        differences.extend(missing.map(|(key, wanted)| Difference {
            key,
            expected: Some(wanted),
            found: None,
        }));
        Ok(differences)
    }

    fn requests_state(&self, state: &mut Keys) {
        for (id, request) in &self.requests {
            state.hash(state_key::REQUEST.key(id.get()), request.hash);
            state.bytes(state_key::STATUS.key(id.get()), request.status.encode().to_vec());
            if request.status.state == State::Pending {
                state.bytes(state_key::OPEN.key(id.get()), vec![1]);
            }
            for (party, said) in &request.said {
                state.hash(state_key::RESPONSE.key((id.get(), party.get())), said.hash);
            }
        }
    }

    fn records_state(&self, state: &mut Keys) -> Result<(), StdError> {
        for (id, key) in &self.keys {
            state.json(state_key::KEY.key(id.get()).to_vec(), key)?;
        }
        for (id, crs) in &self.crs {
            state.json(state_key::CRS.key(id.get()).to_vec(), crs)?;
        }
        for ((id, grantee), grant) in &self.grants {
            let grantee = Addr::unchecked(grantee);
            state.json(state_key::GRANT.key((id.get(), &grantee)).to_vec(), grant)?;
        }
        for (id, epoch) in &self.epochs {
            state.json(state_key::EPOCH.key(id.get()).to_vec(), epoch)?;
        }
        for (separator, key) in &self.domains {
            state.json(state_key::DOMAIN.key(separator.as_bytes()).to_vec(), key)?;
        }
        for (digest, id) in &self.digests {
            state.json(state_key::DIGEST.key(digest.as_bytes()).to_vec(), id)?;
        }
        for (address, credit) in &self.credits {
            state.json(state_key::CREDIT.key(&Addr::unchecked(address)).to_vec(), credit)?;
        }
        for (address, count) in &self.pending {
            state.json(state_key::PENDING.key(&Addr::unchecked(address)).to_vec(), count)?;
        }
        Ok(())
    }

    fn items_state(&self, state: &mut Keys) -> Result<(), StdError> {
        let info = ContractInfo { contract: CONTRACT_NAME, version: &self.version };
        state.json(b"contract_info".to_vec(), &info)?;
        state.json(state_key::CONFIG.as_slice().to_vec(), &self.config)?;
        state.json(state_key::TOTALS.as_slice().to_vec(), &self.totals)?;
        state.json(state_key::NEXT_ID.as_slice().to_vec(), &self.next_id())?;
        state.json(state_key::NEWEST_EPOCH.as_slice().to_vec(), &self.newest_epoch())?;
        state.json(state_key::ADMIN.as_slice().to_vec(), &self.admin)?;
        state.json(state_key::PAUSED.as_slice().to_vec(), &self.paused)?;
        if self.version != FIRST_VERSION {
            state.json(state_key::STATE_VERSION.as_slice().to_vec(), &LAYOUT)?;
            state.bytes(state_key::TERMS.to_vec(), self.terms().encode());
        }
        if let Some(proposed) = &self.proposed_admin {
            state.json(state_key::PROPOSED_ADMIN.as_slice().to_vec(), proposed)?;
        }
        if let Some(migration) = &self.migration {
            state.json(state_key::MIGRATION.as_slice().to_vec(), migration)?;
        }
        state.bytes(state_key::LOG_HEAD.to_vec(), self.head.encode().to_vec());
        Ok(())
    }
}

impl Ledger {
    /// Parameters, pause, revoked epochs and default domains in their short form.
    fn terms(&self) -> Terms {
        let revoked = self.epochs.values().filter(|epoch| epoch.revoked_at.is_some()).map(|epoch| epoch.id);
        Terms {
            config: self.config.clone(),
            paused: self.paused,
            revoked: revoked.collect(),
            domains: DefaultDomains { chain_id: self.chain_id.clone(), since: self.domains_since },
        }
    }
}

/// The first bytes of every entry's key: `len(ns) u16 || ns`.
fn log_prefix() -> Vec<u8> {
    let mut key = state_key::LOG.key(0);
    key.truncate(key.len().saturating_sub(8));
    key
}

/// Keys on their way into the result.
struct Keys(BTreeMap<Vec<u8>, Expected>);

impl Keys {
    fn bytes(&mut self, key: Vec<u8>, bytes: Vec<u8>) {
        self.0.insert(key, Expected::Bytes(bytes));
    }

    fn hash(&mut self, key: Vec<u8>, digest: Digest) {
        self.0.insert(key, Expected::Sha256(digest));
    }

    fn json(&mut self, key: Vec<u8>, record: &impl Serialize) -> Result<(), StdError> {
        self.bytes(key, to_json_vec(record)?);
        Ok(())
    }
}
