//! A vault and public material in a bucket, behind a real S3-compatible server: versitygw, which `scripts/build-s3.sh` builds.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use crate::place::{Place, Process, contains, files_below, text};

const ACCESS_KEY: &str = "kms-test-access";
const SECRET_KEY: &str = "kms-test-secret-key-0123456789";

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.tools/versitygw")
}

/// What is not there, if anything.
pub fn missing() -> Option<&'static str> {
    (!program().exists()).then_some("the S3 server is missing: run scripts/build-s3.sh")
}

/// A server of its own, ended with the test, with the bucket `vaults`.
struct Server {
    child: Child,
    port: u16,
    place: Place,
}

impl Server {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("url = \"s3://vaults/core-1?endpoint=http://127.0.0.1:{port}&region=us-east-1\"");
        let place = Place::with(|template| template.replace("[vault]\n", &format!("[vault]\n{url}\n")));
        let credentials =
            format!("[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n");
        kms_config::write_secret(place.path("credentials"), credentials.as_bytes()).unwrap();
        fs::create_dir_all(place.path("s3/vaults")).unwrap();
        fs::create_dir_all(place.path("attributes")).unwrap();
        let log = fs::File::create(place.path("s3.log")).unwrap();
        let child = Command::new(program())
            .args(["--port", &format!("127.0.0.1:{port}"), "--region", "us-east-1", "posix", "--sidecar"])
            .args([place.path("attributes"), place.path("s3")])
            .envs([("ROOT_ACCESS_KEY", ACCESS_KEY), ("ROOT_SECRET_KEY", SECRET_KEY)])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { child, port, place };
        server.wait();
        server
    }

    /// Until it listens.
    fn wait(&mut self) {
        let end = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || text(&fs::read(self.place.path("s3.log")).unwrap());
            assert!(self.child.try_wait().unwrap().is_none() && Instant::now() < end, "{}", log());
            std::thread::yield_now();
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        command.env("AWS_SHARED_CREDENTIALS_FILE", self.place.path("credentials"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub fn a_vault_in_a_bucket_is_made_once_and_opened_again() {
    let server = Server::start();
    let made = server.run(&["init"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let objects = || files_below(&server.place.path("s3/vaults/core-1"));
    assert_eq!(objects().len(), 1, "the header");
    assert!(!server.place.path("core-data/vault").exists());
    assert_eq!(text(&server.run(&["signer"]).stdout), text(&made.stdout));

    let log = Process::start(server.command(&[])).stop();
    assert!(log.contains("\"keys\":0"), "{log}");
    assert_eq!(objects().len(), 2, "what randomness is derived from was made at the first start");
    Process::start(server.command(&[])).stop();
    assert_eq!(objects().len(), 2);
    assert!(!contains(log.as_bytes(), SECRET_KEY.as_bytes()));
}

pub fn what_is_staged_in_a_bucket_is_not_overwritten() {
    let server = Server::start();
    assert!(server.run(&["init"]).status.success());
    fs::write(server.place.path("crs"), b"a reference string").unwrap();
    let crs = server.place.path("crs").to_str().unwrap().to_owned();
    let stage = ["stage-crs", &crs, "--max-bits", "64", "--owner", "wasm1owner", "--request", "13"];
    assert!(server.run(&stage).status.success());
    let again = server.run(&stage);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("is there already"), "{}", text(&again.stderr));
}

pub fn without_the_right_credentials_the_vault_is_not_reached_and_no_secret_is_shown() {
    let server = Server::start();
    assert!(server.run(&["init"]).status.success());
    let wrong =
        format!("[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = wrong-secret\n");
    kms_config::write_secret(server.place.path("credentials"), wrong.as_bytes()).unwrap();
    let output = server.run(&["signer"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("s3://vaults/core-1/header") && !said.contains("wrong-secret"), "{said}");
    let exposed = server.place.path("credentials");
    fs::set_permissions(exposed, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert!(text(&server.run(&["signer"]).stderr).contains("chmod 600"));
}

pub fn public_material_in_a_bucket_is_read_as_it_was_written() {
    let server = Server::start();
    let url = format!("s3://vaults/public?endpoint=http://127.0.0.1:{}&region=us-east-1", server.port);
    let network = fs::read_to_string(server.place.path("network.toml")).unwrap();
    let network = network.lines().map(|line| match line.starts_with("store_url") {
        true => format!("store_url = \"{url}\""),
        false => line.to_owned(),
    });
    fs::write(server.place.path("network.toml"), network.collect::<Vec<_>>().join("\n")).unwrap();
    assert!(server.run(&["init"]).status.success());
    // It writes to the store before it says that it is ready.
    let log = Process::start(server.command(&[])).stop();
    let conditions = |message: &str| {
        let events = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let events = events.filter(|event| event["fields"]["message"] == message);
        events.map(|event| event["fields"]["condition"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(conditions("a condition holds").contains(&"store".to_owned()), "{log}");
    // It was asked to stop; nothing else was wrong.
    assert_eq!(conditions("a condition does not hold"), ["running"], "{log}");
    assert_eq!(files_below(&server.place.path("s3/vaults/public")).len(), 1);
}
