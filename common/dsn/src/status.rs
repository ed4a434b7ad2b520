//! Enhanced status codes, and the outcome of a delivery attempt.

/// An enhanced status code: `class.subject.detail` (RFC 3463).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dsn {
    /// 2 success, 4 temporary failure, 5 permanent failure.
    pub class: u8,
    /// What the code is about; at most 999.
    pub subject: u16,
    /// The details; at most 999.
    pub detail: u16,
}

impl Dsn {
    /// A code from its three numbers.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Self {
        Self {
            class,
            subject,
            detail,
        }
    }

    /// The code at the start of `text`, and how many bytes it takes; what follows must be white space or nothing.
    pub fn parse_prefix(text: &[u8]) -> Option<(Self, usize)> {
        let class = match text.first()? {
            digit @ (b'2' | b'4' | b'5') => digit - b'0',
            _ => return None,
        };
        let mut at = 1;
        let mut number = || -> Option<u16> {
            let rest = text.get(at..)?.strip_prefix(b".")?;
            let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=3).contains(&len) {
                return None;
            }
            at += 1 + len;
            std::str::from_utf8(rest.get(..len)?).ok()?.parse().ok()
        };
        let (subject, detail) = (number()?, number()?);
        match text.get(at) {
            None => {}
            Some(byte) if byte.is_ascii_whitespace() => {}
            Some(_) => return None,
        }
        Some((
            Self {
                class,
                subject,
                detail,
            },
            at,
        ))
    }

    /// The code that `text` consists of.
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::parse_prefix(text)
            .filter(|(_, len)| *len == text.len())
            .map(|(dsn, _)| dsn)
    }

    /// The same code in another class.
    #[must_use]
    pub fn with_class(self, class: u8) -> Self {
        Self { class, ..self }
    }
}

impl std::fmt::Display for Dsn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// Splits `5.1.1 reason` into its code and its reason; without a code, `default` stands for it.
pub fn split_text(text: &[u8], default: Dsn) -> (Dsn, &[u8]) {
    let (dsn, rest) = match Dsn::parse_prefix(text) {
        Some((dsn, len)) => (dsn, text.get(len..).unwrap_or_default()),
        None => (default, text),
    };
    (dsn, rest.trim_ascii_start())
}

/// What is told of one recipient: the code, the reason, and where the reason comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The enhanced status code.
    pub dsn: Dsn,
    /// What is logged and reported, one line.
    pub reason: Vec<u8>,
    /// What the remote or local system said itself: type (`smtp`, `x-unix`, ...) and text.
    pub diagnostic: Option<(String, Vec<u8>)>,
    /// The remote system that said it: type (`dns`) and name.
    pub remote: Option<(String, String)>,
    /// What to report instead of `delivered`, `failed`, ... (`relayed`, `expanded`, `deliverable`, ...).
    pub action: Option<String>,
}

impl Status {
    /// A status of our own making.
    pub fn new(dsn: Dsn, reason: impl Into<Vec<u8>>) -> Self {
        Self {
            dsn,
            reason: reason.into(),
            diagnostic: None,
            remote: None,
            action: None,
        }
    }

    /// The status that `5.1.1 reason` means; without a code, `default` stands for it.
    pub fn from_text(text: &[u8], default: Dsn) -> Self {
        let (dsn, reason) = split_text(text, default);
        Self::new(dsn, reason)
    }
}

/// What became of one recipient. There is on purpose no way from an `io::Error` to `Bounce`: only a policy or a remote 5xx
/// makes one.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was delivered.
    Sent(Status),
    /// It is tried again later.
    Defer(Status),
    /// It cannot be delivered; the sender is told.
    Bounce(Status),
}

impl Outcome {
    /// The status, whatever the outcome.
    pub fn status(&self) -> &Status {
        match self {
            Outcome::Sent(status) | Outcome::Defer(status) | Outcome::Bounce(status) => status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_parse_and_print() {
        assert_eq!(Dsn::parse(b"5.1.1"), Some(Dsn::new(5, 1, 1)));
        assert_eq!(Dsn::new(4, 20, 300).to_string(), "4.20.300");
        for bad in [&b"3.1.1"[..], b"5.1", b"5.1.1234", b"5.1.1x", b"", b"5..1"] {
            assert_eq!(Dsn::parse(bad), None);
        }
        assert_eq!(
            split_text(b"5.7.2", Dsn::new(5, 0, 0)),
            (Dsn::new(5, 7, 2), &b""[..])
        );
        assert_eq!(
            split_text(b"4.3.0  try later", Dsn::new(5, 0, 0)),
            (Dsn::new(4, 3, 0), &b"try later"[..])
        );
        assert_eq!(
            split_text(b"no code", Dsn::new(5, 0, 0)),
            (Dsn::new(5, 0, 0), &b"no code"[..])
        );
    }
}
