//! TLS between connector and core: both sides show a certificate, and files that change are used without a restart.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use kms_connector::{
    config::{TlsFiles, Transport},
    core::{Core, CoreError},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};
use url::Url;

use crate::{fake_core::FakeCore, working::settings};

/// An authority that signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for a name, and its key.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// The connector's files.
struct Files {
    folder: TempDir,
}

impl Files {
    fn of(core_authority: &Authority, (certificate, key): &(String, String)) -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(files.path("ca.pem"), &core_authority.pem).unwrap();
        files.show(certificate, key);
        files
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn show(&self, certificate: &str, key: &str) {
        fs::write(self.path("connector.pem"), certificate).unwrap();
        kms_config::write_secret(self.path("connector.key"), key.as_bytes()).unwrap();
    }

    /// A client of the core on this port.
    fn core(&self, port: u16, server_name: &str) -> Result<Core, CoreError> {
        let mut settings = settings("127.0.0.1:1".parse().unwrap());
        settings.network.core_url = Url::parse(&format!("https://127.0.0.1:{port}")).unwrap();
        settings.transport = Transport::Tls(TlsFiles {
            ca: self.path("ca.pem"),
            certificate: self.path("connector.pem"),
            key: self.path("connector.key"),
            server_name: server_name.to_owned(),
        });
        Core::new(&settings)
    }
}

/// A core whose callers must be of this authority; its port.
fn serve(core: &FakeCore, authority: &Authority, callers: &Authority) -> u16 {
    let (certificate, key) = authority.sign("localhost");
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(certificate, key))
        .client_ca_root(Certificate::from_pem(&callers.pem));
    core.serve_tls(tls).port()
}

#[tokio::test]
async fn the_core_sees_the_connectors_certificate_and_answers() {
    let (core, authority) = (FakeCore::new(), Authority::new());
    let files = Files::of(&authority, &authority.sign("connector"));
    let client = files.core(serve(&core, &authority, &authority), "localhost").unwrap();
    assert_eq!(client.trusted_height().await, Ok(0));
    assert_eq!(core.state().callers.len(), 1);
}

#[tokio::test]
async fn a_connector_with_a_certificate_of_somebody_else_is_not_answered() {
    let (core, authority) = (FakeCore::new(), Authority::new());
    let files = Files::of(&authority, &Authority::new().sign("connector"));
    let client = files.core(serve(&core, &authority, &authority), "localhost").unwrap();
    assert!(client.trusted_height().await.unwrap_err().is_retryable());
    assert!(core.state().callers.is_empty());
}

#[tokio::test]
async fn a_core_of_another_authority_or_name_is_not_asked() {
    let (core, authority) = (FakeCore::new(), Authority::new());
    let port = serve(&core, &authority, &authority);
    let stranger = Files::of(&Authority::new(), &authority.sign("connector"));
    let files = Files::of(&authority, &authority.sign("connector"));
    for client in [stranger.core(port, "localhost"), files.core(port, "core-2")] {
        assert!(client.unwrap().trusted_height().await.is_err());
    }
    assert!(core.state().callers.is_empty());
}

#[tokio::test]
async fn a_certificate_that_was_renewed_is_shown_without_a_restart() {
    let (core, authority) = (FakeCore::new(), Authority::new());
    let files = Files::of(&authority, &authority.sign("connector"));
    let client = files.core(serve(&core, &authority, &authority), "localhost").unwrap();
    client.trusted_height().await.unwrap();
    // Half of a renewal: the key does not fit, and the old pair stays in use.
    let (certificate, key) = authority.sign("connector");
    fs::write(files.path("connector.pem"), &certificate).unwrap();
    client.trusted_height().await.unwrap();
    files.show(&certificate, &key);
    let distinct = |core: &FakeCore| {
        let mut callers = core.state().callers.clone();
        callers.dedup();
        callers.len()
    };
    while distinct(&core) < 2 {
        client.trusted_height().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(distinct(&core), 2);
}

#[tokio::test]
async fn a_key_that_others_may_read_is_refused() {
    let authority = Authority::new();
    let files = Files::of(&authority, &authority.sign("connector"));
    let key: &Path = &files.path("connector.key");
    fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
    let error = files.core(1, "localhost").unwrap_err();
    assert_eq!(error.code(), "core_certificates");
    assert!(error.to_string().contains("0644"), "{error}");
}
