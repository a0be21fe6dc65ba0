//! Asking a program whether it can do its work: a port that is open says only that somebody listens.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tonic::transport::Channel;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

/// Longest time of one question.
const PATIENCE: Duration = Duration::from_secs(5);
/// The service that the core's health is asked for.
const CORE_SERVICE: &str = "kms.v1.Kms";
/// Most bytes of an answer that are looked at.
const MOST: u64 = 16_384;

/// What a program's page `/ready` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// Whether every condition holds.
    pub(crate) ready: bool,
    /// The conditions, as the page gives them.
    pub(crate) text: String,
}

/// Asks the page once.
pub(crate) async fn ask(address: SocketAddr) -> Result<Readiness> {
    let asked = timeout(PATIENCE, get(address)).await;
    let answer = asked.context("no answer in time")?.with_context(|| format!("cannot ask {address}"))?;
    let (head, text) = answer.split_once("\r\n\r\n").context("the answer is no HTTP")?;
    let status = head.split_whitespace().nth(1);
    Ok(Readiness { ready: status == Some("200"), text: text.trim().to_owned() })
}

async fn get(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Whether the core there says of itself that it can do its work.
pub(crate) async fn core_is_ready(core: Channel) -> bool {
    let check = HealthCheckRequest { service: CORE_SERVICE.to_owned() };
    let answer = timeout(PATIENCE, HealthClient::new(core).check(check)).await;
    answer.is_ok_and(|said| said.is_ok_and(|said| said.into_inner().status() == ServingStatus::Serving))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tonic::transport::{Server, server::TcpIncoming};

    use super::*;

    #[tokio::test]
    async fn a_core_that_listens_is_not_ready_before_it_says_so() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let core = tonic::transport::Endpoint::from_shared(url).unwrap().connect_lazy();
        let (reporter, service) = tonic_health::server::health_reporter();
        let server = Server::builder().add_service(service);
        // As a process of its own, whose open connections end with it: they outlive the task that listens.
        let process =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        process.spawn(async move {
            let incoming = TcpIncoming::from(TcpListener::from_std(listener).unwrap());
            server.serve_with_incoming(incoming).await.unwrap();
        });
        assert!(!core_is_ready(core.clone()).await, "another service listens there");
        for (status, ready) in
            [(tonic_health::ServingStatus::NotServing, false), (tonic_health::ServingStatus::Serving, true)]
        {
            reporter.set_service_status(CORE_SERVICE, status).await;
            assert_eq!(core_is_ready(core.clone()).await, ready);
        }
        tokio::task::spawn_blocking(move || drop(process)).await.unwrap();
        assert!(!core_is_ready(core).await, "nobody listens there");
    }

    /// Gives one answer on a port of its own.
    async fn page(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut question = [0; 200];
            let read = stream.read(&mut question).await.unwrap();
            assert!(question[..read].starts_with(b"GET /ready "));
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn only_the_status_ok_means_ready_and_the_conditions_are_handed_on() {
        let well = ask(page("HTTP/1.1 200 OK\r\na: b\r\n\r\n{\"ready\":true}").await).await.unwrap();
        assert_eq!(well, Readiness { ready: true, text: "{\"ready\":true}".into() });
        let ill =
            ask(page("HTTP/1.1 503 Service Unavailable\r\n\r\n{\"core\":\"gone\"}").await).await.unwrap();
        assert_eq!(ill, Readiness { ready: false, text: "{\"core\":\"gone\"}".into() });
    }

    #[tokio::test]
    async fn an_answer_that_is_no_page_and_nobody_are_errors() {
        assert!(ask(page("200").await).await.is_err());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(ask(address).await.is_err());
    }
}
