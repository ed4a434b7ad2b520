//! Sends mail as fast as a server takes it: `smtp-source [-d] [-s sessions] [-m messages] [-l bytes] [-f from] [-t to] host:port`.
//! Each message gets a connection of its own, unless `-d` keeps connections.

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
    envelope: Vec<u8>,
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

fn plan() -> Result<Plan> {
    let (mut keep, mut sessions, mut messages, mut length) = (false, 1, 1, 0);
    let (mut from, mut to) = ("foo@localhost".to_owned(), "foo@localhost".to_owned());
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
            "-s" => sessions = value()?.parse()?,
            "-m" => messages = value()?.parse()?,
            "-l" => length = value()?.parse()?,
            "-f" => from = value()?,
            "-t" => to = value()?,
            _ => server = Some(word),
        }
    }
    let mut content = format!("From: <{from}>\r\nTo: <{to}>\r\nSubject: load\r\n\r\n").into_bytes();
    while content.len() < length {
        content.extend([b'X'; 78]);
        content.extend(b"\r\n");
    }
    content.extend(b".\r\n");
    Ok(Plan {
        server: server.context("usage: smtp-source [-d] [-s sessions] [-m messages] [-l bytes] [-f from] [-t to] host:port")?,
        keep,
        sessions,
        messages: Cell::new(messages),
        envelope: format!("MAIL FROM:<{from}>\r\nRCPT TO:<{to}>\r\nDATA\r\n").into_bytes(),
        content,
    })
}

async fn session(plan: &Plan) -> Result<()> {
    let mut open: Option<Server> = None;
    while let Some(left) = plan.messages.get().checked_sub(1) {
        plan.messages.set(left);
        let mut server = match open.take() {
            Some(server) => server,
            None => Server::connect(&plan.server).await?,
        };
        server.say(&plan.envelope).await?;
        for wanted in [b'2', b'2', b'3'] {
            server.reply(wanted).await?;
        }
        server.say(&plan.content).await?;
        server.reply(b'2').await?;
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
    async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        let mut server = Self {
            stream,
            input: Vec::new(),
        };
        server.reply(b'2').await?;
        server.say(b"EHLO source.example\r\n").await?;
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
