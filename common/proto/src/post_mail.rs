//! Sending a message of the mail system's own making: notices, bounces, probes. The caller gives the envelope as a
//! [`Post`], then lines or records of the message, and [`finish`](PostMail::finish) tells what became of it. A message that
//! is dropped before that is not queued.

use std::time::{Duration, SystemTime};

use pf_attr::Error;

use crate::Address;
use crate::cleanup::{END, Flags, Post, Submission, Verdict};

/// A message on its way into the queue.
#[derive(Debug)]
pub struct PostMail {
    submission: Submission,
}

/// Text and continued text of a message.
const NORM: u8 = b'N';

impl PostMail {
    /// Connects to the cleanup service (one try) and begins a message: envelope, `Received:` and `Date:` headers.
    ///
    /// `flags` are those of [`Post::flags`], `limit` is `ipc_timeout`, `date` is `now` in the form of RFC 5322.
    ///
    /// # Errors
    /// The service cannot be reached or does not answer as agreed.
    pub async fn open(
        address: &Address,
        limit: Duration,
        post: &Post<'_>,
        flags: Flags,
        now: SystemTime,
        date: &str,
    ) -> Result<Self, Error> {
        let mut submission = Submission::open(address, limit, flags).await?;
        let records = post.records(submission.queue_id(), now, date);
        submission.push_encoded(&records);
        Ok(Self { submission })
    }

    /// The queue id of the message.
    pub fn queue_id(&self) -> &[u8] {
        self.submission.queue_id()
    }

    /// Adds a line, without its end. The empty line ends the headers.
    ///
    /// # Errors
    /// The service does not take the message any more.
    pub async fn line(&mut self, text: impl AsRef<[u8]>) -> Result<(), Error> {
        self.submission.record(NORM, text.as_ref()).await
    }

    /// Adds a text record of another message as it is (`N` or `L`).
    ///
    /// # Errors
    /// The service does not take the message any more.
    pub async fn record(&mut self, kind: u8, data: &[u8]) -> Result<(), Error> {
        self.submission.record(kind, data).await
    }

    /// Gives the message up: the service forgets it.
    ///
    /// # Errors
    /// The service does not take the message any more.
    pub async fn cancel(mut self) -> Result<(), Error> {
        self.submission.flush().await
    }

    /// Ends the message, and waits until it is safely in the queue or refused.
    pub async fn finish(mut self) -> Verdict {
        self.submission.push_encoded(END);
        self.submission.finish().await
    }
}
