//! What is proven of one height: each key fetched once, and sent once.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::try_join_all;
use kms_core_proto::v1;
use kms_proofs::{ContractAddress, store_key, wasm::HistoryEntry};
use prost::Message;
use tokio::{sync::OnceCell, time::Instant};

use super::EvidenceError;
use crate::ledger::Ledger;

/// What the core calls a light block that it lacks.
pub(super) const LIGHT_BLOCK: &str = "light_block";
/// More code than any contract ran: a node that shows more is not believed.
const MOST_CODE: u64 = 1_000;

/// What is proven of one height.
#[derive(Debug)]
pub(super) struct Snapshot {
    height: u64,
    header: v1::LightBlock,
    made: Instant,
    store_proof: OnceCell<Vec<u8>>,
    code: OnceCell<Vec<Vec<u8>>>,
    entries: Mutex<HashMap<Vec<u8>, Arc<OnceCell<v1::StateEntry>>>>,
    core_has: Mutex<Sent>,
}

/// What was sent to the core with a proof.
#[derive(Debug, Default)]
pub(super) struct Sent {
    header: bool,
    keys: HashSet<Vec<u8>>,
}

impl Sent {
    pub(super) fn of(proof: &v1::Proof) -> Self {
        let keys = proof.entries.iter().map(|entry| entry.key.clone()).collect();
        Self { header: !proof.light_blocks.is_empty(), keys }
    }
}

impl Snapshot {
    /// Nothing yet of the state that this header of height + 1 commits to.
    pub(super) fn new(height: u64, header: v1::LightBlock) -> Self {
        Self {
            height,
            header,
            made: Instant::now(),
            store_proof: OnceCell::new(),
            code: OnceCell::new(),
            entries: Mutex::default(),
            core_has: Mutex::default(),
        }
    }

    /// The height of the state.
    pub(super) const fn height(&self) -> u64 {
        self.height
    }

    /// Whether it shows what was written at `height`, and is not older than allowed.
    pub(super) fn serves(&self, height: u64, age: Duration) -> bool {
        self.height >= height && self.made.elapsed() < age
    }

    /// The core took a proof: what was in it need not be sent again.
    pub(super) fn taken(&self, sent: Sent) {
        let mut core_has = lock(&self.core_has);
        core_has.header |= sent.header;
        core_has.keys.extend(sent.keys);
    }

    /// The core may have lost what it was sent.
    pub(super) fn send_all_again(&self) {
        *lock(&self.core_has) = Sent::default();
    }

    /// The proof of these keys and of the contract's code, without what the core has.
    pub(super) async fn proof(
        &self,
        ledger: &impl Ledger,
        contract: &ContractAddress,
        keys: &[Vec<u8>],
    ) -> Result<v1::Proof, EvidenceError> {
        let code = self.code.get_or_try_init(|| self.read_code(ledger, contract)).await?;
        let wanted: Vec<_> = {
            let core_has = lock(&self.core_has);
            keys.iter().chain(code).filter(|key| !core_has.keys.contains(*key)).collect()
        };
        let entries = try_join_all(wanted.into_iter().map(|key| self.entry(ledger, key))).await?;
        let (light_blocks, store_proof) = if lock(&self.core_has).header {
            Default::default()
        } else {
            (vec![self.header.clone()], self.store_proof.get().cloned().unwrap_or_default())
        };
        Ok(v1::Proof { height: self.height, light_blocks, store_proof, entries })
    }

    /// Keys of the history of the contract's code, up to the first that is absent, and of every code in it.
    async fn read_code(
        &self,
        ledger: &impl Ledger,
        contract: &ContractAddress,
    ) -> Result<Vec<Vec<u8>>, EvidenceError> {
        let mut keys = Vec::new();
        for position in 1..=MOST_CODE {
            let key = store_key::code_history(contract.bytes(), position);
            let found = self.entry(ledger, &key).await?;
            keys.push(key);
            let Some(value) = found.value else { return Ok(keys) };
            let entry = HistoryEntry::decode(value.as_slice())
                .map_err(|error| EvidenceError::History(error.to_string()))?;
            let code = store_key::code_info(entry.code_id);
            if !keys.contains(&code) {
                keys.push(code);
            }
        }
        Err(EvidenceError::History(format!("more than {MOST_CODE} entries")))
    }

    /// One key, asked for once however many want it.
    async fn entry(&self, ledger: &impl Ledger, key: &[u8]) -> Result<v1::StateEntry, EvidenceError> {
        let cell = Arc::clone(lock(&self.entries).entry(key.to_vec()).or_default());
        let entry = cell.get_or_try_init(|| async {
            let found = ledger.proven(key.to_vec(), self.height).await?;
            let _the_same_for_every_key = self.store_proof.set(found.store_proof);
            Ok::<_, EvidenceError>(v1::StateEntry {
                key: key.to_vec(),
                value: found.value,
                proof: found.proof,
            })
        });
        Ok(entry.await?.clone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
