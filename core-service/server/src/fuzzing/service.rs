//! A core that listens, and calls of it as bytes.

use anyhow::Result;
use kms_asc_api::RequestBody;
use kms_core_engine::CentralizedEngine;
use kms_core_proto::{reason, v1};
use kms_proofs::testing::FakeChain;
use prost::Message;
use tempfile::TempDir;
use tokio::{runtime::Runtime, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status, transport::Channel};
use tonic_types::StatusExt;

use super::{
    raw::Raw,
    world::{self, CHAIN_ID, DESTROYED_KEY, light_block, wire},
};
use crate::{BoundServer, StartError};

/// The calls that have something to read, in the order in which an input's first byte counts them.
const METHODS: [&str; 5] = ["Execute", "Decline", "GetResult", "SubmitHeader", "DestroyKey"];

/// A core, and what is recorded on the chain that it follows.
pub(super) struct Service {
    runtime: Runtime,
    channel: Channel,
    chain: FakeChain,
    /// The body of the one request.
    body: Vec<u8>,
    /// Kept as long as the core.
    _running: (TempDir, CancellationToken, JoinHandle<Result<(), StartError>>),
}

impl Service {
    pub(super) fn start() -> Result<Self> {
        let (chain, body) = world::recorded();
        let folder = tempfile::tempdir()?;
        let settings = world::settings(&chain, folder.path())?;
        world::prepare(&settings, folder.path())?;
        let runtime = Runtime::new()?;
        let stop = CancellationToken::new();
        let (channel, task) = runtime.block_on(async {
            let server = BoundServer::bind_with(settings, CentralizedEngine).await?;
            let url = format!("http://{}", server.local_addr());
            let task = tokio::spawn(server.run(stop.clone()));
            anyhow::Ok((Channel::from_shared(url)?.connect().await?, task))
        })?;
        let service = Self { runtime, channel, chain, body, _running: (folder, stop, task) };
        service.lead()?;
        Ok(service)
    }

    /// Shows the header that the core is to begin from.
    fn lead(&self) -> Result<()> {
        let first = light_block(self.chain.light_block(world::trusted_height(&self.chain)));
        let call = v1::SubmitHeaderRequest { light_blocks: vec![first] };
        self.runtime.block_on(self.call("SubmitHeader", &call.encode_to_vec()))?;
        Ok(())
    }

    /// Sends one message, and looks at what comes back.
    pub(super) fn send(&self, method: u8, message: &[u8]) {
        let name = METHODS.get(usize::from(method) % METHODS.len()).copied().unwrap_or_default();
        let outcome = self.runtime.block_on(self.call(name, message));
        match &outcome {
            Ok(answer) => self.check_success(name, message, answer),
            Err(status) => self.check_refusal(name, message, status),
        }
    }

    async fn call(&self, method: &str, message: &[u8]) -> Result<Vec<u8>, Status> {
        let path = format!("/kms.v1.Kms/{method}").parse();
        let path = path.map_err(|error| Status::unknown(format!("{error}")))?;
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
        let answer = client.unary(Request::new(message.to_vec()), path, Raw).await?;
        Ok(answer.into_inner())
    }

    /// The one request has no ciphertexts that anybody could give, so nothing is ever signed for it.
    fn check_success(&self, method: &str, message: &[u8], answer: &[u8]) {
        match method {
            "SubmitHeader" => {
                let answer = v1::SubmitHeaderResponse::decode(answer);
                let newest = self.chain.height();
                let known = |answer: &v1::SubmitHeaderResponse| {
                    let height = answer.trusted_height;
                    (1..=newest).contains(&height) && self.chain.header_hash(height) == *answer.trusted_hash
                };
                assert!(answer.is_ok_and(|answer| known(&answer)), "another header is trusted");
            }
            "DestroyKey" => {
                let call = v1::DestroyKeyRequest::decode(message);
                let allowed = call.is_ok_and(|call| call.key_id == DESTROYED_KEY.get());
                assert!(allowed, "a key was destroyed that is not destroyed on record");
            }
            _ => unreachable!("{method} was answered: {answer:02x?}"),
        }
    }

    fn check_refusal(&self, method: &str, message: &[u8], status: &Status) {
        let Some(info) = status.get_details_error_info() else {
            // The library's own refusal of what is no message, or too long a one.
            let codes = [Code::Internal, Code::InvalidArgument, Code::OutOfRange, Code::ResourceExhausted];
            assert!(codes.contains(&status.code()), "{method} is refused without a reason: {status:?}");
            let decodes = match method {
                "Execute" => v1::ExecuteRequest::decode(message).is_ok(),
                "Decline" => v1::DeclineRequest::decode(message).is_ok(),
                "GetResult" => v1::GetResultRequest::decode(message).is_ok(),
                "SubmitHeader" => v1::SubmitHeaderRequest::decode(message).is_ok(),
                _ => v1::DestroyKeyRequest::decode(message).is_ok(),
            };
            assert!(!decodes, "a message of {method} that decodes is refused without a reason: {status:?}");
            return;
        };
        assert_ne!(info.reason, reason::INTERNAL, "{method}: {status:?}");
        assert_ne!(info.reason, reason::CONFLICTING_HEADERS, "{method} stopped the core: {status:?}");
        // These are only found wrong with a request that was proven.
        let proven = [reason::WRONG_CIPHERTEXT_COUNT, reason::KEY_UNAVAILABLE, reason::TOO_EARLY];
        if proven.contains(&info.reason.as_str()) {
            self.check_proven(method, message);
        }
    }

    fn check_proven(&self, method: &str, message: &[u8]) {
        let shown = match method {
            "Execute" => {
                v1::ExecuteRequest::decode(message).map(|call| (call.chain_id, call.contract, call.body))
            }
            _ => v1::DeclineRequest::decode(message).map(|call| (call.chain_id, call.contract, call.body)),
        };
        let (chain_id, contract, body) = shown.unwrap_or_default();
        let own = chain_id == CHAIN_ID && contract == self.chain.contract().text() && body == self.body;
        assert!(own, "{method}: a request that is not recorded was taken for proven");
    }

    /// A message of each call that is read to the end.
    pub(super) fn seeds(&self) -> Vec<Vec<u8>> {
        let Ok(body) = RequestBody::parse(&self.body) else { return Vec::new() };
        let height = self.chain.height().saturating_sub(1);
        let (chain_id, contract) = (CHAIN_ID.to_owned(), self.chain.contract().text().to_owned());
        let proof = || Some(wire(self.chain.request_proof(height, &body)));
        let execute = v1::ExecuteRequest {
            chain_id: chain_id.clone(),
            contract: contract.clone(),
            body: self.body.clone(),
            proof: proof(),
            ciphertexts: vec![],
        };
        let decline = v1::DeclineRequest {
            chain_id: chain_id.clone(),
            contract: contract.clone(),
            body: self.body.clone(),
            proof: proof(),
            code: 1,
            index: 0,
        };
        let result = v1::GetResultRequest {
            chain_id: chain_id.clone(),
            contract: contract.clone(),
            request_id: body.id.get(),
            request_hash: kms_asc_api::request_hash(&self.body).as_bytes().to_vec(),
        };
        let newest = light_block(self.chain.light_block(self.chain.height()));
        let header = v1::SubmitHeaderRequest { light_blocks: vec![newest] };
        let destroyed = wire(self.chain.destruction_proof(height, &world::destroyed_key()));
        let destroy =
            v1::DestroyKeyRequest { chain_id, contract, key_id: DESTROYED_KEY.get(), proof: Some(destroyed) };
        let messages = [
            execute.encode_to_vec(),
            decline.encode_to_vec(),
            result.encode_to_vec(),
            header.encode_to_vec(),
            destroy.encode_to_vec(),
        ];
        (0_u8..).zip(messages).map(|(method, message)| [&[method], message.as_slice()].concat()).collect()
    }

    /// The reason with which a message is refused; none, if it is answered.
    #[cfg(test)]
    pub(super) fn reason(&self, method: u8, message: &[u8]) -> Option<String> {
        let answer = self.runtime.block_on(self.call(METHODS[usize::from(method)], message));
        let status = answer.err()?;
        status.get_details_error_info().map(|info| info.reason)
    }
}
