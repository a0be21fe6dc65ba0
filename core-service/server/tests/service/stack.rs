//! A core of its own for each test: folder, port and client.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::PathBuf,
};

use bytes::Bytes;
use kms_asc_api::{
    Digest, EpochId, KeyDomain, Outcome, PartyId, PublicKey, RequestBody, RequestId, Signature,
    eip712::Receipt, request_hash, signing,
};
use kms_core::{BoundServer, Identity, Limits, Settings, Signer, StartError};
use kms_core_proto::v1::{
    Answer, DeclineRequest, ExecuteRequest, Failure, GetResultRequest, Success, answer, kms_client::KmsClient,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Status, transport::Channel};
use tonic_types::StatusExt;
use url::Url;

use crate::{bodies::stored, engine::TestEngine, seed::Seed};

pub const CHAIN_ID: &str = "kms-test-1";
pub const CONTRACT: &str = "wasm1asc";
const MAX_MESSAGE: usize = 64 << 20;

/// A core that is not running.
pub struct Stack {
    /// Removed with the stack.
    _folder: TempDir,
    pub settings: Settings,
    pub engine: TestEngine,
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
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let settings = Settings {
            identity: Identity {
                chain_id: CHAIN_ID.into(),
                contract: CONTRACT.into(),
                epoch: EpochId(1),
                party: PartyId(1),
                key_domain: KeyDomain { name: "KMSGeneration".into(), version: "1".into(), chain_id: 9000 },
            },
            store_url: Url::from_file_path(store).unwrap(),
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: folder.path().join("data"),
            signer_file: folder.path().join("signer"),
            limits: Limits {
                max_message_bytes: MAX_MESSAGE,
                max_ciphertext_bytes: 4 << 20,
                parallel_work: 2,
                max_requests: 256,
                stop_seconds: 60,
            },
        };
        Signer::generate().write(&settings.signer_file).unwrap();
        Self { _folder: folder, settings, engine: TestEngine::default() }
    }

    /// With the seed's key in its vault, and no answers: as after a crash between the two.
    pub async fn with_key() -> Self {
        let stack = Self::empty();
        let seed = Seed::get().await;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(stack.vault()).unwrap();
        let (name, bytes) = &seed.vault_file;
        stack.write_secret(stack.vault().join(name), bytes);
        stack.write_secret(stack.settings.signer_file.clone(), &seed.signer_file);
        stack
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
        let signer = Signer::read(&self.settings.signer_file).unwrap().public_key();
        Running { stack: self, signer, client, channel, stop, task }
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

    pub async fn execute(&self, body: &RequestBody, ciphertexts: Vec<Vec<u8>>) -> Result<Answer, Status> {
        self.call(execute_call(&stored(body), ciphertexts)).await
    }

    pub async fn call(&self, call: ExecuteRequest) -> Result<Answer, Status> {
        Ok(self.client().execute(call).await?.into_inner())
    }

    pub async fn decline(&self, body: &RequestBody, code: u32, index: u32) -> Result<Answer, Status> {
        let call = DeclineRequest {
            chain_id: CHAIN_ID.into(),
            contract: CONTRACT.into(),
            body: stored(body),
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

pub fn execute_call(body: &[u8], ciphertexts: Vec<Vec<u8>>) -> ExecuteRequest {
    ExecuteRequest {
        chain_id: CHAIN_ID.into(),
        contract: CONTRACT.into(),
        body: body.to_vec(),
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
