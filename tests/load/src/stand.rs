//! A core with one key, the chain that it follows, and ciphertexts under the key.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use kms_asc_api::{
    CiphertextFormat, CrsId, Digest, PublicKey,
    payload::{InputVerdict, decode_crs_digest, decode_key_digests},
};
use kms_core_engine::{
    Encryptor, FheType, ParameterSet, Plaintext, Prover, ReferenceString, crs_digest, key_digest,
};
use kms_core_proto::v1::{Answer, Success, answer, kms_client::KmsClient};
use kms_store::{Hasher, Store};
use tonic::transport::Channel;

use crate::{
    program::{Folder, Program, own_processor_time},
    report::{Latency, Processor, Scenario},
    stages::Reading,
    traffic::{self, Run},
    world::{self, Asked, World},
};

/// Connections to the core.
const CONNECTIONS: usize = 4;
/// Requests recorded in one block: few enough that the header does not grow too old meanwhile.
pub const BATCH: usize = 5_000;
/// No published part is larger.
const MAX_PUBLISHED_BYTES: u64 = 1 << 30;

/// How calls are made that do not go alone.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Calls at a time.
    pub concurrency: usize,
    /// Calls that are counted.
    pub calls: usize,
    /// How many of them are recorded in one block.
    pub batch: usize,
}

/// How a ciphertext that is decrypted is stored.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// By itself.
    Raw,
    /// In a compressed list.
    Compressed,
}

/// What is measured.
pub struct Stand {
    folder: Folder,
    program: Program,
    clients: Vec<KmsClient<Channel>>,
    world: World,
    ciphertexts: Ciphertexts,
}

/// One uint64 in two forms, and the key to make more.
struct Ciphertexts {
    raw: Vec<u8>,
    compressed: Vec<u8>,
    public_key: Bytes,
}

/// The core before a scenario.
struct Before {
    stages: Reading,
    core: Duration,
    generator: Duration,
}

impl Stand {
    /// Starts the program at `core` in a folder of its own, and has it make a key.
    pub async fn build(core: &Path) -> Result<Self> {
        let folder = Folder::new(core)?;
        let placeholder = PublicKey::new([2; 33]);
        folder.configure(&World::new(placeholder).pins(placeholder)?)?;
        let signer = folder.init()?;
        let mut world = World::new(signer);
        folder.configure(&world.pins(signer)?)?;
        let program = folder.start()?;
        let mut clients = connect(&folder, &program).await?;
        let client = first_of(&mut clients)?;
        // The header that the configuration names.
        client.submit_header(world.header()).await?;
        let ciphertexts = Ciphertexts::make(&folder, client, &mut world).await?;
        Ok(Self { folder, program, clients, world, ciphertexts })
    }

    /// A public decryption of the uint64.
    pub fn public_decryption(&self, form: Form) -> Asked {
        let (stored, format) = self.ciphertexts.stored(form);
        world::public_decrypt(stored, format)
    }

    /// A user decryption of the uint64.
    pub fn user_decryption(&self, form: Form) -> Result<Asked> {
        let (stored, format) = self.ciphertexts.stored(form);
        world::user_decrypt(stored, format, &self.world.domain()?)
    }

    /// A verification of the uint64 as an input, proven with the reference string of this answer. The core has accepted the input
    /// once.
    pub async fn verification(&mut self, string: &Answer) -> Result<Asked> {
        let digest = decode_crs_digest(payload(string)?)?;
        let id = CrsId(string.request_id);
        self.world.activate_string(id, digest);
        let crs = published(&self.folder, &digest, crs_digest).await?;
        let string = ReferenceString::load(ParameterSet::Default, &crs)?;
        let prover = Prover::load(&self.ciphertexts.public_key, &string)?;
        let list = prover.encrypt_proven(&[value()?], &world::binding().metadata())?;
        let asked = world::verify_input(&list, id);
        let (answer, _) = ask_alone(first_of(&mut self.clients)?, &mut self.world, &asked).await?;
        match InputVerdict::decode(payload(&answer)?, world::binding().chain_id)? {
            InputVerdict::Accepted(_) => Ok(asked),
            InputVerdict::Refused => bail!("the core refuses the input that is to be measured"),
        }
    }

    /// Measures calls at some concurrency.
    pub async fn measure(
        &mut self,
        name: &str,
        asked: &Asked,
        load: Load,
        bar: Option<f64>,
    ) -> Result<Scenario> {
        let before = self.before().await?;
        let run = self.run(name, asked, load).await?;
        self.scenario(name, load.concurrency, bar, &run, &before).await
    }

    /// Measures calls one after the other, each with a header and a whole proof of its own. Gives the last answer, too.
    pub async fn measure_alone(
        &mut self,
        name: &str,
        asked: &Asked,
        calls: usize,
    ) -> Result<(Scenario, Answer)> {
        let before = self.before().await?;
        let (mut run, mut last) = (Run::default(), None);
        for call in 1..=calls {
            eprintln!("{name}: {call} of {calls}");
            let (answer, took) = ask_alone(first_of(&mut self.clients)?, &mut self.world, asked).await?;
            run.join(Run { took, latencies: vec![took], uncounted: 0 });
            last = Some(answer);
        }
        let scenario = self.scenario(name, 1, None, &run, &before).await?;
        Ok((scenario, last.context("no call was made")?))
    }

    /// Calls in batches, each recorded in a block of its own. The first of a batch, which shows what all share, goes alone and is
    /// not counted; nor is making the calls.
    pub async fn run(&mut self, name: &str, asked: &Asked, load: Load) -> Result<Run> {
        let Load { concurrency, calls, batch } = load;
        let mut run = Run::default();
        let mut left = calls;
        while left > 0 {
            eprintln!("{name} at {concurrency}: {} of {calls} are answered", calls.saturating_sub(left));
            let size = left.min(batch.max(1));
            let mut calls = self.world.ask(asked, size.saturating_add(1))?;
            let rest = calls.split_off(1);
            for first in calls {
                traffic::call(first_of(&mut self.clients)?, first).await?;
                run.uncounted = run.uncounted.saturating_add(1);
            }
            run.join(traffic::run(&self.clients, rest, concurrency).await?);
            left = left.saturating_sub(size);
        }
        Ok(run)
    }

    /// Resident memory over many requests, with finished ones shown to the core as a connector does.
    pub async fn watch_memory(&mut self, requests: usize, concurrency: usize) -> Result<Vec<(usize, u64)>> {
        let asked = self.public_decryption(Form::Compressed);
        let mut samples = vec![(0, self.program.resident()?)];
        let mut done = 0usize;
        while done < requests {
            // Blocks pass, so that answers of finished requests can be forgotten.
            self.world.chain.advance_to(self.world.chain.height().saturating_add(10));
            let size = BATCH.min(requests.saturating_sub(done));
            let name = format!("memory, {done} of {requests} requests");
            self.run(&name, &asked, Load { concurrency, calls: size, batch: BATCH }).await?;
            done = done.saturating_add(size);
            samples.push((done, self.program.resident()?));
        }
        Ok(samples)
    }

    /// Starts the core again, and says how many seconds pass until it listens.
    pub async fn restart(&mut self) -> Result<f64> {
        self.program.end();
        self.program = self.folder.start()?;
        self.clients = connect(&self.folder, &self.program).await?;
        // It also brings along what was finished before, which is no matter of the next scenario.
        let asked = self.public_decryption(Form::Compressed);
        ask_alone(first_of(&mut self.clients)?, &mut self.world, &asked).await?;
        Ok(self.program.took.as_secs_f64())
    }

    /// Where the core keeps what it must not lose.
    pub fn data(&self) -> PathBuf {
        self.folder.data()
    }

    async fn before(&self) -> Result<Before> {
        Ok(Before {
            stages: Reading::of(&self.program.metrics().await?),
            core: self.program.processor_time()?,
            generator: own_processor_time()?,
        })
    }

    async fn scenario(
        &self,
        name: &str,
        concurrency: usize,
        bar: Option<f64>,
        run: &Run,
        before: &Before,
    ) -> Result<Scenario> {
        let after = self.before().await?;
        let calls = run.latencies.len();
        let made = traffic::count(calls.saturating_add(run.uncounted));
        let each = |time: Duration| time.as_secs_f64() * 1e6 / made;
        let processor = Processor {
            core: each(after.core.saturating_sub(before.core)),
            generator: each(after.generator.saturating_sub(before.generator)),
        };
        eprintln!("{name} at {concurrency}: {:.1}/s, p50 {:.2} ms", run.rate(), run.percentile(50));
        Ok(Scenario {
            name: name.to_owned(),
            concurrency,
            calls,
            rate: run.rate(),
            bar,
            latency: Latency::from(run),
            processor,
            stages: after.stages.since(&before.stages),
        })
    }
}

impl Ciphertexts {
    /// Has the core make a key, records it, and encrypts with its published parts.
    async fn make(folder: &Folder, client: &mut KmsClient<Channel>, world: &mut World) -> Result<Self> {
        eprintln!("making the key that is used, and ciphertexts under it");
        let (answer, _) = ask_alone(client, world, &world::key_gen()).await?;
        let digests = decode_key_digests(payload(&answer)?)?;
        world.activate(digests.clone())?;
        let [server, public] = digests.as_slice() else { bail!("{} parts were published", digests.len()) };
        let server = published(folder, &server.digest, key_digest).await?;
        let public_key = published(folder, &public.digest, key_digest).await?;
        let encryptor = Encryptor::load(ParameterSet::Default, &server, &public_key)?;
        let (raw, compressed) =
            (encryptor.encrypt_raw(&value()?)?, encryptor.encrypt_compressed(&[value()?])?);
        Ok(Self { raw, compressed, public_key })
    }

    fn stored(&self, form: Form) -> (&[u8], CiphertextFormat) {
        match form {
            Form::Raw => (&self.raw, CiphertextFormat::Raw),
            Form::Compressed => (&self.compressed, CiphertextFormat::Compressed),
        }
    }
}

fn value() -> Result<Plaintext> {
    Ok(Plaintext::parse(FheType::Uint64, "16045690984503098046")?)
}

async fn connect(folder: &Folder, program: &Program) -> Result<Vec<KmsClient<Channel>>> {
    let mut clients = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        clients.push(folder.connect(program).await?);
    }
    Ok(clients)
}

fn first_of(clients: &mut [KmsClient<Channel>]) -> Result<&mut KmsClient<Channel>> {
    clients.first_mut().context("no connection")
}

/// One call, in a block of its own: its answer, and how long that took.
async fn ask_alone(
    client: &mut KmsClient<Channel>,
    world: &mut World,
    asked: &Asked,
) -> Result<(Answer, Duration)> {
    let call = world.ask(asked, 1)?.pop().context("no call")?;
    let started = Instant::now();
    let answer = traffic::call(client, call).await?;
    Ok((answer, started.elapsed()))
}

fn payload(answer: &Answer) -> Result<&[u8]> {
    match &answer.outcome {
        Some(answer::Outcome::Success(Success { payload, .. })) => Ok(payload),
        other => bail!("{other:?} instead of a payload"),
    }
}

/// Reads what the core published.
async fn published(folder: &Folder, digest: &Digest, hasher: Hasher) -> Result<Bytes> {
    let store = Store::open(&format!("file://{}", folder.store().display()).parse()?)?;
    let named = kms_store::Digest::from_bytes(*digest.as_bytes());
    Ok(store.get_public(named, MAX_PUBLISHED_BYTES, hasher).await?)
}
