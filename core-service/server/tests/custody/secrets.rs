//! No secret is where somebody may find it: looked for with the real program.

use std::{fs, os::unix::fs::PermissionsExt};

use kms_core_proto::v1::{InfoRequest, kms_client::KmsClient};

use crate::{
    place::{KEY_FILE, Place, Process, contains, files_below, text},
    tls::client,
};

const SIGNER: &str = "3f8a1c5e7b9d2046a8ce135790bdf2468ace13579bdf02468ace13579bdf0246";

/// Parts of a secret that cannot be anywhere by chance, in the forms in which secrets get printed. A key of tfhe has a bit in
/// each eight bytes, so its parts are longer.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let size = if secret.len() > 1024 { 256 } else { 16 };
    let many = |part: &&[u8]| part.iter().filter(|byte| **byte != 0).count() >= 8;
    let parts = secret.chunks_exact(size).filter(many).take(40);
    parts
        .flat_map(|part| {
            let listed = part.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
            [part.to_vec(), hex::encode(part).into_bytes(), listed.into_bytes()]
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_in_no_file_no_log_and_nothing_that_the_system_tells_of_the_process() {
    let place = Place::new();
    let key = place.put_old_key();
    kms_config::write_secret(place.path("core-data/signer"), SIGNER.as_bytes()).unwrap();
    let said = place.refused(&["serve"]);
    assert!(said.contains("kms-core vault encrypt"), "{said}");
    let said = place.done(&["vault", "encrypt"]);
    assert!(said.contains(KEY_FILE) && said.contains("signer"), "{said}");
    let passphrase = fs::read_to_string(place.path("passphrase")).unwrap();

    let mut secrets = forms(key.as_bytes());
    assert!(secrets.len() > 60, "too little of the key to look for");
    secrets.extend(forms(&hex::decode(SIGNER).unwrap()));
    secrets.push(passphrase.trim().as_bytes().to_vec());

    let mut command = place.command(&[]);
    command.env("RUST_LOG", "trace");
    let process = Process::start(command);
    let channel = client(&place, "certs", &process.address).await.unwrap();
    KmsClient::new(channel).info(InfoRequest {}).await.unwrap();

    let limits = text(&process.about("limits").unwrap());
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(line.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{line}");
    let mut looked = Vec::new();
    for name in ["cmdline", "limits", "status", "environ", "maps"] {
        // The last two are closed to all but root.
        looked.extend(process.about(name).map(|bytes| (name.to_owned(), bytes)));
    }
    assert!(looked.len() >= 3);
    let log = process.stop();
    assert!(log.contains("TRACE"), "the log was not at its most talkative");
    looked.push(("the log".to_owned(), log.into_bytes()));

    for file in files_below(&place.path("core-data")) {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7007, 0, "{}", file.display());
        looked.push((file.display().to_string(), fs::read(file).unwrap()));
    }
    // What is published may be read by all, and is looked through all the same.
    for file in files_below(&place.path("store")) {
        looked.push((file.display().to_string(), fs::read(file).unwrap()));
    }
    for (name, bytes) in &looked {
        for secret in &secrets {
            assert!(!contains(bytes, secret), "{name} contains {}", text(secret));
        }
    }
}

#[test]
fn a_wrong_passphrase_is_said_to_be_one() {
    let place = Place::new();
    place.done(&["init"]);
    kms_config::write_secret(place.path("passphrase"), b"another").unwrap();
    let said = place.refused(&["signer"]);
    assert!(
        said.contains("passphrase") && said.contains("is not the vault's") && !said.contains("another"),
        "{said}"
    );
}

#[test]
fn a_new_passphrase_opens_the_vault_after_rewrapping() {
    let place = Place::new();
    place.done(&["init"]);
    let signer = place.signer();
    let new = place.path("new");
    place.done(&["vault", "rewrap", "--passphrase-file", new.to_str().unwrap()]);
    assert!(place.refused(&["signer"]).contains("is not the vault's"));
    fs::rename(new, place.path("passphrase")).unwrap();
    assert_eq!(place.signer(), signer);
}
