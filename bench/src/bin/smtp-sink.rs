//! Takes mail as fast as a client sends it, and throws it away:
//! `smtp-sink [-8cepL] [-h host] [-f|-r|-q command,...] [-n sessions] [-w seconds] host:port [backlog]`. `-f` refuses commands with
//! 5xx, `-r` with 4xx, `-q` hangs up; `.` is the end of a message. `-c` counts messages on the standard error output.

use std::cell::Cell;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            use std::io::Write as _;
            // Nobody is there to tell that telling failed.
            let _ = writeln!(std::io::stderr(), "smtp-sink: {err:#}");
            ExitCode::FAILURE
        }
    }
}

/// What a client is told.
struct Plan {
    address: String,
    host: String,
    hello: Vec<u8>,
    greeting: Vec<u8>,
    hard: Vec<String>,
    soft: Vec<String>,
    hang_up: Vec<String>,
    lmtp: bool,
    count: bool,
    sessions: Option<usize>,
    delay: Duration,
    messages: Cell<usize>,
}

const USAGE: &str = "usage: smtp-sink [-8cepL] [-h host] [-f|-r|-q command,...] [-n sessions] [-w seconds] host:port [backlog]";

fn plan() -> Result<Plan> {
    let mut plan = Plan {
        address: String::new(),
        host: "sink".to_owned(),
        hello: Vec::new(),
        greeting: Vec::new(),
        hard: Vec::new(),
        soft: Vec::new(),
        hang_up: Vec::new(),
        lmtp: false,
        count: false,
        sessions: None,
        delay: Duration::ZERO,
        messages: Cell::new(0),
    };
    let (mut esmtp, mut pipelining, mut eightbit) = (true, true, true);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().context(USAGE);
        let list = |text: String| text.split(',').map(str::to_ascii_uppercase).collect();
        match word.as_str() {
            "-8" => eightbit = false,
            "-c" => plan.count = true,
            "-e" => esmtp = false,
            "-p" => pipelining = false,
            "-L" => plan.lmtp = true,
            "-h" => plan.host = value()?,
            "-f" => plan.hard = list(value()?),
            "-r" => plan.soft = list(value()?),
            "-q" => plan.hang_up = list(value()?),
            "-n" => plan.sessions = Some(value()?.parse()?),
            "-w" => plan.delay = Duration::from_secs(value()?.parse()?),
            _ if plan.address.is_empty() => plan.address = word,
            // The length of the kernel's queue is its own affair.
            _ => {}
        }
    }
    anyhow::ensure!(!plan.address.is_empty(), USAGE);
    let host = &plan.host;
    plan.greeting = format!("220 {host}{}\r\n", if esmtp { " ESMTP" } else { "" }).into_bytes();
    let mut hello = format!("250-{host}\r\n");
    if pipelining {
        hello.push_str("250-PIPELINING\r\n");
    }
    if eightbit {
        hello.push_str("250-8BITMIME\r\n");
    }
    hello.push_str("250 ENHANCEDSTATUSCODES\r\n");
    plan.hello = if esmtp || plan.lmtp {
        hello.into_bytes()
    } else {
        b"502 5.5.2 Error: command not recognized\r\n".to_vec()
    };
    Ok(plan)
}

fn run() -> Result<()> {
    let plan = Rc::new(plan()?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(&plan.address)
            .await
            .with_context(|| format!("bind {}", plan.address))?;
        let mut running = Vec::new();
        let mut taken = 0;
        while plan.sessions.is_none_or(|most| taken < most) {
            let (stream, _) = listener.accept().await?;
            taken += 1;
            let plan = plan.clone();
            let limited = plan.sessions.is_some();
            // A client's trouble is its own.
            let task = spawn_local(async move { session(stream, &plan).await.ok() });
            if limited {
                running.push(task);
            }
        }
        for task in running {
            task.await?;
        }
        Ok(())
    })
}

/// What is answered instead of the usual reply.
fn refused(plan: &Plan, verb: &str) -> Option<&'static [u8]> {
    let named = |list: &[String]| !list.is_empty() && list.iter().any(|word| word == verb);
    if named(&plan.hard) {
        return Some(b"500 5.3.0 Error: command failed\r\n");
    }
    named(&plan.soft).then_some(b"450 4.3.0 Error: command failed\r\n")
}

fn counted(plan: &Plan) {
    let count = plan.messages.get() + 1;
    plan.messages.set(count);
    if plan.count {
        use std::io::Write as _;
        // Nobody is there to tell that telling failed.
        let _ = write!(std::io::stderr(), "{count}\r");
    }
}

async fn session(mut stream: TcpStream, plan: &Plan) -> Result<()> {
    stream.set_nodelay(true)?;
    if plan.hang_up.iter().any(|word| word == "CONNECT") {
        return Ok(());
    }
    stream
        .write_all(refused(plan, "CONNECT").unwrap_or(&plan.greeting))
        .await?;
    let special = !(plan.hard.is_empty() && plan.soft.is_empty() && plan.hang_up.is_empty());
    let (mut input, mut output, mut in_content) = (Vec::with_capacity(8192), Vec::new(), false);
    let mut recipients = 0;
    loop {
        let mut taken = 0;
        let mut leaving = false;
        while let Some(len) = memchr::memchr(b'\n', input.get(taken..).unwrap_or_default()) {
            let line: &[u8] = input.get(taken..taken + len).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            taken += len + 1;
            if in_content && line != b"." {
                continue;
            }
            let verb = line.get(..4).unwrap_or(line).to_ascii_uppercase();
            if special {
                let verb = String::from_utf8_lossy(&verb);
                if plan.hang_up.iter().any(|word| *word == verb) {
                    leaving = true;
                    break;
                }
                if let Some(reply) = refused(plan, &verb) {
                    in_content = false;
                    output.extend_from_slice(reply);
                    continue;
                }
            }
            if in_content {
                in_content = false;
                if !plan.delay.is_zero() {
                    tokio::time::sleep(plan.delay).await;
                }
                for _ in 0..if plan.lmtp { recipients } else { 1 } {
                    output.extend_from_slice(b"250 2.0.0 Ok\r\n");
                }
                recipients = 0;
                counted(plan);
                continue;
            }
            let reply: &[u8] = match verb.as_slice() {
                b"EHLO" | b"LHLO" => &plan.hello,
                b"RCPT" => {
                    recipients += 1;
                    b"250 2.1.5 Ok\r\n"
                }
                b"RSET" => {
                    recipients = 0;
                    b"250 2.0.0 Ok\r\n"
                }
                b"DATA" => {
                    in_content = true;
                    b"354 Go on\r\n"
                }
                b"QUIT" => {
                    leaving = true;
                    b"221 2.0.0 Bye\r\n"
                }
                _ => b"250 2.0.0 Ok\r\n",
            };
            output.extend_from_slice(reply);
        }
        input.drain(..taken);
        if !output.is_empty() {
            stream.write_all(&output).await?;
            output.clear();
        }
        if leaving || stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
    }
}
