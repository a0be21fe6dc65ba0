//! The binary itself, without a network: where results and errors go, and with which exit status.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::{fs, net::TcpListener, path::Path, process::Command};

use serde_json::Value;

struct Ran {
    exit: i32,
    stdout: String,
    stderr: String,
}

/// Runs `kms` in a folder of its own, with nothing of the tester's configuration.
fn kms(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kms"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KMS_")) {
        command.env_remove(name);
    }
    command.env_remove("XDG_CONFIG_HOME").env_remove("XDG_CACHE_HOME").env("HOME", folder);
    let output = command.args(args).envs(variables.iter().copied()).current_dir(folder).output().unwrap();
    Ran {
        exit: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A network whose node is not there.
fn network(folder: &Path) {
    // Bound and let go at once: nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        "chain_id = \"kms-test\"\nrpc_url = \"http://127.0.0.1:{port}\"\ndenom = \"ukms\"\ngas_price = \"0.025\"\n\
         contract = \"wasm1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc547at0h\"\ncore_url = \"http://127.0.0.1:1\"\n\
         store_url = \"file://{}/store\"\n[key_domain]\nname = \"KMSGeneration\"\nversion = \"1\"\nchain_id = 1\n",
        folder.display()
    );
    fs::write(folder.join("network.toml"), text).unwrap();
    fs::write(folder.join("kms.toml"), "network = \"network.toml\"\n").unwrap();
}

/// The code of the one line of JSON on stderr.
fn error_code(ran: &Ran) -> String {
    let json: Value =
        serde_json::from_str(&ran.stderr).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
    assert!(!json["error"]["message"].as_str().unwrap().is_empty());
    json["error"]["code"].as_str().unwrap().to_owned()
}

#[test]
fn help_and_version_are_results() {
    let folder = folder();
    for args in [["--help"], ["--version"], ["help"]] {
        let ran = kms(folder.path(), &args, &[]);
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{args:?}");
        assert!(ran.stdout.contains("kms"), "{args:?}");
    }
}

#[test]
fn a_mistake_on_the_command_line_is_exit_status_2_in_the_form_asked_for() {
    let folder = folder();
    let text = kms(folder.path(), &["decrypt", "nonsense"], &[]);
    assert_eq!((text.exit, text.stdout.as_str()), (2, ""));
    assert!(text.stderr.contains("kms1_"), "{}", text.stderr);
    let json = kms(folder.path(), &["decrypt", "nonsense", "--output", "json"], &[]);
    assert_eq!((json.exit, error_code(&json).as_str()), (2, "usage"));
    let json = kms(folder.path(), &["decrypt"], &[("KMS_OUTPUT", "json")]);
    assert_eq!((json.exit, error_code(&json).as_str()), (2, "usage"));
}

#[test]
fn without_configuration_it_says_how_to_get_one() {
    let folder = folder();
    let ran = kms(folder.path(), &["status"], &[]);
    assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("make up") && ran.stderr.contains(".config/kms/kms.toml"), "{}", ran.stderr);
}

#[test]
fn an_unknown_field_of_the_configuration_is_refused_and_named() {
    let folder = folder();
    network(folder.path());
    fs::write(folder.path().join("kms.toml"), "network = \"network.toml\"\nwalet = \"a.key\"\n").unwrap();
    let ran = kms(folder.path(), &["--config", "kms.toml", "status", "--output", "json"], &[]);
    assert_eq!((ran.exit, error_code(&ran).as_str()), (2, "config_invalid"));
    assert!(ran.stderr.contains("walet"), "{}", ran.stderr);
}

#[test]
fn the_environment_wins_over_the_file_and_flags_over_both() {
    let folder = folder();
    network(folder.path());
    fs::write(folder.path().join("kms.toml"), "network = \"of-the-file.toml\"\n").unwrap();
    let missing = |args: &[&str], variables: &[(&str, &str)]| {
        let ran = kms(folder.path(), args, variables);
        assert_eq!(ran.exit, 2, "{}", ran.stderr);
        ran.stderr
    };
    let config = ("KMS_CONFIG", "kms.toml");
    assert!(missing(&["status"], &[config]).contains("of-the-file.toml"));
    let variable = ("KMS_NETWORK", "of-the-environment.toml");
    assert!(missing(&["status"], &[config, variable]).contains("of-the-environment.toml"));
    let flag = ["status", "--network", "of-the-flag.toml"];
    assert!(missing(&flag, &[config, variable]).contains("of-the-flag.toml"));
}

#[test]
fn a_node_that_is_not_there_is_an_error_of_its_own() {
    let folder = folder();
    network(folder.path());
    let ran = kms(folder.path(), &["--config", "kms.toml", "request", "list", "--output", "json"], &[]);
    assert_eq!((ran.exit, error_code(&ran).as_str()), (1, "node_unreachable"));
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_value_that_does_not_fit_its_type_is_found_before_anything_is_asked() {
    let folder = folder();
    network(folder.path());
    let args = ["--config", "kms.toml", "encrypt", "--key", "1", "--type", "uint8", "--value", "1", "256"];
    let ran = kms(folder.path(), &args, &[("KMS_OUTPUT", "json")]);
    assert_eq!((ran.exit, error_code(&ran).as_str()), (2, "value_out_of_range"));
    assert!(ran.stderr.contains("255"), "{}", ran.stderr);
}

#[test]
fn a_wallet_is_made_once_and_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let ran = kms(folder.path(), &["wallet", "new", "alice.key"], &[]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("wasm1"), "{}", ran.stdout);
    let file = folder.path().join("alice.key");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(&file).unwrap();
    assert!(!ran.stdout.contains(secret.trim()) && !ran.stderr.contains(secret.trim()));

    let again = kms(folder.path(), &["wallet", "new", "alice.key", "--output", "json"], &[]);
    assert_eq!((again.exit, error_code(&again).as_str()), (2, "key_file"));
    assert_eq!(fs::read_to_string(&file).unwrap(), secret);
}

#[test]
fn a_command_that_pays_asks_for_a_wallet() {
    let folder = folder();
    network(folder.path());
    let ran = kms(folder.path(), &["--config", "kms.toml", "credit", "--output", "json"], &[]);
    assert_eq!((ran.exit, error_code(&ran).as_str()), (2, "not_configured"));
}

#[test]
fn completion_knows_every_command() {
    let folder = folder();
    for shell in ["bash", "zsh", "fish"] {
        let ran = kms(folder.path(), &["completion", shell], &[]);
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
        for command in ["keygen", "encrypt", "decrypt", "request", "withdraw", "wallet"] {
            assert!(ran.stdout.contains(command), "{shell} does not know {command}");
        }
    }
}
