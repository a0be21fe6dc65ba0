//! Health and metrics over HTTP, on this machine's loopback.

use std::{net::SocketAddr, sync::Arc};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    health::{Health, Report},
    metrics::Metrics,
    reconcile::TaskError,
};

/// What the pages show.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The conditions.
    pub health: Arc<Health>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Admin {
    /// Serves until it is told to stop.
    ///
    /// # Errors
    /// When the address cannot be served.
    pub async fn run(self, listener: TcpListener, stop: CancellationToken) -> Result<(), TaskError> {
        let address = listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
        tracing::info!(address, "serving health and metrics");
        axum::serve(listener, self.router())
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
            .map_err(|error| TaskError::Admin { address, reason: error.to_string() })
    }

    fn router(self) -> Router {
        Router::new()
            .route("/live", get(|| async { "live\n" }))
            .route("/ready", get(ready))
            .route("/metrics", get(metrics))
            .with_state(self)
    }
}

/// Takes the address.
///
/// # Errors
/// When it cannot be had.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, TaskError> {
    let refused =
        |error: std::io::Error| TaskError::Admin { address: address.to_string(), reason: error.to_string() };
    TcpListener::bind(address).await.map_err(refused)
}

async fn ready(State(admin): State<Admin>) -> (StatusCode, Json<Report>) {
    let report = admin.health.report();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report))
}

async fn metrics(State(admin): State<Admin>) -> Result<String, StatusCode> {
    admin.metrics.text().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
