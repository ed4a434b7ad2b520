//! A plain SMTP client that says exactly what the test says.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// A server's answer to one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits.
    pub code: u16,
    /// All lines, joined by newlines, digits included.
    pub text: String,
}

/// One SMTP session.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
    /// The server's greeting.
    pub greeting: Reply,
}

impl Client {
    /// Reads the greeting of a fresh connection.
    pub fn new(stream: TcpStream) -> Self {
        Self::after(stream, b"")
    }

    /// As [`new`](Self::new), but says `first` before the server has greeted.
    pub fn after(mut stream: TcpStream, first: &[u8]) -> Self {
        let _ = stream.write_all(first);
        stream
            .set_read_timeout(Some(Duration::from_secs(15)))
            .unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Self {
            stream: BufReader::new(stream),
            greeting: Reply {
                code: 0,
                text: String::new(),
            },
        };
        client.greeting = client.reply();
        client
    }

    /// Sends bytes as they are. That the server has hung up shows when its reply is read.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.get_mut().write_all(bytes.as_ref());
    }

    /// Reads one reply; code 0 with what came so far when the server hung up.
    pub fn reply(&mut self) -> Reply {
        let mut lines: Vec<String> = Vec::new();
        loop {
            let mut line = Vec::new();
            let count = self.stream.read_until(b'\n', &mut line).unwrap_or(0);
            if count == 0 {
                return Reply {
                    code: 0,
                    text: lines.join("\n"),
                };
            }
            let line = String::from_utf8_lossy(&line)
                .trim_end_matches(['\r', '\n'])
                .to_owned();
            let last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line);
            if last {
                let code = lines[0]
                    .get(..3)
                    .and_then(|digits| digits.parse().ok())
                    .unwrap_or(0);
                return Reply {
                    code,
                    text: lines.join("\n"),
                };
            }
        }
    }

    /// Sends a command line and reads the reply.
    pub fn command(&mut self, line: &str) -> Reply {
        self.send(format!("{line}\r\n"));
        self.reply()
    }

    /// Sends a command and asserts the reply's code.
    pub fn expect(&mut self, line: &str, code: u16) -> Reply {
        let reply = self.command(line);
        assert_eq!(reply.code, code, "{line}: {}", reply.text);
        reply
    }

    /// Sends a message's content (lines end in CRLF, no dot-stuffing is done) after DATA, and reads the final reply.
    pub fn data(&mut self, content: &str) -> Reply {
        self.expect("DATA", 354);
        self.send(content);
        self.command(".")
    }

    /// A whole transaction with one recipient; gives the final reply.
    pub fn mail(&mut self, from: &str, to: &str, content: &str) -> Reply {
        self.expect(&format!("MAIL FROM:<{from}>"), 250);
        self.expect(&format!("RCPT TO:<{to}>"), 250);
        self.data(content)
    }

    /// Whether the server has closed the connection.
    pub fn closed(&mut self) -> bool {
        self.reply().code == 0
    }
}
