//! A vault whose key is wrapped by a key in a PKCS#11 token: SoftHSM, which `scripts/setup.sh --with-token` installs.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use crate::place::{Place, text};

fn module() -> Option<PathBuf> {
    let folders = ["/usr/lib/softhsm", "/usr/lib/x86_64-linux-gnu/softhsm", "/usr/lib64/softhsm"];
    folders.iter().map(|folder| PathBuf::from(folder).join("libsofthsm2.so")).find(|file| file.exists())
}

/// What is not there, if anything.
pub fn missing() -> Option<&'static str> {
    module().is_none().then_some("SoftHSM is missing: run scripts/setup.sh --with-token")
}

/// A core's folder with a token of its own.
struct WithToken(Place);

impl WithToken {
    fn new() -> Self {
        let module = module().unwrap();
        let pkcs11 = format!(
            "pkcs11 = {{ module = {module:?}, token = \"kms test\", pin_file = \"pin\", key = \"kms-vault\" }}"
        );
        let place = Place::with(|template| template.replace("passphrase_file = \"passphrase\"", &pkcs11));
        fs::create_dir(place.path("tokens")).unwrap();
        let conf = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\n",
            place.path("tokens").display()
        );
        fs::write(place.path("softhsm2.conf"), conf).unwrap();
        kms_config::write_secret(place.path("pin"), b"1234").unwrap();
        let token = Self(place);
        let mut command = Command::new("softhsm2-util");
        command.args(["--init-token", "--free", "--label", "kms test", "--so-pin", "5678", "--pin", "1234"]);
        let made = command.env("SOFTHSM2_CONF", token.0.path("softhsm2.conf")).output().unwrap();
        assert!(made.status.success(), "{}", text(&made.stderr));
        token
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.0.command(arguments).env("SOFTHSM2_CONF", self.0.path("softhsm2.conf")).output().unwrap()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        text(&output.stderr)
    }
}

pub fn a_token_opens_the_vault_that_it_closed() {
    let token = WithToken::new();
    assert!(token.refused(&["signer"]).contains("has no key kms-vault"), "before init");
    let made = token.run(&["init"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(text(&made.stderr).contains("made key kms-vault in token kms test"), "{}", text(&made.stderr));
    let again = token.run(&["init"]);
    assert_eq!(text(&again.stdout), text(&made.stdout));
    assert_eq!(text(&again.stderr), "");
    assert_eq!(text(&token.run(&["signer"]).stdout), text(&made.stdout));
    let header = text(&fs::read(token.0.path("core-data/vault/header")).unwrap());
    assert!(header.contains("\"pkcs11\""), "{header}");
}

pub fn another_tokens_key_or_pin_does_not_open_the_vault() {
    let (token, other) = (WithToken::new(), WithToken::new());
    for place in [&token, &other] {
        assert!(place.run(&["init"]).status.success());
    }
    kms_config::write_secret(token.0.path("pin"), b"4321").unwrap();
    let said = token.refused(&["signer"]);
    assert!(said.contains("log in to the token") && !said.contains("4321"), "{said}");
    kms_config::write_secret(token.0.path("pin"), b"1234").unwrap();
    fs::rename(token.0.path("tokens"), token.0.path("before")).unwrap();
    fs::rename(other.0.path("tokens"), token.0.path("tokens")).unwrap();
    let said = token.refused(&["signer"]);
    assert!(said.contains("not the one that wrapped the vault's key"), "{said}");
}

pub fn a_passphrase_does_not_open_what_a_token_closed() {
    let token = WithToken::new();
    assert!(token.run(&["init"]).status.success());
    let config = fs::read_to_string(token.0.path("kms-core.toml")).unwrap();
    let changed = config.lines().map(|line| match line.starts_with("pkcs11 = ") {
        true => "passphrase_file = \"pin\"",
        false => line,
    });
    fs::write(token.0.path("kms-core.toml"), changed.collect::<Vec<_>>().join("\n")).unwrap();
    assert!(token.refused(&["signer"]).contains("wrapped by pkcs11"));
}
