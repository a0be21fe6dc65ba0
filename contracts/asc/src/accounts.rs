//! What addresses can withdraw and how many of their requests are pending: read once and written once a message,
//! however many of its items touch them.

use std::collections::{BTreeMap, btree_map::Entry};

use cosmwasm_std::{Addr, Storage, Uint128};
use kms_asc_api::state_key;

use crate::ContractError;

/// A value as it is in state, and as it will be.
#[derive(Clone, Copy)]
pub struct Held<T> {
    stored: T,
    /// As it will be.
    pub now: T,
}

impl<T: Copy + PartialEq> Held<T> {
    /// As it was read.
    pub const fn new(stored: T) -> Self {
        Self { stored, now: stored }
    }

    /// What is to be written: nothing, if it is as it was.
    pub fn changed(&self) -> Option<&T> {
        (self.now != self.stored).then_some(&self.now)
    }
}

/// The addresses that one message touches.
#[derive(Default)]
pub struct Accounts {
    credits: BTreeMap<Addr, Held<Uint128>>,
    pending: BTreeMap<Addr, Held<u32>>,
}

impl Accounts {
    /// What an address can withdraw.
    pub fn credit(&mut self, storage: &dyn Storage, address: &Addr) -> Result<&mut Uint128, ContractError> {
        let held = match self.credits.entry(address.clone()) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => {
                place.insert(Held::new(state_key::CREDIT.may_load(storage, address)?.unwrap_or_default()))
            }
        };
        Ok(&mut held.now)
    }

    /// How many requests of an address are pending.
    pub fn pending(&mut self, storage: &dyn Storage, address: &Addr) -> Result<&mut u32, ContractError> {
        let held = match self.pending.entry(address.clone()) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => {
                place.insert(Held::new(state_key::PENDING.may_load(storage, address)?.unwrap_or(0)))
            }
        };
        Ok(&mut held.now)
    }

    /// Writes what has changed; what is zero is not kept.
    pub fn write(self, storage: &mut dyn Storage) -> Result<(), ContractError> {
        for (address, held) in &self.credits {
            match held.changed() {
                None => {}
                Some(credit) if credit.is_zero() => state_key::CREDIT.remove(storage, address),
                Some(credit) => state_key::CREDIT.save(storage, address, credit)?,
            }
        }
        for (address, held) in &self.pending {
            match held.changed() {
                None => {}
                Some(0) => state_key::PENDING.remove(storage, address),
                Some(count) => state_key::PENDING.save(storage, address, count)?,
            }
        }
        Ok(())
    }
}
