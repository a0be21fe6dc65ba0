//! Parameters and operators that tests start from.

use cosmwasm_std::{Addr, Uint128};
use cw_multi_test::MockApiBech32;
use k256::ecdsa::SigningKey;
use kms_asc_api::{
    Config, Epoch, EpochId, EpochMode, FeeSchedule, Fees, KeyDomain, Limits, Party, PartyId, signing,
};

/// The denomination of every test.
pub const DENOM: &str = "ukms";
/// The chain of every test.
pub const CHAIN_ID: &str = "kms-test-1";
/// Block time at which a suite starts, seconds.
pub const START: u64 = 1_700_000_000;

/// A named account.
pub fn account(name: &str) -> Addr {
    MockApiBech32::new("wasm").addr_make(name)
}

/// The key with which a party signs; other seeds than parties' numbers are strangers'.
pub fn signing_key(seed: u32) -> SigningKey {
    let mut bytes = [0x5a; 32];
    bytes[28..].copy_from_slice(&seed.to_be_bytes());
    SigningKey::from_slice(&bytes).unwrap()
}

fn schedule(base: u128, per_ciphertext: u128, per_kib: u128) -> FeeSchedule {
    FeeSchedule {
        base: Uint128::new(base),
        per_ciphertext: Uint128::new(per_ciphertext),
        per_kib: Uint128::new(per_kib),
    }
}

/// Prices are odd on purpose: shares of them leave dust.
pub fn config() -> Config {
    Config {
        denom: DENOM.to_owned(),
        fees: Fees {
            key_gen: schedule(1003, 0, 0),
            crs_gen: schedule(503, 0, 0),
            public_decrypt: schedule(101, 10, 3),
            user_decrypt: schedule(151, 11, 3),
            verify_input: schedule(131, 0, 5),
        },
        per_callback_kgas: Uint128::new(2),
        operator_share_bps: 9000,
        denial_fee: Uint128::new(21),
        failure_fee: Uint128::new(10),
        limits: Limits {
            ciphertexts: 8,
            bytes: 65_536,
            pending_per_requester: 60,
            payload: 16_384,
            page: 30,
            callback_gas: 500_000,
        },
        ttl_min: 10,
        ttl_default: 60,
        ttl_max: 600,
        cancel_delay: 10,
        migration_delay: 86_400,
        key_domain: KeyDomain { name: "Decryption".to_owned(), version: "1".to_owned(), chain_id: 9000 },
    }
}

/// The operator with a number.
pub fn party(number: u32) -> Party {
    Party {
        party: PartyId(number),
        name: format!("operator {number}"),
        signer: signing::public_key(signing_key(number).verifying_key()),
        payout: payout(number).to_string(),
    }
}

/// Where an operator's earnings go.
pub fn payout(number: u32) -> Addr {
    account(&format!("payout of operator {number}"))
}

/// `n` operators, of whom `majority` decide.
pub fn epoch(mode: EpochMode, n: u32, faulty: u32, majority: u32) -> Epoch {
    let parties = (1..=n).map(party).collect();
    Epoch { id: EpochId(1), mode, faulty, majority, reconstruction: majority, parties, revoked_at: None }
}
