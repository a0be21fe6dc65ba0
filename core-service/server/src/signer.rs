use std::{fmt, path::Path};

use alloy_primitives::Address;
use k256::ecdsa::{SigningKey, signature::rand_core::OsRng};
use kms_asc_api::{Digest, EvmAddress, PublicKey, Signature, signing};
use kms_config::ConfigError;
use thiserror::Error;
use zeroize::Zeroizing;

/// The secp256k1 key that signs this party's answers and receipts. Wiped from memory when dropped.
pub struct Signer {
    key: SigningKey,
}

/// Why a signer was not made or read. No variant carries any part of the secret.
#[derive(Debug, Error)]
pub enum SignerError {
    /// The file could not be read or written, or others may read it.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The file holds something else.
    #[error("{file} does not hold a signer: expected 64 hexadecimal digits of a secp256k1 secret key")]
    NotASigner {
        /// The file.
        file: String,
    },
}

impl SignerError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::NotASigner { .. } => "not_a_signer",
        }
    }
}

impl Signer {
    /// Makes a new one from the operating system's randomness.
    pub fn generate() -> Self {
        Self { key: SigningKey::random(&mut OsRng) }
    }

    /// Reads a signer's file: 64 hexadecimal digits, closed to others (mode 0600).
    ///
    /// # Errors
    /// If the file is missing, open to others, or holds something else.
    pub fn read(path: &Path) -> Result<Self, SignerError> {
        let text = kms_config::read_secret(path)?;
        let not_a_signer = || SignerError::NotASigner { file: path.display().to_string() };
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.as_bytes(), bytes.as_mut_slice()).map_err(|_| not_a_signer())?;
        let key = SigningKey::from_slice(bytes.as_slice()).map_err(|_| not_a_signer())?;
        Ok(Self { key })
    }

    /// Writes its file, mode 0600.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), SignerError> {
        let bytes = Zeroizing::new(<[u8; 32]>::from(self.key.to_bytes()));
        let text = Zeroizing::new(hex::encode(bytes.as_slice()) + "\n");
        Ok(kms_config::write_secret(path, text.as_bytes())?)
    }

    /// The compressed public key, which the contract's record of the party names.
    pub fn public_key(&self) -> PublicKey {
        signing::public_key(self.key.verifying_key())
    }

    /// The Ethereum address of the key.
    pub fn address(&self) -> EvmAddress {
        let point = self.key.verifying_key().to_encoded_point(false);
        let uncompressed = point.as_bytes().get(1..).unwrap_or_default();
        EvmAddress::new(Address::from_raw_public_key(uncompressed).0.0)
    }

    /// The same address as people write it, with the checksum of EIP-55.
    pub fn checksum_address(&self) -> String {
        Address::from(*self.address().as_bytes()).to_checksum(None)
    }

    /// Signs a hash: RFC 6979, low-s, `v` 27 or 28. The same hash gives the same bytes.
    pub(crate) fn sign(&self, hash: &Digest) -> Result<Signature, signing::RecoverError> {
        signing::sign(&self.key, hash)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.address())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_signer_written_is_the_signer_read_and_its_file_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signer");
        let signer = Signer::generate();
        signer.write(&path).unwrap();
        assert_eq!(Signer::read(&path).unwrap().public_key(), signer.public_key());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_address_of_a_well_known_key_is_the_well_known_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signer");
        kms_config::write_secret(&path, format!("{:064x}", 1).as_bytes()).unwrap();
        let signer = Signer::read(&path).unwrap();
        assert_eq!(signer.address().to_hex(), "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf");
        assert_eq!(
            signer.public_key().to_hex(),
            "0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        );
    }

    #[test]
    fn a_file_that_holds_something_else_is_named_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signer");
        for text in ["", "0", &"0".repeat(64), &"f".repeat(64), "secret words"] {
            kms_config::write_secret(&path, text.as_bytes()).unwrap();
            let error = Signer::read(&path).unwrap_err();
            assert_eq!(error.code(), "not_a_signer");
            assert!(error.to_string().contains("signer") && !error.to_string().contains("secret words"));
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Signer::read(&path).unwrap_err().code(), "secret_exposed");
    }

    #[test]
    fn a_signer_shows_nothing_of_its_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signer");
        let signer = Signer::generate();
        signer.write(&path).unwrap();
        let secret = std::fs::read_to_string(&path).unwrap();
        assert!(!format!("{signer:?}").contains(secret.trim()));
    }
}
