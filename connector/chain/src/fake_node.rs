//! A node for tests: JSON-RPC over HTTP on a free port, with answers that the test gives.

mod chain;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{Client, ClientConfig};

pub(crate) use chain::{
    FakeChain, Fault, block_with, checked, future, header, height_of, lock, refused, results_with, status,
};

/// What the node answers.
pub(crate) enum Reply {
    /// A result.
    Result(Value),
    /// A JSON-RPC error, as the node words it.
    Error(String),
    /// No JSON-RPC at all.
    Http(u16),
    /// Nothing, ever.
    Silence,
}

type Answer = dyn FnMut(&str, &Value) -> Reply + Send;

/// The node. It stops when dropped.
pub(crate) struct FakeNode {
    url: String,
    task: JoinHandle<()>,
}

impl Drop for FakeNode {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FakeNode {
    /// Starts a node that answers method and parameters, and whose state is never behind its blocks.
    pub async fn start(answer: impl FnMut(&str, &Value) -> Reply + Send + 'static) -> Self {
        Self::start_with_state(Arc::new(AtomicU64::new(u64::from(u32::MAX))), answer).await
    }

    /// Starts a node whose state can be asked for up to a height that the test moves.
    pub async fn start_with_state(
        state_height: Arc<AtomicU64>,
        mut answer: impl FnMut(&str, &Value) -> Reply + Send + 'static,
    ) -> Self {
        let answer = move |method: &str, params: &Value| match method {
            "abci_info" => Reply::Result(json!({"response": {
                "data": "", "version": "", "app_version": "0", "last_block_app_hash": "",
                "last_block_height": state_height.load(Ordering::SeqCst).to_string(),
            }})),
            _ => answer(method, params),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state: Arc<Mutex<Answer>> = Arc::new(Mutex::new(answer));
        let app = Router::new().route("/", post(respond)).with_state(state);
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, task }
    }

    /// A configuration for this node, with short times.
    pub fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new(&self.url);
        config.poll_interval = std::time::Duration::from_millis(2);
        config
    }

    pub fn client(&self) -> Client {
        Client::new(self.config()).unwrap()
    }
}

async fn respond(State(answer): State<Arc<Mutex<Answer>>>, Json(request): Json<Value>) -> Response {
    let method = request["method"].as_str().unwrap().to_owned();
    let reply = (answer.lock().unwrap())(&method, &request["params"]);
    let id = &request["id"];
    match reply {
        Reply::Result(result) => Json(json!({"jsonrpc": "2.0", "id": id, "result": result})).into_response(),
        Reply::Error(data) => {
            let error = json!({"code": -32603, "message": "Internal error", "data": data});
            Json(json!({"jsonrpc": "2.0", "id": id, "error": error})).into_response()
        }
        Reply::Http(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::Silence => std::future::pending().await,
    }
}
