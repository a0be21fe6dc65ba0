//! Entries of contract state that were verified, per header. What several requests need is verified and sent once.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use kms_asc_api::state_key;
use kms_proofs::{
    ContractAddress, StateEntry, StateProof, StoreRoot, VerifiedHeader, store_key, verify_entry, verify_root,
};

use super::{Missing, Proven, Refusal};

/// Headers whose state is remembered.
const MAX_HEADERS: usize = 32;
/// Bytes of keys and values remembered for each.
const MAX_BYTES: usize = 2 << 20;

/// Entries by key: a value, or proven absence.
pub(super) type Entries = HashMap<Vec<u8>, Option<Arc<[u8]>>>;

/// What was verified lately, by the hash of the header that commits to it.
#[derive(Default)]
pub(super) struct States {
    remembered: Mutex<VecDeque<Remembered>>,
}

struct Remembered {
    header: [u8; 32],
    root: StoreRoot,
    entries: Arc<Entries>,
    bytes: usize,
}

impl States {
    /// Verifies a proof under its header, using and adding to what is remembered.
    pub(super) fn verify(
        &self,
        header: &VerifiedHeader,
        contract: &ContractAddress,
        proof: &StateProof,
    ) -> Result<Proven, Refusal> {
        let known = self.recall(header.hash());
        let root = match &known {
            Some((root, _)) => root.clone(),
            None if proof.store_proof.is_empty() => {
                return Err(Refusal::Incomplete { missing: Missing::StoreProof });
            }
            None => verify_root(header, &proof.store_proof)?,
        };
        let shared = known.map(|(_, entries)| entries).unwrap_or_default();
        let mut given = Entries::new();
        for entry in &proof.entries {
            check_contract(contract, entry)?;
            if !same(&shared, entry) {
                verify_entry(&root, entry)?;
            }
            given.insert(entry.key.clone(), entry.value.as_deref().map(Arc::from));
        }
        self.remember(header.hash(), root, contract, &given);
        Ok(Proven::new(contract.clone(), given, shared))
    }

    fn recall(&self, header: [u8; 32]) -> Option<(StoreRoot, Arc<Entries>)> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let found = remembered.iter().rev().find(|found| found.header == header)?;
        Some((found.root.clone(), found.entries.clone()))
    }

    /// Keeps what other requests may need; a request's own body and status are of use to nobody else.
    fn remember(&self, header: [u8; 32], root: StoreRoot, contract: &ContractAddress, given: &Entries) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let at = match remembered.iter().position(|found| found.header == header) {
            Some(at) => at,
            None => {
                if remembered.len() >= MAX_HEADERS {
                    remembered.pop_front();
                }
                remembered.push_back(Remembered { header, root, entries: Arc::default(), bytes: 0 });
                remembered.len() - 1
            }
        };
        let found = &mut remembered[at];
        for (key, value) in given {
            let size = key.len() + value.as_ref().map_or(0, |value| value.len());
            let room = found.bytes + size <= MAX_BYTES;
            if room && !found.entries.contains_key(key) && is_shared(contract, key) {
                found.bytes += size;
                Arc::make_mut(&mut found.entries).insert(key.clone(), value.clone());
            }
        }
    }
}

/// State of another contract proves nothing here, and whoever sends it means another core.
fn check_contract(contract: &ContractAddress, entry: &StateEntry) -> Result<(), Refusal> {
    match store_key::contract_of(&entry.key) {
        Some(other) if other != *contract.bytes() => {
            Err(Refusal::OtherContract { given: hex::encode(other) })
        }
        _ => Ok(()),
    }
}

fn same(shared: &Entries, entry: &StateEntry) -> bool {
    shared.get(&entry.key).is_some_and(|value| value.as_deref() == entry.value.as_deref())
}

fn is_shared(contract: &ContractAddress, key: &[u8]) -> bool {
    let own = |namespace: Vec<u8>| {
        // A key of the map less the id, which is its last 8 bytes.
        let namespace = &namespace[..namespace.len() - 8];
        store_key::state_key_of(contract.bytes(), key).is_some_and(|key| key.starts_with(namespace))
    };
    !own(state_key::REQUEST.key(0)) && !own(state_key::STATUS.key(0))
}
