//! The P-256 keys in certificates and their key files, as HPKE takes them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use hpke::{Deserializable, Kem, kem::DhP256HkdfSha256};
use kms_config::ConfigError;
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::ParsedCertificate,
};
use thiserror::Error;

pub(super) type Curve = DhP256HkdfSha256;
pub(super) type PublicKey = <Curve as Kem>::PublicKey;
pub(super) type PrivateKey = <Curve as Kem>::PrivateKey;

/// What comes before the 65 bytes of an uncompressed P-256 point in `SubjectPublicKeyInfo` (RFC 5480).
const PUBLIC_KEY_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// What comes before the 32 bytes of the secret in PKCS#8 with the public key in it (RFC 5208, RFC 5915).
const PRIVATE_KEY_HEAD: [u8; 36] = [
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01,
    0x04, 0x20,
];

/// Why a certificate or key cannot be used for copies.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// The file cannot be read, or a key is open to others.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// It holds something else.
    #[error("{} holds no {expected}, as `kms-core certs` makes it", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What was looked for.
        expected: &'static str,
    },
}

/// The public key of the first certificate in a file, and its 65 bytes.
pub(super) fn public_key(file: &Path) -> Result<(PublicKey, Vec<u8>), CertificateError> {
    let pem = fs::read(file).map_err(|source| ConfigError::Read { path: file.to_owned(), source })?;
    let parse = || {
        let certificate = CertificateDer::from_pem_slice(&pem).ok()?;
        let parsed = ParsedCertificate::try_from(&certificate).ok()?;
        let info = parsed.subject_public_key_info();
        let point = info.strip_prefix(&PUBLIC_KEY_HEAD)?;
        Some((PublicKey::from_bytes(point).ok()?, point.to_vec()))
    };
    parse().ok_or_else(|| CertificateError::Unusable {
        file: file.to_owned(),
        expected: "certificate with a P-256 key",
    })
}

/// The secret key in a file.
pub(super) fn private_key(file: &Path) -> Result<PrivateKey, CertificateError> {
    let pem = kms_config::read_secret(file)?;
    let parse = || {
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()?;
        let rest = key.secret_der().strip_prefix(&PRIVATE_KEY_HEAD)?;
        PrivateKey::from_bytes(rest.get(..32)?).ok()
    };
    parse().ok_or_else(|| CertificateError::Unusable {
        file: file.to_owned(),
        expected: "P-256 key in PKCS#8 form",
    })
}

#[cfg(test)]
mod tests {
    use hpke::Serializable;

    use super::*;
    use crate::CertificateSet;

    #[test]
    fn the_keys_of_a_set_belong_together() {
        let folder = tempfile::tempdir().unwrap();
        CertificateSet::new(folder.path()).make(&["localhost".to_owned()], 1).unwrap();
        let file = |name: &str| folder.path().join(name);
        let (public, point) = public_key(&file("core.pem")).unwrap();
        let derived = Curve::sk_to_pk(&private_key(&file("core.key")).unwrap());
        assert_eq!(derived.to_bytes(), public.to_bytes());
        assert_eq!(derived.to_bytes().as_slice(), point);
        let error = private_key(&file("core.pem")).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        let error = public_key(&file("core.key")).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("core.key"), "{error}");
    }
}
