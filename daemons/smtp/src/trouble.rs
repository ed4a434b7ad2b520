//! What went wrong with a server or a message, before it is told to anybody.

use pf_dsn::{Dsn, Outcome, Status};

use pf_smtp::reply::Reply;

/// A failure that concerns all recipients that are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is told; a code of class 4 is tried again.
    pub status: Status,
    /// The destination as a whole is in trouble: the queue manager spares it for a while.
    pub throttle: bool,
    /// Even a final failure is no reason to pass over the other servers.
    pub next_server: bool,
}

impl Failure {
    /// A failure that this system found, with the server or with the way to it.
    pub fn local(dsn: Dsn, text: impl Into<Vec<u8>>) -> Self {
        Self {
            status: Status::new(dsn, text),
            throttle: true,
            next_server: false,
        }
    }

    /// A failure that this system found with the message.
    pub fn message(dsn: Dsn, text: impl Into<Vec<u8>>) -> Self {
        Self {
            throttle: false,
            ..Self::local(dsn, text)
        }
    }

    /// What a server said, in the words of `text`; a reply that is no refusal where one stands is a violation of the protocol.
    pub fn said(host: &str, reply: &Reply, dsn: Dsn, text: &str) -> Self {
        let violation = !matches!(dsn.class, 4 | 5);
        let (dsn, prefix) = if violation {
            (Dsn::new(5, 5, 0), "Protocol error: ")
        } else {
            (dsn, "")
        };
        let mut failure = Self::local(dsn, format!("{prefix}{text}"));
        failure.status.remote = Some(("dns".to_owned(), host.to_owned()));
        failure.status.diagnostic = Some(("smtp".to_owned(), reply.text.clone().into_bytes()));
        failure
    }

    /// Whether it is tried again later.
    pub fn is_soft(&self) -> bool {
        self.status.dsn.class == 4
    }

    /// As the outcome of a recipient.
    pub fn outcome(&self) -> Outcome {
        outcome(self.status.clone())
    }
}

/// What a status of class 4 or 5 means for a recipient.
pub fn outcome(status: Status) -> Outcome {
    if status.dsn.class == 4 {
        Outcome::Defer(status)
    } else {
        Outcome::Bounce(status)
    }
}
