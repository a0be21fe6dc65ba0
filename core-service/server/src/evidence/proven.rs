use std::sync::Arc;

use kms_asc_api::{Status, state_key};
use kms_proofs::{ContractAddress, store_key};

use super::{Missing, Refusal, state::Entries};

/// The entries that one call's proof shows, with those that were shown under the same header before.
pub(super) struct Proven {
    contract: ContractAddress,
    given: Entries,
    shared: Arc<Entries>,
}

impl Proven {
    pub(super) const fn new(contract: ContractAddress, given: Entries, shared: Arc<Entries>) -> Self {
        Self { contract, given, shared }
    }

    /// The contract's address.
    pub(super) const fn contract(&self) -> &ContractAddress {
        &self.contract
    }

    /// What is proven of a key of the store: its value, or that it is absent.
    pub(super) fn raw(&self, key: &[u8]) -> Result<Option<&[u8]>, Refusal> {
        let found = self.given.get(key).or_else(|| self.shared.get(key));
        let missing = || Refusal::Incomplete { missing: Missing::Entry { key: key.to_vec() } };
        found.map(Option::as_deref).ok_or_else(missing)
    }

    /// What is proven of a key of the contract's state.
    pub(super) fn own(&self, key: &[u8]) -> Result<Option<&[u8]>, Refusal> {
        self.raw(&store_key::contract_state(self.contract.bytes(), key))
    }

    /// Requests that the call shows to be in a terminal state.
    pub(super) fn finished(&self) -> Vec<u64> {
        let finished = self.given.iter().filter_map(|(key, value)| {
            let key = store_key::state_key_of(self.contract.bytes(), key)?;
            let id = u64::from_be_bytes(*key.last_chunk()?);
            let status = Status::decode(value.as_deref()?).ok()?;
            (key == state_key::STATUS.key(id) && status.state.is_terminal()).then_some(id)
        });
        finished.collect()
    }

    /// The value of a key of the contract's state, which must be there.
    pub(super) fn record(&self, key: &[u8], what: impl FnOnce() -> String) -> Result<&[u8], Refusal> {
        self.own(key)?.ok_or_else(|| Refusal::NotRecorded { what: what() })
    }
}
