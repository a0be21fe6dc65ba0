use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::OnceLock};

use kms_asc_api::{Digest, EpochId, KeyDomain};
use kms_core_engine::{CentralizedEngine, ParameterSet};
use tempfile::TempDir;
use url::Url;

use super::{shelf::Shelf, *};
use crate::{Cost, Keeper, VaultSettings, custody::wrapper_of};

/// A vault's place with a passphrase beside it, cheap to open.
pub(crate) fn settings_in(folder: &Path) -> VaultSettings {
    let file = folder.join("passphrase");
    if !file.exists() {
        kms_config::write_secret(&file, b"correct horse").unwrap();
    }
    let url = Url::from_directory_path(folder.join("vault")).unwrap();
    VaultSettings {
        url,
        keeper: Keeper::Passphrase { file, cost: Cost { memory_kib: 64, passes: 1, lanes: 1 } },
    }
}

/// An empty vault in a folder of its own.
pub(crate) fn strongbox() -> (TempDir, Strongbox) {
    let folder = tempfile::tempdir().unwrap();
    let strongbox = Strongbox::open(&settings_in(folder.path())).unwrap();
    (folder, strongbox)
}

fn identity() -> Identity {
    Identity {
        chain_id: "kms-1".into(),
        contract: "wasm1asc".into(),
        memberships: Vec::new(),
        key_domain: KeyDomain { name: "KMSGeneration".into(), version: "1".into(), chain_id: 9000 },
    }
}

pub(crate) fn record(key_id: u64) -> Record {
    let parts = vec![Part { key_type: 0, digest: Digest::new([2; 32]), size: 5 }];
    Record::new(&identity(), EpochId(1), key_id, Digest::new([1; 32]), ParameterSet::Test, parts)
}

/// What stands for the secret parts of a key where nobody uses it.
pub(crate) const SECRET: &[u8] = b"the secret parts of a key";

/// A key of small dimensions.
fn secret() -> &'static SecretKey {
    static KEY: OnceLock<SecretKey> = OnceLock::new();
    KEY.get_or_init(|| kms_core_engine::generate(ParameterSet::Test, 7).unwrap().secret)
}

fn open(folder: &Path) -> Result<Vault<CentralizedEngine>, VaultError> {
    Vault::open(Strongbox::open(&settings_in(folder))?, &identity(), CentralizedEngine)
}

/// The secret of a key as the vault keeps it.
fn kept(folder: &Path, key_id: u64) -> Vec<u8> {
    let strongbox = Strongbox::open(&settings_in(folder)).unwrap();
    strongbox.get::<Record>(&key_file(key_id), Kind::Key).unwrap().unwrap().1.to_vec()
}

fn refused(folder: &Path) -> VaultError {
    match open(folder) {
        Ok(_) => panic!("the vault opened"),
        Err(error) => error,
    }
}

/// A vault that holds key 7, closed again.
fn with_key() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap().add(record(7), secret()).unwrap();
    folder
}

#[test]
fn a_key_is_there_when_the_vault_is_opened_again_and_nowhere_in_clear() {
    let folder = with_key();
    let vault = open(folder.path()).unwrap();
    assert_eq!(vault.get(7).unwrap().record, record(7));
    assert_eq!(kept(folder.path(), 7), secret().as_bytes());
    let hidden: std::collections::HashSet<_> = secret().as_bytes().windows(12).collect();
    for entry in fs::read_dir(folder.path().join("vault")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(12).any(|part| hidden.contains(part)), "{path:?}");
    }
}

#[test]
fn what_randomness_is_derived_from_stays_the_same_and_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).unwrap();
    let second = open(folder.path()).unwrap();
    assert_eq!(first.randomness_secret().as_bytes(), second.randomness_secret().as_bytes());
    let other = tempfile::tempdir().unwrap();
    assert_ne!(
        first.randomness_secret().as_bytes(),
        open(other.path()).unwrap().randomness_secret().as_bytes()
    );
    assert_eq!(format!("{:?}", first.randomness_secret()), "RandomnessSecret(..)");
}

#[test]
fn another_passphrase_is_an_error_of_its_own() {
    let folder = with_key();
    kms_config::write_secret(folder.path().join("passphrase"), b"wrong horse").unwrap();
    assert_eq!(refused(folder.path()).code(), "wrong_passphrase");
}

#[test]
fn a_damaged_file_stops_the_start_and_is_named() {
    let folder = with_key();
    for name in ["header", "randomness", "00000000000000000007.key"] {
        let path = folder.path().join("vault").join(name);
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;
        for damaged in [&changed[..], &whole[..whole.len() - 1], &[], b"something else"] {
            fs::write(&path, damaged).unwrap();
            let error = refused(folder.path());
            assert_eq!(error.code(), "vault_damaged");
            assert!(error.to_string().contains(name), "{error}");
        }
        fs::write(&path, whole).unwrap();
    }
    assert!(open(folder.path()).is_ok());
}

#[test]
fn a_lost_header_is_not_made_anew_beside_files_that_it_would_not_open() {
    let folder = with_key();
    fs::remove_file(folder.path().join("vault/header")).unwrap();
    let error = refused(folder.path());
    assert_eq!(error.code(), "vault_damaged");
    assert!(error.to_string().contains("header"), "{error}");
}

#[test]
fn a_file_of_another_vault_or_under_another_name_is_refused() {
    let (folder, other) = (with_key(), with_key());
    let file = |folder: &TempDir, name: &str| folder.path().join("vault").join(name);
    let (seven, eight) = ("00000000000000000007.key", "00000000000000000008.key");
    let own = fs::read(file(&folder, seven)).unwrap();
    kms_config::write_secret(file(&folder, eight), &own).unwrap();
    let error = refused(folder.path());
    assert!(error.code() == "vault_damaged" && error.to_string().contains(eight), "{error}");
    fs::remove_file(file(&folder, eight)).unwrap();
    fs::copy(file(&other, seven), file(&folder, seven)).unwrap();
    assert!(refused(folder.path()).to_string().contains("another vault"));
}

#[test]
fn a_key_is_not_overwritten_and_goes_when_it_is_removed() {
    let folder = with_key();
    let vault = open(folder.path()).unwrap();
    assert_eq!(vault.add(record(7), secret()).map(|_| ()).unwrap_err().code(), "vault_file_exists");
    assert!(vault.remove(7).unwrap() && !vault.remove(7).unwrap());
    assert!(open(folder.path()).unwrap().is_empty());
}

/// A folder that keeps as many zeros as it is given bytes, of keys alone.
struct Zeroing(Box<dyn Shelf>);

impl Shelf for Zeroing {
    fn place(&self, name: &str) -> String {
        self.0.place(name)
    }

    fn list(&self) -> Result<Vec<String>, VaultError> {
        self.0.list()
    }

    fn sweep(&self) -> Result<(), VaultError> {
        self.0.sweep()
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        self.0.read(name)
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        let zeros = vec![0; bytes.len()];
        self.0.create(name, if is_key(name) { &zeros } else { bytes })
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        self.0.replace(name, bytes)
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.0.remove(name)
    }
}

#[test]
fn a_key_that_the_disk_does_not_keep_as_it_is_written_is_never_held() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings_in(folder.path());
    let shelf = Box::new(Zeroing(shelf::shelf_at(&settings.url).unwrap()));
    let strongbox = Strongbox::on(shelf, &*wrapper_of(&settings.keeper)).unwrap();
    let vault = Vault::open(strongbox, &identity(), CentralizedEngine).unwrap();
    let error = vault.add(record(7), secret()).map(drop).unwrap_err();
    assert!(error.code() == "vault_damaged" && error.to_string().contains(".key"), "{error}");
    assert!(vault.is_empty());
}

#[test]
fn an_unencrypted_vault_is_refused_with_what_to_do_and_encrypted_by_that() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault/00000000000000000007.key");
    crate::config::make_private_folder(path.parent().unwrap()).unwrap();
    kms_config::write_secret(&path, &legacy::encode(&record(7), secret())).unwrap();
    let error = refused(folder.path());
    assert_eq!(error.code(), "vault_unencrypted");
    assert!(error.to_string().contains("kms-core vault encrypt"), "{error}");
    assert_eq!(encrypt(&settings_in(folder.path())).unwrap(), ["00000000000000000007.key"]);
    assert_eq!(kept(folder.path(), 7), secret().as_bytes());
    assert!(open(folder.path()).unwrap().get(7).is_some());
    assert!(encrypt(&settings_in(folder.path())).unwrap().is_empty(), "there is nothing left to encrypt");
}

#[test]
fn staged_material_is_for_one_request_of_one_owner() {
    let folder = tempfile::tempdir().unwrap();
    let strongbox = Strongbox::open(&settings_in(folder.path())).unwrap();
    let key = StagedKey { params: "default".into(), parts: record(7).parts };
    let staged = Staged::Key { key: key.clone(), secret: secret().clone() };
    strongbox.stage("wasm1owner", 12, &staged).unwrap();
    assert_eq!(strongbox.stage("wasm1other", 12, &staged).unwrap_err().code(), "vault_file_exists");

    let vault = open(folder.path()).unwrap();
    assert!(vault.staged("wasm1other", 12).unwrap().is_none());
    assert!(vault.staged("wasm1owner", 13).unwrap().is_none());
    let Some(Staged::Key { key: found, secret }) = vault.staged("wasm1owner", 12).unwrap() else {
        panic!("no key")
    };
    assert_eq!((found, secret.as_bytes()), (key, self::secret().as_bytes()));
    vault.unstage(12).unwrap();
    assert!(vault.staged("wasm1owner", 12).unwrap().is_none());
}
