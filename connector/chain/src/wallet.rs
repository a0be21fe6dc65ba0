//! A secp256k1 key and the account address that belongs to it.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use cosmrs::{AccountId, crypto::PublicKey};
use k256::{
    ecdsa::{Signature, SigningKey, signature::Signer},
    elliptic_curve::rand_core::OsRng,
};
use zeroize::Zeroizing;

use crate::{Error, Result};

/// Hex digits of a secret, and what a text editor may add.
const MAX_FILE_BYTES: u64 = 128;

/// A secret key with its address. Its memory is wiped when dropped; `Debug` shows the address only.
pub struct Wallet {
    key: SigningKey,
    address: String,
}

impl Wallet {
    /// A fresh random key; `prefix` is the chain's address prefix, for instance `wasm`.
    pub fn generate(prefix: &str) -> Result<Self> {
        Self::new(SigningKey::random(&mut OsRng), prefix)
    }

    /// From a 32-byte secret.
    pub fn from_secret(secret: &[u8; 32], prefix: &str) -> Result<Self> {
        let key = SigningKey::from_slice(secret)
            .map_err(|_| Error::InvalidKey { reason: "zero, or not below the group's order".into() })?;
        Self::new(key, prefix)
    }

    /// Reads a file that holds the secret as 64 hex digits (white space around is allowed).
    ///
    /// The file must belong to its owner alone: mode 0600 or 0400, else [`Error::KeyFileMode`].
    pub fn load(path: &Path, prefix: &str) -> Result<Self> {
        let bad = |reason: String| Error::KeyFile { path: path.display().to_string(), reason };
        let file = fs::File::open(path).map_err(|e| bad(e.to_string()))?;
        let metadata = file.metadata().map_err(|e| bad(e.to_string()))?;
        if !metadata.is_file() {
            return Err(bad("not a regular file".into()));
        }
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o7177 != 0 {
            return Err(Error::KeyFileMode { path: path.display().to_string(), mode });
        }
        let mut text = Zeroizing::new(String::with_capacity(256));
        file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(|e| bad(e.to_string()))?;
        let mut secret = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), secret.as_mut_slice())
            .map_err(|_| bad("does not hold exactly 64 hex digits".into()))?;
        Self::from_secret(&secret, prefix).map_err(|e| bad(e.to_string()))
    }

    /// Writes the secret to a new file of mode 0600. An existing file is never overwritten.
    pub fn save_new(&self, path: &Path) -> Result<()> {
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            let secret = Zeroizing::new(<[u8; 32]>::from(self.key.to_bytes()));
            let mut text = Zeroizing::new(hex::encode(secret.as_slice()));
            text.push('\n');
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|e| Error::KeyFile { path: path.display().to_string(), reason: e.to_string() })
    }

    /// Account address, bech32.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Compressed public key, 33 bytes.
    pub fn public_key(&self) -> [u8; 33] {
        let mut bytes = [0; 33];
        bytes.copy_from_slice(self.key.verifying_key().to_encoded_point(true).as_bytes());
        bytes
    }

    /// ECDSA over SHA-256 of `message`, deterministic, low-s, `r || s`.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature: Signature = self.key.sign(message);
        signature.to_bytes().into()
    }

    fn new(key: SigningKey, prefix: &str) -> Result<Self> {
        let account = PublicKey::from(*key.verifying_key()).account_id(prefix);
        let address = account.map_err(|e| Error::InvalidAddress {
            address: prefix.to_owned(),
            reason: format!("unusable as an address prefix: {e}"),
        })?;
        Ok(Self { key, address: address.to_string() })
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wallet").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Whether a text is the bech32 address of an account or a contract, of whatever chain.
///
/// # Errors
/// [`Error::InvalidAddress`] with what is wrong with it.
pub fn check_address(address: &str) -> Result<()> {
    address_bytes(address).map(drop)
}

/// The bytes of a bech32 address: 20 of an account, 32 of a contract.
pub(crate) fn address_bytes(address: &str) -> Result<Vec<u8>> {
    let parsed: AccountId = address
        .parse()
        .map_err(|e| Error::InvalidAddress { address: address.to_owned(), reason: format!("{e}") })?;
    Ok(parsed.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret key 1, whose public key is the curve's generator.
    fn one() -> [u8; 32] {
        let mut secret = [0; 32];
        secret[31] = 1;
        secret
    }

    fn write(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_address_is_the_one_that_cosmos_tools_derive() {
        let wallet = Wallet::from_secret(&one(), "cosmos").unwrap();
        // hash160 of the generator, as known from Bitcoin: 751e76e8199196d454941c45d1b3a323f1433bd6
        assert_eq!(
            hex::encode(address_bytes(wallet.address()).unwrap()),
            "751e76e8199196d454941c45d1b3a323f1433bd6"
        );
        assert!(wallet.address().starts_with("cosmos1"));
    }

    #[test]
    fn a_saved_key_loads_again_and_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        let wallet = Wallet::generate("wasm").unwrap();
        wallet.save_new(&path).unwrap();
        assert_eq!(Wallet::load(&path, "wasm").unwrap().address(), wallet.address());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Wallet::generate("wasm").unwrap().save_new(&path).unwrap_err().code(), "key_file");
        assert_eq!(Wallet::load(&path, "wasm").unwrap().address(), wallet.address());
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        for mode in [0o644, 0o640, 0o601, 0o700] {
            write(&path, &hex::encode(one()), mode);
            let error = Wallet::load(&path, "wasm").unwrap_err();
            assert_eq!(error, Error::KeyFileMode { path: path.display().to_string(), mode });
        }
    }

    #[test]
    fn a_key_file_without_a_key_is_refused_and_not_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        let long = format!("{}00", hex::encode(one()));
        let zero = "00".repeat(32);
        for text in ["", "secret words", &long, &zero] {
            write(&path, text, 0o600);
            let error = Wallet::load(&path, "wasm").unwrap_err();
            assert_eq!(error.code(), "key_file");
            assert!(text.is_empty() || !error.to_string().contains(text), "{error}");
        }
        assert_eq!(Wallet::load(dir.path(), "wasm").unwrap_err().code(), "key_file");
        assert_eq!(Wallet::load(&dir.path().join("none"), "wasm").unwrap_err().code(), "key_file");
    }

    #[test]
    fn debug_shows_the_address_and_no_secret() {
        let text = format!("{:?}", Wallet::from_secret(&one(), "wasm").unwrap());
        assert!(text.contains("wasm1") && !text.contains("0001"), "{text}");
    }
}
