//! The before-queue content filter (`smtpd_proxy_filter`): an SMTP server that gets the message before the client gets its reply.
//!
//! What goes there is canonical: every line ends in CR LF, no other CR is in it, and a dot at the start of a line is doubled.

mod connect;
mod xforward;

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use pf_proto::cleanup::Status;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use self::connect::Wire;

use crate::access::ask::Ask;
use crate::params::Params;
use crate::session::content::{Piece, cut};
use crate::session::errors::Classes;
use crate::session::state::Session;
use crate::text::text;

/// Content is sent when there are so many bytes of it.
const SEND_SIZE: usize = 32 << 10;
/// What the client is told, and what the trouble counts as.
type Trouble = (Vec<u8>, Classes);

/// Any reply will do.
const ANY: u8 = b'*';

/// The message as it goes to a filter that is asked only when all of it is there.
#[derive(Debug)]
struct Saved {
    commands: Vec<(Vec<u8>, u8)>,
    content: File,
}

/// The conversation with a filter.
pub(crate) struct Proxy {
    service: String,
    ehlo: String,
    limit: Duration,
    line_limit: usize,
    wire: Option<Box<dyn Wire>>,
    input: Vec<u8>,
    out: Vec<u8>,
    last: Vec<u8>,
    previous: Option<Piece>,
    saved: Option<Saved>,
    addresses: Vec<SocketAddr>,
    mail: Vec<u8>,
    forward: Vec<xforward::Attribute>,
}

/// What is said when the filter said nothing fit for a stranger's ears.
fn generic() -> Vec<u8> {
    let detail = Status::PROXY.detail();
    text![
        detail.smtp.to_string(),
        " ",
        detail.dsn,
        " Error: ",
        detail.text
    ]
}

impl Proxy {
    /// Prepares the conversation, and begins it unless the message is gathered first.
    pub(crate) async fn open(
        params: &Params,
        ask: &impl Ask,
        session: &Session,
    ) -> Result<Self, Trouble> {
        let service = params.proxy_filter.clone().unwrap_or_default();
        let mut proxy = Self {
            addresses: connect::addresses(&service, ask).await,
            service,
            ehlo: params.proxy_ehlo.clone(),
            limit: params.proxy_timeout,
            line_limit: params.line_length_limit,
            wire: None,
            input: Vec::new(),
            out: Vec::new(),
            last: Vec::new(),
            previous: None,
            saved: None,
            mail: session.mail.proxy_mail.clone().unwrap_or_default(),
            forward: xforward::attributes(session),
        };
        if params.proxy_speed_adjust {
            match scratch_file() {
                Ok(content) => {
                    proxy.saved = Some(Saved {
                        commands: Vec::new(),
                        content,
                    })
                }
                Err(err) => {
                    pf_log::warning!("proxy speed-adjust log I/O error: {err}");
                    return Err((generic(), Classes::RESOURCE));
                }
            }
        } else if let Err(trouble) = proxy.begin().await {
            proxy.close().await;
            return Err(trouble);
        }
        Ok(proxy)
    }

    /// Connects, says hello, tells where the message comes from, and begins the transaction.
    async fn begin(&mut self) -> Result<(), Trouble> {
        match connect::connect(&self.service, &self.addresses, self.limit).await {
            Ok(wire) => self.wire = Some(wire),
            Err(err) => {
                pf_log::warning!(
                    "connect to proxy filter {}: {}",
                    self.service,
                    pf_sys::error::text(&err)
                );
                return Err((generic(), Classes::SOFTWARE));
            }
        }
        let hidden = |(_, class): Trouble| (generic(), class);
        self.exchange(b"", b'2').await.map_err(hidden)?;
        let hello = format!("EHLO {}", self.ehlo).into_bytes();
        let features = self.exchange(&hello, b'2').await.map_err(hidden)?;
        let attributes = std::mem::take(&mut self.forward);
        for command in xforward::commands(&features, attributes) {
            self.exchange(&command, b'2').await.map_err(hidden)?;
        }
        let mail = std::mem::take(&mut self.mail);
        self.exchange(&mail, b'2').await.map(|_| ())
    }

    /// Passes a command on; the filter's reply, when its class is `expect` (`*`: any class).
    pub(crate) async fn command(&mut self, command: &[u8], expect: u8) -> Result<Vec<u8>, Trouble> {
        let Some(saved) = &mut self.saved else {
            return self.exchange(command, expect).await;
        };
        if expect != ANY {
            saved.commands.push((command.to_vec(), expect));
            return Ok(Vec::new());
        }
        self.replay().await?;
        self.exchange(command, expect).await
    }

    /// Has the whole conversation with the filter, now that everything is there.
    async fn replay(&mut self) -> Result<(), Trouble> {
        self.save_content();
        let Some(mut saved) = self.saved.take() else {
            return Ok(());
        };
        self.begin().await?;
        for (command, expect) in std::mem::take(&mut saved.commands) {
            self.exchange(&command, expect).await?;
        }
        let mut buffer = vec![0; SEND_SIZE];
        if let Err(err) = saved.content.rewind() {
            pf_log::warning!("proxy speed-adjust log I/O error: {err}");
            return Err((generic(), Classes::RESOURCE));
        }
        loop {
            match saved.content.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.out
                        .extend_from_slice(buffer.get(..count).unwrap_or_default());
                    if self.send().await.is_err() {
                        return Err((generic(), Classes::SOFTWARE));
                    }
                }
                Err(err) => {
                    pf_log::warning!("proxy speed-adjust log I/O error: {err}");
                    return Err((generic(), Classes::RESOURCE));
                }
            }
        }
    }

    fn save_content(&mut self) {
        if let Some(saved) = &mut self.saved {
            if let Err(err) = saved.content.write_all(&self.out) {
                pf_log::warning!("proxy speed-adjust log I/O error: {err}");
                self.wire = None;
            }
            self.out.clear();
        }
    }

    /// A line of the message, or a part of one, with doubled dots.
    pub(crate) fn content(&mut self, piece: Piece, line: &[u8]) {
        let starts = self.previous.replace(piece) != Some(Piece::Part);
        if starts && line.first() == Some(&b'.') && line.get(1) != Some(&b'.') {
            // A dot with line-break crud behind it must not become the end of the message.
            pf_log::warning!(
                "prepending '.' to malformed line: '{}'",
                pf_text::Show(line.get(..10).unwrap_or(line))
            );
            self.out.push(b'.');
        }
        self.out.extend(line.iter().map(|byte| {
            if matches!(byte, b'\r' | b'\n') {
                b' '
            } else {
                *byte
            }
        }));
        if piece == Piece::Line {
            self.out.extend_from_slice(b"\r\n");
        }
    }

    /// Sends content on when there is enough of it.
    pub(crate) async fn flush_full(&mut self) -> Result<(), ()> {
        if self.out.len() < SEND_SIZE {
            return Ok(());
        }
        if self.saved.is_some() {
            self.save_content();
            return Ok(());
        }
        self.send().await
    }

    async fn send(&mut self) -> Result<(), ()> {
        let out = std::mem::take(&mut self.out);
        let Some(wire) = &mut self.wire else {
            return Err(());
        };
        let sent = timeout(self.limit, async {
            wire.write_all(&out).await?;
            wire.flush().await
        });
        match sent.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => {
                self.lost("lost connection with");
                Err(())
            }
            Err(_) => {
                self.lost("timeout talking to");
                Err(())
            }
        }
    }

    /// The filter is gone; its part is played from here on.
    fn lost(&mut self, how: &str) {
        pf_log::warning!("{how} proxy {}", self.service);
        self.wire = None;
        self.last = generic();
    }

    /// What the filter said last, or what is said in its place; nothing if it was not asked yet.
    pub(crate) fn last_reply(&self) -> &[u8] {
        &self.last
    }

    /// One command (none: the greeting) and its reply.
    async fn exchange(&mut self, command: &[u8], expect: u8) -> Result<Vec<u8>, Trouble> {
        if !command.is_empty() {
            if pf_log::verbose() > 0 {
                pf_log::info!("> {}: {}", self.service, pf_text::Show(command));
            }
            self.out.extend_from_slice(command);
            self.out.extend_from_slice(b"\r\n");
        }
        let reply = match self.send().await {
            Ok(()) => self.reply().await,
            Err(()) => None,
        };
        let Some(reply) = reply else {
            self.last = generic();
            return Err((generic(), Classes::SOFTWARE));
        };
        self.last.clone_from(&reply);
        if expect == ANY || reply.first() == Some(&expect) {
            return Ok(reply);
        }
        let what = if command.is_empty() {
            b"connection request"
        } else {
            command
        };
        pf_log::warning!(
            "proxy {} rejected \"{}\": \"{}\"",
            self.service,
            pf_text::Show(what),
            pf_text::Show(&reply)
        );
        // A wrong kind of yes is no answer to a stranger.
        if matches!(reply.first(), Some(b'2' | b'3')) {
            return Err((generic(), Classes::SOFTWARE));
        }
        Err((reply, Classes::NONE))
    }

    async fn reply(&mut self) -> Option<Vec<u8>> {
        let mut reply: Vec<u8> = Vec::new();
        loop {
            let line = self.line().await?;
            if pf_log::verbose() > 0 {
                pf_log::info!(
                    "< {}: {}",
                    self.service,
                    pf_text::Show(line.get(..100).unwrap_or(&line))
                );
            }
            let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
            // What goes beyond is not told.
            if reply.len() < self.line_limit {
                if !reply.is_empty() {
                    reply.extend_from_slice(b"\r\n");
                }
                reply.extend_from_slice(&line);
            }
            match (digits, line.get(digits)) {
                (3, Some(b'-')) => {}
                (3, Some(b' ') | None) => return Some(reply),
                _ => pf_log::warning!(
                    "received garbage from proxy {}: {}",
                    self.service,
                    pf_text::Show(line.get(..100).unwrap_or(&line))
                ),
            }
        }
    }

    /// A line of a reply, made printable; of one that is too long, the beginning.
    async fn line(&mut self) -> Option<Vec<u8>> {
        let mut start: Option<Vec<u8>> = None;
        loop {
            while let Some(found) = cut(&self.input, self.line_limit, false) {
                let part = self.input.get(..found.len).unwrap_or_default();
                let line = start.get_or_insert_with(|| pf_text::printable(part, b'?').into_owned());
                self.input.drain(..found.used.min(self.input.len()));
                if found.piece == Piece::Line {
                    return start;
                }
                pf_log::warning!(
                    "{}: response longer than {}: {}...",
                    self.service,
                    self.line_limit,
                    pf_text::Show(line.get(..30).unwrap_or(line))
                );
            }
            let wire = self.wire.as_mut()?;
            match timeout(self.limit, wire.read_buf(&mut self.input)).await {
                Ok(Ok(count)) if count > 0 => {}
                Ok(_) => {
                    self.lost("lost connection with");
                    return None;
                }
                Err(_) => {
                    self.lost("timeout talking to");
                    return None;
                }
            }
        }
    }

    /// Says goodbye, without waiting for an answer.
    pub(crate) async fn close(mut self) {
        if self.wire.is_some() {
            self.out = b"QUIT\r\n".to_vec();
            let _ = self.send().await;
        }
    }
}

/// A file without a name, for a message that is gathered before it goes on.
fn scratch_file() -> std::io::Result<File> {
    let name = format!(
        "incoming/.proxy.{}.{:?}",
        std::process::id(),
        crate::enqueue::now()
    );
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&name)?;
    std::fs::remove_file(&name)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy() -> Proxy {
        Proxy {
            service: "test".to_owned(),
            ehlo: "here".to_owned(),
            limit: Duration::from_secs(1),
            line_limit: 2048,
            wire: None,
            input: Vec::new(),
            out: Vec::new(),
            last: Vec::new(),
            previous: None,
            saved: None,
            addresses: Vec::new(),
            mail: Vec::new(),
            forward: Vec::new(),
        }
    }

    #[test]
    fn bug_20260816_filters_get_canonical_lines_and_stuffed_dots() {
        let mut proxy = proxy();
        proxy.content(Piece::Line, b"..ok");
        proxy.content(Piece::Line, b".\r");
        proxy.content(Piece::Part, b"long");
        proxy.content(Piece::Line, b".not at a start");
        proxy.content(Piece::Line, b".");
        assert_eq!(proxy.out, b"..ok\r\n.. \r\nlong.not at a start\r\n..\r\n");
    }

    #[test]
    fn bug_20260817_stray_line_breaks_become_spaces() {
        let mut proxy = proxy();
        proxy.content(Piece::Line, b"a\rb\nc");
        assert_eq!(proxy.out, b"a b c\r\n");
    }
}
