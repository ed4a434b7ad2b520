//! Replies of a server, as they come: whatever does not say that more follows is the last line, sense or nonsense. No I/O.

use pf_text::space::is_space;

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The digits of its last line, if there are three; 0 if not.
    pub code: u16,
    /// What follows the digits, a line for each line.
    pub text: String,
}

/// The lines of a reply so far.
#[derive(Debug, Default)]
pub struct Collector {
    text: String,
}

/// A line as it can be shown: without what follows a NUL byte, and with question marks in the place of what is not printable.
pub fn clean(line: &[u8]) -> String {
    let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
    line.iter()
        .map(|byte| match *byte {
            byte if byte.is_ascii_graphic() || is_space(byte) => char::from(byte),
            _ => '?',
        })
        .collect()
}

impl Collector {
    /// Takes a clean line; the reply when it was the last one. Text beyond `limit` bytes is not kept.
    pub fn line(&mut self, line: &str, limit: usize) -> Option<Reply> {
        let space = |c| u8::try_from(c).is_ok_and(is_space);
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = line.split_at_checked(digits).unwrap_or((line, ""));
        let code = number.parse().ok().filter(|_| digits == 3).unwrap_or(0);
        let more = rest.strip_prefix('-');
        if self.text.len() < limit {
            self.text += more.unwrap_or(rest).trim_start_matches(space);
        }
        if more.is_none() {
            let text = std::mem::take(&mut self.text);
            return Some(Reply { code, text });
        }
        if self.text.len() < limit {
            self.text.push('\n');
        }
        None
    }
}

impl Reply {
    /// Whether the server agrees.
    pub fn is_good(&self) -> bool {
        self.code / 100 == 2
    }

    /// Whether it offers STARTTLS. It may stand in any line.
    pub fn offers_tls(&self) -> bool {
        self.text.split('\n').any(|line| {
            let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
            words
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case("STARTTLS"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(lines: &[&str]) -> Reply {
        let mut collector = Collector::default();
        let mut found = None;
        for line in lines {
            assert_eq!(found, None, "{line}");
            found = collector.line(line, 50);
        }
        found.unwrap()
    }

    #[test]
    fn codes_and_text() {
        for (lines, code, text) in [
            (&["220 hello"][..], 220, "hello"),
            (&["250-a", "250- b", "250 c"], 250, "a\nb\nc"),
            (&["250-a", "nonsense"], 0, "a\nnonsense"),
            (&["1-", "-", "2200 x"], 0, "\n\nx"),
            (&["220hello"], 220, "hello"),
            (&[""], 0, ""),
            (&["250"], 250, ""),
        ] {
            let found = reply(lines);
            assert_eq!((found.code, found.text.as_str()), (code, text), "{lines:?}");
        }
        let long = reply(&[
            "250-0123456789012345678901234567890123456789012345",
            "250-x",
            "250-y",
            "250 z",
        ]);
        assert!(
            long.text.ends_with("45\nx\ny") && long.code == 250,
            "{long:?}"
        );
    }

    #[test]
    fn what_can_be_shown() {
        assert_eq!(clean(b"a\tb\x01\xc3\xbc\0c"), "a\tb???");
    }

    #[test]
    fn tls_is_offered_in_a_line_of_its_own() {
        assert!(reply(&["250-host", "250 starttls=x"]).offers_tls());
        assert!(reply(&["250 STARTTLS"]).offers_tls());
        assert!(!reply(&["250-host STARTTLS", "250 NOSTARTTLS"]).offers_tls());
    }
}
