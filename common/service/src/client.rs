//! One connected client.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, Stdin, Stdout};
use tokio::net::{TcpStream, UnixStream};

/// The connection to a client.
#[derive(Debug)]
pub enum Stream {
    /// A local client.
    Unix(UnixStream),
    /// A client from the network.
    Tcp(TcpStream),
    /// The client is whoever started this process (`-S`).
    Stdio(Stdin, Stdout),
}

impl Stream {
    /// The local connection; `None` for the other kinds.
    pub fn into_unix(self) -> Option<UnixStream> {
        match self {
            Stream::Unix(stream) => Some(stream),
            _ => None,
        }
    }

    /// The network connection, to ask for addresses; `None` for the other kinds.
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Stream::Tcp(stream) => Some(stream),
            _ => None,
        }
    }
}

/// A client as it is handed to the service.
#[derive(Debug)]
pub struct Client {
    /// The connection.
    pub stream: Stream,
    /// What the process that accepted the connection says of it, for `pass` services.
    pub passed: Option<Vec<(Vec<u8>, Vec<u8>)>>,
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Stdio(input, _) => Pin::new(input).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Stdio(_, output) => Pin::new(output).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Stdio(_, output) => Pin::new(output).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Stdio(_, output) => Pin::new(output).poll_shutdown(cx),
        }
    }
}
