//! A whole KMS in one folder.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use kms_chain::{Account, AccountConfig, Client, ClientConfig};
use kms_config::Network;
use tonic::transport::{Channel, Endpoint};

use crate::{
    AccountName, Deployment, Layout, Lifetime, Pins, ProcessStatus, Programs, StackOptions, deploy, network,
    node::{self, Genesis, Node},
    operator, ports, readiness,
    supervisor::{Launch, Supervisor},
    terms,
};

/// What each account owns at first, in the smallest unit.
const ACCOUNT_COINS: u64 = 1_000_000_000_000;
/// How long a chain may take to its first block, on a busy machine.
const CHAIN_PATIENCE: Duration = Duration::from_secs(60);
/// How long a program may take to listen, on a busy machine.
const PROGRAM_PATIENCE: Duration = Duration::from_secs(60);
/// How often a stack that is in use is tried again, and how long after.
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// Longest name of a stack; it becomes part of the chain's id, which is limited to 50 bytes.
const MAX_NAME: usize = 30;

/// A chain, the ASC on it, a core and a connector, in one folder of one machine.
#[derive(Debug)]
pub struct Stack {
    layout: Layout,
    options: StackOptions,
    network: Network,
    programs: Programs,
    supervisor: Supervisor,
    /// Held while the stack is open: one program at a time changes it.
    _lock: File,
}

impl Stack {
    /// Makes a new stack in `folder`: fresh keys, a chain that has not started, free ports.
    ///
    /// # Errors
    /// If there is a stack in that folder already, or the node has not been built. What an interrupted creation left there is
    /// no stack, and goes.
    pub async fn create(folder: &Path, name: &str, options: StackOptions) -> Result<Self> {
        check_stack_name(name)?;
        ensure!(!exists(folder), "there is a stack in {} already", folder.display());
        let programs = Programs::of_this_build()?;
        let program = programs.node()?;
        let layout = Layout::new(std::path::absolute(folder)?);
        layout.make_folders()?;
        let lock = lock(&layout)?;
        layout.forget_half_made()?;
        layout.make_folders()?;

        (options.report)("making keys and the first block");
        let network = network::describe(&layout, name)?;
        let accounts = AccountName::ALL
            .iter()
            .map(|account| Ok((account.generate(&layout)?.address().to_owned(), ACCOUNT_COINS)))
            .collect::<Result<_>>()?;
        operator::client(&layout)?;
        let node = Node::new(program, &layout);
        node.create(&Genesis { network: &network, block_max_gas: options.block_max_gas, accounts }).await?;
        // Written last: a folder without it holds no stack.
        network::write(&layout, &network)?;
        let supervisor = Supervisor::new(layout.clone(), options.lifetime);
        Ok(Self { layout, options, network, programs, supervisor, _lock: lock })
    }

    /// Opens the stack that lies in `folder`, whether it runs or not.
    ///
    /// # Errors
    /// If there is none, or another program has it open.
    pub fn open(folder: &Path, options: StackOptions) -> Result<Self> {
        ensure!(exists(folder), "there is no stack in {}", folder.display());
        let layout = Layout::new(std::path::absolute(folder)?);
        let lock = lock(&layout)?;
        let network = kms_config::load(layout.network())?;
        let supervisor = Supervisor::new(layout.clone(), options.lifetime);
        let programs = Programs::of_this_build()?;
        Ok(Self { layout, options, network, programs, supervisor, _lock: lock })
    }

    /// Where everything of the stack lies.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The network, as all programs read it.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// A client of the stack's node.
    ///
    /// # Errors
    /// If the network's address of the node is not usable.
    pub fn client(&self) -> Result<Client> {
        Ok(Client::new(ClientConfig::new(self.network.rpc_url.as_str()))?)
    }

    /// The one owner of an account's sequence. Two of one account get in each other's way.
    ///
    /// # Errors
    /// If the account's key cannot be read.
    pub fn account(&self, name: AccountName) -> Result<Account> {
        let gas_price = self.network.gas_price_coin().parse()?;
        let config = AccountConfig::new(&self.network.chain_id, gas_price);
        Ok(Account::new(self.client()?, name.wallet(&self.layout)?, config))
    }

    /// Starts the node, and waits for its first block. Does nothing if it runs.
    ///
    /// # Errors
    /// With the end of the node's log, if it ends or makes no block.
    pub async fn start_chain(&mut self) -> Result<()> {
        if self.supervisor.running(node::NAME)?.is_some() {
            return Ok(());
        }
        (self.options.report)("starting the chain");
        if network::settle_port(&mut self.network.rpc_url)? {
            self.moved().await?;
        }
        self.start_node().await
    }

    /// Has everybody find the network where it is now. The connector reads its file when it starts.
    async fn moved(&mut self) -> Result<()> {
        self.supervisor.stop(operator::CONNECTOR).await?;
        network::write(&self.layout, &self.network)
    }

    async fn start_node(&mut self) -> Result<()> {
        let node = Node::new(self.programs.node()?, &self.layout);
        node.configure(&self.network, self.options.block_time, self.options.query_max_gas)?;
        self.supervisor.start(&node.launch())?;
        let client = self.client()?;
        // Before its first block a node that was started again has no time to simulate at. The height is known a little
        // before the state of it can be asked for.
        let operator = AccountName::Operator.wallet(&self.layout)?;
        let first = OnceLock::new();
        let makes_blocks = || async {
            let Ok(status) = client.status().await else { return false };
            status.latest_height > *first.get_or_init(|| status.latest_height)
                && client.balance(operator.address(), &self.network.denom).await.is_ok()
        };
        self.supervisor.ready(node::NAME, CHAIN_PATIENCE, makes_blocks).await?;
        client.expect_chain(&self.network.chain_id).await?;
        Ok(())
    }

    /// Stores the ASC's code, instantiates it with this stack's operator, and has it pinned if the options say so. The
    /// network names it from then on.
    ///
    /// # Errors
    /// If the network has its contract already, or the chain refuses.
    pub async fn deploy(&mut self) -> Result<Deployment> {
        ensure!(self.network.contract.is_none(), "the contract is deployed already");
        (self.options.report)("deploying the contract");
        let admin = self.account(AccountName::Admin)?;
        let payout = AccountName::Operator.wallet(&self.layout)?;
        let signer = operator::initialize(&self.layout, &self.programs, &self.network).await?;
        let mut message = terms::instantiate(&self.network, admin.address(), signer, payout.address());
        (self.options.terms)(&mut message);
        let deployment = deploy::deploy(&admin, &self.programs.contract()?, &message).await?;
        self.pin(&Pins::of_deployment(&self.client()?, &deployment).await?)?;
        self.network.contract = Some(deployment.contract.clone());
        network::write(&self.layout, &self.network)?;
        // After that: a contract whose code is not pinned works, and whoever is interrupted here has one.
        if self.options.pin_code {
            let node = Node::new(self.programs.node()?, &self.layout);
            node.pin_code(&self.client()?, &self.network, deployment.code_id).await?;
        }
        Ok(deployment)
    }

    /// Ends the chain, changes its state behind everybody's back, and goes on from there: what nobody can do whom the
    /// validators do not follow. `change` is given the state as the node exports it.
    ///
    /// # Errors
    /// If the node cannot export its state or does not start from the changed one.
    pub async fn rewrite_state(
        &mut self,
        change: impl FnOnce(&mut serde_json::Value) -> Result<()>,
    ) -> Result<()> {
        self.supervisor.stop(node::NAME).await?;
        Node::new(self.programs.node()?, &self.layout).rewrite_state(change).await?;
        self.start_node().await
    }

    /// What the core accepts.
    ///
    /// # Errors
    /// Before the contract is deployed.
    pub fn pins(&self) -> Result<Pins> {
        Pins::load(&self.layout)
    }

    /// Has the core accept something else from its next start on.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn pin(&self, pins: &Pins) -> Result<()> {
        pins.save(&self.layout)
    }

    /// A connection to the core, as whoever has the connector's folder and certificate can make it.
    ///
    /// # Errors
    /// If the certificate cannot be read.
    pub fn core_channel(&self) -> Result<Channel> {
        let endpoint = Endpoint::from_shared(self.network.core_url.to_string())?;
        Ok(endpoint.tls_config(operator::tls(&self.layout)?)?.connect_lazy())
    }

    /// Starts the core, and waits until it says that it is ready. Does nothing if it runs.
    ///
    /// # Errors
    /// With the end of its log, if it ends or does not become ready.
    pub async fn start_core(&mut self) -> Result<()> {
        if self.supervisor.running(operator::CORE)?.is_some() {
            return Ok(());
        }
        (self.options.report)("starting the core");
        if network::settle_port(&mut self.network.core_url)? {
            self.moved().await?;
        }
        let test_parameters = self.options.test_parameters;
        let launch = operator::core(&self.layout, &self.programs, &self.network, test_parameters)?;
        self.supervisor.start(&launch)?;
        let core = self.core_channel()?;
        let ready = || readiness::core_is_ready(core.clone());
        self.supervisor.ready(&launch.name, PROGRAM_PATIENCE, ready).await
    }

    /// Starts the connector, and waits until it listens. Does nothing if it runs.
    ///
    /// # Errors
    /// With the end of its log, if it ends or does not listen.
    pub async fn start_connector(&mut self) -> Result<()> {
        let program = self.programs.program("kms-connector")?;
        self.start_connector_as(program, &[]).await
    }

    /// Starts a connector from another executable, with these variables in its environment: for tests
    /// that make it fail.
    ///
    /// # Errors
    /// As [`start_connector`](Self::start_connector).
    pub async fn start_connector_as(&mut self, program: PathBuf, environment: &[(&str, &str)]) -> Result<()> {
        if self.supervisor.running(operator::CONNECTOR)?.is_some() {
            return Ok(());
        }
        (self.options.report)("starting the connector");
        let [admin] = ports::free()?;
        let mut launch = operator::connector(&self.layout, program, admin)?;
        launch.environment =
            environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.start_listener(&launch, admin).await
    }

    async fn start_listener(&mut self, launch: &Launch, port: u16) -> Result<()> {
        self.supervisor.start(launch)?;
        let listens = || async { TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() };
        self.supervisor.ready(&launch.name, PROGRAM_PATIENCE, listens).await
    }

    /// Waits until the connector says that it can do its work: that node, core and account are as they should be.
    ///
    /// # Errors
    /// With what it says of itself and the end of its log, if it ends or does not come to that.
    pub async fn operator_ready(&self) -> Result<()> {
        let page = operator::admin(&self.layout)?;
        let ready = || async { readiness::ask(page).await.is_ok_and(|said| said.ready) };
        let waited = self.supervisor.ready(operator::CONNECTOR, PROGRAM_PATIENCE, ready).await;
        let Err(error) = waited else { return Ok(()) };
        let said = readiness::ask(page).await.map_or_else(|error| format!("{error:#}"), |said| said.text);
        Err(error.context(format!("the connector says: {said}")))
    }

    /// Starts whatever does not run, deploys the contract if that was not done, and waits until requests can be
    /// served.
    ///
    /// # Errors
    /// Of the first step that fails; what was started keeps running.
    pub async fn up(&mut self) -> Result<()> {
        self.start_chain().await?;
        if self.network.contract.is_none() {
            self.deploy().await?;
        }
        self.start_core().await?;
        self.start_connector().await?;
        self.operator_ready().await
    }

    /// What runs of the stack in `folder`; also while another program has it open.
    ///
    /// # Errors
    /// If there is no stack.
    pub fn look(folder: &Path) -> Result<(Network, Vec<ProcessStatus>)> {
        ensure!(exists(folder), "there is no stack in {}", folder.display());
        let layout = Layout::new(std::path::absolute(folder)?);
        let network = kms_config::load(layout.network())?;
        let processes = Supervisor::new(layout, Lifetime::Detached).status()?;
        Ok((network, processes))
    }

    /// Stops everything that runs, and forgets the chain, its keys and all that was stored.
    ///
    /// # Errors
    /// If something cannot be stopped or deleted.
    pub async fn destroy(mut self) -> Result<()> {
        self.stop().await?;
        let root = self.layout.root();
        fs::remove_dir_all(root).with_context(|| format!("cannot delete {}", root.display()))
    }

    /// Every process of the stack that was started and not stopped.
    ///
    /// # Errors
    /// If the files that say so cannot be read.
    pub fn status(&self) -> Result<Vec<ProcessStatus>> {
        self.supervisor.status()
    }

    /// Kills a process as `kill -9` does.
    ///
    /// # Errors
    /// If the system does not let it.
    pub async fn kill(&mut self, process: &str) -> Result<()> {
        self.supervisor.kill(process).await
    }

    /// Stops everything that runs, the chain last. What is written stays.
    ///
    /// # Errors
    /// If a process cannot be ended; the others are ended all the same.
    pub async fn stop(&mut self) -> Result<()> {
        let mut names: Vec<String> = self.status()?.into_iter().map(|process| process.name).collect();
        names.sort_by_key(|name| name == node::NAME);
        let mut failures = Vec::new();
        for name in names {
            (self.options.report)(&format!("stopping {name}"));
            if let Err(error) = self.supervisor.stop(&name).await {
                failures.push(error.to_string());
            }
        }
        if failures.is_empty() { Ok(()) } else { bail!(failures.join("; ")) }
    }
}

/// Whether a stack lies in that folder.
fn exists(folder: &Path) -> bool {
    folder.join("network.toml").exists()
}

/// Whether a stack can have this name, which becomes that of its folder.
///
/// # Errors
/// If not, with what is allowed.
pub fn check_stack_name(name: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    ensure!(
        (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_plain),
        "a stack is named by at most {MAX_NAME} lower-case letters, digits and dashes, not {name:?}"
    );
    Ok(())
}

fn lock(layout: &Layout) -> Result<File> {
    let path = layout.run().join("lock");
    let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    // A program that is being started holds what its parent had open, for a moment.
    for _ in 0..LOCK_TRIES {
        if file.try_lock().is_ok() {
            return Ok(file);
        }
        thread::sleep(LOCK_PAUSE);
    }
    file.try_lock()
        .with_context(|| format!("another program is using the stack in {}", layout.root().display()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_stacks_are_plain() {
        for name in ["default", "a", "run-7"] {
            check_stack_name(name).unwrap();
        }
        for name in ["", "Default", "a b", "..", ".", "../x", "/x", "a.b", &"x".repeat(31)] {
            assert!(check_stack_name(name).is_err(), "{name:?} was accepted");
        }
    }

    #[test]
    fn a_folder_without_a_stack_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let error = Stack::open(folder.path(), StackOptions::new(Lifetime::Owned)).unwrap_err();
        assert!(error.to_string().contains("there is no stack in"), "{error}");
    }
}
