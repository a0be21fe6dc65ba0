//! A core of its own for each test: folder, port and client.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::{Mutex, MutexGuard},
};

use bytes::Bytes;
use kms_asc_api::{
    Digest, EpochId, Outcome, PartyId, PublicKey, RequestBody, RequestId, Signature, eip712::Receipt,
    request_hash, signing,
};
use kms_core::{
    BoundServer, Cost, Identity, Keeper, Limits, Settings, Signer, StartError, Strongbox, Transport,
    VaultSettings,
};
use kms_core_proto::v1::{
    Answer, DeclineRequest, ExecuteRequest, Failure, GetResultRequest, Proof, SubmitHeaderRequest,
    SubmitHeaderResponse, Success, answer, kms_client::KmsClient,
};
use kms_proofs::{StateProof, testing::FakeChain};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Status, transport::Channel};
use tonic_types::StatusExt;
use url::Url;

use crate::{
    bodies::stored,
    engine::TestEngine,
    seed::Seed,
    world::{self, light_block, wire},
};

pub const CHAIN_ID: &str = "kms-test-1";
pub const CONTRACT: &str = "wasm1crqvpsxqcrqvpsxqcrqvpsxqcrqvpsxqcrqvpsxqcrqvpsxqcrqq3rpn9s";
/// What opens every vault here.
pub const PASSPHRASE: &[u8] = b"correct horse";
const MAX_MESSAGE: usize = 64 << 20;

/// A core that is not running.
pub struct Stack {
    /// Removed with the stack.
    _folder: TempDir,
    pub settings: Settings,
    pub engine: TestEngine,
    chain: Mutex<FakeChain>,
}

/// A running core.
pub struct Running {
    stack: Stack,
    pub signer: PublicKey,
    client: KmsClient<Channel>,
    pub channel: Channel,
    stop: CancellationToken,
    task: JoinHandle<Result<(), StartError>>,
}

impl Stack {
    /// Without keys.
    pub fn empty() -> Self {
        Self::following(world::chain(CHAIN_ID))
    }

    /// Without keys, following this chain from its newest header on.
    pub fn following(chain: FakeChain) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inside = |name: &str| folder.path().join(name);
        let settings = Settings {
            identity: Identity {
                chain_id: CHAIN_ID.into(),
                contract: CONTRACT.into(),
                memberships: vec![world::membership()],
                key_domain: world::key_domain(),
            },
            trust: world::trust(&chain),
            store_url: Url::from_file_path(inside("store")).unwrap(),
            listen: "127.0.0.1:0".parse().unwrap(),
            transport: Transport::Plaintext,
            vault: VaultSettings {
                url: Url::from_directory_path(inside("data/vault")).unwrap(),
                keeper: Keeper::Passphrase {
                    file: inside("passphrase"),
                    cost: Cost { memory_kib: 64, passes: 1, lanes: 1 },
                },
            },
            data_dir: inside("data"),
            signer_file: inside("signer"),
            limits: Limits {
                max_message_bytes: MAX_MESSAGE,
                max_ciphertext_bytes: 4 << 20,
                parallel_work: 2,
                stop_seconds: 60,
                ..Limits::default()
            },
            admin: "127.0.0.1:0".parse().unwrap(),
        };
        let stack =
            Self { _folder: folder, settings, engine: TestEngine::default(), chain: Mutex::new(chain) };
        stack.write_secret(inside_of(&stack, "passphrase"), PASSPHRASE);
        fs::create_dir_all(stack.vault()).unwrap();
        fs::set_permissions(stack.vault(), fs::Permissions::from_mode(0o700)).unwrap();
        let strongbox = Strongbox::open(&stack.settings.vault).unwrap();
        Signer::generate().write(&stack.settings.signer_file, &strongbox).unwrap();
        stack
    }

    /// With the seed's key in its vault, and no answers: as after a crash between the two.
    pub async fn with_key() -> Self {
        Self::with_key_following(world::chain(CHAIN_ID)).await
    }

    /// The same, following this chain.
    pub async fn with_key_following(chain: FakeChain) -> Self {
        let stack = Self::following(chain);
        let seed = Seed::get().await;
        for (name, bytes) in &seed.vault_files {
            stack.write_secret(stack.vault().join(name), bytes);
        }
        stack.write_secret(stack.settings.signer_file.clone(), &seed.signer_file);
        stack
    }

    /// The chain that the core follows.
    pub fn chain(&self) -> MutexGuard<'_, FakeChain> {
        self.chain.lock().unwrap()
    }

    /// Records a pending request and shows it at a height of its own.
    pub fn prove(&self, body: &RequestBody) -> StateProof {
        world::prove(&mut self.chain(), body)
    }

    /// A call for a request that is recorded.
    pub fn execute_call(&self, body: &RequestBody, ciphertexts: Vec<Vec<u8>>) -> ExecuteRequest {
        proven_call(body, ciphertexts, self.prove(body))
    }

    pub fn write_secret(&self, path: PathBuf, bytes: &[u8]) {
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn vault(&self) -> PathBuf {
        self.settings.data_dir.join("vault")
    }

    pub async fn bind(&self) -> Result<BoundServer<TestEngine>, StartError> {
        BoundServer::bind_with(self.settings.clone(), self.engine.clone()).await
    }

    pub async fn refused(&self) -> StartError {
        match self.bind().await {
            Ok(_) => panic!("the core started"),
            Err(error) => error,
        }
    }

    pub async fn start(self) -> Running {
        let server = self.bind().await.unwrap();
        let url = format!("http://{}", server.local_addr());
        let stop = CancellationToken::new();
        let task = tokio::spawn(server.run(stop.clone()));
        let channel = Channel::from_shared(url).unwrap().connect().await.unwrap();
        let client = KmsClient::new(channel.clone())
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(2 * MAX_MESSAGE);
        let strongbox = Strongbox::open(&self.settings.vault).unwrap();
        let signer = Signer::read(&self.settings.signer_file, &strongbox).unwrap().public_key();
        let running = Running { stack: self, signer, client, channel, stop, task };
        // A core that starts anew is led to the chain's present by its connector.
        running.lead().await;
        running
    }
}

impl std::ops::Deref for Running {
    type Target = Stack;
    fn deref(&self) -> &Stack {
        &self.stack
    }
}

impl Running {
    pub fn client(&self) -> KmsClient<Channel> {
        self.client.clone()
    }

    /// Asks the core to stop, without waiting.
    pub fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Stops the core and keeps its folder.
    pub async fn stop(self) -> Stack {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
        self.stack
    }

    /// Shows the header that the core is to begin from, if it has not seen one yet.
    async fn lead(&self) {
        let height = self.settings.trust.header.height;
        self.submit(height).await.ok();
    }

    /// Shows the chain's header of a height.
    pub async fn submit(&self, height: u64) -> Result<SubmitHeaderResponse, Status> {
        let block = light_block(self.chain().light_block(height));
        let call = SubmitHeaderRequest { light_blocks: vec![block] };
        Ok(self.client().submit_header(call).await?.into_inner())
    }

    /// Has a recorded request worked on.
    pub async fn execute(&self, body: &RequestBody, ciphertexts: Vec<Vec<u8>>) -> Result<Answer, Status> {
        self.call(self.execute_call(body, ciphertexts)).await
    }

    /// Has a request worked on that is shown like this.
    pub async fn execute_with(
        &self,
        body: &RequestBody,
        ciphertexts: Vec<Vec<u8>>,
        proof: StateProof,
    ) -> Result<Answer, Status> {
        self.call(proven_call(body, ciphertexts, proof)).await
    }

    pub async fn call(&self, call: ExecuteRequest) -> Result<Answer, Status> {
        Ok(self.client().execute(call).await?.into_inner())
    }

    pub async fn decline(&self, body: &RequestBody, code: u32, index: u32) -> Result<Answer, Status> {
        let call = DeclineRequest {
            chain_id: CHAIN_ID.into(),
            contract: CONTRACT.into(),
            body: stored(body),
            proof: Some(wire(self.prove(body))),
            code,
            index,
        };
        Ok(self.client().decline(call).await?.into_inner())
    }

    pub async fn get_result(&self, body: &RequestBody) -> Result<Answer, Status> {
        let call = GetResultRequest {
            chain_id: CHAIN_ID.into(),
            contract: CONTRACT.into(),
            request_id: body.id.get(),
            request_hash: request_hash(&stored(body)).as_bytes().to_vec(),
        };
        Ok(self.client().get_result(call).await?.into_inner())
    }

    /// Checks that an answer's receipt is this core's signature over all that the answer says.
    pub fn check_receipt(&self, body: &RequestBody, answer: &Answer) {
        let hash = request_hash(&stored(body));
        assert_eq!(answer.request_id, body.id.get());
        assert_eq!(answer.request_hash, hash.as_bytes());
        assert_eq!((answer.epoch, answer.party), (1, 1));
        let (outcome, payload) = match answer.outcome.as_ref().unwrap() {
            answer::Outcome::Success(success) => (0, success.payload.clone()),
            answer::Outcome::Failure(failure) => {
                (failure.code, u16::try_from(failure.index).unwrap().to_be_bytes().to_vec())
            }
        };
        let receipt = Receipt {
            chain_id: CHAIN_ID,
            contract: CONTRACT,
            request_id: RequestId(answer.request_id),
            request_hash: hash,
            epoch: EpochId(1),
            party: PartyId(1),
            outcome: Outcome::try_from(outcome).unwrap(),
            payload_digest: Digest::sha256(&payload),
        };
        assert_eq!(recovered(&receipt.signing_hash(), &answer.receipt), self.signer);
    }

    /// Runs a request that must fail, checks its receipt, and returns code and index.
    pub async fn failure(&self, body: &RequestBody, ciphertexts: Vec<Vec<u8>>) -> (u32, u32) {
        let answer = self.execute(body, ciphertexts).await.unwrap();
        self.check_receipt(body, &answer);
        let Failure { code, index } = failure(&answer);
        (code, index)
    }
}

fn inside_of(stack: &Stack, name: &str) -> PathBuf {
    stack._folder.path().join(name)
}

pub fn proven_call(body: &RequestBody, ciphertexts: Vec<Vec<u8>>, proof: StateProof) -> ExecuteRequest {
    execute_call(&stored(body), ciphertexts, Some(wire(proof)))
}

pub fn execute_call(body: &[u8], ciphertexts: Vec<Vec<u8>>, proof: Option<Proof>) -> ExecuteRequest {
    ExecuteRequest {
        chain_id: CHAIN_ID.into(),
        contract: CONTRACT.into(),
        body: body.to_vec(),
        proof,
        ciphertexts: ciphertexts.into_iter().map(Bytes::from).collect(),
    }
}

/// Whose signature over `hash` this is.
pub fn recovered(hash: &Digest, signature: &[u8]) -> PublicKey {
    signing::recover(hash, &Signature::try_from(signature).unwrap()).unwrap()
}

pub fn success(answer: &Answer) -> Success {
    match answer.outcome.clone() {
        Some(answer::Outcome::Success(success)) => success,
        other => panic!("{other:?} instead of success"),
    }
}

pub fn failure(answer: &Answer) -> Failure {
    match answer.outcome {
        Some(answer::Outcome::Failure(failure)) => failure,
        ref other => panic!("{other:?} instead of a failure"),
    }
}

/// The stable reason of an error.
pub fn reason(status: &Status) -> String {
    match status.get_details_error_info() {
        Some(info) => info.reason,
        None => panic!("{status:?} has no reason"),
    }
}
