//! A connection: command lines out, reply lines in, all of an exchange within one time limit.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use pf_log::warning;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout, timeout_at};

/// The longest path of a local socket.
const LONGEST_PATH: usize = 107;

/// What went wrong with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It was closed, or failed.
    #[error("lost connection")]
    Lost,
    /// The server took too long.
    #[error("timeout")]
    TimedOut,
}

#[derive(Debug)]
enum Link {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A connection with its buffer.
#[derive(Debug)]
pub struct Connection {
    link: Link,
    input: Vec<u8>,
    end: Instant,
    /// Nothing more is read: the server does not know when to stop.
    deaf: bool,
}

impl Connection {
    /// Connects to an address.
    ///
    /// # Errors
    /// Why not, in words.
    pub async fn to_address(address: IpAddr, port: u16, limit: Duration) -> Result<Self, String> {
        let connecting = TcpStream::connect(SocketAddr::new(address, port));
        connected(connecting, limit)
            .await
            .map(Link::Tcp)
            .map(Self::new)
    }

    /// Connects to a local socket.
    ///
    /// # Errors
    /// Why not, in words.
    pub async fn to_socket(path: &Path, limit: Duration) -> Result<Self, String> {
        connected(UnixStream::connect(path), limit)
            .await
            .map(Link::Unix)
            .map(Self::new)
    }

    /// Whether a local socket can have such a path.
    pub fn is_possible(path: &Path) -> bool {
        path.as_os_str().len() <= LONGEST_PATH
    }

    fn new(link: Link) -> Self {
        Self {
            link,
            input: Vec::new(),
            end: Instant::now(),
            deaf: false,
        }
    }

    /// All that is said from now on has to be said within this time.
    pub fn limit(&mut self, limit: Duration) {
        self.end = Instant::now() + limit;
    }

    /// Sends a line.
    ///
    /// # Errors
    /// The server does not read in time, or has gone.
    pub async fn send(&mut self, line: &str) -> Result<(), Broken> {
        let line = format!("{line}\r\n");
        let sent = match &mut self.link {
            Link::Tcp(stream) => timeout_at(self.end, stream.write_all(line.as_bytes())).await,
            Link::Unix(stream) => timeout_at(self.end, stream.write_all(line.as_bytes())).await,
        };
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Broken::Lost),
            Err(_) => Err(Broken::TimedOut),
        }
    }

    /// The next line, without its end; of a longer one than `most` bytes what comes first. A line that is longer than twice that is the
    /// last one that is read.
    ///
    /// # Errors
    /// There is none in time, or before the end.
    pub async fn line(&mut self, most: usize) -> Result<Vec<u8>, Broken> {
        let mut searched = 0;
        loop {
            let fresh = self.input.get(searched..).unwrap_or_default();
            let end = memchr::memchr(b'\n', fresh).map(|at| searched + at);
            searched = self.input.len();
            if end.unwrap_or(searched) >= 2 * most {
                warning!("disabling input from unknown_stream");
                self.deaf = true;
                let mut line = std::mem::take(&mut self.input);
                line.truncate(most);
                return Ok(line);
            }
            if let Some(end) = end {
                let rest = self.input.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.input, rest);
                line.pop();
                if line.len() <= most {
                    let last = line.iter().rposition(|byte| *byte != b'\r');
                    line.truncate(last.map_or(0, |last| last + 1));
                }
                line.truncate(most);
                return Ok(line);
            }
            if self.deaf || self.read().await? == 0 {
                return Err(Broken::Lost);
            }
        }
    }

    async fn read(&mut self) -> Result<usize, Broken> {
        self.input.reserve(1024);
        let input = &mut self.input;
        let read = match &mut self.link {
            Link::Tcp(stream) => timeout_at(self.end, stream.read_buf(input)).await,
            Link::Unix(stream) => timeout_at(self.end, stream.read_buf(input)).await,
        };
        match read {
            Ok(Ok(count)) => Ok(count),
            Ok(Err(_)) => Err(Broken::Lost),
            Err(_) => Err(Broken::TimedOut),
        }
    }
}

async fn connected<T>(
    connecting: impl Future<Output = io::Result<T>>,
    limit: Duration,
) -> Result<T, String> {
    match timeout(limit, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(err)) => Err(pf_sys::error::text(&err)),
        Err(_) => Err("Connection timed out".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of these bytes, line by line, when no line may have more than four.
    fn lines(bytes: &[u8]) -> (Vec<String>, Broken) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (mut server, client) = UnixStream::pair().unwrap();
            server.write_all(bytes).await.unwrap();
            drop(server);
            let mut connection = Connection::new(Link::Unix(client));
            connection.limit(Duration::from_secs(5));
            let mut lines = Vec::new();
            loop {
                match connection.line(4).await {
                    Ok(line) => lines.push(String::from_utf8(line).unwrap()),
                    Err(broken) => return (lines, broken),
                }
            }
        })
    }

    #[test]
    fn lines_end_as_they_like() {
        let (found, broken) = lines(b"a\r\nb\n\r\r\n\nc\rd\r\rabc\r\nlost");
        assert_eq!(found, ["a", "b", "", "", "c\rd\r"]);
        assert_eq!(broken, Broken::Lost);
    }

    #[test]
    fn long_lines_are_cut() {
        assert_eq!(
            lines(b"1234\r\n12345\r\n123\r\r\n").0,
            ["1234", "1234", "123\r"]
        );
        assert_eq!(lines(b"1234567\nx\n").0, ["1234", "x"]);
        // Who sends twice as much is not listened to any more.
        assert_eq!(lines(b"12345678\nx\n").0, ["1234"]);
        assert_eq!(lines(&[b'1'; 5000]).0, ["1111"]);
    }

    #[test]
    fn silence_has_a_limit() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (_server, client) = UnixStream::pair().unwrap();
            let mut connection = Connection::new(Link::Unix(client));
            connection.limit(Duration::from_millis(50));
            assert_eq!(connection.line(4).await, Err(Broken::TimedOut));
        });
    }
}
