//! What a server says: replies, and the features it announces. No I/O.

use pf_dsn::{Dsn, Status};

/// One reply, perhaps of several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits of the last line; 0 when it had none.
    pub code: u16,
    /// The enhanced status code, if the reply has one of its class.
    pub dsn: Option<Dsn>,
    /// All lines, joined by spaces, digits of the first line included.
    pub text: String,
    /// The lines without digits, for the features of EHLO.
    pub lines: Vec<String>,
}

/// The most lines that are kept of one reply, and the longest text.
const MAX_LINES: usize = 200;
const MAX_TEXT: usize = 8192;

/// Collects the lines of a reply.
#[derive(Debug, Default)]
pub struct Collector {
    lines: Vec<String>,
    size: usize,
}

impl Collector {
    /// Takes a line (without its end); the reply when it was the last one.
    pub fn line(&mut self, line: &[u8]) -> Option<Reply> {
        let clean = String::from_utf8_lossy(&pf_text::printable_utf8(line, b'?')).into_owned();
        let more = line
            .get(..3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
            && line.get(3) == Some(&b'-');
        self.size += clean.len();
        if self.lines.len() < MAX_LINES && self.size <= MAX_TEXT {
            self.lines.push(clean);
        }
        if more {
            return None;
        }
        Some(Reply::of(std::mem::take(&mut self.lines), line))
    }
}

impl Reply {
    fn of(lines: Vec<String>, last: &[u8]) -> Self {
        let digits = last.get(..3).filter(|digits| {
            digits.iter().all(u8::is_ascii_digit)
                && last.get(3).is_none_or(|next| matches!(next, b' ' | b'-'))
        });
        let code = digits
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
            .unwrap_or(0);
        let mut text = String::new();
        let mut bare = Vec::new();
        for line in &lines {
            let rest = line.get(4..).unwrap_or_default();
            if text.is_empty() {
                text.push_str(line);
            } else {
                text.push(' ');
                text.push_str(rest);
            }
            bare.push(rest.to_owned());
        }
        // A hyphen behind the digits of a first line of several reads like part of the text.
        if text.as_bytes().get(3) == Some(&b'-') {
            text.replace_range(3..4, "-");
        }
        let dsn = bare
            .last()
            .and_then(|rest| Dsn::parse_prefix(rest.as_bytes()))
            .map(|(dsn, _)| dsn)
            .filter(|dsn| u16::from(dsn.class) == code / 100);
        Self {
            code,
            dsn,
            text,
            lines: bare,
        }
    }

    /// The class: 2, 3, 4, 5, or 0 for nonsense.
    pub fn class(&self) -> u16 {
        if (200..600).contains(&self.code) {
            self.code / 100
        } else {
            0
        }
    }

    /// The enhanced code, or the one that the class means.
    pub fn dsn(&self) -> Dsn {
        let class = match self.class() {
            2 => 2,
            5 => 5,
            _ => 4,
        };
        self.dsn.unwrap_or(Dsn::new(class, 0, 0))
    }

    /// The status of a recipient that got this reply: `host ... said: ... (in reply to ... command)`.
    pub fn refusal(&self, host: &str, command: &str) -> Status {
        let mut status = Status::new(
            self.dsn(),
            format!("host {host} said: {} (in reply to {command})", self.text),
        );
        status.diagnostic = Some(("smtp".to_owned(), self.text.clone().into_bytes()));
        status
    }
}

/// What a server can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    pub esmtp: bool,
    pub pipelining: bool,
    pub size: bool,
    /// The largest message; 0 for no limit.
    pub size_limit: u64,
    pub eightbit: bool,
    pub smtputf8: bool,
    pub dsn: bool,
    /// The XFORWARD attributes that the server takes.
    pub xforward: Vec<String>,
    /// The server has our own name.
    pub loops: bool,
}

impl Features {
    /// Reads the lines of an EHLO reply; the first has the server's name. Keywords in `discard` are passed over.
    pub fn parse(reply: &Reply, discard: &str, own_name: &str) -> Self {
        let mut features = Self {
            esmtp: true,
            ..Self::default()
        };
        for (number, line) in reply.lines.iter().enumerate() {
            let mut words = line.split_ascii_whitespace();
            let Some(word) = words.next() else { continue };
            if number == 0 {
                features.loops = word.eq_ignore_ascii_case(own_name);
                continue;
            }
            if pf_text::split::list(discard).any(|dropped| dropped.eq_ignore_ascii_case(word)) {
                continue;
            }
            match word.to_ascii_uppercase().as_str() {
                "PIPELINING" => features.pipelining = true,
                "SIZE" => {
                    features.size = true;
                    features.size_limit = words
                        .next()
                        .and_then(|number| number.parse().ok())
                        .unwrap_or(0);
                }
                "8BITMIME" => features.eightbit = true,
                "SMTPUTF8" => features.smtputf8 = true,
                "DSN" => features.dsn = true,
                "XFORWARD" => features.xforward = words.map(str::to_ascii_uppercase).collect(),
                _ => {}
            }
        }
        features
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(lines: &[&str]) -> Reply {
        let mut collector = Collector::default();
        let mut found = None;
        for line in lines {
            assert!(found.is_none());
            found = collector.line(line.as_bytes());
        }
        found.unwrap()
    }

    #[test]
    fn replies_of_one_and_several_lines() {
        let one = reply(&["550 5.1.1 no such user"]);
        assert_eq!((one.code, one.dsn()), (550, Dsn::new(5, 1, 1)));
        assert_eq!(
            one.refusal("a[1.2.3.4]", "RCPT TO command").reason,
            b"host a[1.2.3.4] said: 550 5.1.1 no such user (in reply to RCPT TO command)"
        );
        let two = reply(&["550-first", "550 5.7.1 second"]);
        assert_eq!(two.text, "550-first 5.7.1 second");
        assert_eq!(two.dsn(), Dsn::new(5, 7, 1));
        assert_eq!(reply(&["garbage"]).class(), 0);
        assert_eq!(reply(&["250 5.1.1 of another class"]).dsn, None);
        assert_eq!(reply(&["450"]).dsn(), Dsn::new(4, 0, 0));
    }

    #[test]
    fn features_are_read_but_those_discarded() {
        let hello = reply(&[
            "250-mx.example hi",
            "250-PIPELINING",
            "250-SIZE 1000",
            "250-8bitmime",
            "250 DSN",
        ]);
        let features = Features::parse(&hello, "dsn", "me.example");
        assert!(
            features.pipelining
                && features.size
                && features.eightbit
                && !features.dsn
                && !features.loops
        );
        assert_eq!(features.size_limit, 1000);
        assert!(Features::parse(&hello, "", "MX.example").loops);
    }
}
