//! Replies of a server, as a client reads them (RFC 5321, section 4.2; RFC 3463).

use pf_dsn::Dsn;

/// One reply, perhaps of several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits of the last line.
    pub code: u16,
    /// The enhanced status code, or the one that the class of the code means; 5.5.0 where a reply of that class has none.
    pub dsn: Dsn,
    /// All lines, digits included, joined by spaces.
    pub text: String,
    /// Where the lines begin in the text.
    starts: Vec<usize>,
    /// Lines that are none of a reply and stood before the last one.
    pub garbage: Vec<String>,
}

/// How many lines that are none of a reply are remembered.
const MAX_GARBAGE: usize = 10;

/// Collects the lines of a reply.
#[derive(Debug, Default)]
pub struct Collector {
    text: String,
    starts: Vec<usize>,
    garbage: Vec<String>,
    complained: bool,
}

/// How a line of a reply looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Another line follows.
    More,
    /// The last line, with this code.
    Last(u16),
    /// Not a line of a reply.
    Garbage,
}

/// Looks at the digits of a line.
pub fn shape(line: &[u8]) -> Shape {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let code = line
        .get(..3)
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    match (digits, code, line.get(3)) {
        (3, Some(_), Some(b'-')) => Shape::More,
        (3, Some(code), None | Some(b' ')) => Shape::Last(code),
        _ => Shape::Garbage,
    }
}

impl Collector {
    /// Takes a line (clean, without its end); the reply when it was the last one. Text beyond `limit` bytes is not kept.
    pub fn line(&mut self, line: &str, limit: usize) -> Option<Reply> {
        let shape = shape(line.as_bytes());
        if self.text.len() < limit {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.starts.push(self.text.len());
            self.text.push_str(line);
        }
        if shape == Shape::Garbage && self.garbage.len() < MAX_GARBAGE {
            self.garbage.push(line.to_owned());
        }
        let Shape::Last(code) = shape else {
            return None;
        };
        let Collector {
            text,
            starts,
            garbage,
            complained: _,
        } = std::mem::take(self);
        Some(Reply {
            code,
            dsn: dsn_of(line, code),
            text,
            starts,
            garbage,
        })
    }

    /// Whether text was left out, or would be.
    pub fn is_full(&self, limit: usize) -> bool {
        self.text.len() >= limit
    }

    /// What was collected so far, as a log line shows it: `?` between lines.
    pub fn shown(&self) -> String {
        let mut bytes = self.text.clone().into_bytes();
        for start in self.starts.iter().filter(|start| **start > 0) {
            if let Some(joint) = bytes.get_mut(start - 1) {
                *joint = b'?';
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether a complaint about the length is due: once in a reply.
    pub fn complains(&mut self) -> bool {
        !std::mem::replace(&mut self.complained, true)
    }
}

fn dsn_of(line: &str, code: u16) -> Dsn {
    let class = match code / 100 {
        2 => 2,
        4 => 4,
        5 => 5,
        _ => return Dsn::new(5, 5, 0),
    };
    let rest = line.get(3..).unwrap_or_default().trim_start_matches(' ');
    Dsn::parse_prefix(rest.as_bytes())
        .map(|(dsn, _)| dsn)
        .filter(|dsn| dsn.class == class)
        .unwrap_or(Dsn::new(class, 0, 0))
}

impl Reply {
    /// The first digit of the code.
    pub fn class(&self) -> u16 {
        self.code / 100
    }

    /// The lines, digits included.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.starts.iter().enumerate().map(|(number, start)| {
            let end = self
                .starts
                .get(number + 1)
                .map_or(self.text.len(), |next| next - 1);
            self.text.get(*start..end).unwrap_or_default()
        })
    }

    /// Whether it means that our side violated the protocol, or the server does.
    pub fn is_protocol_trouble(&self) -> bool {
        !(400..600).contains(&self.code) || self.code == 555 || (500..510).contains(&self.code)
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
            found = collector.line(line, 2048);
        }
        found.unwrap()
    }

    #[test]
    fn replies_of_one_and_several_lines() {
        let one = reply(&["550 5.1.1 no such user"]);
        assert_eq!((one.code, one.dsn), (550, Dsn::new(5, 1, 1)));
        let two = reply(&["550-first", "550 5.7.1 second"]);
        assert_eq!(two.text, "550-first 550 5.7.1 second");
        assert_eq!(
            two.lines().collect::<Vec<_>>(),
            ["550-first", "550 5.7.1 second"]
        );
        assert_eq!(two.dsn, Dsn::new(5, 7, 1));
        assert_eq!(
            reply(&["250 5.1.1 of another class"]).dsn,
            Dsn::new(2, 0, 0)
        );
        assert_eq!(reply(&["450"]).dsn, Dsn::new(4, 0, 0));
        assert_eq!(reply(&["354 5.1.1 x"]).dsn, Dsn::new(5, 5, 0));
        assert_eq!(reply(&["999 x"]).dsn, Dsn::new(5, 5, 0));
    }

    #[test]
    fn garbage_ends_no_reply() {
        let late = reply(&["garbage", "2500 too many digits", "250x", "250 fine"]);
        assert!(late.garbage.len() == 3 && late.code == 250);
        assert!(late.text.starts_with("garbage 2500 "));
        assert_eq!(Collector::default().line("", 100), None);
    }

    #[test]
    fn text_is_bounded_but_the_end_is_found() {
        let mut collector = Collector::default();
        for _ in 0..100 {
            assert_eq!(collector.line("250-0123456789", 50), None);
        }
        let reply = collector.line("250 end", 50).unwrap();
        assert!(reply.text.len() < 70 && reply.code == 250);
    }
}
