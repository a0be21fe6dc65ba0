use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use kms_config::ConfigError;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
    version::TLS13,
};
use thiserror::Error;

use crate::{TlsFiles, error::full_text};

/// What the core shows its callers and demands of them, as the files say it now.
pub(crate) struct Reloading {
    files: TlsFiles,
    current: Mutex<Current>,
}

struct Current {
    config: Arc<ServerConfig>,
    seen: Seen,
}

/// What tells that a file was written anew: inode, length, seconds and nanoseconds. `None` is a file that is not there.
type Seen = [Option<(u64, u64, i64, i64)>; 3];

/// Why certificates cannot be used. Each names the file.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read, or a key is open to others.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A file is not what it should be, or files do not belong together.
    #[error("{}: {reason}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl TlsError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Unusable { .. } => "certificates_unusable",
        }
    }
}

impl Reloading {
    pub(super) fn open(files: &TlsFiles) -> Result<Self, TlsError> {
        let seen = look(files);
        let config = Arc::new(load(files)?);
        Ok(Self { files: files.clone(), current: Mutex::new(Current { config, seen }) })
    }

    /// The files' content. What cannot be used is logged, and what was read before stays.
    pub(super) fn now(&self) -> Arc<ServerConfig> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // Seen first: what is written while the files are read is noticed the next time.
        let seen = look(&self.files);
        if seen != current.seen {
            current.seen = seen;
            match load(&self.files) {
                Ok(config) => {
                    current.config = Arc::new(config);
                    tracing::info!("certificates were read again");
                }
                Err(error) => {
                    tracing::error!(
                        problem = full_text(&error),
                        "new certificates cannot be used: the ones before stay"
                    );
                }
            }
        }
        current.config.clone()
    }
}

fn look(files: &TlsFiles) -> Seen {
    [&files.certificate, &files.key, &files.client_ca].map(|file| {
        let metadata = fs::metadata(file).ok()?;
        Some((metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
    })
}

fn load(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let roots = Arc::new(authorities(&files.client_ca)?);
    let callers = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
        .build()
        .map_err(|error| unusable(&files.client_ca, &error))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| unusable(&files.certificate, &error))?
        .with_client_cert_verifier(callers)
        .with_single_cert(certificates(&files.certificate)?, key(&files.key)?)
        .map_err(|error| unusable(&files.certificate, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn authorities(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| unusable(file, &error))?;
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = fs::read(file).map_err(|source| ConfigError::Read { path: file.to_owned(), source })?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(TlsError::Unusable {
            file: file.to_owned(),
            reason: "there is no certificate in it".to_owned(),
        }),
        Err(error) => Err(unusable(file, &error)),
    }
}

fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = kms_config::read_secret(file)?;
    // The library's error is not shown: it may quote what it read.
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| TlsError::Unusable {
        file: file.to_owned(),
        reason: "it holds no private key".to_owned(),
    })
}

fn unusable(file: &Path, error: &dyn std::error::Error) -> TlsError {
    TlsError::Unusable { file: file.to_owned(), reason: full_text(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CertificateSet;

    fn set() -> (tempfile::TempDir, TlsFiles) {
        let folder = tempfile::tempdir().unwrap();
        CertificateSet::new(folder.path()).make(&["localhost".to_owned()], 1).unwrap();
        let file = |name| folder.path().join(name);
        let files =
            TlsFiles { certificate: file("core.pem"), key: file("core.key"), client_ca: file("ca.pem") };
        (folder, files)
    }

    #[test]
    fn what_is_broken_while_the_core_runs_leaves_what_was_there() {
        let (folder, files) = set();
        let reloading = Reloading::open(&files).unwrap();
        let first = reloading.now();
        assert!(Arc::ptr_eq(&first, &reloading.now()), "nothing changed");
        let good = fs::read(&files.certificate).unwrap();
        fs::write(&files.certificate, b"nothing").unwrap();
        assert!(Arc::ptr_eq(&first, &reloading.now()));
        kms_config::write_whole_file(&files.certificate, &good).unwrap();
        let mended = reloading.now();
        assert!(!Arc::ptr_eq(&first, &mended));
        CertificateSet::new(folder.path()).renew(&["localhost".to_owned()], 1).unwrap();
        assert!(!Arc::ptr_eq(&mended, &reloading.now()));
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_at_the_start() {
        let (_folder, files) = set();
        let refused = |files: &TlsFiles| Reloading::open(files).map(|_| ()).unwrap_err();
        let swapped = TlsFiles { key: files.certificate.clone(), ..files.clone() };
        assert!(refused(&swapped).to_string().contains("core.pem"));
        let (_other, foreign) = set();
        let mixed = TlsFiles { key: foreign.key, ..files.clone() };
        assert_eq!(refused(&mixed).code(), "certificates_unusable");
        fs::write(&files.client_ca, b"").unwrap();
        let error = refused(&files);
        assert!(error.to_string().contains("ca.pem"), "{error}");
    }
}
