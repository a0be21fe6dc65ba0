//! The chain that the core under test follows: one contract, one epoch, one key.

use std::collections::BTreeSet;

use kms_asc_api::{
    Digest, Epoch, EpochId, KeyDomain, KeyId, KeyRecord, KeyState, PartyId, PublicKey, RequestBody, State,
    Status,
};
use kms_core::{Anchor, Membership, Trust};
use kms_core_proto::v1;
use kms_proofs::{
    LightBlock, StateProof, Time,
    testing::{FakeChain, active_key, centralized, config, now},
};

use crate::{
    seed::KEY_ID,
    stack::{CHAIN_ID, CONTRACT},
};

/// The code that the contract runs, and its hash.
pub const CODE_ID: u64 = 1;
pub const CODE_HASH: [u8; 32] = [0xC0; 32];

pub fn key_domain() -> KeyDomain {
    KeyDomain { name: "KMSGeneration".into(), version: "1".into(), chain_id: 9000 }
}

/// The chain as it was half an hour ago: deployed, and nothing asked.
pub fn chain(chain_id: &str) -> FakeChain {
    let mut chain = FakeChain::new(chain_id);
    assert_eq!(chain.contract().text(), CONTRACT);
    chain.install(CODE_ID, CODE_HASH);
    chain.put_config(&config(key_domain()));
    chain.put_epoch(&epoch());
    chain.put_key(&key(KeyState::Active));
    chain.commit_at(ago(1800));
    chain
}

pub fn ago(seconds: u64) -> Time {
    Time::of_seconds(now().seconds - seconds)
}

pub fn epoch() -> Epoch {
    centralized(PublicKey::new([2; 33]))
}

pub fn key(state: KeyState) -> KeyRecord {
    let id = KeyId(KEY_ID);
    let domain = key_domain().for_key(CHAIN_ID, CONTRACT, id).unwrap();
    KeyRecord { state, ..active_key(id, domain) }
}

/// What a core that is deployed with that chain pins.
pub fn trust(chain: &FakeChain) -> Trust {
    let height = chain.height();
    Trust {
        header: Anchor { height, hash: Digest::new(chain.header_hash(height)) },
        trusting_period: std::time::Duration::from_secs(24 * 3600),
        clock_drift: std::time::Duration::from_secs(10),
        max_header_age: std::time::Duration::from_secs(30),
        end_margin: std::time::Duration::from_secs(2),
        allowed_code: BTreeSet::from([Digest::new(CODE_HASH)]),
    }
}

pub fn membership() -> Membership {
    let record = Digest::sha256(&serde_json::to_vec(&epoch()).unwrap());
    Membership { epoch: EpochId(1), party: PartyId(1), record }
}

pub fn pending() -> Status {
    Status::new(State::Pending, 0, 9, 100)
}

/// Records a pending request, and shows it at a height of its own.
pub fn prove(chain: &mut FakeChain, body: &RequestBody) -> StateProof {
    chain.put_request(body, &pending());
    let height = chain.commit();
    chain.request_proof(height, body)
}

pub fn wire(proof: StateProof) -> v1::Proof {
    let entry = |entry: kms_proofs::StateEntry| v1::StateEntry {
        key: entry.key,
        value: entry.value,
        proof: entry.proof,
    };
    v1::Proof {
        height: proof.height,
        light_blocks: proof.light_blocks.into_iter().map(light_block).collect(),
        store_proof: proof.store_proof,
        entries: proof.entries.into_iter().map(entry).collect(),
    }
}

pub fn light_block(block: LightBlock) -> v1::LightBlock {
    let LightBlock { signed_header, validators, next_validators } = block;
    v1::LightBlock { signed_header, validators, next_validators }
}
