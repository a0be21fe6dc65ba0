//! Puts load on a real core: over TLS, with proofs, from this machine. Writes down what it measured.

mod disk;
mod plot;
mod program;
mod report;
mod stages;
mod traffic;
mod world;

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use clap::Parser;
use kms_asc_api::{CiphertextFormat, payload::decode_key_digests};
use kms_core_engine::{Encryptor, FheType, ParameterSet, Plaintext, key_digest};
use kms_core_proto::v1::{Success, answer, kms_client::KmsClient};
use kms_store::Store;
use tonic::transport::Channel;

use program::{Folder, Program, own_processor_time};
use report::{Latency, Processor, Report, Scenario};
use stages::Reading;
use traffic::Run;
use world::{Asked, World};

/// Put load on a core, and write what it did.
#[derive(Debug, Parser)]
struct Arguments {
    /// The core's program.
    #[arg(long, default_value = "target/debug/kms-core")]
    core: PathBuf,
    /// Where the results go.
    #[arg(long, default_value = "docs/measurements")]
    out: PathBuf,
    /// Calls of each scenario at concurrency 64.
    #[arg(long, default_value_t = 20_000)]
    calls: usize,
    /// What readers must know of this run, such as that the machine was not idle.
    #[arg(long, default_value = "")]
    note: String,
    /// Requests over which the core's memory is watched.
    #[arg(long, default_value_t = 100_000)]
    memory: usize,
}

/// Connections to the core.
const CONNECTIONS: usize = 4;
const CONCURRENCY: usize = 64;
/// Requests recorded in one block: few enough that the header does not grow too old meanwhile.
const BATCH: usize = 5_000;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let load_average = load_average()?;
    let mut stand = Stand::build(&arguments.core).await?;
    stand.fill_up().await?;
    let mut scenarios = Vec::new();
    for (name, asked, share, bar) in stand.kinds()? {
        let calls = (arguments.calls / share).max(1);
        scenarios.push(stand.measure(name, &asked, CONCURRENCY, calls, Some(bar)).await?);
        scenarios.push(stand.measure(name, &asked, 1, (calls / 20).max(100), None).await?);
    }
    let memory = stand.watch_memory(arguments.memory).await?;
    let report = Report {
        command: "make load".to_owned(),
        machine: machine()?,
        load_average,
        note: arguments.note,
        start_seconds: stand.restart()?,
        disk: Latency::from(&disk::flushes(&stand.folder.data(), 300)?),
        scenarios,
        memory,
    };
    fs::write(arguments.out.join("load.json"), serde_json::to_string_pretty(&report)? + "\n")?;
    fs::write(arguments.out.join("load.md"), report.page()?)?;
    fs::write(arguments.out.join("load-memory.svg"), plot::memory(&report.memory)?)?;
    println!("{}", report.page()?);
    Ok(())
}

/// A core with one key, the chain that it follows, and ciphertexts under the key.
struct Stand {
    folder: Folder,
    program: Program,
    clients: Vec<KmsClient<Channel>>,
    world: World,
    raw: Vec<u8>,
    compressed: Vec<u8>,
}

impl Stand {
    async fn build(core: &std::path::Path) -> Result<Self> {
        let folder = Folder::new(core)?;
        let placeholder = World::new(kms_asc_api::PublicKey::new([2; 33]));
        folder.configure(&placeholder.pins(kms_asc_api::PublicKey::new([2; 33]))?)?;
        let signer = folder.init()?;
        let mut world = World::new(signer);
        folder.configure(&world.pins(signer)?)?;
        let program = folder.start()?;
        let mut clients = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            clients.push(folder.connect(&program).await?);
        }
        // The header that the configuration names.
        first_of(&mut clients)?.submit_header(world.header()).await?;
        let encryptor = make_key(&folder, &mut clients, &mut world).await?;
        let value = Plaintext::parse(FheType::Uint64, "16045690984503098046")?;
        let (raw, compressed) = (encryptor.encrypt_raw(&value)?, encryptor.encrypt_compressed(&[value])?);
        Ok(Self { folder, program, clients, world, raw, compressed })
    }

    /// What is measured: a name, the request, by how much fewer calls are made, and the answers per second asked for.
    fn kinds(&self) -> Result<[(&'static str, Asked, usize, f64); 3]> {
        let domain = self.world.domain()?;
        Ok([
            (
                "public decryption, compressed",
                world::public_decrypt(&self.compressed, CiphertextFormat::Compressed),
                1,
                2_000.0,
            ),
            ("public decryption, raw", world::public_decrypt(&self.raw, CiphertextFormat::Raw), 4, 800.0),
            (
                "user decryption, compressed",
                world::user_decrypt(&self.compressed, CiphertextFormat::Compressed, &domain)?,
                1,
                1_200.0,
            ),
        ])
    }

    /// What is made at the first call only is made here.
    async fn fill_up(&mut self) -> Result<()> {
        for (_, asked, ..) in self.kinds()? {
            self.run(&asked, CONCURRENCY, 500).await?;
        }
        Ok(())
    }

    async fn measure(
        &mut self,
        name: &str,
        asked: &Asked,
        concurrency: usize,
        calls: usize,
        bar: Option<f64>,
    ) -> Result<Scenario> {
        let before = Reading::of(&self.program.metrics().await?);
        let (core, own) = (self.program.processor_time()?, own_processor_time()?);
        let run = self.run(asked, concurrency, calls).await?;
        let after = Reading::of(&self.program.metrics().await?);
        let each = |time: Duration| time.as_secs_f64() * 1e6 / traffic::count(calls);
        let processor = Processor {
            core: each(self.program.processor_time()?.saturating_sub(core)),
            generator: each(own_processor_time()?.saturating_sub(own)),
        };
        eprintln!("{name} at {concurrency}: {:.0}/s, p50 {:.2} ms", run.rate(), run.percentile(50));
        Ok(Scenario {
            name: name.to_owned(),
            concurrency,
            calls: run.latencies.len(),
            rate: run.rate(),
            bar,
            latency: Latency::from(&run),
            processor,
            stages: after.since(&before),
        })
    }

    /// Calls in batches, each recorded in a block of its own. The first of a batch, which shows what all share, goes alone and is
    /// not counted; nor is making the calls.
    async fn run(&mut self, asked: &Asked, concurrency: usize, calls: usize) -> Result<Run> {
        let mut run = Run::default();
        let mut left = calls;
        while left > 0 {
            let size = left.min(BATCH);
            let mut calls = self.world.ask(asked, size.saturating_add(1))?;
            let rest = calls.split_off(1);
            for first in calls {
                traffic::call(first_of(&mut self.clients)?, first).await?;
            }
            run.join(traffic::run(&self.clients, rest, concurrency).await?);
            left = left.saturating_sub(size);
        }
        Ok(run)
    }

    /// Resident memory over many requests, with finished ones shown to the core as a connector does.
    async fn watch_memory(&mut self, requests: usize) -> Result<Vec<(usize, u64)>> {
        let asked = world::public_decrypt(&self.compressed, CiphertextFormat::Compressed);
        let mut samples = vec![(0, self.program.resident()?)];
        let mut done = 0usize;
        while done < requests {
            // Blocks pass, so that answers of finished requests can be forgotten.
            self.world.chain.advance_to(self.world.chain.height().saturating_add(10));
            let size = BATCH.min(requests.saturating_sub(done));
            self.run(&asked, CONCURRENCY, size).await?;
            done = done.saturating_add(size);
            samples.push((done, self.program.resident()?));
        }
        Ok(samples)
    }

    /// Starts the core again, and says how long that takes.
    fn restart(&mut self) -> Result<f64> {
        self.program.end();
        self.program = self.folder.start()?;
        Ok(self.program.took.as_secs_f64())
    }
}

fn first_of(clients: &mut [KmsClient<Channel>]) -> Result<&mut KmsClient<Channel>> {
    clients.first_mut().context("no connection")
}

/// Has the core make a key, records it, and loads its published parts.
async fn make_key(
    folder: &Folder,
    clients: &mut [KmsClient<Channel>],
    world: &mut World,
) -> Result<Encryptor> {
    let call = world.ask(&world::key_gen(), 1)?.pop().context("no call")?;
    let answer = traffic::call(first_of(clients)?, call).await?;
    let Some(answer::Outcome::Success(Success { payload, .. })) = answer.outcome else {
        anyhow::bail!("no key was made")
    };
    let digests = decode_key_digests(&payload)?;
    world.activate(digests.clone())?;
    let store = Store::open(&format!("file://{}", folder.store().display()).parse()?)?;
    let mut parts = Vec::with_capacity(digests.len());
    for part in &digests {
        let digest = kms_store::Digest::from_bytes(*part.digest.as_bytes());
        parts.push(store.get_public(digest, 1 << 30, key_digest).await?);
    }
    let [server, public] = parts.as_slice() else { anyhow::bail!("{} parts were published", parts.len()) };
    Ok(Encryptor::load(ParameterSet::Default, server, public)?)
}

fn machine() -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let names: Vec<_> = cpus.lines().filter_map(|line| line.strip_prefix("model name")).collect();
    let name = names.first().map_or("", |name| name.trim_start_matches([' ', '\t', ':']));
    Ok(format!("{} processors, {name}", names.len()))
}

fn load_average() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split_whitespace().next().context("no load average")?.parse()?)
}
