//! The shipped file and what is refused.

use kms_config::NETWORK_TEMPLATE;

use super::*;

fn read(config: &str, network: &str) -> Result<Settings, SettingsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kms-core.toml");
    fs::write(&path, config).unwrap();
    fs::write(folder.path().join("network.toml"), network).unwrap();
    Config::read(&path)?.settings()
}

fn refused(config: &str) -> String {
    read(config, NETWORK_TEMPLATE).unwrap_err().to_string()
}

#[test]
fn the_template_is_a_configuration_with_the_defaults() {
    let settings = read(TEMPLATE, NETWORK_TEMPLATE).unwrap();
    assert_eq!(settings.identity.contract, "wasm1contract");
    assert_eq!(settings.identity.key_domain.chain_id, 9000);
    assert!(settings.data_dir.is_absolute() && settings.data_dir.ends_with("core-data"));

    let (required, _) = TEMPLATE.split_once("[limits]").unwrap();
    let (required, optional) = required.split_once("# May be left out").unwrap();
    let (_, epochs) = optional.split_once("\n[[epochs]]\n").unwrap();
    let required = format!("{required}\n[[epochs]]\n{epochs}");
    let defaults = read(&required, NETWORK_TEMPLATE).unwrap();
    let (shown, assumed) = (settings.trust, defaults.trust);
    assert_eq!(shown.trusting_period, assumed.trusting_period);
    assert_eq!(shown.clock_drift, assumed.clock_drift);
    assert_eq!(shown.max_header_age, assumed.max_header_age);
    assert_eq!(shown.end_margin, assumed.end_margin);
    assert_eq!(settings.admin, defaults.admin);
    let (shown, defaults) = (settings.limits, defaults.limits);
    assert_eq!(Limits { parallel_work: defaults.parallel_work, ..shown }, defaults);
    let log = toml_log(TEMPLATE);
    assert_eq!((log.filter, log.format), (LogConfig::default().filter, LogConfig::default().format));
}

fn toml_log(text: &str) -> LogConfig {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kms-core.toml");
    fs::write(&path, text).unwrap();
    Config::read(&path).unwrap().log
}

#[test]
fn the_template_shows_every_field() {
    // An unknown field makes the parser list the known ones.
    let sections = ["admin", "limits", "log", "tls", "trust", "vault", "epochs"];
    for (section, name) in [
        ("", "unknown = 1\n"),
        ("limits", "[limits]\nunknown = 1\n"),
        ("admin", "[admin]\nunknown = 1\n"),
        ("log", "[log]\nunknown = 1\n"),
        ("tls", "[tls]\nunknown = 1\n"),
        ("vault", "[vault]\nunknown = 1\n"),
        ("trust", "[trust]\nunknown = 1\n"),
        ("epochs", "[[epochs]]\nunknown = 1\n"),
    ] {
        let message = refused(name);
        let (_, known) = message.split_once("expected one of ").or(message.split_once("expected ")).unwrap();
        for field in known.split('`').skip(1).step_by(2).filter(|field| !sections.contains(field)) {
            let shown = ["\n", "\n# "].iter().any(|before| TEMPLATE.contains(&format!("{before}{field} = ")));
            assert!(shown, "{section}.{field} is not in the template");
        }
    }
}

#[test]
fn an_unknown_field_is_refused_by_name() {
    let message = refused(&TEMPLATE.replace("stop_seconds", "stop_minutes"));
    assert!(message.contains("limits.stop_minutes") && message.contains("kms-core.toml"), "{message}");
}

fn with_tls(section: &str, listen: &str) -> Result<Settings, SettingsError> {
    let (before, rest) = TEMPLATE.split_once("[tls]").unwrap();
    let (_, after) = rest.split_once("[vault]").unwrap();
    let before = before.replace("127.0.0.1:50051", listen);
    read(&format!("{before}[tls]\n{section}\n[vault]{after}"), NETWORK_TEMPLATE)
}

#[test]
fn plain_text_is_for_loopback_and_only_when_asked_for() {
    let plain = with_tls("plaintext = true", "127.0.0.1:50051").unwrap();
    assert_eq!(plain.transport, Transport::Plaintext);
    for address in ["0.0.0.0:50051", "192.168.1.1:50051", "[::]:50051"] {
        let error = with_tls("plaintext = true", address).unwrap_err();
        assert!(error.code() == "plaintext_reachable" && error.to_string().contains("loopback"), "{error}");
    }
    for section in ["", "certificate = \"a.pem\"", "certificate = \"a.pem\"\nkey = \"a.key\""] {
        assert_eq!(with_tls(section, "127.0.0.1:50051").unwrap_err().code(), "no_certificates", "{section}");
    }
    let both = with_tls("certificate = \"a.pem\"\nplaintext = true", "127.0.0.1:50051");
    assert_eq!(both.unwrap_err().code(), "plaintext_with_certificates");
}

#[test]
fn with_certificates_the_core_may_listen_anywhere() {
    let settings = read(&TEMPLATE.replace("127.0.0.1:50051", "0.0.0.0:50051"), NETWORK_TEMPLATE).unwrap();
    let Transport::Tls(files) = settings.transport else { panic!("plain text") };
    assert!(files.key.is_absolute() && files.key.ends_with("certs/core.key"));
    let message = refused(&TEMPLATE.replace("127.0.0.1:50051\"\n", "localhost\"\n"));
    assert!(message.contains("field listen"), "{message}");
}

#[test]
fn a_vault_has_one_way_to_be_opened() {
    let pkcs11 = "pkcs11 = { module = \"m.so\", token = \"t\", pin_file = \"pin\", key = \"k\" }";
    let line = "passphrase_file = \"passphrase\"";
    for changed in [String::new(), format!("{line}\n{pkcs11}")] {
        let error = read(&TEMPLATE.replace(line, &changed), NETWORK_TEMPLATE).unwrap_err();
        assert_eq!(error.code(), "no_keeper");
    }
    let settings = read(&TEMPLATE.replace(line, pkcs11), NETWORK_TEMPLATE).unwrap();
    let Keeper::Pkcs11(pkcs11) = settings.vault.keeper else { panic!("a passphrase") };
    assert!(pkcs11.pin_file.is_absolute());
    assert!(settings.vault.url.path().ends_with("/core-data/vault/"), "{}", settings.vault.url);
}

#[test]
fn a_party_or_epoch_that_cannot_be_is_refused() {
    for (from, to, field) in [
        ("party = 1", "party = 0", "epochs[0].party"),
        ("party = 1", "party = 32", "epochs[0].party"),
        ("id = 1", "id = 0", "epochs[0].id"),
    ] {
        let message = refused(&TEMPLATE.replace(from, to));
        assert!(message.contains(&format!("field {field}")), "{message}");
    }
}

#[test]
fn epochs_are_named_once_each_and_at_least_one() {
    let (_, epoch) = TEMPLATE.split_once("\n[[epochs]]\n").unwrap();
    let (epoch, _) = epoch.split_once("\n\n").unwrap();
    let message = refused(&TEMPLATE.replace("[limits]", &format!("[[epochs]]\n{epoch}\n[limits]")));
    assert!(message.contains("epoch 1 is named twice"), "{message}");
    let without = TEMPLATE.replace(&format!("[[epochs]]\n{epoch}"), "");
    let message = refused(&without.replacen("network =", "epochs = []\nnetwork =", 1));
    assert!(message.contains("at least one"), "{message}");
}

#[test]
fn an_anchor_is_a_height_and_a_hash() {
    let hash = "ab".repeat(32);
    let anchor: Anchor = format!("7:{hash}").parse().unwrap();
    assert_eq!((anchor.height, anchor.to_string()), (7, format!("7:{hash}")));
    for wrong in [format!("0:{hash}"), format!("7:{}", &hash[2..]), hash.clone(), format!("x:{hash}")] {
        assert!(wrong.parse::<Anchor>().unwrap_err().contains("HEIGHT:HASH"), "{wrong}");
    }
}

#[test]
fn a_network_without_its_contract_is_refused_with_what_to_do() {
    let error = read(TEMPLATE, &NETWORK_TEMPLATE.replace("contract = \"wasm1contract\"\n", "")).unwrap_err();
    assert_eq!(error.code(), "no_contract");
    assert!(error.to_string().contains("network.toml") && error.to_string().contains("deploy"), "{error}");
}
