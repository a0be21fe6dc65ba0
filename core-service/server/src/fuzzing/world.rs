//! The chain that the core follows, and how the core is set up.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use anyhow::{Context, Result, anyhow};
use kms_asc_api::{
    Ciphertext, CiphertextFormat, Digest, EpochId, FheType, Handle, KeyDomain, KeyId, KeyRecord, KeyState,
    Operation, PartyId, Provenance, PublicDecrypt, PublicKey, RequestBody, RequestId, State, Status,
};
use kms_core_proto::v1;
use kms_proofs::{
    LightBlock, StateEntry, StateProof, Time,
    testing::{FakeChain, active_key, centralized, config, now},
};
use url::Url;

use crate::{
    Anchor, Cost, Identity, Keeper, Limits, Membership, Settings, Signer, Strongbox, Transport, Trust,
    VaultSettings,
};

pub(super) const CHAIN_ID: &str = "kms-fuzz-1";
const CODE: [u8; 32] = [0xC0; 32];
const ACTIVE_KEY: KeyId = KeyId(7);
pub(super) const DESTROYED_KEY: KeyId = KeyId(8);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn key_domain() -> KeyDomain {
    KeyDomain { name: "KMSGeneration".into(), version: "1".into(), chain_id: 9000 }
}

fn key(id: KeyId, state: KeyState) -> KeyRecord {
    let contract = FakeChain::new(CHAIN_ID);
    let domain = key_domain().for_key(CHAIN_ID, contract.contract().text(), id);
    let domain = domain.unwrap_or_else(|name| unreachable!("{name} is too long"));
    KeyRecord { state, ..active_key(id, domain) }
}

pub(super) fn destroyed_key() -> KeyRecord {
    key(DESTROYED_KEY, KeyState::Destroyed)
}

/// A chain with a key in use, a destroyed key, and a pending decryption under the first.
pub(super) fn recorded() -> (FakeChain, Vec<u8>) {
    let mut chain = FakeChain::new(CHAIN_ID);
    chain.install(1, CODE);
    chain.put_config(&config(key_domain()));
    chain.put_epoch(&centralized(PublicKey::new([2; 33])));
    chain.put_key(&key(ACTIVE_KEY, KeyState::Active));
    chain.put_key(&destroyed_key());
    chain.commit_at(Time::of_seconds(now().seconds.saturating_sub(1800)));
    let (body, _) = chain.put_request(&pending(), &Status::new(State::Pending, 0, 9, 100));
    chain.commit();
    (chain, body)
}

fn pending() -> RequestBody {
    let ciphertext = Ciphertext {
        handle: Handle::new([3; 32]),
        digest: Digest::new([4; 32]),
        size: 100,
        fhe_type: FheType::Uint8,
        format: CiphertextFormat::Raw,
        index: 0,
        provenance: Provenance::Unproven,
    };
    RequestBody {
        v: 1,
        id: RequestId(9),
        requester: "wasm1user".into(),
        operation: Operation::PublicDecrypt(PublicDecrypt {
            key_id: ACTIVE_KEY,
            ciphertexts: vec![ciphertext],
            domain: None,
            extra_data: Vec::new().into(),
        }),
        epoch: Some(EpochId(1)),
        price: 100_u64.into(),
        deadline: Some(1 << 40),
        height: 9,
        time: now().seconds,
        callback: None,
    }
}

/// The header that the core pins: the one before the newest.
pub(super) fn trusted_height(chain: &FakeChain) -> u64 {
    chain.height().saturating_sub(1)
}

pub(super) fn settings(chain: &FakeChain, folder: &Path) -> Result<Settings> {
    let url =
        |path: &str| Url::from_directory_path(folder.join(path)).map_err(|()| anyhow!("{path} has no URL"));
    let epoch = serde_json::to_vec(&centralized(PublicKey::new([2; 33])))?;
    let membership = Membership { epoch: EpochId(1), party: PartyId(1), record: Digest::sha256(&epoch) };
    let loopback = || "127.0.0.1:0".parse().context("an address");
    let trusted = trusted_height(chain);
    Ok(Settings {
        identity: Identity {
            chain_id: CHAIN_ID.to_owned(),
            contract: chain.contract().text().to_owned(),
            memberships: vec![membership],
            key_domain: key_domain(),
        },
        trust: Trust {
            header: Anchor { height: trusted, hash: Digest::new(chain.header_hash(trusted)) },
            trusting_period: DAY,
            clock_drift: Duration::from_secs(10),
            max_header_age: DAY,
            end_margin: Duration::from_secs(2),
            allowed_code: BTreeSet::from([Digest::new(CODE)]),
        },
        store_url: url("store")?,
        listen: loopback()?,
        transport: Transport::Plaintext,
        vault: VaultSettings {
            url: url("data/vault")?,
            keeper: Keeper::Passphrase {
                file: folder.join("passphrase"),
                cost: Cost { memory_kib: 64, passes: 1, lanes: 1 },
            },
        },
        data_dir: folder.join("data"),
        signer_file: folder.join("signer"),
        limits: Limits { max_message_bytes: 1 << 20, ..Limits::default() },
        admin: loopback()?,
    })
}

pub(super) fn prepare(settings: &Settings, folder: &Path) -> Result<()> {
    let passphrase = folder.join("passphrase");
    fs::write(&passphrase, b"correct horse")?;
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600))?;
    let vault = folder.join("data/vault");
    fs::create_dir_all(&vault)?;
    fs::set_permissions(&vault, fs::Permissions::from_mode(0o700))?;
    let strongbox = Strongbox::open(&settings.vault)?;
    Signer::generate().write(&settings.signer_file, &strongbox)?;
    Ok(())
}

pub(super) fn wire(proof: StateProof) -> v1::Proof {
    let entry = |entry: StateEntry| v1::StateEntry { key: entry.key, value: entry.value, proof: entry.proof };
    v1::Proof {
        height: proof.height,
        light_blocks: proof.light_blocks.into_iter().map(light_block).collect(),
        store_proof: proof.store_proof,
        entries: proof.entries.into_iter().map(entry).collect(),
    }
}

pub(super) fn light_block(block: LightBlock) -> v1::LightBlock {
    let LightBlock { signed_header, validators, next_validators } = block;
    v1::LightBlock { signed_header, validators, next_validators }
}
