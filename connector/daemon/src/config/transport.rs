//! Section `[core]`: how the core is reached.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::{Host, Url};

use super::Period;

/// The section as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CoreFile {
    ca: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    server_name: Option<String>,
    plaintext: bool,
    headers_every: Period,
}

impl Default for CoreFile {
    fn default() -> Self {
        let headers_every = Period::millis(60_000);
        Self { ca: None, certificate: None, key: None, server_name: None, plaintext: false, headers_every }
    }
}

/// How the core is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// Both sides show a certificate.
    Tls(TlsFiles),
    /// In plain text, to an address of this machine's loopback.
    Plaintext,
}

/// What this side shows, and whom it believes. PEM files, read again when they change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority of the core's certificate.
    pub ca: PathBuf,
    /// This side's certificate, with those between it and its authority.
    pub certificate: PathBuf,
    /// Its key, mode 0600.
    pub key: PathBuf,
    /// The name that the core's certificate must have.
    pub server_name: String,
}

/// What is wrong with the section: field, what is given, what is allowed.
pub(super) type Refusal = (&'static str, String, &'static str);

impl CoreFile {
    /// How often the core is shown a header.
    pub(super) const fn headers_every(&self) -> Period {
        self.headers_every
    }

    /// The way to a core at this address; paths are made relative to the configuration's file.
    pub(super) fn transport(&self, url: &Url, config_file: &Path) -> Result<Transport, Refusal> {
        let files = [("core.ca", &self.ca), ("core.certificate", &self.certificate), ("core.key", &self.key)];
        if self.plaintext {
            if let Some((field, _)) = files.iter().find(|(_, path)| path.is_some()) {
                return Err((field, "a file".into(), "none with core.plaintext"));
            }
            return plaintext(url);
        }
        if url.scheme() != "https" {
            return Err(("core_url", url.to_string(), "https, or core.plaintext = true"));
        }
        let given = |(field, path): (&'static str, &Option<PathBuf>)| match path {
            Some(path) => Ok(kms_config::relative_to(config_file, path)),
            None => Err((field, "nothing".into(), "a PEM file, or core.plaintext = true on loopback")),
        };
        let [ca, certificate, key] = files.map(given);
        let named = || url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned());
        let server_name = self.server_name.clone().or_else(named);
        let server_name = server_name.ok_or(("core.server_name", "nothing".into(), "a name"))?;
        Ok(Transport::Tls(TlsFiles { ca: ca?, certificate: certificate?, key: key?, server_name }))
    }
}

fn plaintext(url: &Url) -> Result<Transport, Refusal> {
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match (url.scheme(), loopback) {
        ("http", true) => Ok(Transport::Plaintext),
        _ => Err(("core_url", url.to_string(), "http to this machine's loopback with core.plaintext")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transport(section: &str, url: &str) -> Result<Transport, Refusal> {
        let file: CoreFile = toml::from_str(section).unwrap();
        file.transport(&url.parse().unwrap(), Path::new("/etc/kms/kms-connector.toml"))
    }

    const FILES: &str =
        "ca = \"tls/ca.pem\"\ncertificate = \"tls/connector.pem\"\nkey = \"/run/connector.key\"\n";

    #[test]
    fn with_files_both_sides_show_a_certificate() {
        let Ok(Transport::Tls(files)) = transport(FILES, "https://127.0.0.1:50051") else { panic!("no TLS") };
        assert_eq!(files.ca, Path::new("/etc/kms/tls/ca.pem"));
        assert_eq!(files.key, Path::new("/run/connector.key"));
        assert_eq!(files.server_name, "127.0.0.1");
        let named = format!("{FILES}server_name = \"core-1\"\n");
        let Ok(Transport::Tls(files)) = transport(&named, "https://10.0.0.1:1") else { panic!("no TLS") };
        assert_eq!(files.server_name, "core-1");
    }

    #[test]
    fn plain_text_is_for_loopback_and_only_when_asked_for() {
        for url in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"] {
            assert_eq!(transport("plaintext = true", url), Ok(Transport::Plaintext));
            assert_eq!(transport("", url).unwrap_err().0, "core_url");
        }
        for url in ["http://10.0.0.1:1", "http://core.example:1", "https://127.0.0.1:1"] {
            assert_eq!(transport("plaintext = true", url).unwrap_err().0, "core_url");
        }
    }

    #[test]
    fn half_a_set_of_files_is_refused_and_what_is_missing_named() {
        let refused = |section: &str| transport(section, "https://127.0.0.1:1").unwrap_err().0;
        assert_eq!(refused(""), "core.ca");
        assert_eq!(refused("ca = \"a\"\ncertificate = \"b\""), "core.key");
        assert_eq!(refused(&format!("{FILES}plaintext = true")), "core.ca");
    }
}
