//! What a contract that was just deployed has on record, for chains that are made up.

use kms_asc_api::{
    Config, Eip712Domain, Epoch, EpochId, EpochMode, FeeSchedule, Fees, KeyDomain, KeyId, KeyParams,
    KeyRecord, KeyState, Limits, Party, PartyId, PublicKey,
};

/// Parameters of a contract whose keys have such domains. Everything costs next to nothing.
pub fn config(key_domain: KeyDomain) -> Config {
    let price = || FeeSchedule { base: 1u64.into(), per_ciphertext: 1u64.into(), per_kib: 1u64.into() };
    Config {
        denom: "ukms".into(),
        fees: Fees {
            key_gen: price(),
            crs_gen: price(),
            public_decrypt: price(),
            user_decrypt: price(),
            verify_input: price(),
        },
        per_callback_kgas: 1u64.into(),
        operator_share_bps: 9000,
        denial_fee: 1u64.into(),
        failure_fee: 0u64.into(),
        limits: Limits {
            ciphertexts: 100,
            bytes: 1 << 30,
            pending_per_requester: 1_000_000,
            payload: 65_536,
            page: 50,
            callback_gas: 1_000_000,
        },
        ttl_min: 5,
        ttl_default: 60,
        ttl_max: 3_600,
        cancel_delay: 10,
        migration_delay: 60,
        key_domain,
    }
}

/// Epoch 1 of one operator with this signer.
pub fn centralized(signer: PublicKey) -> Epoch {
    let party = Party { party: PartyId(1), name: "operator-1".into(), signer, payout: "wasm1payout".into() };
    Epoch {
        id: EpochId(1),
        mode: EpochMode::Centralized,
        faulty: 0,
        majority: 1,
        reconstruction: 1,
        parties: vec![party],
        revoked_at: None,
    }
}

/// A generated key of epoch 1 that is ready for every use, without published parts.
pub fn active_key(id: KeyId, domain: Eip712Domain) -> KeyRecord {
    KeyRecord {
        id,
        state: KeyState::Active,
        epoch: EpochId(1),
        owner: "wasm1owner".into(),
        generation: 1,
        params: KeyParams::Default,
        imported: false,
        digests: vec![],
        domain,
        attesters: vec![],
        attester_threshold: 0,
        crs_ids: vec![],
        offered_to: None,
        height: 2,
        time: 100,
    }
}
