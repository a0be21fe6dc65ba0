//! A made-up chain for tests: validators with keys of their own, blocks, state. What it gives is accepted by the real verifier, as
//! long as the test does not bend it.
//!
//! ```
//! use kms_proofs::testing::FakeChain;
//!
//! let mut chain = FakeChain::new("kms-test-1");
//! chain.install(1, [7; 32]);
//! let height = chain.commit();
//! let proof = chain.proof(height, chain.contract_keys());
//! assert_eq!(proof.light_blocks.len(), 1);
//! ```

mod contract;
mod iavl;
mod records;
mod signed;
mod simple;
mod validators;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{ContractAddress, LightBlock, StateEntry, StateProof, Time};

use iavl::Tree;
pub use records::{active_key, centralized, config};
use simple::Stores;
pub use validators::Validators;

/// How many heights keep their state; light blocks are kept for ever.
const KEPT_STATES: usize = 200;

/// A chain with one contract. A clone is a fork: both go on from the same past, under the same validators.
#[derive(Clone)]
pub struct FakeChain {
    chain_id: String,
    contract: ContractAddress,
    validators: Validators,
    next_validators: Validators,
    state: BTreeMap<Vec<u8>, Vec<u8>>,
    history: u64,
    states: BTreeMap<u64, Arc<Tree>>,
    blocks: Vec<Block>,
}

#[derive(Clone)]
struct Block {
    light: LightBlock,
    hash: [u8; 32],
    time: Time,
}

impl FakeChain {
    /// A chain of four validators at height 1, whose state is empty.
    pub fn new(chain_id: &str) -> Self {
        Self::with_contract(chain_id, [0xC0; 32])
    }

    /// The same with another contract's address.
    pub fn with_contract(chain_id: &str, address: [u8; 32]) -> Self {
        let contract = ContractAddress::of_bytes("wasm", address);
        let validators = Validators::made_of("validators", 4);
        let mut chain = Self {
            chain_id: chain_id.to_owned(),
            contract: contract.unwrap_or_else(|error| unreachable!("{error}")),
            next_validators: validators.clone(),
            validators,
            state: BTreeMap::new(),
            history: 0,
            states: BTreeMap::new(),
            blocks: Vec::new(),
        };
        let time = Time { seconds: now().seconds.saturating_sub(3600), nanos: 0 };
        chain.seal_block(time, &[0; 32]);
        chain
    }

    /// The chain's name.
    pub fn chain_id(&self) -> &str {
        &self.chain_id
    }

    /// The contract.
    pub fn contract(&self) -> &ContractAddress {
        &self.contract
    }

    /// Height of the newest header.
    pub fn height(&self) -> u64 {
        u64::try_from(self.blocks.len()).unwrap_or(u64::MAX)
    }

    /// Writes a key of the contract's state.
    pub fn set(&mut self, key: &[u8], value: &[u8]) {
        self.set_raw(crate::store_key::contract_state(self.contract.bytes(), key), value);
    }

    /// Removes a key of the contract's state.
    pub fn remove(&mut self, key: &[u8]) {
        self.state.remove(&crate::store_key::contract_state(self.contract.bytes(), key));
    }

    /// Writes a key of store `wasm`.
    pub fn set_raw(&mut self, key: Vec<u8>, value: &[u8]) {
        self.state.insert(key, value.to_vec());
    }

    /// Gives another contract all that this one has: its record, its history, its state.
    pub fn copy_contract(&mut self, address: [u8; 32]) {
        let own = *self.contract.bytes();
        let copy = |(key, value): (&Vec<u8>, &Vec<u8>)| {
            let copied = crate::store_key::contract_of(key) == Some(own);
            copied.then(|| (renamed(key, &own, &address), value.clone()))
        };
        let copies: Vec<_> = self.state.iter().filter_map(copy).collect();
        self.state.extend(copies);
    }

    /// The state as it is now under a key of store `wasm`.
    pub fn get_raw(&self, key: &[u8]) -> Option<&[u8]> {
        self.state.get(key).map(Vec::as_slice)
    }

    /// Ends a block: the state as it is now is that of the height returned, and the header of the next height, whose time is
    /// now, commits to it.
    pub fn commit(&mut self) -> u64 {
        self.commit_at(now())
    }

    /// The same at another time; one nanosecond after the last block if that is later.
    pub fn commit_at(&mut self, time: Time) -> u64 {
        let height = self.height();
        let tree = Tree::of(&self.state);
        let app_hash = Stores::with_wasm(tree.root()).root();
        self.states.insert(height, Arc::new(tree));
        while self.states.len() > KEPT_STATES {
            self.states.pop_first();
        }
        self.seal_block(time, &app_hash);
        height
    }

    /// Ends blocks in which nothing happens until the newest header is of `height`.
    pub fn advance_to(&mut self, height: u64) {
        while self.height() < height {
            self.commit();
        }
    }

    /// Other validators from the block after the next on, as the chain itself would change them.
    pub fn change_validators(&mut self, validators: Validators) {
        self.next_validators = validators;
    }

    /// Other validators from the next block on, whom nobody announced.
    pub fn usurp(&mut self, validators: Validators) {
        self.validators = validators.clone();
        self.next_validators = validators;
    }

    /// The light block of a height.
    pub fn light_block(&self, height: u64) -> LightBlock {
        self.block(height).light.clone()
    }

    /// The hash of a height's header.
    pub fn header_hash(&self, height: u64) -> [u8; 32] {
        self.block(height).hash
    }

    /// The time of a height's header.
    pub fn header_time(&self, height: u64) -> Time {
        self.block(height).time
    }

    /// The proof of the store's root at a height.
    pub fn store_proof(&self, height: u64) -> Vec<u8> {
        Stores::with_wasm(self.tree(height).root()).proof_of_wasm()
    }

    /// A key of the store at a height: with its value, or as absent.
    pub fn entry(&self, height: u64, key: &[u8]) -> StateEntry {
        let (value, proof) = self.tree(height).prove(key);
        StateEntry { key: key.to_vec(), value, proof }
    }

    /// All that shows these keys of the store at a height, from a trusted header in one step.
    pub fn proof(&self, height: u64, keys: impl IntoIterator<Item = Vec<u8>>) -> StateProof {
        StateProof {
            height,
            light_blocks: vec![self.light_block(height.saturating_add(1))],
            store_proof: self.store_proof(height),
            entries: keys.into_iter().map(|key| self.entry(height, &key)).collect(),
        }
    }

    fn tree(&self, height: u64) -> &Tree {
        self.states.get(&height).unwrap_or_else(|| unreachable!("no state of height {height} is kept"))
    }

    fn block(&self, height: u64) -> &Block {
        let index = usize::try_from(height).ok().and_then(|height| height.checked_sub(1));
        index
            .and_then(|index| self.blocks.get(index))
            .unwrap_or_else(|| unreachable!("there is no block of height {height}"))
    }

    fn seal_block(&mut self, time: Time, app_hash: &[u8; 32]) {
        let previous = self.blocks.last();
        let time = previous.map_or(time, |block| time.max(after(block.time)));
        let block = signed::Draft {
            chain_id: &self.chain_id,
            height: self.height().saturating_add(1),
            time,
            previous: previous.map(|block| block.hash),
            app_hash,
            validators: &self.validators,
            next_validators: &self.next_validators,
        };
        let (light, hash) = block.sign();
        self.blocks.push(Block { light, hash, time });
        self.validators = self.next_validators.clone();
    }
}

/// A key of the store with another contract's address in it.
pub fn renamed(key: &[u8], from: &[u8; 32], to: &[u8; 32]) -> Vec<u8> {
    match (crate::store_key::contract_of(key), key) {
        (Some(found), [kind, rest @ ..]) if found == *from => {
            [std::slice::from_ref(kind), to, rest.get(32..).unwrap_or_default()].concat()
        }
        _ => key.to_vec(),
    }
}

/// This machine's clock.
pub fn now() -> Time {
    Time::of(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn after(time: Time) -> Time {
    Time::of(time.since_epoch().saturating_add(std::time::Duration::from_nanos(1)))
}
