//! The before-queue content filter (`smtpd_proxy_filter`): an SMTP server that gets the message before the client gets its reply.
//!
//! What goes there is canonical: every line ends in CR LF, no other CR is in it, and a dot at the start of a line is doubled.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use pf_proto::cleanup::Status;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::access::ask::Ask;
use crate::params::Params;
use crate::session::content::{Piece, cut};
use crate::session::errors::Classes;
use crate::session::state::{Session, UNKNOWN};
use crate::text::text;

trait Wire: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Wire for T {}

/// Content is sent when there are so many bytes of it.
const SEND_SIZE: usize = 32 << 10;
/// The longest reply of a filter, in bytes.
const MAX_REPLY: usize = 64 << 10;
/// The longest `XFORWARD` command, without its name.
const MAX_XFORWARD: usize = 512 - "250 XFORWARD\r\n".len();

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
    address: Option<SocketAddr>,
    mail: Vec<u8>,
    forward: Vec<(&'static str, Option<Vec<u8>>)>,
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
            address: address(&service, ask).await,
            service,
            ehlo: params.proxy_ehlo.clone(),
            limit: params.proxy_timeout,
            line_limit: params.line_length_limit,
            wire: None,
            input: Vec::new(),
            out: Vec::new(),
            last: generic(),
            previous: None,
            saved: None,
            mail: session.mail.proxy_mail.clone().unwrap_or_default(),
            forward: forwarded(session),
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
        } else {
            proxy.begin().await?;
        }
        Ok(proxy)
    }

    async fn connect(&self) -> std::io::Result<Box<dyn Wire>> {
        let dial = async {
            match self.service.strip_prefix("unix:") {
                Some(path) => Ok(Box::new(UnixStream::connect(path).await?) as Box<dyn Wire>),
                None => {
                    let address = self.address.ok_or(std::io::ErrorKind::AddrNotAvailable)?;
                    let stream = TcpStream::connect(address).await?;
                    stream.set_nodelay(true)?;
                    Ok(Box::new(stream) as Box<dyn Wire>)
                }
            }
        };
        timeout(self.limit, dial)
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
    }

    /// Connects, says hello, tells where the message comes from, and begins the transaction.
    async fn begin(&mut self) -> Result<(), Trouble> {
        match self.connect().await {
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
        let wanted = xforward_features(&features);
        let mut line = Vec::new();
        for (name, value) in std::mem::take(&mut self.forward) {
            if !wanted
                .iter()
                .any(|feature| feature.eq_ignore_ascii_case(name.as_bytes()))
            {
                continue;
            }
            let value = value.as_deref().unwrap_or(b"[UNAVAILABLE]");
            let attribute = text![" ", name, "=", pf_text::xtext::encode(value)];
            if !line.is_empty() && line.len() + attribute.len() > MAX_XFORWARD {
                let command = text!["XFORWARD", std::mem::take(&mut line)];
                self.exchange(&command, b'2').await.map_err(hidden)?;
            }
            line.extend_from_slice(&attribute);
        }
        if !line.is_empty() {
            let command = text!["XFORWARD", line];
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
                pf_log::warning!("lost connection with proxy {}", self.service);
                self.wire = None;
                Err(())
            }
            Err(_) => {
                pf_log::warning!("timeout talking to proxy {}", self.service);
                self.wire = None;
                Err(())
            }
        }
    }

    /// What the client is told when the filter got no whole message.
    pub(crate) fn failure(&self) -> Vec<u8> {
        if matches!(self.last.first(), Some(b'4' | b'5')) {
            self.last.clone()
        } else {
            generic()
        }
    }

    /// One command (none: the greeting) and its reply.
    async fn exchange(&mut self, command: &[u8], expect: u8) -> Result<Vec<u8>, Trouble> {
        if !command.is_empty() {
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
            String::from_utf8_lossy(&pf_text::printable(what, b'?')),
            String::from_utf8_lossy(&pf_text::printable(&reply, b'?'))
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
            let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !reply.is_empty() {
                reply.extend_from_slice(b"\r\n");
            }
            reply.extend_from_slice(&line);
            if reply.len() > MAX_REPLY {
                return None;
            }
            match (digits, line.get(digits)) {
                (3, Some(b'-')) => {}
                (3, Some(b' ') | None) => return Some(reply),
                _ => pf_log::warning!(
                    "received garbage from proxy {}: {}",
                    self.service,
                    String::from_utf8_lossy(&pf_text::printable(
                        line.get(..100).unwrap_or(&line),
                        b'?'
                    ))
                ),
            }
        }
    }

    async fn line(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(found) = cut(&self.input, self.line_limit, false) {
                let line = self.input.get(..found.len).unwrap_or_default().to_vec();
                self.input.drain(..found.used.min(self.input.len()));
                return Some(line);
            }
            let wire = self.wire.as_mut()?;
            match timeout(self.limit, wire.read_buf(&mut self.input)).await {
                Ok(Ok(count)) if count > 0 => {}
                Ok(_) => {
                    pf_log::warning!("lost connection with proxy {}", self.service);
                    self.wire = None;
                    return None;
                }
                Err(_) => {
                    pf_log::warning!("timeout talking to proxy {}", self.service);
                    self.wire = None;
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

/// Where the filter listens; `host:port`, `inet:host:port`, `:port`, `port`.
async fn address(service: &str, ask: &impl Ask) -> Option<SocketAddr> {
    let service = service.strip_prefix("inet:").unwrap_or(service);
    let (host, port) = service.rsplit_once(':').unwrap_or(("", service));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = if host.is_empty() { "localhost" } else { host };
    let port: u16 = port.parse().ok()?;
    if let Ok(ip) = host.parse() {
        return Some(SocketAddr::new(ip, port));
    }
    let addresses = ask.host_addresses(host.as_bytes()).await.ok()?;
    addresses.first().map(|ip| SocketAddr::new(*ip, port))
}

/// What the filter wants to know about the client.
fn xforward_features(reply: &[u8]) -> Vec<Vec<u8>> {
    bstr::ByteSlice::lines(reply)
        .filter_map(|line| {
            let mut words = line.get(4..)?.split(|byte| matches!(byte, b' ' | b'\t'));
            words
                .next()?
                .eq_ignore_ascii_case(b"XFORWARD")
                .then(|| words.map(<[u8]>::to_vec).collect::<Vec<_>>())
        })
        .flatten()
        .collect()
}

fn forwarded(session: &Session) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let known = |value: &[u8]| (value != UNKNOWN).then(|| value.to_vec());
    let peer = &session.peer;
    let forwarded = session.forwarded.as_deref();
    let context = forwarded
        .and_then(|forwarded| forwarded.context)
        .or(session.mail.rewrite_context);
    let source = if context == Some("local") {
        "LOCAL"
    } else {
        "REMOTE"
    };
    let ident = forwarded
        .and_then(|forwarded| forwarded.ident.clone())
        .or_else(|| session.mail.queue_id.clone());
    let mut list = match forwarded.filter(|forwarded| forwarded.has_client) {
        Some(forwarded) => vec![
            ("NAME", known(&forwarded.name)),
            ("ADDR", known(&forwarded.rfc_address)),
            ("PORT", known(&forwarded.port)),
            ("HELO", forwarded.helo.clone()),
            ("IDENT", ident),
            ("PROTO", known(&forwarded.protocol)),
        ],
        None => vec![
            ("NAME", known(&peer.name)),
            ("ADDR", known(&peer.rfc_address)),
            ("PORT", known(&peer.port)),
            ("HELO", session.helo.clone()),
            ("IDENT", ident),
            ("PROTO", Some(session.protocol.name().as_bytes().to_vec())),
        ],
    };
    list.push(("SOURCE", Some(source.as_bytes().to_vec())));
    list
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
            address: None,
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

    #[test]
    fn features_of_a_filter() {
        let reply = b"250-filter\r\n250-XFORWARD NAME ADDR\r\n250 8BITMIME";
        assert_eq!(
            xforward_features(reply),
            [b"NAME".to_vec(), b"ADDR".to_vec()]
        );
    }
}
