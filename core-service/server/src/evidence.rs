//! What the core believes of the contract, and why: the only way from a caller's bytes to work.
//!
//! ```text
//! trust      headers that were verified, on disk; never back, never too old; two of one height stop the core
//! ledger     the file that keeps them
//! decision   what a person decided with `kms-core trust`
//! state      entries of contract state that were verified, shared between requests
//! proven     the entries that one call's proof shows
//! contract   the contract's code and who may change it
//! judge      what must be proven for a request, or for the destruction of a key
//! request    a judged request
//! refusal    why a proof is not enough
//! wire       the caller's proof, as types
//! ```

mod contract;
pub(crate) mod decision;
mod judge;
mod ledger;
mod proven;
mod refusal;
pub(crate) mod request;
mod state;
mod trust;
mod wire;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kms_core_proto::v1;
use kms_proofs::{ContractAddress, StateProof, VerifiedHeader};

use crate::{Error, Identity, StartError, config};

use proven::Proven;
use state::States;
use trust::HeaderTrust;
pub(crate) use trust::clock;

pub use ledger::LedgerError;
pub use refusal::{Missing, Refusal};

/// Longest list of light blocks in a call.
const MAX_LIGHT_BLOCKS: usize = 64;
/// Most entries of one proof.
const MAX_ENTRIES: usize = 1024;

/// The core's pins, and what it has verified.
pub(crate) struct Evidence {
    identity: Arc<Identity>,
    contract: ContractAddress,
    pins: config::Trust,
    headers: HeaderTrust,
    states: States,
    /// Requests that were proven to be finished, by the height of the proof.
    finished: Mutex<BTreeMap<u64, Vec<u64>>>,
}

/// A header with the entries that a call's proof shows under it.
struct Shown {
    header: Arc<VerifiedHeader>,
    proven: Proven,
}

impl Evidence {
    /// Opens what was verified before, in `data_dir`.
    pub(crate) fn open(
        data_dir: &Path,
        identity: Arc<Identity>,
        pins: config::Trust,
    ) -> Result<Self, StartError> {
        let contract = ContractAddress::parse(&identity.contract).map_err(StartError::Contract)?;
        let headers = HeaderTrust::open(data_dir, &identity.chain_id, &pins)?;
        Ok(Self { identity, contract, pins, headers, states: States::default(), finished: Mutex::default() })
    }

    /// Verifies and keeps headers that anybody shows, and says which is the newest now.
    pub(crate) fn submit(&self, blocks: Vec<v1::LightBlock>) -> Result<(u64, [u8; 32]), Error> {
        if blocks.is_empty() {
            return Err(Error::MalformedArgument {
                field: "light_blocks",
                reason: "0 given, at least 1 allowed".to_owned(),
            });
        }
        let blocks = wire::light_blocks(blocks)?;
        self.headers.learn(&blocks, clock())?;
        Ok(self.headers.newest())
    }

    /// Height and hash of the newest header; of the one that a person named, until a light block showed it.
    pub(crate) fn newest_header(&self) -> (u64, [u8; 32]) {
        self.headers.newest()
    }

    /// How old the newest header is by its time; none, if none was shown yet.
    pub(crate) fn header_age(&self) -> Option<Duration> {
        self.headers.age(clock())
    }

    /// Whether no two valid headers of one height were seen; else what is wrong.
    pub(crate) fn check_conflict(&self) -> Result<(), String> {
        self.headers.check_conflict().map_err(|refusal| refusal.to_string())
    }

    /// Whether the newest header can be trusted now; else what is wrong.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.headers.check(clock()).map_err(|refusal| refusal.to_string())
    }

    /// Requests that calls proved to be finished since this was asked last, by the height of the proof.
    pub(crate) fn take_finished(&self) -> BTreeMap<u64, Vec<u64>> {
        std::mem::take(&mut self.finished.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A proof may show more than the call needs: every status in it counts, if the code that wrote it is one that is allowed.
    fn note_finished(&self, proven: &Proven, height: u64) {
        let ids = proven.finished();
        if !ids.is_empty() && contract::judge(proven, &self.pins.allowed_code).is_ok() {
            let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
            finished.entry(height).or_default().extend(ids);
        }
    }

    /// Verifies a call's proof, from the last trusted header down to each entry.
    fn show(&self, proof: Option<v1::Proof>) -> Result<Shown, Error> {
        let proof: StateProof = wire::state_proof(proof)?;
        let now = clock();
        self.headers.learn(&proof.light_blocks, now)?;
        let header = self.headers.committing_to(proof.height, now)?;
        let proven = self.states.verify(&header, &self.contract, &proof)?;
        self.note_finished(&proven, proof.height);
        Ok(Shown { header, proven })
    }
}
