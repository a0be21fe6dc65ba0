//! Who and what there is in the model's world: names, parameters, operators, keys to sign with.

use std::sync::OnceLock;

use alloy_primitives::Address;
use cosmwasm_std::Uint128;
use cw_multi_test::MockApiBech32;
use k256::ecdsa::SigningKey;
use kms_asc_api::{
    Config, Digest, Eip712Domain, Epoch, EpochId, EpochMode, EvmAddress, FeeSchedule, Fees, KeyDomain, KeyId,
    Limits, Party, PartyId, Signature, signing,
};

pub const DENOM: &str = "ukms";
pub const OTHER: &str = "uother";
pub const CHAIN_ID: &str = "kms-model-1";
pub const START: u64 = 1_700_000_000;
/// What everybody has at first, in both denominations.
pub const MONEY: u128 = 1_000_000;

/// Somebody, by number.
pub type Who = u8;
const NAMES: [&str; 8] =
    ["owner", "stranger", "third", "admin", "heir", "payout one", "payout two", "relayer"];
/// The admin at first.
pub const ADMIN: Who = 3;
/// A contract that asks for decryptions and is called back.
pub const APP: Who = 8;
/// The contract under test.
pub const CONTRACT: Who = 9;
/// A text that is no address.
pub const NOBODY: Who = 10;
pub const RELAYER: Who = 7;

/// Addresses of the two contracts, the same in every chain.
pub static PLACES: OnceLock<(String, String)> = OnceLock::new();

/// The address of somebody.
pub fn address(who: Who) -> String {
    static ADDRESSES: OnceLock<Vec<String>> = OnceLock::new();
    let table = ADDRESSES
        .get_or_init(|| NAMES.map(|name| MockApiBech32::new("wasm").addr_make(name).into_string()).to_vec());
    match who {
        APP => PLACES.get().map_or_else(String::new, |places| places.1.clone()),
        CONTRACT => PLACES.get().map_or_else(String::new, |places| places.0.clone()),
        who => table.get(usize::from(who)).cloned().unwrap_or_else(|| "nobody".to_owned()),
    }
}

/// A key to sign with; parties, wallets and attesters have numbers of their own.
pub fn signing_key(seed: u8) -> &'static SigningKey {
    static KEYS: [OnceLock<SigningKey>; 256] = [const { OnceLock::new() }; 256];
    KEYS[usize::from(seed)].get_or_init(|| {
        let mut bytes = [0x77; 32];
        bytes[31] = seed;
        SigningKey::from_slice(&bytes).unwrap()
    })
}

pub fn sign(seed: u8, hash: &Digest) -> Signature {
    signing::sign(signing_key(seed), hash).unwrap()
}

/// The wallet of a key; of number 0, nobody.
pub fn wallet(seed: u8) -> EvmAddress {
    static WALLETS: [OnceLock<EvmAddress>; 256] = [const { OnceLock::new() }; 256];
    if seed == 0 {
        return EvmAddress::new([0; 20]);
    }
    *WALLETS[usize::from(seed)].get_or_init(|| {
        let address = Address::from_public_key(signing_key(seed).verifying_key());
        EvmAddress::new(address.into_array())
    })
}

/// The seed with which a party of an epoch signs: each epoch has other signers.
pub fn party_seed(epoch: u32, party: u32) -> u8 {
    u8::try_from((epoch * 8 + party) % 100 + 1).unwrap()
}

/// Shapes of epochs: mode, parties, faulty, majority, reconstruction.
pub const SHAPES: [(EpochMode, u32, u32, u32, u32); 5] = [
    (EpochMode::Threshold, 4, 1, 3, 3),
    (EpochMode::Centralized, 1, 0, 1, 1),
    (EpochMode::Replicated, 3, 1, 2, 2),
    (EpochMode::Threshold, 5, 1, 3, 4),
    (EpochMode::Threshold, 3, 0, 2, 2),
];

pub fn epoch(id: u32, shape: usize) -> Epoch {
    let (mode, n, faulty, majority, reconstruction) = SHAPES[shape % SHAPES.len()];
    let payouts: [Who; 5] = [5, 6, 0, 5, APP];
    let party = |number: u32| Party {
        party: PartyId(number),
        name: format!("operator {number}"),
        signer: signing::public_key(signing_key(party_seed(id, number)).verifying_key()),
        payout: address(payouts[usize::try_from(number - 1).unwrap()]),
    };
    let parties = (1..=n).map(party).collect();
    Epoch { id: EpochId(id), mode, faulty, majority, reconstruction, parties, revoked_at: None }
}

pub fn config() -> Config {
    let fee = |base: u128, per_ciphertext: u128, per_kib: u128| FeeSchedule {
        base: Uint128::new(base),
        per_ciphertext: Uint128::new(per_ciphertext),
        per_kib: Uint128::new(per_kib),
    };
    Config {
        denom: DENOM.to_owned(),
        fees: Fees {
            key_gen: fee(1007, 0, 0),
            crs_gen: fee(509, 0, 0),
            public_decrypt: fee(149, 13, 3),
            user_decrypt: fee(157, 11, 5),
            verify_input: fee(151, 0, 7),
        },
        per_callback_kgas: Uint128::new(2),
        operator_share_bps: 9100,
        denial_fee: Uint128::new(17),
        failure_fee: Uint128::new(9),
        limits: Limits {
            ciphertexts: 4,
            bytes: 20_000,
            pending_per_requester: 9,
            payload: 30_000,
            page: 30,
            callback_gas: 500_000,
        },
        ttl_min: 5,
        ttl_default: 60,
        ttl_max: 600,
        cancel_delay: 10,
        migration_delay: 100,
        key_domain: KeyDomain { name: "Decryption".to_owned(), version: "1".to_owned(), chain_id: 9000 },
    }
}

/// The domain that a key has from birth, from its definition.
pub fn default_domain(config: &Config, id: u64) -> Eip712Domain {
    let (domain, contract) = (&config.key_domain, address(CONTRACT));
    domain.for_key(CHAIN_ID, &contract, KeyId(id)).unwrap()
}

/// The address that stands for an application: first 20 bytes of SHA-256(`"kms-app" || address`).
pub fn app_address(who: Who) -> EvmAddress {
    let digest = Digest::sha256(format!("kms-app{}", address(who)).as_bytes());
    EvmAddress::new(digest.as_bytes()[..20].try_into().unwrap())
}
