//! Who reaches the core.

use std::fs;

use kms_core::BoundServer;
use kms_core_proto::v1::{InfoRequest, kms_client::KmsClient};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::place::{Place, text};

/// A connection with the connector's certificate in a folder of the place, to a core whose authority is there, too.
pub async fn client(place: &Place, folder: &str, address: &str) -> Result<Channel, tonic::transport::Error> {
    let read = |name: &str| fs::read(place.path(folder).join(name)).unwrap();
    let identity = Identity::from_pem(read("connector.pem"), read("connector.key"));
    connect(address, tls(place, folder).identity(identity)).await
}

fn tls(place: &Place, folder: &str) -> ClientTlsConfig {
    let authority = fs::read(place.path(folder).join("ca.pem")).unwrap();
    ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority)).domain_name("localhost")
}

async fn connect(address: &str, tls: ClientTlsConfig) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(format!("https://{address}"))?.tls_config(tls)?.connect().await
}

/// Whether a call goes through.
async fn calls(channel: Result<Channel, tonic::transport::Error>) -> bool {
    match channel {
        // With TLS 1.3 a caller learns that he was refused when he first reads.
        Ok(channel) => KmsClient::new(channel).info(InfoRequest {}).await.is_ok(),
        Err(_) => false,
    }
}

/// A core in this process, stopped with the test.
async fn start(place: &Place) -> (String, CancellationToken) {
    place.done(&["init"]);
    let server = BoundServer::bind(place.settings()).await.unwrap();
    let (address, stop) = (server.local_addr().to_string(), CancellationToken::new());
    tokio::spawn(server.run(stop.clone()));
    (address, stop)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_callers_with_a_certificate_of_the_right_authority_are_served() {
    let place = Place::new();
    place.certificates("foreign");
    let (address, stop) = start(&place).await;
    assert!(calls(client(&place, "certs", &address).await).await);

    assert!(!calls(connect(&address, tls(&place, "certs")).await).await, "without a certificate");
    let read = |name: &str| fs::read(place.path("foreign").join(name)).unwrap();
    let foreign = Identity::from_pem(read("connector.pem"), read("connector.key"));
    assert!(
        !calls(connect(&address, tls(&place, "certs").identity(foreign)).await).await,
        "of another authority"
    );
    assert!(!calls(client(&place, "foreign", &address).await).await, "who expects another core");
    let plain = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await;
    assert!(!calls(plain).await, "in plain text");

    assert!(calls(client(&place, "certs", &address).await).await, "refusing others harmed nobody");
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cores_certificate_is_not_one_of_a_caller() {
    let place = Place::new();
    let (address, stop) = start(&place).await;
    let read = |name: &str| fs::read(place.path("certs").join(name)).unwrap();
    let identity = Identity::from_pem(read("core.pem"), read("core.key"));
    assert!(!calls(connect(&address, tls(&place, "certs").identity(identity)).await).await);
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn new_certificates_are_used_without_a_restart_and_open_connections_go_on() {
    let place = Place::new();
    let (address, stop) = start(&place).await;
    let before = client(&place, "certs", &address).await.unwrap();

    // Renewed under the same authority: old and new callers are served.
    let certs = place.path("certs");
    let renew = ["certs", "--out", certs.to_str().unwrap(), "--renew"];
    let forgotten = place.command(&renew).output().unwrap();
    assert!(text(&forgotten.stderr).contains("--name"), "a core would lose its names: {forgotten:?}");
    place.done(&[&renew[..], &["--name", "localhost"]].concat());
    assert!(calls(client(&place, "certs", &address).await).await);

    // Another authority altogether.
    fs::rename(place.path("certs"), place.path("old")).unwrap();
    place.certificates("certs");
    assert!(calls(client(&place, "certs", &address).await).await, "of the new authority");
    assert!(!calls(client(&place, "old", &address).await).await, "of the old authority");
    assert!(calls(Ok(before)).await, "who was connected already");
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_says_nothing_keeps_nobody_waiting() {
    let place = Place::new();
    let (address, stop) = start(&place).await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    assert!(calls(client(&place, "certs", &address).await).await);
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_text_is_spoken_on_loopback_when_asked_for() {
    let place = Place::with(|template| {
        let (before, rest) = template.split_once("[tls]").unwrap();
        let (_, after) = rest.split_once("[vault]").unwrap();
        format!("{before}[tls]\nplaintext = true\n[vault]{after}")
    });
    let (address, stop) = start(&place).await;
    let plain = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await;
    assert!(calls(plain).await);
    stop.cancel();
}

#[tokio::test]
async fn certificates_that_are_missing_stop_the_start_and_are_named() {
    let place = Place::new();
    place.done(&["init"]);
    fs::remove_file(place.path("certs/core.key")).unwrap();
    let said = place.refused(&["serve"]);
    assert!(said.contains("core.key") && said.contains("kms-core certs"), "{said}");
}
