//! The core as operators run it: its folder, its process, what it says of itself.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use kms_asc_api::PublicKey;
use kms_core_proto::v1::kms_client::KmsClient;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

const MAX_MESSAGE: usize = 64 << 20;

/// A core's files.
pub struct Folder {
    folder: TempDir,
    program: PathBuf,
}

/// What a core's configuration pins.
pub struct Pins {
    /// The chain's name.
    pub chain_id: String,
    /// The contract's address.
    pub contract: String,
    /// `HEIGHT:HASH` of the trusted header.
    pub header: String,
    /// SHA-256 of the contract's code, hexadecimal.
    pub code: String,
    /// SHA-256 of the epoch's record, hexadecimal.
    pub epoch: String,
}

impl Folder {
    /// An empty one, for the program at `program`.
    pub fn new(program: &Path) -> Result<Self> {
        let folder = Self { folder: tempfile::tempdir()?, program: program.to_owned() };
        fs::create_dir(folder.store())?;
        Ok(folder)
    }

    /// Where published keys are kept.
    pub fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// Where vault and answers are kept.
    pub fn data(&self) -> PathBuf {
        self.path("core-data")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configuration.
    pub fn configure(&self, pins: &Pins) -> Result<()> {
        let Pins { chain_id, contract, header, code, epoch } = pins;
        let core = format!(
            r#"network = "network.toml"
listen = "127.0.0.1:0"
data_dir = "core-data"
signer_file = "core-data/signer"

[trust]
header = "{header}"
allowed_code = ["{code}"]

[[epochs]]
id = 1
party = 1
record = "{epoch}"

[tls]
certificate = "certs/core.pem"
key = "certs/core.key"
client_ca = "certs/ca.pem"

[vault]
passphrase_file = "passphrase"

[log]
filter = "warn,kms_core::serve=info"
format = "json"
"#
        );
        fs::write(self.path("kms-core.toml"), core)?;
        let network = format!(
            r#"chain_id = "{chain_id}"
rpc_url = "http://127.0.0.1:26657"
denom = "ukms"
gas_price = "0.025"
contract = "{contract}"
core_url = "https://127.0.0.1:50051"
store_url = "file://{}"
key_domain = {{ name = "KMSGeneration", version = "1", chain_id = 9000 }}
"#,
            self.store().display()
        );
        Ok(fs::write(self.path("network.toml"), network)?)
    }

    /// Makes certificates, vault and signer, and returns the signer's public key.
    pub fn init(&self) -> Result<PublicKey> {
        let certs = self.path("certs");
        self.run(&["certs", "--out", &certs.display().to_string()])?;
        let printed = self.run(&["init", "--output", "json"])?;
        let said: serde_json::Value = serde_json::from_str(&printed)?;
        let key = hex::decode(said["public_key"].as_str().unwrap_or_default().trim_start_matches("0x"))?;
        PublicKey::try_from(key.as_slice()).map_err(|error| anyhow::anyhow!("the core's signer: {error}"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.path("kms-core.toml")).args(arguments).env_remove("RUST_LOG");
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).output().context("the core does not run")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kms-core {arguments:?}: {said}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts the core, and returns when it listens.
    pub fn start(&self) -> Result<Program> {
        let started = Instant::now();
        let mut child =
            self.command(&[]).stderr(Stdio::piped()).spawn().context("the core does not start")?;
        let mut log = BufReader::new(child.stderr.take().context("the core has no log")?);
        let mut said = String::new();
        loop {
            let mut line = String::new();
            ensure!(log.read_line(&mut line)? > 0, "the core ended: {said}");
            said.push_str(&line);
            let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            let field = |name: &str| event["fields"][name].as_str().map(str::to_owned);
            if let (Some(address), Some(admin)) = (field("address"), field("admin")) {
                let took = started.elapsed();
                // Somebody has to read on, or the core would wait for it. What it warns of is shown.
                std::thread::spawn(move || {
                    log.lines().map_while(Result::ok).for_each(|line| eprintln!("{line}"))
                });
                return Ok(Program { child, address, admin, took });
            }
        }
    }

    /// A connection with the connector's certificate.
    pub async fn connect(&self, program: &Program) -> Result<KmsClient<Channel>> {
        let read = |name: &str| fs::read(self.path("certs").join(name));
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(read("ca.pem")?))
            .identity(Identity::from_pem(read("connector.pem")?, read("connector.key")?))
            .domain_name("localhost");
        let channel = Endpoint::from_shared(format!("https://{}", program.address))?
            .tls_config(tls)?
            .tcp_nodelay(true)
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(4 << 20)
            .connect()
            .await?;
        Ok(KmsClient::new(channel)
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE))
    }
}

/// A running core, ended at the latest when this is dropped.
pub struct Program {
    child: Child,
    address: String,
    admin: String,
    /// From the start of the process to the moment when it listens.
    pub took: Duration,
}

impl Program {
    /// Bytes of its memory that are resident.
    pub fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
        let kilobytes = line.split_whitespace().nth(1).context("no VmRSS")?;
        Ok(kilobytes.parse::<u64>()?.saturating_mul(1024))
    }

    /// Processor time that it has used.
    pub fn processor_time(&self) -> Result<Duration> {
        processor_time(&format!("/proc/{}/stat", self.child.id()))
    }

    /// What its metrics page says.
    pub async fn metrics(&self) -> Result<String> {
        let mut stream = TcpStream::connect(&self.admin).await?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: core\r\nConnection: close\r\n\r\n").await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok(text)
    }
}

impl Program {
    /// Ends it at once.
    pub fn end(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

/// Processor time that this process has used.
pub fn own_processor_time() -> Result<Duration> {
    processor_time("/proc/self/stat")
}

/// User and system time, in the hundredths of a second that Linux counts.
fn processor_time(stat: &str) -> Result<Duration> {
    let stat = fs::read_to_string(stat)?;
    // The name, which may contain blanks, is in parentheses.
    let (_, fields) = stat.rsplit_once(')').context("no process statistics")?;
    let times: Vec<u64> =
        fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(Duration::from_millis(times.iter().sum::<u64>().saturating_mul(10)))
}
