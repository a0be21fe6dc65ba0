//! The tasks of the daemon, started and stopped as one.

use std::{future::Future, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use kms_chain::{Account, AccountConfig, Client, ClientConfig, Wallet};
use kms_proofs::ContractAddress;
use kms_store::Store;
use tokio::{sync::watch, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    admin::{Admin, listen},
    config::Settings,
    core::Core,
    destroy::Destroyer,
    evidence::{Evidence, Feeder, Guide},
    follow::Follower,
    health::Health,
    inbox::Inbox,
    ledger::Asc,
    metrics::Metrics,
    post::{Outlet, Poster},
    reconcile::{Pace, Reconciler, TaskError},
    watch::Watcher,
    work::Worker,
};

/// How long tasks may take to finish what is under way. Breaking off after that loses nothing.
const DRAIN: Duration = Duration::from_secs(10);

/// Runs the daemon until `stop`, or until a task cannot go on.
///
/// # Errors
/// Every error of every task, in one text; or what keeps the daemon from starting.
pub async fn run(settings: Settings, stop: CancellationToken) -> anyhow::Result<()> {
    let parts = Parts::open(settings)?;
    let mut tasks = parts.start(&stop).await?;
    let mut problems = Vec::new();
    tokio::select! {
        biased; // a task that ends because it was told to is no problem
        () = stop.cancelled() => tracing::info!("stopping"),
        Some((name, ended)) = tasks.next() => problems.extend(problem(name, ended)),
    }
    stop.cancel();
    let drained = timeout(DRAIN, async {
        while let Some((name, ended)) = tasks.next().await {
            problems.extend(ended.err().map(|error| format!("{name}: {error:#}")));
        }
    });
    if drained.await.is_err() {
        tracing::warn!(after = ?DRAIN, "broken off what was under way: it is taken up at the next start");
    }
    if problems.is_empty() { Ok(()) } else { bail!(problems.join("; ")) }
}

/// Reads what the settings name, as a start would, and changes nothing.
///
/// # Errors
/// What would keep the daemon from starting.
pub fn check(settings: &Settings) -> anyhow::Result<()> {
    wallet(settings)?;
    Core::new(settings)?;
    Store::open(&settings.network.store_url)?;
    Ok(())
}

/// The account that pays.
fn wallet(settings: &Settings) -> anyhow::Result<Wallet> {
    let (prefix, _) = settings.contract.rsplit_once('1').context("the contract's address has no prefix")?;
    Ok(Wallet::load(&settings.wallet, prefix)?)
}

/// A task that ends before it is told to is a problem, with or without an error.
fn problem(name: &str, ended: anyhow::Result<()>) -> Option<String> {
    let text = match ended {
        Ok(()) => "ended by itself".to_owned(),
        Err(error) => format!("{error:#}"),
    };
    Some(format!("{name}: {text}"))
}

/// Everything that tasks share.
struct Parts {
    settings: Settings,
    asc: Arc<Asc>,
    core: Core,
    evidence: Arc<Evidence<Asc>>,
    store: Store,
    inbox: Inbox,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
}

impl Parts {
    fn open(settings: Settings) -> anyhow::Result<Self> {
        let network = &settings.network;
        let client = Client::new(ClientConfig {
            poll_interval: settings.follow.poll_interval.get(),
            ..ClientConfig::new(network.rpc_url.as_str())
        })?;
        let account = Account::new(
            client,
            wallet(&settings)?,
            AccountConfig {
                timeout_blocks: settings.post.timeout_blocks,
                ..AccountConfig::new(&network.chain_id, network.gas_price_coin().parse()?)
            },
        );
        let core = Core::new(&settings)?;
        let store = Store::open(&network.store_url)?;
        std::fs::create_dir_all(&settings.data)
            .with_context(|| format!("cannot make the folder {}", settings.data.display()))?;
        let operator = settings.operator;
        let serves = format!(
            "{} {} epoch {} party {}",
            network.chain_id, settings.contract, operator.epoch, operator.party
        );
        let inbox = Inbox::open(&settings.data.join("inbox.redb"), &serves)?;
        tracing::info!(serves, account = account.address(), "starting");
        let asc = Arc::new(Asc::new(account, settings.contract.clone(), operator));
        let contract = ContractAddress::parse(&settings.contract)?;
        let share = settings.work.share_proofs.get();
        let evidence = Arc::new(Evidence::new(Arc::clone(&asc), core.clone(), contract, share));
        let (health, metrics) = (Arc::default(), Arc::default());
        Ok(Self { settings, asc, core, evidence, store, inbox, health, metrics })
    }

    async fn start(self, stop: &CancellationToken) -> anyhow::Result<Tasks> {
        let mut tasks = Tasks::default();
        let (cursor, moved) = watch::channel(0);
        if let Some(address) = self.settings.admin {
            let listener = listen(address).await?;
            let admin = Admin { health: Arc::clone(&self.health), metrics: Arc::clone(&self.metrics) };
            tasks.spawn("admin", admin.run(listener, stop.clone()));
        }
        let reconciler = self.reconciler();
        let follow = &self.settings.follow;
        let pace = Pace { blocks: follow.reconcile_blocks, every: follow.reconcile_every.get() };
        tasks.spawn("reconcile", reconciler.run(moved, pace, stop.clone()));
        tasks.spawn("work", Arc::new(self.worker()).run(stop.clone()));
        tasks.spawn("feed", self.feeder().run(stop.clone()));
        tasks.spawn("destroy", self.destroyer().run(stop.clone()));
        tasks.spawn("post", Poster::new(self.outlet()).run(stop.clone()));
        tasks.spawn("watch", self.watcher().run(stop.clone()));
        tasks.spawn("follow", self.follower(cursor).run(stop.clone()));
        Ok(tasks)
    }

    fn reconciler(&self) -> Reconciler<Asc> {
        Reconciler {
            ledger: Arc::clone(&self.asc),
            inbox: self.inbox.clone(),
            metrics: Arc::clone(&self.metrics),
        }
    }

    fn worker(&self) -> Worker<Asc> {
        Worker {
            ledger: Arc::clone(&self.asc),
            core: self.core.clone(),
            evidence: Arc::clone(&self.evidence),
            store: self.store.clone(),
            inbox: self.inbox.clone(),
            operator: self.settings.operator,
            config: self.settings.work.clone(),
            metrics: Arc::clone(&self.metrics),
        }
    }

    fn feeder(&self) -> Feeder<Asc> {
        Feeder {
            guide: Guide::new(Arc::clone(&self.asc), self.core.clone()),
            every: self.settings.headers_every,
            health: Arc::clone(&self.health),
        }
    }

    fn destroyer(&self) -> Destroyer<Asc> {
        Destroyer {
            chain_id: self.settings.network.chain_id.clone(),
            contract: self.settings.contract.clone(),
            ledger: Arc::clone(&self.asc),
            core: self.core.clone(),
            evidence: Arc::clone(&self.evidence),
            inbox: self.inbox.clone(),
            operator: self.settings.operator,
            every: self.settings.follow.reconcile_every.get(),
        }
    }

    fn outlet(&self) -> Outlet<Asc> {
        Outlet {
            ledger: Arc::clone(&self.asc),
            inbox: self.inbox.clone(),
            operator: self.settings.operator,
            config: self.settings.post.clone(),
            health: Arc::clone(&self.health),
            metrics: Arc::clone(&self.metrics),
        }
    }

    fn watcher(&self) -> Watcher<Asc> {
        Watcher {
            ledger: Arc::clone(&self.asc),
            core: self.core.clone(),
            inbox: self.inbox.clone(),
            health: Arc::clone(&self.health),
            metrics: Arc::clone(&self.metrics),
        }
    }

    fn follower(self, cursor: watch::Sender<u64>) -> Follower<Asc, Client> {
        Follower {
            reconciler: self.reconciler(),
            source: self.asc.account().client().clone(),
            ledger: self.asc,
            inbox: self.inbox,
            contract: self.settings.contract,
            operator: self.settings.operator,
            start_height: self.settings.start_height,
            poll_interval: self.settings.follow.poll_interval.get(),
            cursor,
            health: self.health,
            metrics: self.metrics,
        }
    }
}

/// Named tasks. Dropping it ends those that still run.
#[derive(Default)]
struct Tasks {
    running: JoinSet<(&'static str, anyhow::Result<()>)>,
}

impl Tasks {
    fn spawn<E: Into<TaskError>>(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let task = Box::pin(task);
        self.running.spawn(async move {
            let ended = task.await.map_err(|error| {
                let error: TaskError = error.into();
                tracing::error!(task = name, code = error.code(), %error, "a task cannot go on");
                anyhow::Error::from(error)
            });
            (name, ended)
        });
    }

    /// The next task that ends.
    async fn next(&mut self) -> Option<(&'static str, anyhow::Result<()>)> {
        let ended = self.running.join_next().await?;
        Some(ended.unwrap_or_else(|error| ("a task", Err(error.into()))))
    }
}
