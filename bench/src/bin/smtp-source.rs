//! Sends mail as fast as a server takes it: `smtp-source [-cdoLN] [-s sessions] [-m messages] [-l bytes] [-r recipients]
//! [-f from] [-t to] [-S subject] [-M myhostname] host:port`. Each message gets a connection of its own, unless `-d` keeps
//! connections; `-N` numbers the recipients, `-c` counts, `-o` speaks plain SMTP, `-L` LMTP.

use std::cell::Cell;
use std::process::ExitCode;
use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::{LocalSet, spawn_local};

struct Plan {
    server: String,
    keep: bool,
    sessions: usize,
    messages: Cell<usize>,
    /// `-N`: a number in front of each recipient.
    numbered: Option<Cell<usize>>,
    count: Option<Cell<usize>>,
    hello: Vec<u8>,
    lmtp: bool,
    /// One command after the other.
    plain: bool,
    recipients: usize,
    from: String,
    to: String,
    content: Vec<u8>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            use std::io::Write as _;
            // Nobody is there to tell that telling failed.
            let _ = writeln!(std::io::stderr(), "smtp-source: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let plan = Rc::new(plan()?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let tasks: Vec<_> = (0..plan.sessions)
            .map(|_| {
                let plan = plan.clone();
                spawn_local(async move { session(&plan).await })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        Ok(())
    })
}

const USAGE: &str = "usage: smtp-source [-cdoLN] [-s sessions] [-m messages] [-l bytes] [-r recipients] [-f from] [-t to] [-S subject] [-M myhostname] host:port";

fn plan() -> Result<Plan> {
    let (mut keep, mut sessions, mut messages, mut length) = (false, 1, 1, 0);
    let (mut from, mut to) = ("foo@localhost".to_owned(), "foo@localhost".to_owned());
    let (mut recipients, mut numbered, mut count, mut lmtp, mut plain) =
        (1, false, false, false, false);
    let (mut subject, mut host) = ("load".to_owned(), "source.example".to_owned());
    let mut words = std::env::args().skip(1);
    let mut server = None;
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .with_context(|| format!("{word} needs a value"))
        };
        match word.as_str() {
            "-d" => keep = true,
            "-c" => count = true,
            "-N" => numbered = true,
            "-o" => plain = true,
            "-L" => lmtp = true,
            "-r" => recipients = value()?.parse()?,
            "-S" => subject = value()?,
            "-M" => host = value()?,
            "-s" => sessions = value()?.parse()?,
            "-m" => messages = value()?.parse()?,
            "-l" => length = value()?.parse()?,
            "-f" => from = value()?,
            "-t" => to = value()?,
            _ => server = Some(word),
        }
    }
    let mut content =
        format!("From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n\r\n").into_bytes();
    while content.len() < length {
        content.extend([b'X'; 78]);
        content.extend(b"\r\n");
    }
    content.extend(b".\r\n");
    Ok(Plan {
        server: server.context(USAGE)?,
        keep,
        sessions,
        messages: Cell::new(messages),
        numbered: numbered.then(|| Cell::new(0)),
        count: count.then(|| Cell::new(0)),
        hello: match (lmtp, plain) {
            (true, _) => format!("LHLO {host}\r\n"),
            (false, true) => format!("HELO {host}\r\n"),
            (false, false) => format!("EHLO {host}\r\n"),
        }
        .into_bytes(),
        lmtp,
        plain,
        recipients,
        from,
        to,
        content,
    })
}

impl Plan {
    /// The commands of the next message.
    fn envelope(&self) -> Vec<u8> {
        let mut out = format!("MAIL FROM:<{}>\r\n", self.from);
        for number in 0..self.recipients {
            let prefix = match &self.numbered {
                Some(next) => next.replace(next.get() + 1).to_string(),
                None if self.recipients > 1 => number.to_string(),
                None => String::new(),
            };
            out.push_str(&format!("RCPT TO:<{prefix}{}>\r\n", self.to));
        }
        out.push_str("DATA\r\n");
        out.into_bytes()
    }

    fn counted(&self) {
        if let Some(count) = &self.count {
            use std::io::Write as _;
            count.set(count.get() + 1);
            // Nobody is there to tell that telling failed.
            let _ = write!(std::io::stderr(), "{}\r", count.get());
        }
    }
}

async fn session(plan: &Plan) -> Result<()> {
    let mut open: Option<Server> = None;
    while let Some(left) = plan.messages.get().checked_sub(1) {
        plan.messages.set(left);
        let mut server = match open.take() {
            Some(server) => server,
            None => Server::connect(plan).await?,
        };
        let envelope = plan.envelope();
        if plan.plain {
            for line in envelope.split_inclusive(|byte| *byte == b'\n') {
                server.say(line).await?;
                let wanted = if line.starts_with(b"DATA") {
                    b'3'
                } else {
                    b'2'
                };
                server.reply(wanted).await?;
            }
        } else {
            server.say(&envelope).await?;
            for _ in 0..=plan.recipients {
                server.reply(b'2').await?;
            }
            server.reply(b'3').await?;
        }
        server.say(&plan.content).await?;
        for _ in 0..if plan.lmtp { plan.recipients } else { 1 } {
            server.reply(b'2').await?;
        }
        plan.counted();
        if plan.keep {
            open = Some(server);
        } else {
            server.leave().await?;
        }
    }
    match open {
        Some(server) => server.leave().await,
        None => Ok(()),
    }
}

struct Server {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Server {
    async fn connect(plan: &Plan) -> Result<Self> {
        let address = plan.server.as_str();
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        let mut server = Self {
            stream,
            input: Vec::new(),
        };
        server.reply(b'2').await?;
        server.say(&plan.hello).await?;
        server.reply(b'2').await?;
        Ok(server)
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Reads one reply, which must begin with this digit.
    async fn reply(&mut self, wanted: u8) -> Result<()> {
        loop {
            while let Some(end) = memchr::memchr(b'\n', &self.input) {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                let shown = String::from_utf8_lossy(&line);
                ensure!(line.first() == Some(&wanted), "unexpected reply: {shown}");
                if line.get(3) != Some(&b'-') {
                    return Ok(());
                }
            }
            ensure!(
                self.stream.read_buf(&mut self.input).await? > 0,
                "the server hung up"
            );
        }
    }

    async fn leave(mut self) -> Result<()> {
        self.say(b"QUIT\r\n").await?;
        self.reply(b'2').await
    }
}
