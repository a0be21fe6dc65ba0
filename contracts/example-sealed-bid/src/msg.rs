//! What the auction can be told and asked.

use cosmwasm_schema::cw_serde;
use cosmwasm_std::Uint128;
use kms_asc_api::{Ciphertext, KeyId};
use kms_callback::KmsResult;

/// The auction's terms. The sender sells. Funds pay for decryptions; what is left goes back to the seller.
#[cw_serde]
#[schemaifier(mute_warnings)]
pub struct InstantiateMsg {
    /// The ASC's address.
    pub asc: String,
    /// The key under which bids are encrypted; absent if the contract shall have its own made.
    pub key_id: Option<KeyId>,
    /// Block time in seconds from which bids are opened and no more are taken.
    pub bidding_ends: u64,
    /// Block time in seconds from which an auction with bids still sealed can be called off.
    pub opening_ends: u64,
    /// Gas of each callback.
    pub callback_gas: u64,
    /// Seconds that the KMS has for each request; its default if absent.
    pub ttl: Option<u64>,
}

/// What the auction can be told.
#[cw_serde]
#[schemaifier(mute_warnings)]
pub enum ExecuteMsg {
    /// By the seller: has the contract's own key made.
    MakeKey {},
    /// By anyone, once each, with the most that the bid can be: a bid, encrypted as `uint64`.
    Bid {
        /// The encrypted bid.
        ciphertext: Box<Ciphertext>,
    },
    /// By the seller: ends bidding now.
    EndBidding {},
    /// By anyone, when bidding has ended: asks for every bid that is sealed to be decrypted.
    Open {},
    /// By the ASC: a request has ended.
    KmsResult(KmsResult),
    /// By anyone: reads the end of a request from the ASC, if the callback failed.
    Fetch {
        /// The request.
        request_id: u64,
    },
    /// By anyone, when the time for opening has passed and bids are still sealed.
    CallOff {},
    /// By bidders and seller, when the auction has ended: pays out what is theirs.
    Withdraw {},
}

/// What the auction can be asked.
#[cw_serde]
#[schemaifier(mute_warnings)]
pub enum QueryMsg {
    /// The auction: [`AuctionView`].
    Auction {},
    /// The bids, in the order in which they came: a list of [`BidView`].
    Bids {},
}

/// Where the auction stands.
#[cw_serde]
#[schemaifier(mute_warnings)]
pub struct AuctionView {
    /// The key, once there is one.
    pub key_id: Option<KeyId>,
    /// How many bids there are.
    pub bids: u32,
    /// How many of them are not opened yet.
    pub sealed: u32,
    /// How it ended, if it has.
    pub end: Option<End>,
}

/// How the auction ended.
#[cw_serde]
#[schemaifier(mute_warnings)]
pub enum End {
    /// The highest bid; of equals the first.
    Sold {
        /// Whose.
        to: String,
        /// How much.
        amount: u64,
    },
    /// No valid bid.
    NoSale {},
    /// Bids were not opened in time: all deposits go back.
    CalledOff {},
}

/// A bid.
#[cw_serde]
#[schemaifier(mute_warnings)]
pub struct BidView {
    /// Whose.
    pub bidder: String,
    /// What it can be at most.
    pub deposit: Uint128,
    /// What is known of it.
    pub seal: Seal,
}

/// What is known of a bid.
#[cw_serde]
#[schemaifier(mute_warnings)]
pub enum Seal {
    /// Nothing.
    Sealed {},
    /// It is being decrypted.
    Asked {
        /// By this request.
        request_id: u64,
    },
    /// All.
    Opened {
        /// How much.
        amount: u64,
    },
    /// It cannot be opened, by its bidder's fault, or is more than its deposit.
    Void {},
}
