//! The program as operators run it.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use kms_asc_api::FheType;
use kms_core_proto::v1::kms_client::KmsClient;
use kms_proofs::testing::FakeChain;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::{
    bodies::{body, public_decrypt, reference},
    seed::Seed,
    stack::{CHAIN_ID, CONTRACT, PASSPHRASE, proven_call, success},
    world::{self, CODE_HASH},
};

/// A folder with configuration and network, as an operator has it.
fn folder(listen: &str) -> TempDir {
    folder_for(listen, &world::chain(CHAIN_ID))
}

/// The same, following this chain.
fn folder_for(listen: &str, chain: &FakeChain) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let template = kms_core::TEMPLATE.replace("127.0.0.1:50051\"\n", &format!("{listen}\"\n"));
    let (before, tls) = template.split_once("certificate = ").unwrap();
    let (_, after) = tls.split_once("client_ca = \"certs/ca.pem\"\n").unwrap();
    let template = format!("{before}plaintext = true\n{after}").replace("\"text\"\n", "\"json\"\n");
    let pins = world::trust(chain);
    let zeros = "0".repeat(64);
    let template = template
        .replace(&format!("1:{zeros}"), &pins.header.to_string())
        .replace(
            &format!("allowed_code = [\"{zeros}"),
            &format!("allowed_code = [\"{}", hex::encode(CODE_HASH)),
        )
        .replace(&zeros, &hex::encode(world::membership().record.as_bytes()));
    fs::write(folder.path().join("kms-core.toml"), template).unwrap();
    let store = folder.path().join("store");
    let network = format!(
        r#"
chain_id = "{CHAIN_ID}"
rpc_url = "http://127.0.0.1:26657"
denom = "ukms"
gas_price = "0.025"
contract = "{CONTRACT}"
core_url = "http://127.0.0.1:50051"
store_url = "file://{}"
key_domain = {{ name = "KMSGeneration", version = "1", chain_id = 9000 }}
"#,
        store.display()
    );
    fs::write(folder.path().join("network.toml"), network).unwrap();
    folder
}

fn kms_core(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kms-core"));
    command.arg("--config").arg(folder.join("kms-core.toml")).args(arguments).env_remove("RUST_LOG");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    kms_core(folder, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A running process, ended at the latest with the test.
struct Process {
    child: Child,
    address: String,
    log: Option<BufReader<std::process::ChildStderr>>,
    said: String,
}

impl Process {
    /// Runs until the line that says where it listens.
    fn start(folder: &Path, filter: &str) -> Self {
        let child = kms_core(folder, &[]).env("RUST_LOG", filter).stderr(Stdio::piped()).spawn().unwrap();
        let mut process = Self { child, address: String::new(), log: None, said: String::new() };
        let mut log = BufReader::new(process.child.stderr.take().unwrap());
        while process.address.is_empty() {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the core ended: {}", process.said);
            process.said.push_str(&line);
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            process.address = event["fields"]["address"].as_str().unwrap_or_default().to_owned();
        }
        process.log = Some(log);
        process
    }

    /// Asks it to stop, and returns its exit status and all of its log.
    fn stop(mut self, signal: Signal) -> (Option<i32>, String) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
        self.log.take().unwrap().read_to_string(&mut self.said).unwrap();
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.said))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn init_makes_a_signer_once_and_prints_it() {
    let folder = folder("127.0.0.1:0");
    let first = run(folder.path(), &["init"]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let second = run(folder.path(), &["init"]);
    assert_eq!(text(&first.stdout), text(&second.stdout));

    let printed = text(&first.stdout);
    let (public_key, address) = printed.trim().split_once('\n').unwrap();
    let public_key = public_key.strip_prefix("public_key: 0x").unwrap();
    assert_eq!(hex::decode(public_key).unwrap().len(), 33);
    let address = address.strip_prefix("address: 0x").unwrap();
    assert_eq!(hex::decode(address).unwrap().len(), 20);

    let json = run(folder.path(), &["signer", "--output", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["public_key"], format!("0x{public_key}"));
    assert_eq!(json["address"], format!("0x{address}"));

    let file = folder.path().join("core-data/signer");
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn init_needs_no_network_description_as_the_contract_names_the_signer() {
    let folder = folder("127.0.0.1:0");
    fs::remove_file(folder.path().join("network.toml")).unwrap();
    assert!(run(folder.path(), &["init"]).status.success());
    let serve = run(folder.path(), &[]);
    assert_eq!(serve.status.code(), Some(1));
    assert!(text(&serve.stderr).contains("network.toml"), "{}", text(&serve.stderr));
}

#[test]
fn the_template_is_printed_as_it_is_shipped() {
    let output = Command::new(env!("CARGO_BIN_EXE_kms-core")).arg("config-template").output().unwrap();
    assert_eq!(text(&output.stdout), kms_core::TEMPLATE);
    let shipped = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("kms-core.example.toml");
    assert_eq!(fs::read_to_string(shipped).unwrap(), kms_core::TEMPLATE);
}

#[test]
fn a_configuration_with_an_unknown_field_is_refused_with_the_field_named() {
    let folder = folder("127.0.0.1:0");
    let path = folder.path().join("kms-core.toml");
    let config = fs::read_to_string(&path).unwrap().replace("max_requests", "max_request");
    fs::write(&path, config).unwrap();
    let output = run(folder.path(), &["serve"]);
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(message.contains("limits.max_request") && message.contains("kms-core.toml"), "{message}");
}

#[test]
fn an_address_that_others_can_reach_is_refused() {
    let folder = folder("0.0.0.0:0");
    let output = run(folder.path(), &["serve"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("loopback"), "{}", text(&output.stderr));
}

#[test]
fn without_a_configuration_the_usage_is_wrong() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kms-core"));
    let output = command.env_remove("KMS_CORE_CONFIG").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--config"), "{}", text(&output.stderr));
}

#[test]
fn a_person_vouches_for_a_header_from_the_command_line() {
    let folder = folder("127.0.0.1:0");
    let header = format!("1200:{}", "ab".repeat(32));
    let output = run(folder.path(), &["trust", &header]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), format!("trusted: {header}\n"));
    let data = folder.path().join("core-data");
    assert_eq!(fs::read_to_string(data.join("trust-decision")).unwrap(), format!("{header}\n"));
    assert!(fs::read_to_string(data.join("trust.log")).unwrap().contains(&header));
    for wrong in ["1200", "0:ab", &header[..20]] {
        let output = run(folder.path(), &["trust", wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(text(&output.stderr).contains("HEIGHT:HASH"), "{}", text(&output.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_decrypts_logs_no_secret_and_ends_well_when_asked() {
    let seed = Seed::get().await;
    let mut chain = world::chain(CHAIN_ID);
    let folder = folder_for("127.0.0.1:0", &chain);
    assert!(run(folder.path(), &["init"]).status.success());
    let write = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    };
    for (name, bytes) in &seed.vault_files {
        write(&format!("core-data/vault/{name}"), bytes);
    }
    write("core-data/signer", &seed.signer_file);
    write("passphrase", PASSPHRASE);
    let begin = chain.light_block(chain.height());

    for (id, signal) in [(400, Signal::SIGTERM), (401, Signal::SIGINT)] {
        let process = Process::start(folder.path(), "debug,kms_core=trace");
        let mut client = KmsClient::connect(format!("http://{}", process.address)).await.unwrap();
        let bytes = seed.encrypt(FheType::Uint64, "16045690984503098046");
        let request = body(id, public_decrypt(vec![reference(&bytes, FheType::Uint64)]));
        let mut proof = world::prove(&mut chain, &request);
        proof.light_blocks.insert(0, begin.clone());
        let call = proven_call(&request, vec![bytes], proof);
        let answer = client.execute(call).await.unwrap().into_inner();
        assert_eq!(hex::encode(&success(&answer).payload[24..]), "deadbeefcafebabe");
        drop(client);

        let (status, log) = process.stop(signal);
        assert_eq!(status, Some(0), "{log}");
        assert!(log.contains(&format!("\"request_id\":{id}")), "{log}");
        let passphrase = std::str::from_utf8(PASSPHRASE).unwrap();
        for secret in ["16045690984503098046", "deadbeefcafebabe", "222, 173, 190, 239", passphrase] {
            assert!(!log.to_lowercase().contains(secret), "the log contains {secret}");
        }
    }
}
