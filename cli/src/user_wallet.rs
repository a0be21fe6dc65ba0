//! Ethereum wallets: the key that a user signs with.

use std::path::Path;

use k256::ecdsa::{SigningKey, VerifyingKey};
use kms_asc_api::{Digest, EvmAddress, Signature, signing};
use kms_config::read_secret;
use kms_core_engine::{FheType, Plaintext};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// A user's wallet. Wiped from memory when dropped.
pub struct UserWallet(SigningKey);

impl UserWallet {
    /// Reads a file that holds a secp256k1 secret as 64 hex digits, as `kms wallet new` writes it and Ethereum's tools
    /// export it (with `0x` or without). It must be its owner's alone.
    pub fn load(file: &Path) -> Result<Self> {
        let text = read_secret(file)?;
        let not_a_key = || {
            Error::Usage(format!("{} does not hold a wallet's key, which is 64 hex digits", file.display()))
        };
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        let mut secret = Zeroizing::new([0; 32]);
        hex::decode_to_slice(digits, secret.as_mut_slice()).map_err(|_| not_a_key())?;
        SigningKey::from_slice(secret.as_slice()).map(Self).map_err(|_| not_a_key())
    }

    /// The wallet's address.
    pub fn address(&self) -> EvmAddress {
        signing::address(self.0.verifying_key())
    }

    /// Signs an EIP-712 hash.
    pub fn sign(&self, hash: &Digest) -> Result<Signature> {
        signing::sign(&self.0, hash).map_err(|error| Error::Internal(error.to_string()))
    }
}

/// The Ethereum address of a compressed public key, with the checksum of EIP-55.
pub fn ethereum_address(public_key: &[u8; 33]) -> Result<String> {
    let unreadable =
        |error: &dyn std::fmt::Display| Error::Internal(format!("a wallet's public key: {error}"));
    let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|error| unreadable(&error))?;
    let address = Plaintext::parse(FheType::Address, &signing::address(&key).to_hex());
    address.map(|address| address.to_string()).map_err(|error| unreadable(&error))
}

#[cfg(test)]
pub mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    pub fn wallet(number: u8) -> UserWallet {
        UserWallet(SigningKey::from_slice(&[number; 32]).unwrap())
    }

    /// The secret key 1, known to every tool.
    const ADDRESS_OF_ONE: &str = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";

    #[test]
    fn a_wallets_file_gives_the_address_that_ethereums_tools_show() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("eth.key");
        for prefix in ["", "0x"] {
            kms_config::write_secret(&file, format!("{prefix}{:064x}\n", 1).as_bytes()).unwrap();
            let wallet = UserWallet::load(&file).unwrap();
            assert_eq!(wallet.address().to_hex(), ADDRESS_OF_ONE.to_lowercase());
            let public_key = signing::public_key(wallet.0.verifying_key());
            assert_eq!(ethereum_address(public_key.as_bytes()).unwrap(), ADDRESS_OF_ONE);
        }
    }

    #[test]
    fn a_file_that_is_no_wallet_or_open_to_others_is_refused_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("eth.key");
        for text in ["", "secret words", &"00".repeat(32), &"11".repeat(33)] {
            kms_config::write_secret(&file, text.as_bytes()).unwrap();
            let error = UserWallet::load(&file).err().unwrap();
            assert_eq!(error.exit().number(), 2);
            assert!(text.is_empty() || !error.to_string().contains(text), "{error}");
        }
        kms_config::write_secret(&file, "11".repeat(32).as_bytes()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(UserWallet::load(&file).err().unwrap().code(), "secret_exposed");
    }
}
