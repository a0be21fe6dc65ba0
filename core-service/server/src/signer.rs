use std::{fmt, path::Path};

use alloy_primitives::Address;
use k256::ecdsa::{SigningKey, signature::rand_core::OsRng};
use kms_asc_api::{Digest, EvmAddress, PublicKey, Signature, signing};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{Strongbox, VaultError, vault::Kind};

/// The secp256k1 key that signs this party's answers and receipts. Wiped from memory when dropped.
pub struct Signer {
    key: SigningKey,
}

/// Why a signer was not made or read. No variant carries any part of the secret.
#[derive(Debug, Error)]
pub enum SignerError {
    /// The file cannot be read, written or decrypted.
    #[error(transparent)]
    File(#[from] VaultError),
    /// There is no file.
    #[error("there is no signer in {file}")]
    Missing {
        /// The file.
        file: String,
    },
    /// The file holds something else.
    #[error("{file} does not hold a signer: expected a secp256k1 secret key, encrypted like the vault")]
    NotASigner {
        /// The file.
        file: String,
    },
    /// The file was written before signers were encrypted.
    #[error("signer {file} is not encrypted, as an old version wrote it: run `kms-core vault encrypt`, once")]
    Unencrypted {
        /// The file.
        file: String,
    },
}

impl SignerError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Missing { .. } => "no_signer",
            Self::NotASigner { .. } => "not_a_signer",
            Self::Unencrypted { .. } => "signer_unencrypted",
        }
    }
}

impl Signer {
    /// Makes a new one from the operating system's randomness.
    pub fn generate() -> Self {
        Self { key: SigningKey::random(&mut OsRng) }
    }

    /// Reads a signer's file, which is encrypted under the vault's key and closed to others (mode 0600).
    ///
    /// # Errors
    /// If the file is missing, open to others, of another vault, or holds something else.
    pub fn read(path: &Path, strongbox: &Strongbox) -> Result<Self, SignerError> {
        let file = || path.display().to_string();
        let bytes = match strongbox.get_file(path, Kind::Signer) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(SignerError::Missing { file: file() }),
            Err(_) if Self::read_unencrypted(path).is_ok() => {
                return Err(SignerError::Unencrypted { file: file() });
            }
            Err(error) => return Err(error.into()),
        };
        Self::from_bytes(&bytes).ok_or_else(|| SignerError::NotASigner { file: file() })
    }

    /// Reads the file of a signer that is not encrypted, as old versions wrote it: 64 hexadecimal digits.
    pub(crate) fn read_unencrypted(path: &Path) -> Result<Self, SignerError> {
        let not_a_signer = || SignerError::NotASigner { file: path.display().to_string() };
        let text = kms_config::read_secret(path).map_err(|_| not_a_signer())?;
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.as_bytes(), bytes.as_mut_slice()).map_err(|_| not_a_signer())?;
        Self::from_bytes(bytes.as_slice()).ok_or_else(not_a_signer)
    }

    /// Writes its file, mode 0600, encrypted under the vault's key.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path, strongbox: &Strongbox) -> Result<(), SignerError> {
        Ok(strongbox.put_file(path, Kind::Signer, self.to_bytes().as_slice())?)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        SigningKey::from_slice(bytes).ok().map(|key| Self { key })
    }

    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(<[u8; 32]>::from(self.key.to_bytes()))
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

    /// The key itself, for signatures within what is encrypted to users.
    pub(crate) const fn key(&self) -> &SigningKey {
        &self.key
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
    use crate::vault::test_strongbox;

    #[test]
    fn a_signer_written_is_the_signer_read_and_its_file_is_its_owners_alone_and_hides_it() {
        let (folder, strongbox) = test_strongbox();
        let path = folder.path().join("signer");
        let signer = Signer::generate();
        signer.write(&path, &strongbox).unwrap();
        assert_eq!(Signer::read(&path, &strongbox).unwrap().public_key(), signer.public_key());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (bytes, secret) = (std::fs::read(&path).unwrap(), signer.to_bytes());
        assert!(!bytes.windows(8).any(|window| window == &secret[..8]));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Signer::read(&path, &strongbox).unwrap_err().code(), "vault_exposed");
    }

    #[test]
    fn the_address_of_a_well_known_key_is_the_well_known_one() {
        let mut one = [0; 32];
        one[31] = 1;
        let signer = Signer::from_bytes(&one).unwrap();
        assert_eq!(signer.address().to_hex(), "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf");
        assert_eq!(
            signer.public_key().to_hex(),
            "0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        );
    }

    #[test]
    fn a_file_that_holds_something_else_is_named_and_not_shown() {
        let (folder, strongbox) = test_strongbox();
        let path = folder.path().join("signer");
        let refused = || Signer::read(&path, &strongbox).unwrap_err();
        assert_eq!(refused().code(), "no_signer");
        for text in ["", "0", &"0".repeat(64), &"f".repeat(64), "secret words"] {
            kms_config::write_secret(&path, text.as_bytes()).unwrap();
            let error = refused();
            assert_eq!(error.code(), "vault_damaged");
            assert!(error.to_string().contains("signer") && !error.to_string().contains("secret words"));
        }
        kms_config::write_secret(&path, format!("{:064x}", 1).as_bytes()).unwrap();
        let error = refused();
        assert_eq!(error.code(), "signer_unencrypted");
        assert!(error.to_string().contains("kms-core vault encrypt"), "{error}");
        strongbox.put_file(&path, Kind::Signer, &[0; 32]).unwrap();
        assert_eq!(refused().code(), "not_a_signer");
    }

    #[test]
    fn a_signer_shows_nothing_of_its_secret() {
        let signer = Signer::generate();
        assert!(!format!("{signer:?}").contains(&hex::encode(signer.to_bytes().as_slice())));
    }
}
