//! The connection to the core: by TLS with files that may change under it, or in plain text on loopback.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use url::Url;

use super::CoreError;
use crate::config::{TlsFiles, Transport};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A connection that is made when needed, again and again. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Link {
    url: Url,
    transport: Transport,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    channel: Channel,
    stamps: Vec<Stamp>,
    looked: Instant,
}

/// What changes with a file: time, length.
type Stamp = Option<(SystemTime, u64)>;

impl Link {
    /// A link to the core at this address. Nothing is sent yet. Needs a tokio runtime.
    pub(super) fn new(url: &Url, transport: &Transport) -> Result<Self, CoreError> {
        let (stamps, looked) = (stamps(transport), Instant::now());
        let state = State { channel: connect(url, transport)?, stamps, looked };
        Ok(Self { url: url.clone(), transport: transport.clone(), state: Arc::new(Mutex::new(state)) })
    }

    /// The connection, with the files as they are now. Calls under way keep the one that they began with. While the
    /// files cannot be used, the last that could be are.
    pub(super) fn channel(&self) -> Channel {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK_EVERY {
            state.looked = Instant::now();
            let now = stamps(&self.transport);
            if now != state.stamps {
                self.renew(&mut state, now);
            }
        }
        state.channel.clone()
    }

    fn renew(&self, state: &mut State, stamps: Vec<Stamp>) {
        match connect(&self.url, &self.transport) {
            Ok(channel) => {
                tracing::info!("the files for TLS have changed: the next calls of the core use them");
                *state = State { channel, stamps, looked: state.looked };
            }
            Err(error) => {
                tracing::warn!(code = error.code(), %error, "the files for TLS have changed and cannot be used");
            }
        }
    }
}

fn stamps(transport: &Transport) -> Vec<Stamp> {
    let Transport::Tls(files) = transport else { return Vec::new() };
    [&files.ca, &files.certificate, &files.key].map(|path| stamp(path)).into()
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn connect(url: &Url, transport: &Transport) -> Result<Channel, CoreError> {
    let bad = |reason: String| CoreError::Address { url: url.to_string(), reason };
    let mut endpoint = Endpoint::from_shared(url.to_string()).map_err(|error| bad(error.to_string()))?;
    let scheme = if matches!(transport, Transport::Plaintext) { "http" } else { "https" };
    if url.scheme() != scheme {
        return Err(bad(format!("scheme {}, allowed is {scheme}", url.scheme())));
    }
    if let Transport::Tls(files) = transport {
        endpoint = endpoint.tls_config(tls(files)?).map_err(|error| unusable(files, &error))?;
    }
    let endpoint = endpoint
        .connect_timeout(Duration::from_secs(5))
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(20));
    Ok(endpoint.connect_lazy())
}

fn tls(files: &TlsFiles) -> Result<ClientTlsConfig, CoreError> {
    let key = kms_config::read_secret(&files.key).map_err(|error| unusable(files, &error))?;
    let identity = Identity::from_pem(read(files, &files.certificate)?, key.as_bytes());
    let config = ClientTlsConfig::new().domain_name(&files.server_name).identity(identity);
    Ok(config.ca_certificate(Certificate::from_pem(read(files, &files.ca)?)))
}

fn read(files: &TlsFiles, path: &Path) -> Result<Vec<u8>, CoreError> {
    fs::read(path).map_err(|error| unusable(files, &format!("{}: {error}", path.display())))
}

/// The error with all that it came from: what is wrong with a certificate is said below.
fn unusable(files: &TlsFiles, reason: &(impl std::fmt::Display + ?Sized)) -> CoreError {
    CoreError::Certificates {
        certificate: files.certificate.display().to_string(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_is_none_is_refused() {
        for (url, transport) in
            [("file:///x", Transport::Plaintext), ("https://127.0.0.1:1", Transport::Plaintext)]
        {
            let error = Link::new(&Url::parse(url).unwrap(), &transport).unwrap_err();
            assert_eq!(error.code(), "core_address", "{url}");
        }
    }

    #[tokio::test]
    async fn files_that_are_not_there_are_named() {
        let files = TlsFiles {
            ca: "/none/ca.pem".into(),
            certificate: "/none/connector.pem".into(),
            key: "/none/connector.key".into(),
            server_name: "localhost".into(),
        };
        let url = Url::parse("https://127.0.0.1:1").unwrap();
        let error = Link::new(&url, &Transport::Tls(files)).unwrap_err();
        assert_eq!(error.code(), "core_certificates");
        assert!(error.to_string().contains("/none/connector.key"), "{error}");
    }
}
