//! Attribute lists over an asynchronous stream.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::{Error, Message, cut_off};

/// A connection on which both ends send attribute lists, each list bounded by a time limit.
#[derive(Debug)]
pub struct Stream<S> {
    io: S,
    pending: Vec<u8>,
    limit: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream<S> {
    /// Wraps a connected stream; `limit` (`ipc_timeout`) bounds each [`send`](Self::send) and each [`recv`](Self::recv);
    /// zero means no limit.
    pub fn new(io: S, limit: Duration) -> Self {
        Self {
            io,
            pending: Vec::new(),
            limit,
        }
    }

    /// As [`new`](Self::new), for a connection of which some bytes were read already.
    pub fn with_pending(io: S, limit: Duration, pending: Vec<u8>) -> Self {
        Self { io, pending, limit }
    }

    /// Sends bytes made by an [`Encoder`](crate::Encoder).
    ///
    /// # Errors
    /// The peer is gone or does not read in time.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let limit = self.limit;
        within(limit, async { Ok(self.io.write_all(bytes).await?) }).await
    }

    /// Receives the next list, within the time limit.
    ///
    /// # Errors
    /// [`Error::Closed`] when the peer ended the connection between lists; else what went wrong.
    pub async fn recv(&mut self) -> Result<Message, Error> {
        if let Some(message) = Message::take(&mut self.pending)? {
            return Ok(message);
        }
        within(self.limit, self.rest()).await
    }

    /// Receives the next list, however long the peer takes to begin it: for a server between two requests, or for an answer that
    /// takes work. What was begun has to be there within the time limit.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub async fn recv_unbounded(&mut self) -> Result<Message, Error> {
        if self.pending.is_empty() {
            self.read().await?;
        }
        self.recv().await
    }

    async fn rest(&mut self) -> Result<Message, Error> {
        loop {
            if let Some(message) = Message::take(&mut self.pending)? {
                return Ok(message);
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Error> {
        self.pending.reserve(1024);
        if self.io.read_buf(&mut self.pending).await? == 0 {
            return Err(cut_off(&self.pending));
        }
        Ok(())
    }

    /// The stream, and what was read from it beyond the last list.
    pub fn into_parts(self) -> (S, Vec<u8>) {
        (self.io, self.pending)
    }

    /// The stream itself.
    pub fn get_ref(&self) -> &S {
        &self.io
    }

    /// The stream itself, for descriptor passing and raw records between lists.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.io
    }

    /// Whether bytes of the next list were read already.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    if limit.is_zero() {
        return work.await;
    }
    timeout(limit, work).await.unwrap_or(Err(Error::Timeout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_was_begun_has_a_limit() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut stream = Stream::new(ours, Duration::from_millis(20));
        let late = async {
            tokio::time::sleep(Duration::from_millis(60)).await;
            theirs.write_all(b"status\x000\0\0stat").await
        };
        let (received, sent) = tokio::join!(stream.recv_unbounded(), late);
        sent.unwrap();
        assert_eq!(received.unwrap().decoder().int("status").unwrap(), 0);
        let cut = stream.recv_unbounded().await;
        assert!(matches!(cut, Err(Error::Timeout)), "{cut:?}");
    }
}
