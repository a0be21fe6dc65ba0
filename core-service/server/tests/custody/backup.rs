//! Backups: what is lost comes back, and nothing is signed twice.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::place::{CONTRACT, KEY_FILE, Place, Process, contains};

/// A place with a key, a started and stopped core, and a backup at `backup` under the passphrase in `phrase`.
fn backed_up() -> (Place, Place) {
    let (old, new) = (Place::new(), Place::new());
    old.with_key();
    Process::start(old.command(&[])).stop();
    kms_config::write_secret(old.path("phrase"), b"for the shelf").unwrap();
    let said = old.done(&["backup", &file(&old), "--passphrase-file", &phrase(&old)]);
    assert!(said.contains("1 keys"), "{said}");
    (old, new)
}

fn file(place: &Place) -> String {
    place.path("backup").to_str().unwrap().to_owned()
}

fn phrase(place: &Place) -> String {
    place.path("phrase").to_str().unwrap().to_owned()
}

#[test]
fn a_backup_is_restored_to_where_there_is_nothing_and_hides_its_content() {
    let (old, new) = backed_up();
    assert_eq!(fs::metadata(old.path("backup")).unwrap().permissions().mode() & 0o777, 0o600);
    let said = new.done(&["restore", &file(&old), "--passphrase-file", &phrase(&old)]);
    assert!(said.contains("not answered"), "{said}");
    assert_eq!(new.signer(), old.signer());
    assert!(new.path("core-data/vault").join(KEY_FILE).exists());
    let answers = |place: &Place| fs::read(place.path("core-data/answers.redb")).unwrap();
    assert_eq!(answers(&new), answers(&old));
    let log = Process::start(new.command(&[])).stop();
    assert!(log.contains("\"keys\":1"), "{log}");
    // The new vault has a key of its own.
    let bytes = |place: &Place| fs::read(place.path("core-data/vault/header")).unwrap();
    assert_ne!(bytes(&new), bytes(&old));
    assert!(!contains(&fs::read(old.path("backup")).unwrap(), CONTRACT.as_bytes()));
}

#[test]
fn a_backup_is_not_written_over_anything_nor_restored_over_anything() {
    let (old, new) = backed_up();
    let again = old.refused(&["backup", &file(&old), "--passphrase-file", &phrase(&old)]);
    assert!(again.contains("is there already"), "{again}");
    let restore = ["restore", &file(&old), "--passphrase-file", &phrase(&old)];
    assert!(old.refused(&restore).contains("is there already"));
    new.done(&["init"]);
    let signer = new.signer();
    assert!(new.refused(&restore).contains("is there already"));
    assert_eq!(new.signer(), signer);
}

#[test]
fn a_damaged_backup_or_another_passphrase_restores_nothing() {
    let (old, new) = backed_up();
    kms_config::write_secret(old.path("wrong"), b"for the attic").unwrap();
    let wrong = old.path("wrong").to_str().unwrap().to_owned();
    let said = new.refused(&["restore", &file(&old), "--passphrase-file", &wrong]);
    assert!(said.contains("is not the vault's") || said.contains("passphrase"), "{said}");
    let mut bytes = fs::read(old.path("backup")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(old.path("backup"), bytes).unwrap();
    let said = new.refused(&["restore", &file(&old), "--passphrase-file", &phrase(&old)]);
    assert!(said.contains("damaged"), "{said}");
    assert!(!new.path("core-data").exists() && !new.path("passphrase").exists());
}

#[test]
fn a_running_core_is_not_backed_up() {
    let place = Place::new();
    place.with_key();
    kms_config::write_secret(place.path("phrase"), b"for the shelf").unwrap();
    let running = Process::start(place.command(&[]));
    let said = place.refused(&["backup", &file(&place), "--passphrase-file", &phrase(&place)]);
    assert!(said.contains("stop the core first"), "{said}");
    running.stop();
}
