use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{Stream, stream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
};
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::reload::{Reloading, TlsError};
use crate::Transport;

/// Time for a caller to show his certificate.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Callers that may be at it at the same time; others wait.
const HANDSHAKES: usize = 64;

/// Makes connections of what reaches the port.
#[derive(Clone)]
pub(crate) enum Acceptor {
    /// From callers that show a certificate.
    Tls(Arc<Reloading>),
    /// From anybody.
    Plaintext,
}

impl Acceptor {
    /// Reads the certificates, if there are to be any.
    pub(crate) fn open(transport: &Transport) -> Result<Self, TlsError> {
        Ok(match transport {
            Transport::Tls(files) => Self::Tls(Arc::new(Reloading::open(files)?)),
            Transport::Plaintext => Self::Plaintext,
        })
    }

    async fn accept(self, stream: TcpStream) -> io::Result<Connection> {
        stream.set_nodelay(true)?;
        let info = stream.connect_info();
        let io: Box<dyn Io> = match self {
            Self::Plaintext => Box::new(stream),
            Self::Tls(reloading) => {
                let handshake = TlsAcceptor::from(reloading.now()).accept(stream);
                Box::new(tokio::time::timeout(HANDSHAKE_WITHIN, handshake).await??)
            }
        };
        Ok(Connection { io, info })
    }
}

/// The connections that callers make, until the stream is dropped. Who is refused, or slow, keeps nobody else waiting.
pub(crate) fn incoming(
    listener: TcpListener,
    acceptor: Acceptor,
) -> impl Stream<Item = io::Result<Connection>> + Unpin {
    let (ready, accepted) = mpsc::channel(HANDSHAKES);
    tokio::spawn(accept_all(listener, acceptor, ready));
    Box::pin(stream::unfold(accepted, async |mut accepted| {
        let connection = accepted.recv().await?;
        Some((Ok(connection), accepted))
    }))
}

async fn accept_all(listener: TcpListener, acceptor: Acceptor, ready: mpsc::Sender<Connection>) {
    let room = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let next = async { (room.clone().acquire_owned().await, listener.accept().await) };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            () = ready.closed() => return,
        };
        let (stream, caller) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                // Out of descriptors, most likely: trying at once would fail at once.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        tokio::spawn(async move {
            let _permit = permit;
            match acceptor.accept(stream).await {
                Ok(connection) => drop(ready.send(connection).await),
                Err(error) => tracing::info!(%caller, %error, "a caller was refused"),
            }
        });
    }
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A caller's connection.
pub(crate) struct Connection {
    io: Box<dyn Io>,
    info: TcpConnectInfo,
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.info.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
