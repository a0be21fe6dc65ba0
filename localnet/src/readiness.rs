//! Asking a program whether it can do its work: a port that is open says only that somebody listens.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longest time of one question.
const PATIENCE: Duration = Duration::from_secs(5);
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

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
