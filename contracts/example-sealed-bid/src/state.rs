//! What the auction remembers.

use cosmwasm_schema::cw_serde;
use cosmwasm_std::{Addr, Uint128};
use cw_storage_plus::{Item, Map};
use kms_asc_api::{Ciphertext, KeyId};

use crate::msg::{End, Seal};

/// The terms, fixed at instantiation; but the seller may end bidding earlier.
#[cw_serde]
#[schemaifier(mute_warnings)]
pub struct Terms {
    pub seller: Addr,
    pub asc: Addr,
    /// What the ASC is paid in, and bids are made in.
    pub denom: String,
    pub bidding_ends: u64,
    pub opening_ends: u64,
    pub callback_gas: u64,
    pub ttl: Option<u64>,
}

/// What changes.
#[cw_serde]
#[schemaifier(mute_warnings)]
#[derive(Default)]
pub struct Auction {
    pub key_id: Option<KeyId>,
    pub bids: u32,
    /// Bids that are neither opened nor void.
    pub sealed: u32,
    /// The highest opened bid and its amount; of equals the first.
    pub best: Option<(u32, u64)>,
    /// What the contract holds for bidders.
    pub deposits: Uint128,
    pub end: Option<End>,
}

/// A bid, without its ciphertext: this changes, that does not.
#[cw_serde]
#[schemaifier(mute_warnings)]
pub struct Bid {
    pub bidder: Addr,
    pub deposit: Uint128,
    pub seal: Seal,
    /// Whether the deposit, or what was left of it, was paid back.
    pub paid_back: bool,
}

/// What a request under way is for.
#[cw_serde]
#[derive(Copy)]
pub enum Purpose {
    /// The contract's own key.
    Key,
    /// The bid with this number.
    Bid(u32),
}

pub const TERMS: Item<Terms> = Item::new("terms");
pub const AUCTION: Item<Auction> = Item::new("auction");
pub const BID: Map<u32, Bid> = Map::new("bid");
pub const CIPHERTEXT: Map<u32, Ciphertext> = Map::new("ciphertext");
/// The number of an address's bid.
pub const BIDDER: Map<&Addr, u32> = Map::new("bidder");
/// Digests of all bids: the same bytes are no second bid.
pub const DIGEST: Map<&[u8], u32> = Map::new("digest");
/// Requests under way. What has ended is removed, so that no result is taken twice.
pub const REQUEST: Map<u64, Purpose> = Map::new("request");
