//! A local set of certificates: an authority, and what core and connector show each other.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use kms_config::{ConfigError, read_secret, write_secret, write_whole_file};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use rustls::{
    pki_types::{CertificateDer, pem::PemObject},
    server::ParsedCertificate,
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{SettingsError, config::make_private_folder};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The authority's life.
const AUTHORITY_DAYS: u32 = 3650;
/// Clocks differ.
const BACKDATED: Duration = Duration::from_secs(60 * 60);

/// A folder of certificates: `ca`, `core` and `connector`, each a `.pem` and a `.key` (mode 0600).
pub struct CertificateSet {
    folder: PathBuf,
}

/// Why certificates were not made.
#[derive(Debug, Error)]
pub enum CertsError {
    /// A file cannot be read or written, or a key is open to others.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The folder cannot be made.
    #[error(transparent)]
    Folder(#[from] SettingsError),
    /// A file of the set is there already.
    #[error("{} is there already; --renew makes new certificates of core and connector by the authority there", file.display())]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// The authority's certificate and key do not belong together, or are something else.
    #[error("{} and ca.key are not a certificate and its key, as `kms-core certs` makes them", file.display())]
    NotTheAuthority {
        /// The certificate's file.
        file: PathBuf,
    },
    /// A name that no certificate can hold.
    #[error("{name:?} is neither a host name nor an address")]
    BadName {
        /// The name.
        name: String,
    },
    /// The library that makes certificates failed.
    #[error("cannot make a certificate: {0}")]
    Making(#[from] rcgen::Error),
}

impl CertsError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Folder(error) => error.code(),
            Self::Exists { .. } => "certificates_exist",
            Self::NotTheAuthority { .. } => "not_the_authority",
            Self::BadName { .. } => "bad_name",
            Self::Making(_) => "certificates_failed",
        }
    }
}

/// Who shows a certificate.
#[derive(Clone, Copy)]
enum Holder {
    Core,
    Connector,
}

impl Holder {
    const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Connector => "connector",
        }
    }

    fn purpose(self) -> ExtendedKeyUsagePurpose {
        match self {
            Self::Core => ExtendedKeyUsagePurpose::ServerAuth,
            Self::Connector => ExtendedKeyUsagePurpose::ClientAuth,
        }
    }
}

impl CertificateSet {
    /// The set in `folder`, which need not exist yet.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Makes an authority and both certificates, all new. `names` are the names and addresses under which the core is reached,
    /// `days` is how long the two certificates are valid.
    ///
    /// # Errors
    /// If a file of the set exists, or cannot be written.
    pub fn make(&self, names: &[String], days: u32) -> Result<(), CertsError> {
        make_private_folder(&self.folder)?;
        let files = ["ca", "core", "connector"].into_iter().flat_map(|name| [self.pem(name), self.key(name)]);
        if let Some(file) = files.into_iter().find(|file| file.exists()) {
            return Err(CertsError::Exists { file });
        }
        let key = KeyPair::generate()?;
        let params = authority();
        write_key(&self.key("ca"), &key)?;
        write_whole_file(self.pem("ca"), params.self_signed(&key)?.pem().as_bytes())?;
        self.issue(&Issuer::new(params, key), names, days)
    }

    /// Makes new certificates and keys of core and connector by the authority that is there.
    ///
    /// # Errors
    /// If there is no authority with its key, or a file cannot be written.
    pub fn renew(&self, names: &[String], days: u32) -> Result<(), CertsError> {
        let key = KeyPair::from_pem(&read_secret(self.key("ca"))?)?;
        let file = self.pem("ca");
        match public_key_of(&file)? == Some(key.subject_public_key_info()) {
            true => self.issue(&Issuer::new(authority(), key), names, days),
            false => Err(CertsError::NotTheAuthority { file }),
        }
    }

    fn issue(&self, issuer: &Issuer<'_, KeyPair>, names: &[String], days: u32) -> Result<(), CertsError> {
        for holder in [Holder::Core, Holder::Connector] {
            let key = KeyPair::generate()?;
            let certificate = leaf(holder, names, days)?.signed_by(&key, issuer)?;
            // In this order a core that looks in between finds a pair that does not match, and keeps the one that it has.
            write_key(&self.key(holder.name()), &key)?;
            write_whole_file(self.pem(holder.name()), certificate.pem().as_bytes())?;
        }
        Ok(())
    }

    fn pem(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pem"))
    }

    fn key(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.key"))
    }
}

/// Always the same but for its dates, so that the key alone is enough to go on issuing under it.
fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "KMS local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_dates(&mut params, AUTHORITY_DAYS);
    params
}

fn leaf(holder: Holder, names: &[String], days: u32) -> Result<CertificateParams, CertsError> {
    let mut params = match holder {
        Holder::Core => named(names)?,
        Holder::Connector => CertificateParams::default(),
    };
    params.distinguished_name.push(DnType::CommonName, format!("KMS {}", holder.name()));
    params.is_ca = IsCa::ExplicitNoCa;
    // A core's certificate also says for whom a copy of a key is sealed.
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement];
    params.extended_key_usages = vec![holder.purpose()];
    params.use_authority_key_identifier_extension = true;
    set_dates(&mut params, days);
    Ok(params)
}

fn named(names: &[String]) -> Result<CertificateParams, CertsError> {
    if let Some(name) = names.iter().find(|name| CertificateParams::new([(*name).clone()]).is_err()) {
        return Err(CertsError::BadName { name: name.clone() });
    }
    Ok(CertificateParams::new(names)?)
}

fn set_dates(params: &mut CertificateParams, days: u32) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    params.not_before = date_time_ymd(1970, 1, 1) + now.saturating_sub(BACKDATED);
    params.not_after = date_time_ymd(1970, 1, 1) + now + DAY * days;
}

fn write_key(file: &Path, key: &KeyPair) -> Result<(), ConfigError> {
    write_secret(file, Zeroizing::new(key.serialize_pem()).as_bytes())
}

/// The encoded public key in a certificate's file, if it is one.
fn public_key_of(file: &Path) -> Result<Option<Vec<u8>>, ConfigError> {
    let pem = fs::read(file).map_err(|source| ConfigError::Read { path: file.to_owned(), source })?;
    let Ok(certificate) = CertificateDer::from_pem_slice(&pem) else { return Ok(None) };
    let parsed = ParsedCertificate::try_from(&certificate).ok();
    Ok(parsed.map(|parsed| parsed.subject_public_key_info().to_vec()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names() -> Vec<String> {
        vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
    }

    #[test]
    fn a_set_is_six_files_and_its_keys_are_their_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let set = CertificateSet::new(&folder.path().join("certs"));
        set.make(&names(), 10).unwrap();
        for name in ["ca", "core", "connector"] {
            assert!(public_key_of(&set.pem(name)).unwrap().is_some());
            assert_eq!(fs::metadata(set.key(name)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path().join("certs")).unwrap().count(), 6);
    }

    #[test]
    fn a_set_is_not_overwritten_and_renewing_keeps_the_authority() {
        let folder = tempfile::tempdir().unwrap();
        let set = CertificateSet::new(folder.path());
        set.make(&names(), 10).unwrap();
        assert_eq!(set.make(&names(), 10).unwrap_err().code(), "certificates_exist");
        let read = |name| fs::read(set.pem(name)).unwrap();
        let before = (read("ca"), read("core"), read("connector"));
        set.renew(&names(), 10).unwrap();
        assert_eq!(read("ca"), before.0);
        assert!(read("core") != before.1 && read("connector") != before.2);
    }

    #[test]
    fn an_authority_without_its_key_renews_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let set = CertificateSet::new(folder.path());
        set.make(&names(), 10).unwrap();
        write_key(&set.key("ca"), &KeyPair::generate().unwrap()).unwrap();
        assert_eq!(set.renew(&names(), 10).unwrap_err().code(), "not_the_authority");
    }

    #[test]
    fn a_name_that_is_none_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let error = CertificateSet::new(folder.path()).make(&["k\u{fc}ste".to_owned()], 1).unwrap_err();
        assert!(error.to_string().contains("k\u{fc}ste"), "{error}");
        assert_eq!(error.code(), "bad_name");
    }
}
