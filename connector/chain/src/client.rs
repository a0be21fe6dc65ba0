//! One node's RPC endpoint: every call with a time-out, every failure typed.

use std::{future::Future, sync::Arc, time::Duration};

use cosmrs::proto::prost::Message;
use tendermint::{block::Height, merkle::proof::ProofOp};
use tendermint_rpc::{
    self as rpc, Client as _, HttpClient, HttpClientUrl, client::CompatMode, error::ErrorDetail,
};

use crate::{Error, Result, tx::BlockScan};

/// How to reach a node.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// `http://host:port` of the CometBFT RPC.
    pub url: String,
    /// Longest time of one call. A node answers no query while it executes a block, which can take
    /// seconds under load; the default of 10 s does not take that for a dead node.
    pub timeout: Duration,
    /// Pause between two looks for a new block while a transaction is confirmed. Default 50 ms.
    pub poll_interval: Duration,
    /// How long confirmation waits for a next block before it gives up. Default 60 s.
    pub stall_patience: Duration,
    /// Largest transaction to send. A node takes RPC bodies of 1 MB by default, and base64 adds a
    /// third: 740,000 bytes pass, 760,000 do not.
    pub max_tx_bytes: usize,
    /// Largest transaction to simulate: simulation travels as hex, twice its size.
    pub max_simulate_bytes: usize,
}

impl ClientConfig {
    /// The defaults for this address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            timeout: Duration::from_secs(10),
            poll_interval: Duration::from_millis(50),
            stall_patience: Duration::from_secs(60),
            max_tx_bytes: 740_000,
            max_simulate_bytes: 495_000,
        }
    }
}

/// A client of one node. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: HttpClient,
    config: Arc<ClientConfig>,
    scan: Arc<BlockScan>,
}

/// Answer of an ABCI query.
pub(crate) struct AbciAnswer {
    pub value: Vec<u8>,
    pub height: u64,
    /// Steps of the proof, the key's own tree first; empty if none was wanted.
    pub proof: Vec<ProofOp>,
}

impl Client {
    /// Makes the client; nothing is sent yet. Needs a tokio runtime when called upon.
    pub fn new(config: ClientConfig) -> Result<Self> {
        let bad = |reason: String| Error::InvalidUrl { url: config.url.clone(), reason };
        let url: HttpClientUrl = config.url.parse().map_err(|e: rpc::Error| bad(brief(&e)))?;
        let spare = Duration::from_secs(1); // our own time-out fires first, and is typed
        let http = HttpClient::builder(url)
            .compat_mode(CompatMode::V0_38)
            .timeout(config.timeout.saturating_add(spare))
            .build()
            .map_err(|e| bad(brief(&e)))?;
        Ok(Self { http, config: Arc::new(config), scan: Arc::default() })
    }

    /// The configuration in use.
    pub fn config(&self) -> &ClientConfig {
        &self.config
    }

    pub(crate) fn http(&self) -> &HttpClient {
        &self.http
    }

    pub(crate) fn scan(&self) -> &BlockScan {
        &self.scan
    }

    /// Runs one RPC call under the time-out.
    pub(crate) async fn call<T>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<T, rpc::Error>>,
    ) -> Result<T> {
        match tokio::time::timeout(self.config.timeout, call).await {
            Ok(answer) => answer.map_err(|e| typed(method, &e)),
            Err(_) => Err(Error::Timeout { method, after: self.config.timeout }),
        }
    }

    /// A query of the application, with protobuf question and answer.
    pub(crate) async fn abci<Q: Message, R: Message + Default>(
        &self,
        path: &str,
        query: &Q,
        height: Option<u64>,
    ) -> Result<R> {
        let answer = self.abci_raw(path, query.encode_to_vec(), height).await?;
        R::decode(answer.value.as_slice()).map_err(|e| unreadable(path, &e))
    }

    /// A query of the application, in bytes.
    ///
    /// Asked for the raw state of a height that it does not have, a node says "absent" unless a proof
    /// is wanted: so one always is. (Queries by gRPC path refuse, and never prove.)
    pub(crate) async fn abci_raw(
        &self,
        path: &str,
        data: Vec<u8>,
        height: Option<u64>,
    ) -> Result<AbciAnswer> {
        let at = height.map(block_height).transpose()?;
        let prove = height.is_some() && path.starts_with("/store/");
        let call = self.http.abci_query(Some(path.to_owned()), data, at, prove);
        let answer = self.call("abci_query", call).await?;
        if answer.code.is_err() {
            let (code, codespace, log) = (answer.code.value(), answer.codespace, answer.log);
            return Err(match height {
                Some(height) if no_such_state(code, &codespace, &log) => {
                    Error::HeightUnavailable { height, log }
                }
                _ => Error::Query { path: path.to_owned(), code, codespace, log },
            });
        }
        let proof = answer.proof.map(|proof| proof.ops).unwrap_or_default();
        Ok(AbciAnswer { value: answer.value, height: answer.height.value(), proof })
    }
}

/// A height of the RPC crate's type.
pub(crate) fn block_height(height: u64) -> Result<Height> {
    Height::try_from(height).map_err(|e| Error::InvalidValue {
        what: "block height",
        value: height.to_string(),
        reason: e.to_string(),
    })
}

/// An answer that does not parse.
pub(crate) fn unreadable(what: &str, reason: &dyn std::fmt::Display) -> Error {
    Error::BadResponse { what: what.to_owned(), reason: reason.to_string() }
}

/// Refusals for a height above the latest, and for one whose state was pruned.
fn no_such_state(code: u32, codespace: &str, log: &str) -> bool {
    let store = codespace == "store" && code == 7 && log.contains("proof is unexpectedly empty");
    store || codespace == "sdk" && (code == 26 || log.contains("failed to load state at height"))
}

fn typed(method: &'static str, error: &rpc::Error) -> Error {
    match error.detail() {
        ErrorDetail::Response(answer) => Error::Rpc { method, message: answer.source.to_string() },
        ErrorDetail::HttpRequestFailed(http) => Error::HttpStatus { method, status: http.status.as_u16() },
        ErrorDetail::Http(_) | ErrorDetail::Io(_) | ErrorDetail::Timeout(_) => {
            Error::Unreachable { method, reason: error.trace().root_cause().to_string() }
        }
        _ => Error::BadResponse { what: method.to_owned(), reason: brief(error) },
    }
}

/// The error without its trace.
fn brief(error: &rpc::Error) -> String {
    error.detail().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_node::{FakeNode, Reply, refused, status};

    const CONTRACT: &str = "wasm1uucmkgx33e6xu2h8wz0ma2m8ytfsr5va6sasvssxt22540guupxq7vz7jn";

    async fn raw_state(reply: impl Fn() -> Reply + Send + 'static, height: Option<u64>) -> Error {
        let node = FakeNode::start(move |_, _| reply()).await;
        node.client().raw_state(CONTRACT, b"key", height).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_silent_node_is_a_typed_retryable_timeout() {
        let node = FakeNode::start(|_, _| Reply::Silence).await;
        let mut config = node.config();
        config.timeout = Duration::from_millis(30);
        let error = Client::new(config).unwrap().status().await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), ("node_timeout", true));
    }

    #[tokio::test]
    async fn a_node_that_is_not_there_is_unreachable() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let error = Client::new(ClientConfig::new(url)).unwrap().status().await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), ("node_unreachable", true));
        assert!(error.to_string().contains("127.0.0.1"), "{error}");
    }

    #[tokio::test]
    async fn another_http_status_and_another_answer_are_told_apart() {
        let node = FakeNode::start(|_, _| Reply::Http(503)).await;
        let busy = node.client().status().await.unwrap_err();
        assert_eq!((busy.code(), busy.is_retryable()), ("http_status", true));
        let node = FakeNode::start(|_, _| Reply::Result(serde_json::json!({"odd": 1}))).await;
        let odd = node.client().status().await.unwrap_err();
        assert_eq!((odd.code(), odd.is_retryable()), ("bad_response", false));
    }

    #[tokio::test]
    async fn a_node_of_another_chain_is_refused() {
        let node = FakeNode::start(|_, _| Reply::Result(status("other-1", 5))).await;
        let client = node.client();
        assert_eq!(client.status().await.unwrap().latest_height, 5);
        let error = client.expect_chain("test-1").await.unwrap_err();
        let (expected, found) = ("test-1".to_owned(), "other-1".to_owned());
        assert_eq!(error, Error::WrongChain { expected, found });
    }

    #[tokio::test]
    async fn a_height_without_state_is_never_taken_for_an_absent_key() {
        let empty = || refused(26, "cannot query with height in the future; please provide a valid height");
        assert_eq!(raw_state(empty, Some(99)).await.code(), "height_unavailable");
        let asked = FakeNode::start(|_, params| {
            assert_eq!(params["prove"], true, "without a proof a node says absent");
            refused(1, "asked")
        })
        .await;
        let error = asked.client().raw_state(CONTRACT, b"key", Some(99)).await.unwrap_err();
        assert_eq!(error.code(), "query_failed");
    }

    #[tokio::test]
    async fn a_refused_query_keeps_its_code_and_text() {
        let error = raw_state(|| refused(6, "unknown query path"), None).await;
        assert_eq!(error.code(), "query_failed");
        assert!(error.to_string().contains("unknown query path"), "{error}");
    }

    #[test]
    fn an_address_that_is_no_node_is_refused() {
        for url in ["", "not a url", "ftp://127.0.0.1:1"] {
            assert_eq!(Client::new(ClientConfig::new(url)).unwrap_err().code(), "invalid_url", "{url:?}");
        }
    }
}
