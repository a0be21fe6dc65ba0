//! A workshop with folders of its own, and requests for it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use kms_asc_api::{
    Ciphertext, CiphertextFormat, CrsId, CrsRecord, Digest, EpochId, FailureCode, Handle, KeyDigest,
    KeyDomain, KeyGen, KeyId, KeyParams, KeyRecord, KeySource, KeyState, KeyType, Operation, PartyId,
    Provenance, PublicDecrypt, RequestBody, RequestId, eip712, payload,
};
use kms_core_engine::{
    CentralizedEngine, Encryptor, FheType, ParameterSet, Plaintext, ReferenceString, crs_digest, key_digest,
};
use kms_store::Store;
use tempfile::TempDir;
use url::Url;

use crate::{
    Identity, Limits, Membership, Signer,
    destroyed::Destroyed,
    operation::{Failure, Finding, Workshop},
    request::Request,
    vault::{Strongbox, Vault, settings_in},
};

pub const OWNER: &str = "wasm1owner";
/// The key of the scene.
pub const KEY_ID: u64 = 7;
/// For how many bits the reference string is.
pub const CRS_BITS: u32 = 64;
pub const EVM_CHAIN: u64 = 9000;

/// A workshop with one key of the test parameters.
pub struct Scene {
    pub folder: TempDir,
    pub shop: Workshop<CentralizedEngine>,
    pub signer: Signer,
    pub key: KeyRecord,
    /// The published server key and public key.
    pub published: [Bytes; 2],
}

fn membership() -> Membership {
    Membership { epoch: EpochId(1), party: PartyId(1), record: Digest::new([1; 32]) }
}

pub fn identity() -> Identity {
    Identity {
        chain_id: "kms-1".into(),
        contract: "wasm1asc".into(),
        memberships: vec![membership()],
        key_domain: key_domain(),
    }
}

pub fn key_domain() -> KeyDomain {
    KeyDomain { name: "KMSGeneration".into(), version: "1".into(), chain_id: EVM_CHAIN }
}

/// A workshop on the files in a folder, as after a start.
pub fn workshop(folder: &TempDir, allow_test_parameters: bool) -> Workshop<CentralizedEngine> {
    let strongbox = Strongbox::open(&settings_in(folder.path())).unwrap();
    let vault = Vault::open(strongbox, &identity(), CentralizedEngine).unwrap();
    let destroyed = Destroyed::open(&folder.path().join("destroyed")).unwrap();
    let store = Store::open(&Url::from_directory_path(folder.path().join("store")).unwrap()).unwrap();
    let limits = Limits { allow_test_parameters, ..Limits::default() };
    Workshop::new(Arc::new(identity()), vault, destroyed, store, &limits, Arc::default())
}

impl Scene {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shop = workshop(&folder, true);
        let made = generate(&shop, KEY_ID).await;
        let digests = payload::decode_key_digests(&made).unwrap();
        let mut published = Vec::new();
        for part in &digests {
            let digest = kms_store::Digest::from_bytes(*part.digest.as_bytes());
            published.push(shop.store.get_public(digest, 1 << 30, key_digest).await.unwrap());
        }
        let published = published.try_into().unwrap();
        Self { folder, shop, signer: Signer::generate(), key: record(KEY_ID, digests), published }
    }

    pub fn encryptor(&self) -> Encryptor {
        let [server, public] = &self.published;
        Encryptor::load(ParameterSet::Test, server, public).unwrap()
    }

    /// A request about the scene's key.
    pub fn request(&self, operation: Operation) -> Request {
        request(20, operation, Some(self.key.clone()), None)
    }

    pub async fn decrypt(&self, ciphertexts: Vec<Ciphertext>, blobs: Vec<Vec<u8>>) -> Finding {
        let operation = decryption(ciphertexts);
        perform(&self.shop, &self.request(operation), blobs).await
    }

    /// A reference string for the scene's parameters, published and on record.
    pub async fn crs(&self) -> CrsRecord {
        let digest = self.shop.store.put_public(crs_bytes(), crs_digest).await.unwrap();
        CrsRecord {
            id: CrsId(3),
            epoch: EpochId(1),
            owner: OWNER.into(),
            max_bits: CRS_BITS,
            imported: false,
            digest: Digest::new(digest.to_bytes()),
            height: 1,
            time: 1,
        }
    }
}

/// A reference string for the test parameters. Making it takes longer than what most tests do with it: it is made once.
pub fn crs_bytes() -> &'static [u8] {
    static CRS: OnceLock<Vec<u8>> = OnceLock::new();
    CRS.get_or_init(|| kms_core_engine::generate_crs(ParameterSet::Test, CRS_BITS).unwrap())
}

/// The same, checked: that takes longer still.
pub fn reference_string() -> &'static ReferenceString {
    static STRING: OnceLock<ReferenceString> = OnceLock::new();
    STRING.get_or_init(|| ReferenceString::load(ParameterSet::Test, crs_bytes()).unwrap())
}

/// Has a key of the test parameters made; gives the payload.
pub async fn generate(shop: &Workshop<CentralizedEngine>, id: u64) -> Vec<u8> {
    let operation = Operation::KeyGen(KeyGen { params: KeyParams::Test, source: KeySource::Generate });
    payload_of(perform(shop, &request(id, operation, None, None), vec![]).await)
}

pub fn record(id: u64, digests: Vec<KeyDigest>) -> KeyRecord {
    KeyRecord {
        id: KeyId(id),
        state: KeyState::Active,
        epoch: EpochId(1),
        owner: OWNER.into(),
        generation: 1,
        params: KeyParams::Test,
        imported: false,
        digests,
        domain: key_domain().for_key("kms-1", "wasm1asc", KeyId(id)).unwrap(),
        attesters: vec![],
        attester_threshold: 0,
        crs_ids: vec![],
        offered_to: None,
        height: 1,
        time: 1,
    }
}

pub fn request(id: u64, operation: Operation, key: Option<KeyRecord>, crs: Option<CrsRecord>) -> Request {
    let body = RequestBody {
        v: 1,
        id: RequestId(id),
        requester: OWNER.into(),
        operation,
        epoch: Some(EpochId(1)),
        price: 1u64.into(),
        deadline: Some(1 << 40),
        height: 9,
        time: 100,
        callback: None,
    };
    Request::unjudged(body, membership(), key_domain(), key, crs)
}

pub async fn perform(shop: &Workshop<CentralizedEngine>, request: &Request, blobs: Vec<Vec<u8>>) -> Finding {
    let signer = Arc::new(Signer::generate());
    shop.perform(&signer, request, blobs.into_iter().map(Bytes::from).collect()).await.unwrap()
}

pub fn decryption(ciphertexts: Vec<Ciphertext>) -> Operation {
    let (key_id, extra_data) = (KeyId(KEY_ID), Default::default());
    Operation::PublicDecrypt(PublicDecrypt { key_id, ciphertexts, domain: None, extra_data })
}

/// An element of stored bytes.
pub fn element(bytes: &[u8], format: CiphertextFormat, index: u16, fhe_type: FheType) -> Ciphertext {
    let mut handle = *Digest::sha256(bytes).as_bytes();
    handle[30] = fhe_type.number();
    Ciphertext {
        handle: Handle::new(handle),
        digest: Digest::sha256(bytes),
        size: bytes.len().try_into().unwrap(),
        fhe_type: kms_asc_api::FheType::try_from(fhe_type.number()).unwrap(),
        format,
        index,
        provenance: Provenance::Unproven,
    }
}

pub fn value(fhe_type: FheType, text: &str) -> Plaintext {
    Plaintext::parse(fhe_type, text).unwrap()
}

pub fn payload_of(finding: Finding) -> Vec<u8> {
    match finding {
        Finding::Answer { payload, .. } => payload,
        Finding::Failure(failure) => panic!("{failure:?} instead of an answer"),
    }
}

pub fn failure_of(finding: Finding) -> (FailureCode, Option<u16>) {
    match finding {
        Finding::Failure(Failure { code, index }) => (code, index),
        Finding::Answer { payload, .. } => panic!("{} bytes instead of a failure", payload.len()),
    }
}

/// The hash that stands for a key's digests under its own domain.
pub fn key_statement(id: u64, payload: &[u8]) -> Digest {
    let digests = payload::decode_key_digests(payload).unwrap();
    eip712::key_gen_hash(&record(id, vec![]).domain, KeyId(id), &digests)
}

pub fn public_digest(key: &KeyRecord) -> Digest {
    key.digests.iter().find(|part| part.key_type == KeyType::Public).unwrap().digest
}
