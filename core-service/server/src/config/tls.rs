use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use kms_config::relative_to;
use serde::Deserialize;

use super::SettingsError;

/// Section `[tls]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TlsConfig {
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    client_ca: Option<PathBuf>,
    plaintext: bool,
}

/// How callers reach the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Both sides show a certificate.
    Tls(TlsFiles),
    /// Whoever reaches the port may call; on loopback addresses only.
    Plaintext,
}

/// What the core shows, and by which authority its callers' certificates must be. PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The core's certificate, with those between it and its authority.
    pub certificate: PathBuf,
    /// Its key, mode 0600.
    pub key: PathBuf,
    /// The authorities of callers.
    pub client_ca: PathBuf,
}

impl TlsConfig {
    /// Makes paths relative to the configuration's file.
    pub(super) fn anchor(&mut self, config_file: &Path) {
        for path in [&mut self.certificate, &mut self.key, &mut self.client_ca].into_iter().flatten() {
            *path = relative_to(config_file, path);
        }
    }

    /// The files, if plain text is not asked for.
    pub(super) fn transport(&self, listen: SocketAddr) -> Result<Transport, SettingsError> {
        match (&self.certificate, &self.key, &self.client_ca, self.plaintext) {
            (Some(certificate), Some(key), Some(client_ca), false) => Ok(Transport::Tls(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                client_ca: client_ca.clone(),
            })),
            (None, None, None, true) if listen.ip().is_loopback() => Ok(Transport::Plaintext),
            (None, None, None, true) => Err(SettingsError::PlaintextReachable { address: listen }),
            (.., true) => Err(SettingsError::PlaintextWithCertificates),
            (.., false) => Err(SettingsError::NoCertificates),
        }
    }
}
