//! The mail that goes on into the queue: to the cleanup service, or from `sendmail -bs` to postdrop.

use std::process::Stdio;
use std::time::{Duration, SystemTime};

use pf_attr::{Error, aio};
use pf_proto::Address;
use pf_proto::cleanup::{Flags, Status, Submission, Verdict};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::params::Params;
use crate::session::content::Piece;
use crate::session::state::Session;
use crate::text::text;

/// The record types that are written here.
mod kind {
    pub(super) const TIME: u8 = b'T';
    pub(super) const FILTER: u8 = b'L';
    pub(super) const ATTRIBUTE: u8 = b'A';
    pub(super) const SENDER: u8 = b'S';
    pub(super) const RECIPIENT: u8 = b'R';
    pub(super) const VERP: u8 = b'V';
    pub(super) const FLAGS: u8 = b'f';
    pub(super) const REDIRECT: u8 = b'>';
    pub(super) const MESSAGE: u8 = b'M';
    pub(super) const LINE: u8 = b'N';
    pub(super) const PART: u8 = b'L';
    pub(super) const EXTRACTED: u8 = b'X';
    pub(super) const END: u8 = b'E';
}

/// A message on its way into the queue.
#[derive(Debug)]
pub(crate) enum Queue {
    Cleanup(Box<Submission>),
    Postdrop(Box<Postdrop>),
}

impl Queue {
    /// Connects to the cleanup service, however long that takes.
    pub(crate) async fn cleanup(
        address: &Address,
        limit: Duration,
        flags: Flags,
    ) -> Result<Self, Error> {
        Ok(Queue::Cleanup(Box::new(
            Submission::open_wait(address, limit, flags).await?,
        )))
    }

    /// Starts postdrop.
    pub(crate) async fn postdrop(params: &Params) -> Result<Self, Error> {
        Ok(Queue::Postdrop(Box::new(Postdrop::start(params).await?)))
    }

    pub(crate) fn id(&self) -> &[u8] {
        match self {
            Queue::Cleanup(submission) => submission.queue_id(),
            Queue::Postdrop(postdrop) => &postdrop.id,
        }
    }

    /// Has what was written so far thrown away.
    pub(crate) async fn abandon(self) {
        match self {
            Queue::Cleanup(submission) => drop(submission),
            Queue::Postdrop(postdrop) => postdrop.abandon().await,
        }
    }

    fn record(&mut self, kind: u8, data: &[u8]) {
        match self {
            Queue::Cleanup(submission) => submission.push(kind, data),
            Queue::Postdrop(postdrop) => put(&mut postdrop.buffer, kind, data),
        }
    }

    fn attribute(&mut self, name: &str, value: impl AsRef<[u8]>) {
        match self {
            Queue::Cleanup(submission) => submission.push_attribute(name, value.as_ref()),
            Queue::Postdrop(postdrop) => {
                put(
                    &mut postdrop.buffer,
                    kind::ATTRIBUTE,
                    &text![name, "=", value],
                );
            }
        }
    }

    /// A line of content, or a part of one.
    pub(crate) fn content(&mut self, piece: Piece, data: &[u8]) {
        let kind = match piece {
            Piece::Line => kind::LINE,
            Piece::Part => kind::PART,
        };
        self.record(kind, data);
    }

    /// Sends what was written, when it is enough to be worth it.
    pub(crate) async fn flush_full(&mut self) -> Result<(), Error> {
        match self {
            Queue::Cleanup(submission) if submission.is_full() => submission.flush().await,
            Queue::Postdrop(postdrop) if postdrop.buffer.len() >= SEND_SIZE => {
                postdrop.flush().await
            }
            _ => Ok(()),
        }
    }

    /// The records before the first recipient.
    pub(crate) fn envelope(&mut self, session: &Session, params: &Params) {
        let mail = &session.mail;
        let local = session.stand_alone;
        if !local {
            let (seconds, micros) = mail.arrival;
            self.record(kind::TIME, format!("{seconds} {micros}").as_bytes());
            if !params.content_filter.is_empty() {
                self.record(kind::FILTER, params.content_filter.as_bytes());
            }
            let forwarded = session.forwarded.as_deref();
            let ident = forwarded
                .and_then(|forwarded| forwarded.ident.clone())
                .unwrap_or_else(|| self.id().to_vec());
            self.attribute("log_ident", ident);
            let context = forwarded
                .and_then(|forwarded| forwarded.context)
                .or(mail.rewrite_context)
                .unwrap_or("remote");
            self.attribute("rewrite_context", context);
            if let Some(login) = &session.login {
                self.attribute("sasl_method", "XCLIENT");
                self.attribute("sasl_username", login);
            }
            if let Some(sender) = &mail.announced.auth_sender {
                self.attribute("sasl_sender", sender);
            }
            if let Some(envid) = &mail.envid {
                self.attribute("envelope_id", envid);
            }
            if let Some(ret) = mail.ret {
                self.attribute("ret_flags", ret.to_string());
            }
        }
        self.record(kind::SENDER, mail.sender.as_deref().unwrap_or_default());
        if let Some(body) = mail.body {
            self.attribute("encoding", body.encoding());
        }
        if !local {
            self.client(session);
        }
        if let Some(delimiters) = &mail.verp {
            self.record(kind::VERP, delimiters);
        }
    }

    /// Where the message came from: for the log, and for later mail filters.
    fn client(&mut self, session: &Session) {
        let peer = &session.peer;
        match session
            .forwarded
            .as_deref()
            .filter(|forwarded| forwarded.has_client)
        {
            Some(forwarded) => {
                self.attribute("log_client_name", &forwarded.name);
                self.attribute("log_client_address", &forwarded.rfc_address);
                self.attribute("log_client_port", &forwarded.port);
                self.attribute("log_message_origin", &forwarded.shown);
                if let Some(helo) = &forwarded.helo {
                    self.attribute("log_helo_name", helo);
                }
                self.attribute("log_protocol_name", &forwarded.protocol);
            }
            None => {
                self.attribute("log_client_name", &peer.name);
                self.attribute("log_client_address", &peer.rfc_address);
                self.attribute("log_client_port", &peer.port);
                self.attribute("log_message_origin", &peer.shown);
                if let Some(helo) = &session.helo {
                    self.attribute("log_helo_name", helo);
                }
                self.attribute("log_protocol_name", session.protocol.name());
            }
        }
        self.attribute("client_name", &peer.name);
        self.attribute("reverse_client_name", &peer.reverse_name);
        self.attribute("client_address", &peer.address);
        self.attribute("client_port", &peer.port);
        self.attribute("server_address", &peer.server_address);
        self.attribute("server_port", &peer.server_port);
        if let Some(helo) = &session.helo {
            self.attribute("helo_name", helo);
        }
        self.attribute("protocol_name", session.protocol.name());
        self.attribute("client_address_type", peer.family.to_string());
    }

    /// One recipient. What belongs to it comes before it.
    pub(crate) fn recipient(&mut self, notify: Option<u8>, original: &[u8], address: &[u8]) {
        if let Some(notify) = notify {
            self.attribute("notify_flags", notify.to_string());
        }
        self.attribute("dsn_orig_rcpt", original);
        self.record(kind::RECIPIENT, address);
    }

    /// The end of the envelope.
    pub(crate) fn message(&mut self, session: &Session) {
        if !session.stand_alone && !session.mail.cleanup_flags.is_empty() {
            self.record(
                kind::FLAGS,
                session.mail.cleanup_flags.bits().to_string().as_bytes(),
            );
        }
        self.record(kind::MESSAGE, b"");
    }

    /// What access tables said about the message, and the end.
    pub(crate) fn trailer(&mut self, session: &Session) {
        let mail = &session.mail;
        self.record(kind::EXTRACTED, b"");
        if let Some(filter) = &mail.filter {
            self.record(kind::FILTER, filter);
        }
        if let Some(redirect) = &mail.redirect {
            self.record(kind::REDIRECT, redirect);
        }
        for bcc in &mail.bcc {
            self.record(kind::RECIPIENT, bcc);
            self.attribute(
                "notify_flags",
                crate::session::rcpt::NOTIFY_NEVER.to_string(),
            );
        }
        if !mail.cleanup_flags.is_empty() {
            self.record(
                kind::FLAGS,
                mail.cleanup_flags.bits().to_string().as_bytes(),
            );
        }
        self.record(kind::END, b"");
    }

    /// Sends everything, and waits for what becomes of the message.
    pub(crate) async fn finish(self) -> Verdict {
        match self {
            Queue::Cleanup(submission) => submission.finish().await,
            Queue::Postdrop(postdrop) => postdrop.finish().await,
        }
    }
}

/// Seconds and microseconds since the epoch.
pub(crate) fn now() -> (u64, u32) {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    (now.as_secs(), now.subsec_micros())
}

/// How much is gathered before it is sent to postdrop.
const SEND_SIZE: usize = 16 << 10;

fn put(buffer: &mut Vec<u8>, kind: u8, data: &[u8]) {
    buffer.push(kind);
    let mut len = data.len();
    loop {
        let low = u8::try_from(len & 0x7f).unwrap_or(0);
        len >>= 7;
        if len == 0 {
            buffer.push(low);
            break;
        }
        buffer.push(low | 0x80);
    }
    buffer.extend_from_slice(data);
}

/// A running postdrop.
#[derive(Debug)]
pub(crate) struct Postdrop {
    child: Child,
    stream: aio::Stream<tokio::io::Join<ChildStdout, ChildStdin>>,
    id: Vec<u8>,
    buffer: Vec<u8>,
}

impl Postdrop {
    async fn start(params: &Params) -> Result<Self, Error> {
        let mut command =
            tokio::process::Command::new(format!("{}/postdrop", params.command_directory));
        if pf_log::verbose() > 0 {
            command.arg("-v");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Closed);
        };
        let mut stream = aio::Stream::new(tokio::io::join(stdout, stdin), params.ipc_timeout);
        let message = stream.recv().await?;
        let mut list = message.decoder();
        if list.str("protocol")? != b"postdrop_protocol" {
            return Err(Error::Malformed("protocol"));
        }
        let id = list.str("queue_id")?.to_vec();
        list.end()?;
        Ok(Self {
            child,
            stream,
            id,
            buffer: Vec::new(),
        })
    }

    /// Without an end, a message is thrown away.
    async fn abandon(mut self) {
        let _ = self.flush().await;
        drop(self.stream);
        let _ = self.child.wait().await;
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let buffer = std::mem::take(&mut self.buffer);
        self.stream.send(&buffer).await?;
        use tokio::io::AsyncWriteExt as _;
        Ok(self.stream.get_mut().flush().await?)
    }

    async fn finish(mut self) -> Verdict {
        // A postdrop that stopped reading may have said why.
        let _ = self.flush().await;
        let verdict = match self.stream.recv().await {
            Ok(message) => {
                let mut list = message.decoder();
                match (list.int("status"), list.str("reason")) {
                    (Ok(status), Ok(reason)) => Verdict {
                        status: Status::from_bits(status.cast_unsigned()),
                        reason: reason.to_vec(),
                    },
                    (Ok(status), Err(_)) => Verdict {
                        status: Status::from_bits(status.cast_unsigned()),
                        reason: Vec::new(),
                    },
                    _ => Verdict::lost(),
                }
            }
            Err(_) => Verdict::lost(),
        };
        drop(self.stream);
        // It has said how it went; its exit status adds nothing.
        let _ = self.child.wait().await;
        verdict
    }
}
