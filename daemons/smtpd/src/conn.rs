//! The client's connection: lines and content in, replies out, each within its time.
//!
//! A session that waits holds no buffer: input is read into a buffer that all sessions of the process share, and only what
//! cannot be used at once is kept.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::session::content::{Piece, cut};

/// How much is read at once, in bytes.
const CHUNK: usize = 32 << 10;

/// Replies are sent when there are so many bytes of them, even if the client has more to say.
const MAX_UNSENT: usize = 4096;

/// The buffer that all sessions read into.
pub(crate) type Scratch = Rc<RefCell<Box<[u8]>>>;

/// A buffer for all sessions of a process.
pub(crate) fn scratch() -> Scratch {
    Rc::new(RefCell::new(vec![0; CHUNK].into()))
}

/// What a session talks through.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// Whether the client has sent something that was not read yet.
    fn has_input(&self) -> bool;

    /// Ends the connection at once.
    fn hang_up(&self);
}

impl Transport for pf_service::Stream {
    fn has_input(&self) -> bool {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use nix::sys::socket::{MsgFlags, recv};
        use std::os::fd::{AsFd as _, AsRawFd as _};
        let fd = match self {
            pf_service::Stream::Tcp(stream) => stream.as_raw_fd(),
            pf_service::Stream::Unix(stream) => stream.as_raw_fd(),
            pf_service::Stream::Stdio(..) => {
                let input = std::io::stdin();
                let mut fds = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
                return poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
                    && fds.iter().all(|fd| fd.any() == Some(true));
            }
        };
        let mut byte = [0];
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        recv(fd, &mut byte, flags).is_ok_and(|count| count > 0)
    }

    fn hang_up(&self) {
        use nix::sys::socket::{Shutdown, shutdown};
        use std::os::fd::AsRawFd as _;
        // A connection that is gone already cannot be ended.
        let _ = match self {
            pf_service::Stream::Tcp(stream) => shutdown(stream.as_raw_fd(), Shutdown::Both),
            pf_service::Stream::Unix(stream) => shutdown(stream.as_raw_fd(), Shutdown::Both),
            pf_service::Stream::Stdio(..) => Ok(()),
        };
    }
}

/// Why a session ends without the client's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The client took too long.
    Timeout,
    /// The client is gone.
    Lost,
    /// Nothing more is to be said.
    Quiet,
    /// A table or a service of ours failed in a place where no reply fits.
    LocalData,
}

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// For each read or write, or for a whole request.
    pub(crate) time: Duration,
    /// The time is for a whole request.
    pub(crate) whole_request: bool,
}

/// A line from the client.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) text: Vec<u8>,
    /// It was longer than allowed; the rest of it was thrown away.
    pub(crate) too_long: bool,
    /// It went on and on; nothing more is read from this client.
    pub(crate) endless: bool,
    pub(crate) bare_lf: bool,
}

/// An alarm that is set again and again, mostly for later: it is moved only when it goes off too early, because each move may
/// cost a system call.
#[derive(Default)]
struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// Whether it is later than `until`; if not, the task is woken then.
    fn poll(&mut self, until: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        if sleep.deadline() > until {
            sleep.as_mut().reset(until);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if sleep.deadline() >= until {
                // The next wait needs a new one.
                self.sleep = None;
                return Poll::Ready(());
            }
            sleep.as_mut().reset(until);
        }
        Poll::Pending
    }
}

/// The connection to one client.
pub(crate) struct Conn<S> {
    stream: S,
    scratch: Scratch,
    /// Input that was read and not used yet.
    pending: Vec<u8>,
    /// How much of `pending` was used.
    used: usize,
    out: Vec<u8>,
    time: Duration,
    deadline: Option<Instant>,
    timer: Timer,
    closed: bool,
}

impl<S: Transport> Conn<S> {
    pub(crate) fn new(stream: S, scratch: Scratch, time: Duration) -> Self {
        Self {
            stream,
            scratch,
            pending: Vec::new(),
            used: 0,
            out: Vec::new(),
            time,
            deadline: None,
            timer: Timer::default(),
            closed: false,
        }
    }

    /// Begins the time of a request.
    pub(crate) fn begin(&mut self, limits: Limits) {
        self.time = limits.time;
        self.deadline = limits.whole_request.then(|| Instant::now() + limits.time);
    }

    fn until(&self) -> Instant {
        self.deadline.unwrap_or_else(|| Instant::now() + self.time)
    }

    /// Content arrived: the client earned more time, up to the full time.
    fn earn(&mut self, bytes: usize, rate: u64) {
        if let Some(deadline) = &mut self.deadline
            && rate > 0
        {
            let earned = Duration::from_secs_f64(bytes as f64 / rate as f64);
            *deadline = (*deadline + earned).min(Instant::now() + self.time);
        }
    }

    fn rest(&self) -> &[u8] {
        self.pending.get(self.used..).unwrap_or_default()
    }

    fn consume(&mut self, count: usize) {
        self.used += count;
        if self.used >= self.pending.len() {
            // An idle session keeps no memory.
            self.pending = Vec::new();
            self.used = 0;
        }
    }

    /// Input that was read and not used yet.
    pub(crate) fn unread(&self) -> &[u8] {
        self.rest()
    }

    /// Whether the client already said more than what was used; reads what there is.
    pub(crate) async fn spoke_early(&mut self) -> bool {
        if self.rest().is_empty() && self.stream.has_input() {
            // It is there, so this does not wait.
            let _ = self.fill().await;
        }
        !self.rest().is_empty()
    }

    /// Whether replies wait to be sent.
    pub(crate) fn has_unsent(&self) -> bool {
        !self.out.is_empty()
    }

    /// Ends the connection at once.
    pub(crate) fn hang_up(&self) {
        self.stream.hang_up();
    }

    /// Reads nothing more from this client, whatever it sends.
    pub(crate) fn close_input(&mut self) {
        self.consume(usize::MAX - self.used);
        self.closed = true;
    }

    /// Reads once, and gives the bytes to `take`, which says how many it used; what is left is kept.
    async fn read(&mut self, take: &mut impl FnMut(&[u8]) -> usize) -> Result<usize, Stop> {
        if self.closed {
            return Err(Stop::Lost);
        }
        self.flush().await?;
        let until = self.until();
        let scratch = Rc::clone(&self.scratch);
        let stream = &mut self.stream;
        let pending = &mut self.pending;
        let timer = &mut self.timer;
        let reading = std::future::poll_fn(|cx| {
            // Nobody else runs while this does.
            let mut buffer = scratch.borrow_mut();
            let mut buffer = ReadBuf::new(&mut buffer);
            match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                Poll::Pending => timer.poll(until, cx).map(|()| Err(Stop::Timeout)),
                Poll::Ready(Err(_)) => Poll::Ready(Err(Stop::Lost)),
                Poll::Ready(Ok(())) => {
                    let filled = buffer.filled();
                    if filled.is_empty() {
                        return Poll::Ready(Err(Stop::Lost));
                    }
                    let used = take(filled);
                    pending.extend_from_slice(filled.get(used..).unwrap_or_default());
                    Poll::Ready(Ok(filled.len()))
                }
            }
        });
        let result = reading.await;
        self.closed |= result == Err(Stop::Lost);
        result
    }

    async fn fill(&mut self) -> Result<usize, Stop> {
        if self.used > 0 {
            self.pending.drain(..self.used);
            self.used = 0;
        }
        self.read(&mut |_| 0).await
    }

    /// The next line, at most `limit` bytes of it.
    pub(crate) async fn line(&mut self, limit: usize, notice_bare_lf: bool) -> Result<Line, Stop> {
        let found = loop {
            if let Some(found) = cut(self.rest(), limit, notice_bare_lf) {
                break found;
            }
            self.fill().await?;
        };
        let text = self.rest().get(..found.len).unwrap_or_default().to_vec();
        self.consume(found.used);
        let too_long = found.piece == Piece::Part;
        let endless = too_long && !self.skip_line(limit).await?;
        Ok(Line {
            text,
            too_long,
            endless,
            bare_lf: found.bare_lf,
        })
    }

    /// Throws the rest of a line away, up to `limit` bytes; false: there was more.
    async fn skip_line(&mut self, limit: usize) -> Result<bool, Stop> {
        let mut left = limit;
        loop {
            let window = self.rest();
            let window = window.get(..left).unwrap_or(window);
            let len = window.len();
            if let Some(end) = memchr::memchr(b'\n', window) {
                self.consume(end + 1);
                return Ok(true);
            }
            self.consume(len);
            left -= len;
            if left == 0 {
                self.close_input();
                return Ok(false);
            }
            self.fill().await?;
        }
    }

    /// Gives input to `take` once: what was read already, else what comes next. `take` says how many bytes it used; it is not
    /// called with nothing. Returns how many bytes it was given.
    pub(crate) async fn content(
        &mut self,
        rate: u64,
        mut take: impl FnMut(&[u8]) -> usize,
    ) -> Result<usize, Stop> {
        if !self.rest().is_empty() {
            let given = self.rest().len();
            let used = take(self.rest());
            self.consume(used);
            return Ok(given);
        }
        let count = self.read(&mut take).await?;
        self.earn(count, rate);
        Ok(count)
    }

    /// Queues bytes for the client.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Sends what is queued when it has become much.
    pub(crate) async fn flush_some(&mut self) -> Result<(), Stop> {
        if self.out.len() >= MAX_UNSENT {
            self.flush().await
        } else {
            Ok(())
        }
    }

    /// Sends what is queued.
    pub(crate) async fn flush(&mut self) -> Result<(), Stop> {
        if self.out.is_empty() {
            return Ok(());
        }
        let out = std::mem::take(&mut self.out);
        let until = self.until();
        let (stream, timer) = (&mut self.stream, &mut self.timer);
        let mut sent = 0;
        std::future::poll_fn(|cx| {
            loop {
                let rest = out.get(sent..).unwrap_or_default();
                let progress = if rest.is_empty() {
                    Pin::new(&mut *stream).poll_flush(cx).map_ok(|()| 0)
                } else {
                    Pin::new(&mut *stream).poll_write(cx, rest)
                };
                return match progress {
                    Poll::Pending => timer.poll(until, cx).map(|()| Err(Stop::Timeout)),
                    Poll::Ready(Ok(0)) if rest.is_empty() => Poll::Ready(Ok(())),
                    Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(Err(Stop::Lost)),
                    Poll::Ready(Ok(count)) => {
                        sent += count;
                        continue;
                    }
                };
            }
        })
        .await
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    impl Transport for DuplexStream {
        fn has_input(&self) -> bool {
            false
        }

        fn hang_up(&self) {}
    }

    fn conn(stream: DuplexStream) -> Conn<DuplexStream> {
        Conn::new(stream, scratch(), Duration::from_secs(1))
    }

    #[tokio::test]
    async fn lines_come_one_by_one() {
        let (mut client, server) = duplex(10_000);
        client
            .write_all(b"EHLO x\r\nMAIL\nlong line here\r\nQ")
            .await
            .unwrap();
        let mut conn = conn(server);
        let line = conn.line(10, true).await.unwrap();
        assert_eq!(
            (line.text.as_slice(), line.bare_lf),
            (&b"EHLO x"[..], false)
        );
        assert!(conn.spoke_early().await);
        let line = conn.line(10, true).await.unwrap();
        assert_eq!((line.text.as_slice(), line.bare_lf), (&b"MAIL"[..], true));
        let line = conn.line(10, true).await.unwrap();
        assert!(line.too_long && !line.endless);
        assert_eq!(line.text, b"long line ");
        drop(client);
        assert_eq!(conn.line(10, true).await.unwrap_err(), Stop::Lost);
    }

    #[tokio::test]
    async fn bug_20260529_endless_lines_end_the_input() {
        let (mut client, server) = duplex(10_000);
        client.write_all(&[b'x'; 5000]).await.unwrap();
        let mut conn = conn(server);
        let line = conn.line(2048, true).await.unwrap();
        assert!(line.endless && line.text.len() == 2048);
        assert_eq!(conn.line(2048, true).await.unwrap_err(), Stop::Lost);
    }

    #[tokio::test]
    async fn time_is_up() {
        let (_client, server) = duplex(100);
        let mut conn = Conn::new(server, scratch(), Duration::from_millis(20));
        assert_eq!(conn.line(10, true).await.unwrap_err(), Stop::Timeout);
    }

    #[tokio::test]
    async fn idle_sessions_keep_no_buffer() {
        let (mut client, server) = duplex(10_000);
        client.write_all(b"NOOP\r\n").await.unwrap();
        let mut conn = conn(server);
        conn.line(2048, true).await.unwrap();
        assert_eq!(conn.pending.capacity() + conn.out.capacity(), 0);
    }
}
