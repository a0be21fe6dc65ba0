//! A core that answers as a test says, over real gRPC.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use kms_asc_api::{
    Digest, EpochId, KeyId, PartyId, PublicKey, RequestBody, Signature, eip712::KeyDestruction, request_hash,
    signing, state_key,
};
use kms_core_proto::{
    ERROR_DOMAIN, v1,
    v1::kms_server::{Kms, KmsServer},
};
use kms_proofs::store_key;
use tokio::sync::Semaphore;
use tonic::{Code, Request, Response, Status, transport::server::TcpIncoming};
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_types::{ErrorDetails, StatusExt};

use crate::scene::{US, contract};

/// What makes another word of one.
pub type Distortion = fn(v1::KeyDestruction) -> v1::KeyDestruction;

#[derive(Debug, Default)]
pub struct State {
    /// Answers of the next `Execute` calls; afterwards all is well.
    pub errors: VecDeque<Status>,
    pub executed: Vec<(u64, Vec<Vec<u8>>)>,
    pub declined: Vec<(u64, u32, u32)>,
    /// The proofs that came with either.
    pub proofs: Vec<v1::Proof>,
    /// Height of the newest header that it has verified.
    pub trusted: u64,
    /// How far above that a header may be, if it matters.
    pub reach: Option<u64>,
    /// Heights of the headers that it was shown, each call's last.
    pub shown: Vec<u64>,
    /// Keys that it holds.
    pub keys: Vec<u64>,
    pub destroyed: Vec<(u64, v1::Proof)>,
    /// Values that it was shown, by key of the store.
    pub values: HashMap<Vec<u8>, Vec<u8>>,
    /// What becomes of its next words on destroyed keys; afterwards they are true.
    pub distortions: VecDeque<Distortion>,
    /// Certificates of the callers of `Info`.
    pub callers: Vec<Vec<u8>>,
    pub busy: usize,
    pub most_busy: usize,
}

#[derive(Debug, Clone)]
pub struct FakeCore {
    state: Arc<Mutex<State>>,
    /// Each `Execute` takes a permit: with none, it waits.
    pub permits: Arc<Semaphore>,
}

impl FakeCore {
    pub fn new() -> Self {
        Self { state: Arc::default(), permits: Arc::new(Semaphore::new(1_000)) }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Serves on a free port.
    pub fn serve(&self) -> SocketAddr {
        self.serve_with(tonic_health::server::health_reporter().1)
    }

    /// Serves on a free port, with what it says of its own health.
    pub fn serve_with(&self, health: HealthServer<impl Health>) -> SocketAddr {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        let server = tonic::transport::Server::builder().add_service(KmsServer::new(self.clone()));
        let server = server.add_service(health);
        tokio::spawn(server.serve_with_incoming(incoming));
        address
    }

    /// An error of the core with a reason.
    pub fn error(code: Code, reason: &str) -> Status {
        let details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, HashMap::new());
        Status::with_error_details(code, "text", details)
    }

    /// It lacks a part of a proof.
    pub fn lacks(part: &str) -> Status {
        let metadata = HashMap::from([("missing".to_owned(), part.to_owned())]);
        let details = ErrorDetails::with_error_info("proof_incomplete", ERROR_DOMAIN, metadata);
        Status::with_error_details(Code::FailedPrecondition, "text", details)
    }

    /// Serves with TLS on a free port.
    pub fn serve_tls(&self, tls: tonic::transport::ServerTlsConfig) -> SocketAddr {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        let mut server = tonic::transport::Server::builder().tls_config(tls).unwrap();
        tokio::spawn(server.add_service(KmsServer::new(self.clone())).serve_with_incoming(incoming));
        address
    }
}

/// The key of the fake's signer.
pub fn signer() -> PublicKey {
    let hash = Digest::sha256(b"any");
    signing::recover(&hash, &sign(&hash)).unwrap()
}

fn sign(hash: &Digest) -> Signature {
    signing::sign(&[7u8; 32].as_slice().try_into().unwrap(), hash).unwrap()
}

/// Signs what a word on a destroyed key says.
pub fn attest(word: v1::KeyDestruction) -> v1::KeyDestruction {
    let statement = KeyDestruction {
        chain_id: "kms-local",
        contract: "wasm1asc",
        key_id: KeyId(word.key_id),
        record_hash: Digest::try_from(word.record_hash.as_slice()).unwrap(),
        epoch: EpochId(word.epoch),
        party: PartyId(word.party),
        time: word.time,
        held: word.held,
    };
    let signature = sign(&statement.signing_hash()).as_bytes().to_vec();
    v1::KeyDestruction { signature, ..word }
}

fn signed(stored_body: &[u8], outcome: v1::answer::Outcome) -> Response<v1::Answer> {
    let body = RequestBody::parse(stored_body).unwrap();
    Response::new(v1::Answer {
        request_id: body.id.get(),
        request_hash: request_hash(stored_body).as_bytes().to_vec(),
        epoch: US.epoch.get(),
        party: US.party.get(),
        receipt: vec![1; 65],
        outcome: Some(outcome),
    })
}

#[tonic::async_trait]
impl Kms for FakeCore {
    async fn execute(&self, asked: Request<v1::ExecuteRequest>) -> Result<Response<v1::Answer>, Status> {
        let asked = asked.into_inner();
        let body = RequestBody::parse(&asked.body).unwrap();
        let ciphertexts = asked.ciphertexts.iter().map(|bytes| bytes.to_vec()).collect();
        {
            let mut state = self.state();
            state.executed.push((body.id.get(), ciphertexts));
            state.proofs.extend(asked.proof);
            state.busy += 1;
            state.most_busy = state.most_busy.max(state.busy);
        }
        self.permits.acquire().await.unwrap().forget();
        let mut state = self.state();
        state.busy -= 1;
        if let Some(error) = state.errors.pop_front() {
            return Err(error);
        }
        let success = v1::Success { payload: vec![7; 32], external_signature: vec![2; 65] };
        Ok(signed(&asked.body, v1::answer::Outcome::Success(success)))
    }

    async fn decline(&self, asked: Request<v1::DeclineRequest>) -> Result<Response<v1::Answer>, Status> {
        let v1::DeclineRequest { body, code, index, proof, .. } = asked.into_inner();
        let id = RequestBody::parse(&body).unwrap().id.get();
        self.state().proofs.extend(proof);
        self.state().declined.push((id, code, index));
        Ok(signed(&body, v1::answer::Outcome::Failure(v1::Failure { code, index })))
    }

    async fn get_result(&self, _: Request<v1::GetResultRequest>) -> Result<Response<v1::Answer>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_keys(
        &self,
        _: Request<v1::ListKeysRequest>,
    ) -> Result<Response<v1::ListKeysResponse>, Status> {
        let key = |key_id: &u64| v1::Key { key_id: *key_id, ..v1::Key::default() };
        Ok(Response::new(v1::ListKeysResponse { keys: self.state().keys.iter().map(key).collect() }))
    }

    async fn submit_header(
        &self,
        asked: Request<v1::SubmitHeaderRequest>,
    ) -> Result<Response<v1::SubmitHeaderResponse>, Status> {
        let heights: Vec<u64> = asked
            .into_inner()
            .light_blocks
            .iter()
            .map(|block| std::str::from_utf8(&block.signed_header).unwrap().parse().unwrap())
            .collect();
        let last = *heights.last().unwrap();
        let mut state = self.state();
        state.shown.push(last);
        if state.reach.is_some_and(|reach| last > state.trusted + reach) {
            return Err(Self::error(Code::FailedPrecondition, "header_invalid"));
        }
        state.trusted = last;
        Ok(Response::new(v1::SubmitHeaderResponse { trusted_height: last, trusted_hash: vec![0; 32] }))
    }

    async fn destroy_key(
        &self,
        asked: Request<v1::DestroyKeyRequest>,
    ) -> Result<Response<v1::KeyDestruction>, Status> {
        let asked = asked.into_inner();
        let mut state = self.state();
        let proof = asked.proof.unwrap();
        for entry in &proof.entries {
            state.values.extend(entry.value.clone().map(|value| (entry.key.clone(), value)));
        }
        state.destroyed.push((asked.key_id, proof));
        if let Some(error) = state.errors.pop_front() {
            return Err(error);
        }
        state.keys.retain(|key| *key != asked.key_id);
        let key = store_key::contract_state(contract().bytes(), &state_key::KEY.key(asked.key_id));
        let word = attest(v1::KeyDestruction {
            key_id: asked.key_id,
            record_hash: Digest::sha256(&state.values[&key]).as_bytes().to_vec(),
            epoch: US.epoch.get(),
            party: US.party.get(),
            time: 77,
            held: true,
            signature: Vec::new(),
        });
        let distort = state.distortions.pop_front();
        Ok(Response::new(distort.map_or(word.clone(), |distort| distort(word))))
    }

    async fn info(&self, asked: Request<v1::InfoRequest>) -> Result<Response<v1::InfoResponse>, Status> {
        let certificates = asked.peer_certs();
        let caller = certificates.iter().flat_map(|chain| chain.iter()).map(|one| one.to_vec());
        self.state().callers.extend(caller);
        let ours = v1::Membership { epoch: US.epoch.get(), party: US.party.get() };
        Ok(Response::new(v1::InfoResponse {
            chain_id: "kms-local".into(),
            contract: "wasm1asc".into(),
            memberships: vec![ours],
            trusted_height: self.state().trusted,
            ..v1::InfoResponse::default()
        }))
    }
}
