//! Where records are in contract state. Proofs depend on these keys: a map's key is
//! `len(ns) u16 || ns || components`, each component but the last with its length (u16) before it; an item's
//! key is its bare name; integers are big-endian, addresses bech32 text.
//!
//! A [`RawMap`] holds bytes as they are; all others hold JSON.

use cosmwasm_std::{Addr, Empty, Storage, Uint128};
use cw_storage_plus::{Item, Map, PrimaryKey};

use crate::{Config, CrsRecord, Epoch, GrantRecord, KeyId, KeyRecord, MigrationRecord, RequestId, Totals};

/// A map whose values are raw bytes, never serialized.
pub struct RawMap<K> {
    keys: Map<K, Empty>,
}

impl<'a, K: PrimaryKey<'a>> RawMap<K> {
    const fn new(namespace: &'static str) -> Self {
        Self { keys: Map::new(namespace) }
    }

    /// The key in contract state.
    pub fn key(&self, k: K) -> Vec<u8> {
        self.keys.key(k).to_vec()
    }

    /// Writes a value.
    pub fn save(&self, storage: &mut dyn Storage, k: K, value: &[u8]) {
        storage.set(&self.keys.key(k), value);
    }

    /// Reads a value, if there is one.
    pub fn may_load(&self, storage: &dyn Storage, k: K) -> Option<Vec<u8>> {
        storage.get(&self.keys.key(k))
    }

    /// Whether there is a value.
    pub fn has(&self, storage: &dyn Storage, k: K) -> bool {
        self.keys.has(storage, k)
    }

    /// Removes a value.
    pub fn remove(&self, storage: &mut dyn Storage, k: K) {
        storage.remove(&self.keys.key(k));
    }

    /// The map's keys alone, for walking; its values must not be loaded through it.
    pub const fn keys(&self) -> &Map<K, Empty> {
        &self.keys
    }
}

/// Request bodies by id: JSON, written once, as raw bytes.
pub const REQUEST: RawMap<u64> = RawMap::new("request");
/// [`Status`](crate::Status) by request.
pub const STATUS: RawMap<u64> = RawMap::new("status");
/// [`StoredResponse`](crate::StoredResponse) by request and party.
pub const RESPONSE: RawMap<(u64, u32)> = RawMap::new("response");
/// `0x01` for each pending request.
pub const OPEN: RawMap<u64> = RawMap::new("open");
/// Entries of the log by number.
pub const LOG: RawMap<u64> = RawMap::new("log");
/// The key of [`Terms`](crate::Terms).
pub const TERMS: &[u8] = b"terms";
/// The key of the log's head.
pub const LOG_HEAD: &[u8] = b"log_head";

/// Keys by id.
pub const KEY: Map<u64, KeyRecord> = Map::new("key");
/// Common reference strings by id.
pub const CRS: Map<u64, CrsRecord> = Map::new("crs");
/// Grants by key and grantee.
pub const GRANT: Map<(u64, &Addr), GrantRecord> = Map::new("grant");
/// Operators by epoch.
pub const EPOCH: Map<u32, Epoch> = Map::new("epoch");
/// The key that a domain separator belongs to.
pub const DOMAIN: Map<&[u8], KeyId> = Map::new("domain");
/// The request that registered a digest of published material.
pub const DIGEST: Map<&[u8], RequestId> = Map::new("digest");
/// What an address can withdraw.
pub const CREDIT: Map<&Addr, Uint128> = Map::new("credit");
/// How many requests of an address are pending.
pub const PENDING: Map<&Addr, u32> = Map::new("pending");

/// The parameters.
pub const CONFIG: Item<Config> = Item::new("config");
/// What the contract owes and owns.
pub const TOTALS: Item<Totals> = Item::new("totals");
/// The id of the next request.
pub const NEXT_ID: Item<u64> = Item::new("next_id");
/// The id of the newest epoch.
pub const NEWEST_EPOCH: Item<u32> = Item::new("newest_epoch");
/// Who governs.
pub const ADMIN: Item<Addr> = Item::new("admin");
/// To whom the admin offers the office; absent if to nobody.
pub const PROPOSED_ADMIN: Item<Addr> = Item::new("proposed_admin");
/// New code that was announced; absent if none is.
pub const MIGRATION: Item<MigrationRecord> = Item::new("migration");
/// Whether new requests are refused.
pub const PAUSED: Item<bool> = Item::new("paused");
/// Version of the layout of all this; absent in a state of the first one.
pub const STATE_VERSION: Item<u32> = Item::new("state_version");

#[cfg(test)]
mod tests {
    use super::*;

    /// `len(ns) u16 || ns || components`.
    fn raw(namespace: &str, components: &[&[u8]]) -> Vec<u8> {
        let mut key = u16::try_from(namespace.len()).unwrap().to_be_bytes().to_vec();
        key.extend_from_slice(namespace.as_bytes());
        for (i, component) in components.iter().enumerate() {
            if i + 1 < components.len() {
                key.extend_from_slice(&u16::try_from(component.len()).unwrap().to_be_bytes());
            }
            key.extend_from_slice(component);
        }
        key
    }

    #[test]
    fn every_key_has_its_fixed_bytes() {
        let seven = 7u64.to_be_bytes();
        let address = Addr::unchecked("wasm1user");
        for (key, expected) in [
            (REQUEST.key(7), raw("request", &[&seven])),
            (STATUS.key(7), raw("status", &[&seven])),
            (RESPONSE.key((7, 2)), raw("response", &[&seven, &2u32.to_be_bytes()])),
            (OPEN.key(7), raw("open", &[&seven])),
            (LOG.key(7), raw("log", &[&seven])),
            (KEY.key(7).to_vec(), raw("key", &[&seven])),
            (CRS.key(7).to_vec(), raw("crs", &[&seven])),
            (GRANT.key((7, &address)).to_vec(), raw("grant", &[&seven, b"wasm1user"])),
            (EPOCH.key(2).to_vec(), raw("epoch", &[&2u32.to_be_bytes()])),
            (DOMAIN.key(&[9; 32]).to_vec(), raw("domain", &[&[9; 32]])),
            (DIGEST.key(&[9; 32]).to_vec(), raw("digest", &[&[9; 32]])),
            (CREDIT.key(&address).to_vec(), raw("credit", &[b"wasm1user"])),
            (PENDING.key(&address).to_vec(), raw("pending", &[b"wasm1user"])),
        ] {
            assert_eq!(key, expected, "{}", String::from_utf8_lossy(&expected));
        }
        for (key, expected) in [
            (CONFIG.as_slice(), "config"),
            (TOTALS.as_slice(), "totals"),
            (NEXT_ID.as_slice(), "next_id"),
            (NEWEST_EPOCH.as_slice(), "newest_epoch"),
            (ADMIN.as_slice(), "admin"),
            (PROPOSED_ADMIN.as_slice(), "proposed_admin"),
            (MIGRATION.as_slice(), "migration"),
            (PAUSED.as_slice(), "paused"),
            (STATE_VERSION.as_slice(), "state_version"),
            (TERMS, "terms"),
            (LOG_HEAD, "log_head"),
        ] {
            assert_eq!(key, expected.as_bytes());
        }
    }

    /// Spelled out byte by byte, so that no library's change goes unnoticed.
    #[test]
    fn the_worked_key_of_the_documentation_holds() {
        assert_eq!(
            hex::encode(RESPONSE.key((258, 3))),
            concat!("0008", "726573706f6e7365", "0008", "0000000000000102", "00000003")
        );
    }
}
