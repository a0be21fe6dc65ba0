//! A folder with all that a core's operator has in it.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
};

use kms_asc_api::Digest;
use kms_core::{CertificateSet, Config, Settings};
use kms_core_engine::{ParameterSet, SecretKey};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

const NETWORK: &str = r#"
chain_id = "kms-test-1"
rpc_url = "http://127.0.0.1:26657"
denom = "ukms"
gas_price = "0.025"
contract = "CONTRACT"
core_url = "http://127.0.0.1:50051"
store_url = "file://STORE"
key_domain = { name = "KMSGeneration", version = "1", chain_id = 9000 }
"#;

/// The first contract of every wasmd chain.
pub const CONTRACT: &str = "wasm14hj2tavq8fpesdwxxcu44rty3hh90vhujrvcmstl4zr3txmfvw9s0phg4d";

pub const KEY_FILE: &str = "00000000000000000007.key";

/// A core's folder: configuration, certificates, network.
pub struct Place(TempDir);

impl Place {
    /// With certificates of its own; nothing was made yet by `init`.
    pub fn new() -> Self {
        Self::with(|template| template)
    }

    /// The same with a changed configuration.
    pub fn with(change: impl FnOnce(String) -> String) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let template = kms_core::TEMPLATE.replace("listen = \"127.0.0.1:50051\"", "listen = \"127.0.0.1:0\"");
        // Every port is the system's choice.
        let template = template.lines().map(|line| match line.starts_with("listen = ") {
            true => "listen = \"127.0.0.1:0\"".to_owned(),
            false => line.to_owned(),
        });
        let config = change(template.collect::<Vec<_>>().join("\n")).replace("\"text\"", "\"json\"");
        fs::write(place.path("kms-core.toml"), config).unwrap();
        let network =
            NETWORK.replace("STORE", place.path("store").to_str().unwrap()).replace("CONTRACT", CONTRACT);
        fs::write(place.path("network.toml"), network).unwrap();
        place.certificates("certs");
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes a set of certificates in a folder.
    pub fn certificates(&self, folder: &str) {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        CertificateSet::new(&self.path(folder)).make(&names, 1).unwrap();
    }

    pub fn settings(&self) -> Settings {
        Config::read(&self.path("kms-core.toml")).unwrap().settings().unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kms-core"));
        command.arg("--config").arg(self.path("kms-core.toml")).args(arguments).env_remove("RUST_LOG");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must do what it is asked to, and returns what it says to people.
    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stderr)
    }

    /// Runs a command that must fail, and returns what it says.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stderr)
    }

    /// The signer's public key, by the program.
    pub fn signer(&self) -> String {
        text(&self.run(&["signer"]).stdout)
    }

    /// Puts a file of an old, unencrypted vault there: key 7, with small dimensions. Returns its secret.
    pub fn put_old_key(&self) -> SecretKey {
        let secret = kms_core_engine::generate(ParameterSet::Test, 7).unwrap().secret;
        let record = serde_json::json!({
            "chain_id": "kms-test-1", "contract": CONTRACT, "key_id": 7, "request_hash": Digest::new([0; 32]),
            "params": "test", "epoch": 1,
            "parts": [{ "key_type": 0, "digest": Digest::new([1; 32]), "size": 5 }]
        });
        let record = serde_json::to_vec(&record).unwrap();
        let rest =
            [&u32::try_from(record.len()).unwrap().to_be_bytes(), &record[..], secret.as_bytes()].concat();
        let file = [&b"KMSVAULT\x01"[..], Digest::sha256(&rest).as_bytes(), &rest].concat();
        let vault = self.path("core-data/vault");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&vault).unwrap();
        kms_config::write_secret(vault.join(KEY_FILE), &file).unwrap();
        secret
    }

    /// With a signer and key 7 in an encrypted vault. Returns the key's secret.
    pub fn with_key(&self) -> SecretKey {
        let secret = self.put_old_key();
        self.done(&["vault", "encrypt"]);
        self.done(&["init"]);
        secret
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether `part` is in `bytes`.
pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// All files below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files
}

/// A running core, ended at the latest with the test.
pub struct Process {
    child: Child,
    /// The lines of its log, read as they come: a core whose log nobody reads waits once the pipe is full.
    log: Receiver<String>,
    said: String,
    pub address: String,
}

impl Process {
    /// Starts the program and waits for the line that says where it listens.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (lines, log) = channel();
        // Ends with the core. Who listens no more has ended it.
        std::thread::spawn(move || stderr.lines().try_for_each(|line| lines.send(line.unwrap() + "\n")));
        let mut process = Self { child, log, said: String::new(), address: String::new() };
        while process.address.is_empty() {
            let Ok(line) = process.log.recv() else { panic!("the core ended: {}", process.said) };
            process.said.push_str(&line);
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            process.address = event["fields"]["address"].as_str().unwrap_or_default().to_owned();
        }
        process
    }

    /// A file about it, as the system tells; `None` if the system does not let us read it.
    pub fn about(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(format!("/proc/{}/{name}", self.child.id())).ok()
    }

    /// Asks it to stop, and returns its whole log.
    pub fn stop(mut self) -> String {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        // Until its end.
        self.said.extend(self.log.iter());
        assert!(self.child.wait().unwrap().success(), "{}", self.said);
        std::mem::take(&mut self.said)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
