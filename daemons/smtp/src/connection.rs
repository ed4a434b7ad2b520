//! A connection to a server: bytes out, reply lines in, each step within a time limit.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::dialogue::{Collector, Reply};

/// The longest reply line that is read; a server that sends more is not one.
const LINE_LIMIT: usize = 8192;

/// A network or local connection.
#[derive(Debug)]
pub enum Link {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A connection with its buffers.
#[derive(Debug)]
pub struct Connection {
    link: Link,
    input: Vec<u8>,
    taken: usize,
    output: Vec<u8>,
    collector: Collector,
}

/// What went wrong with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// It was closed or failed.
    Lost,
    /// The server took too long.
    TimedOut,
}

impl From<io::Error> for Broken {
    fn from(_err: io::Error) -> Self {
        Broken::Lost
    }
}

impl Connection {
    pub fn new(link: Link) -> Self {
        Self {
            link,
            input: Vec::new(),
            taken: 0,
            output: Vec::new(),
            collector: Collector::default(),
        }
    }

    /// Adds a command line to what is sent next.
    pub fn command(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }

    /// What is sent next.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Sends all that was added.
    ///
    /// # Errors
    /// The server does not read in time, or has gone.
    pub async fn flush(&mut self, limit: Duration) -> Result<(), Broken> {
        let output = std::mem::take(&mut self.output);
        let sent = timeout(limit, async {
            match &mut self.link {
                Link::Tcp(stream) => stream.write_all(&output).await,
                Link::Unix(stream) => stream.write_all(&output).await,
            }
        })
        .await;
        self.output = output;
        self.output.clear();
        match sent {
            Ok(done) => Ok(done?),
            Err(_) => Err(Broken::TimedOut),
        }
    }

    /// The next reply, within the limit.
    ///
    /// # Errors
    /// The server does not answer in time, or has gone, or sends endless lines.
    pub async fn reply(&mut self, limit: Duration) -> Result<Reply, Broken> {
        timeout(limit, self.read_reply())
            .await
            .unwrap_or(Err(Broken::TimedOut))
    }

    async fn read_reply(&mut self) -> Result<Reply, Broken> {
        loop {
            while let Some(line) = self.line()? {
                if let Some(reply) = self.collector.line(&line) {
                    return Ok(reply);
                }
            }
            if self.taken == self.input.len() {
                self.input.clear();
                self.taken = 0;
            }
            self.input.reserve(1024);
            let count = match &mut self.link {
                Link::Tcp(stream) => stream.read_buf(&mut self.input).await?,
                Link::Unix(stream) => stream.read_buf(&mut self.input).await?,
            };
            if count == 0 {
                return Err(Broken::Lost);
            }
        }
    }

    /// The next line in the buffer, if it is all there.
    fn line(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        let rest = self.input.get(self.taken..).unwrap_or_default();
        match memchr::memchr(b'\n', rest) {
            Some(end) => {
                let line = rest.get(..end).unwrap_or_default();
                let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
                self.taken += end + 1;
                Ok(Some(line))
            }
            None if rest.len() > LINE_LIMIT => Err(Broken::Lost),
            None => Ok(None),
        }
    }

    /// Whether the server said something unasked, or has gone: then the connection is of no more use.
    pub fn is_stale(&self) -> bool {
        let mut byte = [0];
        let read = match &self.link {
            Link::Tcp(stream) => stream.try_read(&mut byte),
            Link::Unix(stream) => stream.try_read(&mut byte),
        };
        !matches!(read, Err(err) if err.kind() == io::ErrorKind::WouldBlock)
    }
}
