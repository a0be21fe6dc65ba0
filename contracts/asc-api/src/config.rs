//! What the admin may set: prices, limits, times, and the domain under which keys answer.

use cosmwasm_schema::cw_serde;
use cosmwasm_std::Uint128;

use crate::OperationKind;

/// The contract's parameters. Amounts are in the smallest unit of `denom`, times in seconds.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct Config {
    /// The one denomination in which requests are paid.
    pub denom: String,
    /// Price of each operation.
    pub fees: Fees,
    /// Price of 1,000 gas of a callback; part of the operators' share.
    pub per_callback_kgas: Uint128,
    /// What operators get of a price, in 1/10,000; the rest goes to the treasury.
    pub operator_share_bps: u16,
    /// What a denied request costs.
    pub denial_fee: Uint128,
    /// What each operator gets who found the request's own input wrong.
    pub failure_fee: Uint128,
    /// Upper bounds.
    pub limits: Limits,
    /// Shortest time to answer that a requester may ask for; at least 5.
    pub ttl_min: u64,
    /// Time to answer if the requester names none.
    pub ttl_default: u64,
    /// Longest time to answer that a requester may ask for.
    pub ttl_max: u64,
    /// Seconds from a cancellation's request to its effect; at least 10.
    pub cancel_delay: u64,
    /// Seconds from the schedule of a migration to the first moment it may run.
    pub migration_delay: u64,
    /// The EIP-712 domain of keys, less the address that stands for the key.
    pub key_domain: KeyDomain,
}

/// A price for each operation.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct Fees {
    /// Key generation.
    pub key_gen: FeeSchedule,
    /// CRS generation.
    pub crs_gen: FeeSchedule,
    /// Public decryption.
    pub public_decrypt: FeeSchedule,
    /// User decryption.
    pub user_decrypt: FeeSchedule,
    /// Verification of an input.
    pub verify_input: FeeSchedule,
}

impl Fees {
    /// The schedule of one operation.
    pub const fn of(&self, kind: OperationKind) -> &FeeSchedule {
        match kind {
            OperationKind::KeyGen => &self.key_gen,
            OperationKind::CrsGen => &self.crs_gen,
            OperationKind::PublicDecrypt => &self.public_decrypt,
            OperationKind::UserDecrypt => &self.user_decrypt,
            OperationKind::VerifyInput => &self.verify_input,
        }
    }

    /// Every schedule, by operation.
    pub fn all(&self) -> [(OperationKind, &FeeSchedule); 5] {
        OperationKind::ALL.map(|kind| (kind, self.of(kind)))
    }
}

/// `base + per_ciphertext * ciphertexts + per_kib * ceil(bytes of distinct digests / 1024)`.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct FeeSchedule {
    /// For the request.
    pub base: Uint128,
    /// For each ciphertext.
    pub per_ciphertext: Uint128,
    /// For each KiB begun.
    pub per_kib: Uint128,
}

/// Upper bounds of what a request or a page may hold.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct Limits {
    /// Ciphertexts of a request.
    pub ciphertexts: u32,
    /// Bytes of all ciphertexts of a request together, each counted: so much travels to a core.
    pub bytes: u64,
    /// Requests of one requester that may be pending at a time.
    pub pending_per_requester: u32,
    /// Bytes of an answer's payload.
    pub payload: u32,
    /// Items on a query's page.
    pub page: u32,
    /// Gas of a callback.
    pub callback_gas: u64,
}

/// The EIP-712 domain under which keys of this contract answer.
#[cw_serde]
#[serde(deny_unknown_fields)]
#[schemaifier(mute_warnings)]
#[derive(Eq)]
pub struct KeyDomain {
    /// For example `Decryption`.
    pub name: String,
    /// For example `1`.
    pub version: String,
    /// Chain id of the EVM chain on which answers are checked.
    pub chain_id: u64,
}
