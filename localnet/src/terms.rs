//! On what terms a stack's ASC serves: prices, limits, times, and the one operator.

use cosmwasm_std::Uint128;
use kms_asc_api::{
    Config, Epoch, EpochId, EpochMode, FeeSchedule, Fees, InstantiateMsg, KeyDomain, Limits, Party, PartyId,
    PublicKey,
};
use kms_config::Network;

/// The operator's number in the first epoch.
pub(crate) const PARTY: PartyId = PartyId(1);
/// The first epoch.
pub(crate) const EPOCH: EpochId = EpochId(1);

/// The message that instantiates the ASC with one operator.
pub(crate) fn instantiate(network: &Network, admin: &str, signer: PublicKey, payout: &str) -> InstantiateMsg {
    InstantiateMsg { admin: admin.to_owned(), config: config(network), epoch: epoch(signer, payout) }
}

fn epoch(signer: PublicKey, payout: &str) -> Epoch {
    let party = Party { party: PARTY, name: "operator-1".to_owned(), signer, payout: payout.to_owned() };
    Epoch {
        id: EPOCH,
        mode: EpochMode::Centralized,
        faulty: 0,
        majority: 1,
        reconstruction: 1,
        parties: vec![party],
        revoked_at: None,
    }
}

/// Amounts are in millionths of the coin that people speak of.
fn config(network: &Network) -> Config {
    let kms_config::KeyDomain { name, version, chain_id } = network.key_domain.clone();
    Config {
        denom: network.denom.clone(),
        fees: Fees {
            key_gen: fee(1_000_000, 0, 0),
            crs_gen: fee(1_000_000, 0, 0),
            public_decrypt: fee(10_000, 5_000, 10),
            user_decrypt: fee(10_000, 5_000, 10),
            verify_input: fee(20_000, 0, 10),
        },
        per_callback_kgas: Uint128::new(25),
        operator_share_bps: 9_000,
        denial_fee: Uint128::new(1_000),
        failure_fee: Uint128::new(2_000),
        limits: Limits {
            ciphertexts: 64,
            bytes: 60 << 20,
            pending_per_requester: 1_000,
            payload: 65_536,
            page: 50,
            callback_gas: 1_000_000,
        },
        ttl_min: 5,
        ttl_default: 60,
        ttl_max: 3_600,
        cancel_delay: 10,
        // Nobody has to be given time to leave a test network.
        migration_delay: 10,
        key_domain: KeyDomain { name, version, chain_id },
    }
}

fn fee(base: u128, per_ciphertext: u128, per_kib: u128) -> FeeSchedule {
    FeeSchedule {
        base: Uint128::new(base),
        per_ciphertext: Uint128::new(per_ciphertext),
        per_kib: Uint128::new(per_kib),
    }
}
