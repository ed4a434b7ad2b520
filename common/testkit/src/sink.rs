//! An SMTP or LMTP server that takes everything, or answers what the test tells it to.

use std::io::{BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::{Instance, wait_for};

/// A message that the sink took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// The HELO, EHLO or LHLO line.
    pub hello: String,
    /// The MAIL line.
    pub mail: String,
    /// The RCPT lines that were accepted.
    pub rcpt: Vec<String>,
    /// The content, lines ended by CRLF, dots unstuffed.
    pub content: String,
}

type Answer = dyn Fn(&str) -> Option<String> + Send + Sync;

/// A running sink; it ends with the test's process.
pub struct Sink {
    received: Arc<Mutex<Vec<Received>>>,
    sessions: Arc<Mutex<usize>>,
}

impl Sink {
    /// Takes all mail at `address` inside the instance's network.
    pub fn start(instance: &Instance, address: &str) -> Self {
        Self::with(instance, address, |_| None)
    }

    /// As [`start`](Self::start); `answer` may give a reply of its own (without line end) to a command line, to `greeting`
    /// when a client connects, and to `.` at the end of a message (for LMTP, to `. ` and the RCPT line). A reply that is
    /// `close` hangs up.
    pub fn with(
        instance: &Instance,
        address: &str,
        answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let listener = instance.listen(address);
        let received = Arc::new(Mutex::new(Vec::new()));
        let sessions = Arc::new(Mutex::new(0));
        let (messages, count) = (received.clone(), sessions.clone());
        std::thread::spawn(move || {
            accept(
                &listener,
                &messages,
                &count,
                &(Arc::new(answer) as Arc<Answer>),
            )
        });
        Self { received, sessions }
    }

    /// As [`with`](Self::with), behind a local socket.
    pub fn local(
        path: &Path,
        answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).unwrap();
        let sink = Self {
            received: Arc::default(),
            sessions: Arc::default(),
        };
        let (received, sessions) = (sink.received.clone(), sink.sessions.clone());
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                *sessions.lock().unwrap() += 1;
                let (received, answer) = (received.clone(), answer.clone());
                std::thread::spawn(move || {
                    let output = stream.try_clone().ok()?;
                    session(stream, output, &received, &*answer)
                });
            }
        });
        sink
    }

    /// What was taken so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// What was taken since the last time.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().unwrap())
    }

    /// How many clients have connected so far.
    pub fn sessions(&self) -> usize {
        *self.sessions.lock().unwrap()
    }

    /// Waits until this many messages were taken.
    pub fn wait(&self, count: usize) -> Vec<Received> {
        let enough = wait_for(Duration::from_secs(20), || {
            self.received.lock().unwrap().len() >= count
        });
        let received = self.received();
        assert!(enough, "{} of {count} messages came", received.len());
        received
    }
}

fn accept(
    listener: &TcpListener,
    received: &Arc<Mutex<Vec<Received>>>,
    sessions: &Arc<Mutex<usize>>,
    answer: &Arc<Answer>,
) {
    for stream in listener.incoming().flatten() {
        *sessions.lock().unwrap() += 1;
        let (received, answer) = (received.clone(), answer.clone());
        std::thread::spawn(move || {
            let limit = Some(Duration::from_secs(60));
            stream.set_read_timeout(limit).ok()?;
            let output = stream.try_clone().ok()?;
            session(stream, output, &received, &*answer)
        });
    }
}

/// One session; ends at the first trouble with the client.
fn session(
    input: impl Read,
    mut output: impl Write,
    received: &Mutex<Vec<Received>>,
    answer: &Answer,
) -> Option<()> {
    let mut input = BufReader::new(input);
    let mut say = |event: &str, usual: &str| -> Option<u8> {
        let reply = answer(event).unwrap_or_else(|| usual.to_owned());
        if reply == "close" {
            return None;
        }
        output
            .write_all(format!("{}\r\n", reply.replace('\n', "\r\n")).as_bytes())
            .ok()?;
        reply.bytes().next()
    };
    let mut message = Received::default();
    let mut lmtp = false;
    say("greeting", "220 sink.example ESMTP")?;
    loop {
        let line = line(&mut input)?;
        let verb = line
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" | "LHLO" => {
                lmtp = verb == "LHLO";
                message.hello.clone_from(&line);
                say(
                    &line,
                    "250-sink.example\n250-PIPELINING\n250-SIZE 0\n250-8BITMIME\n250-DSN\n250-ENHANCEDSTATUSCODES\n250 SMTPUTF8",
                )?;
            }
            "HELO" => {
                message.hello.clone_from(&line);
                say(&line, "250 sink.example")?;
            }
            "MAIL" => {
                if say(&line, "250 2.1.0 Ok")? == b'2' {
                    message.mail = line;
                }
            }
            "RCPT" => {
                if say(&line, "250 2.1.5 Ok")? == b'2' {
                    message.rcpt.push(line);
                }
            }
            "DATA" => {
                if say(&line, "354 End data with <CR><LF>.<CR><LF>")? != b'3' {
                    continue;
                }
                message.content = content(&mut input)?;
                let taken = Received {
                    hello: message.hello.clone(),
                    ..std::mem::take(&mut message)
                };
                message.hello.clone_from(&taken.hello);
                let mut kept = false;
                if lmtp {
                    for rcpt in &taken.rcpt {
                        kept |= say(&format!(". {rcpt}"), "250 2.1.5 Ok")? == b'2';
                    }
                } else {
                    kept = say(".", "250 2.0.0 Ok: queued as SINK")? == b'2';
                }
                if kept {
                    received.lock().unwrap().push(taken);
                }
            }
            "RSET" => {
                message = Received {
                    hello: message.hello,
                    ..Received::default()
                };
                say(&line, "250 2.0.0 Ok")?;
            }
            "QUIT" => {
                say(&line, "221 2.0.0 Bye")?;
                return Some(());
            }
            _ => {
                say(&line, "250 2.0.0 Ok")?;
            }
        }
    }
}

fn line(input: &mut impl std::io::BufRead) -> Option<String> {
    let mut bytes = Vec::new();
    if input.read_until(b'\n', &mut bytes).ok()? == 0 {
        return None;
    }
    Some(
        String::from_utf8_lossy(&bytes)
            .trim_end_matches(['\r', '\n'])
            .to_owned(),
    )
}

fn content(input: &mut impl std::io::BufRead) -> Option<String> {
    let mut content = String::new();
    loop {
        let line = line(input)?;
        if line == "." {
            return Some(content);
        }
        content += line.strip_prefix('.').unwrap_or(&line);
        content += "\r\n";
    }
}
