//! A connection to a server: bytes out, reply lines in, each step within a time limit.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use pf_log::{info, warning};
use pf_maps::{Lookup, Maps, Table};

use pf_smtp::reply::{Collector, Reply};

/// The longest reply line that is read at all; a server that sends more is not one.
const HARD_LINE_LIMIT: usize = 64 * 1024;
/// The most lines of one reply.
const MAX_LINES: usize = 10_000;

/// What matters for reading replies.
pub struct Listening<'a> {
    /// `smtp_reply_filter`
    pub filter: &'a Maps,
    /// `line_length_limit`: how much of a line is kept, and how much text of a reply.
    pub line_limit: usize,
    /// The server, as the log calls it.
    pub relay: &'a str,
    /// The message in hand.
    pub id: &'a str,
    /// The limit is one for a whole reply, not for each piece of it.
    pub per_request: bool,
}

/// A network or local connection.
#[derive(Debug)]
pub enum Link {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Link {
    /// The connection behind a descriptor, which another process has left.
    ///
    /// # Errors
    /// It is none.
    pub fn adopt(fd: OwnedFd, network: bool) -> io::Result<Self> {
        pf_sys::fd::set_nonblocking(&fd, true)?;
        if network {
            TcpStream::from_std(fd.into()).map(Link::Tcp)
        } else {
            UnixStream::from_std(fd.into()).map(Link::Unix)
        }
    }

    /// The descriptor, as another process wants it.
    fn into_fd(self) -> io::Result<OwnedFd> {
        let fd: OwnedFd = match self {
            Link::Tcp(stream) => stream.into_std()?.into(),
            Link::Unix(stream) => stream.into_std()?.into(),
        };
        pf_sys::fd::set_nonblocking(&fd, false)?;
        Ok(fd)
    }
}

/// A connection with its buffers.
#[derive(Debug)]
pub struct Connection {
    link: Link,
    input: Vec<u8>,
    taken: usize,
    output: Vec<u8>,
    collector: Collector,
    /// What was said, for a notice to the postmaster; kept only where one may be sent.
    pub history: Option<Vec<String>>,
}

/// What went wrong with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// It was closed or failed.
    Lost,
    /// The server took too long.
    TimedOut,
    /// Something of our own does not work.
    Local,
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
            history: None,
        }
    }

    /// Adds a command line to what is sent next.
    pub fn command(&mut self, line: &str) {
        if let Some(history) = &mut self.history {
            history.push(format!("Out: {line}"));
        }
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
    pub async fn reply(&mut self, limit: Duration, how: &Listening<'_>) -> Result<Reply, Broken> {
        if how.per_request {
            timeout(limit, self.read_reply(None, how))
                .await
                .unwrap_or(Err(Broken::TimedOut))
        } else {
            self.read_reply(Some(limit), how).await
        }
    }

    async fn read_reply(
        &mut self,
        each: Option<Duration>,
        how: &Listening<'_>,
    ) -> Result<Reply, Broken> {
        for _ in 0..MAX_LINES {
            let line = self.read_line(each).await?;
            if let Some(reply) = self.take_line(&line, how).await? {
                return Ok(reply);
            }
        }
        Err(Broken::Lost)
    }

    async fn take_line(
        &mut self,
        line: &[u8],
        how: &Listening<'_>,
    ) -> Result<Option<Reply>, Broken> {
        let kept = line.get(..how.line_limit).unwrap_or(line);
        let mut clean = String::from_utf8_lossy(&pf_text::printable_utf8(kept, b'?')).into_owned();
        if line.len() > how.line_limit {
            warning!(
                "{}: response longer than {}: {:.30}...",
                how.relay,
                how.line_limit,
                clean
            );
        }
        let full = self.collector.is_full(how.line_limit);
        if full {
            if self.collector.complains() {
                warning!(
                    "{}: multi-line response longer than {} {:.30}...",
                    how.relay,
                    how.line_limit,
                    self.collector.shown()
                );
            }
        } else if let Some(history) = &mut self.history {
            history.push(format!("In:  {clean}"));
        }
        // This parameter names one table and no list of them.
        let found = match how.filter.tables().first() {
            Some(table) => table.lookup(clean.as_bytes()).await,
            None => Lookup::Missing,
        };
        match found {
            Lookup::Found(new) => {
                let new = String::from_utf8_lossy(&new).into_owned();
                info!(
                    "{}: replacing server reply \"{clean}\" with \"{new}\"",
                    how.relay
                );
                if let Some(history) = self.history.as_mut().filter(|_| !full) {
                    history.push("Replaced-by: ".to_owned());
                    history.push(format!("     {new}"));
                }
                clean = new;
            }
            Lookup::Missing => {}
            Lookup::Unavailable(_) => {
                let table = how.filter.tables().first().map(Table::title);
                warning!(
                    "{}: table {} lookup error for {clean}",
                    how.id,
                    table.unwrap_or_default()
                );
                return Err(Broken::Local);
            }
        }
        Ok(self.collector.line(&clean, how.line_limit))
    }

    async fn read_line(&mut self, each: Option<Duration>) -> Result<Vec<u8>, Broken> {
        loop {
            if let Some(line) = self.line()? {
                return Ok(line);
            }
            if self.taken == self.input.len() {
                self.input.clear();
                self.taken = 0;
            }
            self.input.reserve(1024);
            let input = &mut self.input;
            let link = &mut self.link;
            let read = async {
                match link {
                    Link::Tcp(stream) => stream.read_buf(input).await,
                    Link::Unix(stream) => stream.read_buf(input).await,
                }
            };
            let count = match each {
                Some(limit) => timeout(limit, read).await.map_err(|_| Broken::TimedOut)??,
                None => read.await?,
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
            None if rest.len() > HARD_LINE_LIMIT => Err(Broken::Lost),
            None => Ok(None),
        }
    }

    /// The descriptor, unless there is something that was not looked at.
    pub fn into_fd(self) -> Option<OwnedFd> {
        if self.taken < self.input.len() {
            return None;
        }
        self.link.into_fd().ok()
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
