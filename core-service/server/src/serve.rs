use std::{net::SocketAddr, sync::Arc, time::Duration};

use kms_core_engine::{CentralizedEngine, Engine, SelfTestError, self_test};
use kms_core_proto::{FILE_DESCRIPTOR_SET, v1::kms_server::KmsServer};
use kms_proofs::NoContractAddress;
use kms_store::{Store, StoreError};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{service::interceptor::InterceptedService, transport::Server};

use crate::{
    Identity, Settings, SettingsError, Signer, SignerError,
    admin::Admin,
    answers::{Answers, AnswersError},
    config::make_private_folder,
    core::Core,
    destroyed::{Destroyed, DestroyedError},
    error::full_text,
    evidence::{Evidence, LedgerError},
    gate::Gate,
    health::{Board, Health},
    metrics::Metrics,
    operation::Workshop,
    tls::{Acceptor, TlsError, incoming},
    vault::{Strongbox, Vault, VaultError},
};

/// Why a core does not start, or stopped by itself.
#[derive(Debug, Error)]
pub enum StartError {
    /// A folder cannot be made.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// There is no usable signer.
    #[error("{0}; `kms-core init` makes one where there is none")]
    Signer(#[from] SignerError),
    /// A secret key is damaged, exposed or foreign.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// What was destroyed is not known.
    #[error(transparent)]
    Destroyed(#[from] DestroyedError),
    /// The answers cannot be used.
    #[error(transparent)]
    Answers(#[from] AnswersError),
    /// The trusted headers cannot be used.
    #[error(transparent)]
    Headers(#[from] LedgerError),
    /// The contract's address is none.
    #[error("network file: {0}")]
    Contract(NoContractAddress),
    /// The store of public material cannot be opened.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The certificates cannot be used.
    #[error("tls: {0}; `kms-core certs` makes a local set")]
    Tls(TlsError),
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// This build of the library would decrypt to other values.
    #[error("self-test: {0}; this build must not be used")]
    SelfTest(#[from] SelfTestError),
    /// The service ended with an error.
    #[error("the service failed: {0}")]
    Service(String),
}

impl StartError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Settings(error) => error.code(),
            Self::Signer(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::Destroyed(error) => error.code(),
            Self::Answers(error) => error.code(),
            Self::Headers(error) => error.code(),
            Self::Contract(_) => "contract_invalid",
            Self::Store(error) => error.code(),
            Self::Tls(error) => error.code(),
            Self::SelfTest(_) => "self_test_failed",
            Self::Listen { .. } => "cannot_listen",
            Self::Service(_) => "service_failed",
        }
    }
}

/// A core that listens and does not answer yet.
pub struct BoundServer<E: Engine = CentralizedEngine> {
    core: Core<E>,
    listener: TcpListener,
    acceptor: Acceptor,
    address: SocketAddr,
    admin: TcpListener,
    admin_address: SocketAddr,
    gate: Gate,
    max_message_bytes: usize,
    stop_within: Duration,
}

impl BoundServer {
    /// Opens everything that a core needs, and listens.
    ///
    /// # Errors
    /// If anything is missing, damaged, or in use by another process, or the library does not read what it once wrote.
    pub async fn bind(settings: Settings) -> Result<Self, StartError> {
        self_test()?;
        Self::bind_with(settings, CentralizedEngine).await
    }
}

impl<E: Engine> BoundServer<E> {
    /// The same with another engine.
    ///
    /// # Errors
    /// As [`BoundServer::bind`].
    pub async fn bind_with(settings: Settings, engine: E) -> Result<Self, StartError> {
        let Settings {
            identity,
            trust,
            store_url,
            listen,
            transport,
            vault,
            data_dir,
            signer_file,
            limits,
            admin,
        } = settings;
        let acceptor = Acceptor::open(&transport).map_err(StartError::Tls)?;
        make_private_folder(&data_dir)?;
        let metrics = Arc::new(Metrics::default());
        // First of all, as it locks the folder against a second process.
        let answers = Answers::open(&data_dir.join("answers.redb"), &identity, metrics.clone())?;
        let identity = Arc::new(identity);
        let evidence = Evidence::open(&data_dir, identity.clone(), trust)?;
        let strongbox = Strongbox::open(&vault)?;
        let signer = Signer::read(&signer_file, &strongbox)?;
        let destroyed = Destroyed::open(&data_dir.join("destroyed"))?;
        let vault = Vault::open(strongbox, &identity, engine)?;
        erase_destroyed(&vault, &destroyed)?;
        let store = Store::open(&store_url)?;

        let (listener, address) = take(listen).await?;
        let (admin, admin_address) = take(admin).await?;
        tracing::info!(
            %address, admin = %admin_address, chain_id = identity.chain_id, contract = identity.contract,
            memberships = memberships(&identity), signer = %signer.address(), keys = vault.len(), "the core listens"
        );
        let workshop = Workshop::new(identity, vault, destroyed, store, &limits, metrics.clone());
        Ok(Self {
            core: Core::new(limits, signer, answers, workshop, evidence, metrics.clone()),
            listener,
            acceptor,
            address,
            admin,
            admin_address,
            gate: Gate::new(limits.max_calls, metrics),
            max_message_bytes: limits.max_message_bytes,
            stop_within: Duration::from_secs(limits.stop_seconds.into()),
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where it serves health and metrics.
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin_address
    }

    /// Serves until `stop` is cancelled; then takes no new work, and ends when the work under way is done or the
    /// configured time is over. Work that is cut off leaves nothing half-done: asked again, it starts anew.
    ///
    /// # Errors
    /// If the service cannot go on.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StartError> {
        let Self { core, listener, acceptor, admin, gate, max_message_bytes, stop_within, .. } = self;
        let service = KmsServer::new(core.clone())
            .max_decoding_message_size(max_message_bytes)
            .max_encoding_message_size(max_message_bytes);
        let service = InterceptedService::new(service, gate.clone());
        let (reporter, health_service) = tonic_health::server::health_reporter();
        let board = Board::default();
        let health = Health::new(reporter, board.clone());
        health.look(&core).await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .map_err(|error| StartError::Service(error.to_string()))?;

        let stopping = CancellationToken::new();
        let server = Server::builder()
            .initial_stream_window_size(Some(1 << 20))
            .initial_connection_window_size(Some(4 << 20))
            .add_service(service)
            .add_service(health_service)
            .add_service(reflection)
            .serve_with_incoming_shutdown(incoming(listener, acceptor), stopping.clone().cancelled_owned());
        let pages = Admin { core: core.clone(), board, gate }.run(admin, stopping.clone());
        let watch = watch_for_stop(stop, stopping, core, health, stop_within);
        tokio::select! {
            ended = server => ended.map_err(|error| StartError::Service(full_text(&error))),
            error = failure_of(pages) => Err(StartError::Service(format!("health and metrics: {error}"))),
            () = watch => Ok(()),
        }
    }
}

/// Removes keys that were destroyed and are here all the same: a crash came in between, or a backup was restored.
fn erase_destroyed<E: Engine>(vault: &Vault<E>, destroyed: &Destroyed) -> Result<(), VaultError> {
    for key_id in destroyed.ids() {
        if vault.remove(key_id)? {
            tracing::warn!(key_id, "a key that was destroyed had come back: removed");
        }
        vault.unstage(key_id)?;
    }
    Ok(())
}

/// Ends only when the pages fail: that they have ended well is no reason to end.
async fn failure_of(pages: impl Future<Output = std::io::Result<()>>) -> std::io::Error {
    match pages.await {
        Err(error) => error,
        Ok(()) => std::future::pending().await,
    }
}

/// Takes an address, and says which it became.
async fn take(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let refused = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

/// `epoch/party` of each epoch.
fn memberships(identity: &Identity) -> String {
    let memberships = identity.memberships.iter();
    memberships.map(|own| format!("{}/{}", own.epoch, own.party)).collect::<Vec<_>>().join(" ")
}

/// Ends when, after the call to stop, the time is over. The server ends before, if its work is done before.
async fn watch_for_stop<E: Engine>(
    stop: CancellationToken,
    stopping: CancellationToken,
    core: Core<E>,
    health: Health,
    stop_within: Duration,
) {
    health.watch(&core, &stop).await;
    tracing::info!("stopping: no new work is taken");
    core.desk().close();
    health.stopping().await;
    let drained = tokio::time::timeout(stop_within, core.desk().drained()).await;
    match drained {
        Ok(()) => tracing::info!("all work is done"),
        Err(_) => {
            tracing::warn!(seconds = stop_within.as_secs(), "giving up the work under way");
            core.desk().abandon();
        }
    }
    // Waiting callers get their answers, then connections are closed; those that stay open are cut.
    stopping.cancel();
    tokio::time::sleep(CLOSE_WITHIN).await;
}

/// Time for the last answers to leave after the work is done.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
