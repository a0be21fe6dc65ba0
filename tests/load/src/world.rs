//! The chain whose state the core acts on: made up, with real signatures and proofs.

use anyhow::{Result, anyhow};
use bytes::Bytes;
use k256::ecdsa::SigningKey;
use kms_asc_api::{
    Ciphertext, CiphertextFormat, CrsGen, CrsId, CrsRecord, CrsSource, Digest, Eip712Domain, EpochId,
    EvmAddress, FheType, Handle, KeyDigest, KeyDomain, KeyGen, KeyId, KeyParams, KeyRecord, KeySource,
    Operation, Provenance, PublicDecrypt, PublicKey, RequestBody, RequestId, Signature, State, Status,
    UserDecrypt, VerifyInput, eip712, payload::InputBinding, signing, state_key,
};
use kms_core_proto::v1;
use kms_proofs::{
    LightBlock, StateEntry, keys_of_request, store_key,
    testing::{FakeChain, active_key, centralized, config, now},
};
use kms_signcrypt::UserKey;

const CODE: [u8; 32] = [0xC0; 32];
/// The request that makes the key, and so the key.
pub const KEY: u64 = 1;
/// Bits that can be proven with the reference strings made here: one uint64.
pub const STRING_BITS: u32 = 64;
/// The chain that domains and inputs name.
const EVM_CHAIN: u64 = 9000;
/// Statuses that one call may bring along.
const STATUSES: usize = 500;

/// The chain and what was asked on it.
pub struct World {
    /// The chain.
    pub chain: FakeChain,
    next_id: u64,
    last: Vec<u64>,
}

/// What is asked for.
#[derive(Clone)]
pub struct Asked {
    /// The same for all requests.
    pub operation: Operation,
    /// The ciphertext.
    pub blob: Bytes,
}

impl World {
    /// Deployed, for an operator with this signer.
    pub fn new(signer: PublicKey) -> Self {
        let mut chain = FakeChain::new("kms-load-1");
        chain.install(1, CODE);
        chain.put_config(&config(key_domain()));
        chain.put_epoch(&centralized(signer));
        chain.commit();
        Self { chain, next_id: KEY, last: Vec::new() }
    }

    /// What a core pins that is deployed with it.
    pub fn pins(&self, signer: PublicKey) -> Result<crate::program::Pins> {
        let height = self.chain.height();
        let record = serde_json::to_vec(&centralized(signer))?;
        Ok(crate::program::Pins {
            chain_id: self.chain.chain_id().to_owned(),
            contract: self.chain.contract().text().to_owned(),
            header: format!("{height}:{}", hex::encode(self.chain.header_hash(height))),
            code: hex::encode(CODE),
            epoch: hex::encode(Digest::sha256(&record).as_bytes()),
        })
    }

    /// The newest header, to be shown to the core.
    pub fn header(&self) -> v1::SubmitHeaderRequest {
        let newest = self.chain.light_block(self.chain.height());
        v1::SubmitHeaderRequest { light_blocks: vec![light_block(newest)] }
    }

    /// The key's record, once its parts are known.
    pub fn activate(&mut self, digests: Vec<KeyDigest>) -> Result<()> {
        let record = KeyRecord { digests, ..active_key(KeyId(KEY), self.domain()?) };
        self.chain.put_key(&record);
        Ok(())
    }

    /// The record of a reference string, once its digest is known.
    pub fn activate_string(&mut self, id: CrsId, digest: Digest) {
        self.chain.put_crs(&CrsRecord {
            id,
            epoch: EpochId(1),
            owner: "wasm1requester".into(),
            max_bits: STRING_BITS,
            imported: false,
            digest,
            height: 9,
            time: now().seconds,
        });
    }

    /// The key's domain.
    pub fn domain(&self) -> Result<Eip712Domain> {
        let (chain_id, contract) = (self.chain.chain_id(), self.chain.contract().text());
        key_domain().for_key(chain_id, contract, KeyId(KEY)).map_err(|name| anyhow!("{name} is too long"))
    }

    /// Records requests in one block; the calls for them, each with a proof. Requests of the batch before are finished in the
    /// same block, and the first calls show that.
    ///
    /// What all share (light block, store proof, the contract's code, epoch and key) is in the first call only.
    pub fn ask(&mut self, asked: &Asked, count: usize) -> Result<Vec<v1::ExecuteRequest>> {
        let finished = std::mem::take(&mut self.last);
        for id in &finished {
            self.chain.remove(&state_key::REQUEST.key(*id));
            self.chain.set(&state_key::STATUS.key(*id), &Status::new(State::Fulfilled, 0, 9, 100).encode());
        }
        let time = now().seconds;
        let mut bodies = Vec::with_capacity(count);
        for _ in 0..count {
            let body = body(self.next_id, asked.operation.clone(), time);
            self.next_id = self.next_id.saturating_add(1);
            self.last.push(body.id.get());
            let (stored, _) = self.chain.put_request(&body, &Status::new(State::Pending, 0, 9, 100));
            bodies.push((body, stored));
        }
        let height = self.chain.commit();
        let mut told = finished.chunks(STATUSES);
        let mut calls = Vec::with_capacity(count);
        for (position, (body, stored)) in bodies.into_iter().enumerate() {
            let mut proof = match position {
                0 => self.whole_proof(height, &body),
                _ => self.own_proof(height, &body),
            };
            for id in told.next().unwrap_or_default() {
                proof.entries.push(self.status(height, *id));
            }
            calls.push(v1::ExecuteRequest {
                chain_id: self.chain.chain_id().to_owned(),
                contract: self.chain.contract().text().to_owned(),
                body: stored,
                proof: Some(proof),
                ciphertexts: if asked.blob.is_empty() { vec![] } else { vec![asked.blob.clone()] },
            });
        }
        // What was finished two batches ago is of no use to anybody.
        for id in finished {
            self.chain.remove(&state_key::STATUS.key(id));
        }
        Ok(calls)
    }

    fn whole_proof(&self, height: u64, body: &RequestBody) -> v1::Proof {
        let proof = self.chain.request_proof(height, body);
        let light_blocks = proof.light_blocks.into_iter().map(light_block);
        v1::Proof {
            height,
            light_blocks: light_blocks.collect(),
            store_proof: proof.store_proof,
            entries: proof.entries.into_iter().map(entry).collect(),
        }
    }

    /// Body and status, which no other request has.
    fn own_proof(&self, height: u64, body: &RequestBody) -> v1::Proof {
        let address = self.chain.contract().bytes();
        let own = [state_key::REQUEST.key(body.id.get()), state_key::STATUS.key(body.id.get())];
        let keys = own.map(|key| store_key::contract_state(address, &key));
        debug_assert!(keys.iter().all(|key| keys_of_request(self.chain.contract(), body).contains(key)));
        let entries = keys.iter().map(|key| entry(self.chain.entry(height, key)));
        v1::Proof { height, entries: entries.collect(), ..v1::Proof::default() }
    }

    fn status(&self, height: u64, id: u64) -> v1::StateEntry {
        let key = store_key::contract_state(self.chain.contract().bytes(), &state_key::STATUS.key(id));
        entry(self.chain.entry(height, &key))
    }
}

fn light_block(block: LightBlock) -> v1::LightBlock {
    let LightBlock { signed_header, validators, next_validators } = block;
    v1::LightBlock { signed_header, validators, next_validators }
}

fn entry(entry: StateEntry) -> v1::StateEntry {
    v1::StateEntry { key: entry.key, value: entry.value, proof: entry.proof }
}

/// The generation of a key, with the parameters for production.
pub fn key_gen() -> Asked {
    let operation = Operation::KeyGen(KeyGen { params: KeyParams::Default, source: KeySource::Generate });
    Asked { operation, blob: Bytes::new() }
}

/// The generation of a reference string.
pub fn crs_gen() -> Asked {
    let operation = Operation::CrsGen(CrsGen { max_bits: STRING_BITS, source: CrsSource::Generate });
    Asked { operation, blob: Bytes::new() }
}

/// What the proofs of inputs bind.
pub fn binding() -> InputBinding {
    let address = |byte| EvmAddress::new([byte; 20]);
    InputBinding { contract: address(5), user: address(6), acl: address(7), chain_id: EVM_CHAIN }
}

/// The verification of a list that is proven with a reference string and [`binding`].
pub fn verify_input(list: &[u8], crs_id: CrsId) -> Asked {
    let InputBinding { contract, user, acl, chain_id } = binding();
    let operation = Operation::VerifyInput(VerifyInput {
        key_id: KeyId(KEY),
        crs_id,
        digest: Digest::sha256(list),
        size: u64::try_from(list.len()).unwrap_or(u64::MAX),
        user,
        contract,
        acl,
        chain_id,
        domain: None,
        extra_data: Vec::new().into(),
    });
    Asked { operation, blob: Bytes::copy_from_slice(list) }
}

/// A public decryption of one uint64.
pub fn public_decrypt(stored: &[u8], format: CiphertextFormat) -> Asked {
    let operation = Operation::PublicDecrypt(PublicDecrypt {
        key_id: KeyId(KEY),
        ciphertexts: vec![reference(stored, format)],
        domain: None,
        extra_data: Vec::new().into(),
    });
    Asked { operation, blob: Bytes::copy_from_slice(stored) }
}

/// A user decryption of one uint64, by a wallet that signed for it.
pub fn user_decrypt(stored: &[u8], format: CiphertextFormat, domain: &Eip712Domain) -> Result<Asked> {
    let wallet = SigningKey::from_slice(&[7; 32])?;
    let mut asked = UserDecrypt {
        key_id: KeyId(KEY),
        ciphertexts: vec![reference(stored, format)],
        enc_key: UserKey::from_seed(&[9; 64]).enc_key().into(),
        user: signing::address(wallet.verifying_key()),
        contracts: vec![EvmAddress::new([5; 20])],
        valid_from: 0,
        valid_days: 100_000,
        user_signature: Signature::new([0; 65]),
        domain: None,
        extra_data: Vec::new().into(),
    };
    let hash = eip712::user_request_hash(domain, &asked);
    asked.user_signature = signing::sign(&wallet, &hash).map_err(|error| anyhow!("{error}"))?;
    Ok(Asked { operation: Operation::UserDecrypt(asked), blob: Bytes::copy_from_slice(stored) })
}

fn reference(stored: &[u8], format: CiphertextFormat) -> Ciphertext {
    let digest = Digest::sha256(stored);
    let mut handle = *digest.as_bytes();
    if let Some(byte) = handle.get_mut(30) {
        *byte = FheType::Uint64.number();
    }
    Ciphertext {
        handle: Handle::new(handle),
        digest,
        size: u64::try_from(stored.len()).unwrap_or(u64::MAX),
        fhe_type: FheType::Uint64,
        format,
        index: 0,
        provenance: Provenance::Unproven,
    }
}

fn body(id: u64, operation: Operation, time: u64) -> RequestBody {
    RequestBody {
        v: 1,
        id: RequestId(id),
        requester: "wasm1requester".into(),
        operation,
        epoch: Some(EpochId(1)),
        price: 100u64.into(),
        deadline: Some(time.saturating_add(600)),
        height: 9,
        time,
        callback: None,
    }
}

fn key_domain() -> KeyDomain {
    KeyDomain { name: "KMSGeneration".into(), version: "1".into(), chain_id: EVM_CHAIN }
}
