//! Health and metrics over HTTP: `/live`, `/ready`, `/metrics`.

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use kms_core_engine::Engine;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    core::Core,
    gate::Gate,
    health::{Board, Report},
};

/// What the pages show.
pub(crate) struct Admin<E: Engine> {
    pub(crate) core: Core<E>,
    pub(crate) board: Board,
    pub(crate) gate: Gate,
}

impl<E: Engine> Clone for Admin<E> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone(), board: self.board.clone(), gate: self.gate.clone() }
    }
}

impl<E: Engine> Admin<E> {
    /// Serves until it is told to stop.
    pub(crate) async fn run(self, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
        axum::serve(listener, self.router()).with_graceful_shutdown(stop.cancelled_owned()).await
    }

    fn router(self) -> Router {
        Router::new()
            .route("/live", get(|| async { "live\n" }))
            .route("/ready", get(ready::<E>))
            .route("/metrics", get(metrics::<E>))
            .with_state(self)
    }
}

async fn ready<E: Engine>(State(admin): State<Admin<E>>) -> (StatusCode, Json<Report>) {
    let report = admin.board.report();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report))
}

async fn metrics<E: Engine>(State(admin): State<Admin<E>>) -> Result<String, StatusCode> {
    admin.core.metrics_text(admin.gate.occupied()).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
