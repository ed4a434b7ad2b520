//! `master.cf`: one service on each logical line.

use std::time::Duration;

use crate::Error;
use crate::lines::Lines;

/// How a service is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// A TCP socket.
    Inet,
    /// A stream socket in the file system.
    Unix,
    /// A named pipe.
    Fifo,
    /// A stream socket over which connections are handed.
    Pass,
    /// A datagram socket in the file system.
    UnixDgram,
}

impl Type {
    /// Reads the second column.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "inet" => Self::Inet,
            "unix" => Self::Unix,
            "fifo" => Self::Fifo,
            "pass" => Self::Pass,
            "unix-dgram" => Self::UnixDgram,
            _ => return None,
        })
    }

    /// As in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Unix => "unix",
            Self::Fifo => "fifo",
            Self::Pass => "pass",
            Self::UnixDgram => "unix-dgram",
        }
    }
}

/// One service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name: a path below `private/` or `public/`, or `host:port`.
    pub service: String,
    /// How it is reached.
    pub kind: Type,
    /// Whether only the mail system may reach it (`-` is yes).
    pub private: bool,
    /// Whether it runs as `mail_owner` (`-` is yes).
    pub unprivileged: bool,
    /// Whether it runs in `queue_directory`; `None` for `-`, which depends on `compatibility_level`.
    pub chroot: Option<bool>,
    /// The time between wake-ups; zero for none.
    pub wakeup: Duration,
    /// Whether wake-ups begin only when the service was used (`?`).
    pub wakeup_optional: bool,
    /// The most processes; `None` for `-`, the value of `default_process_limit`. 0 is no limit.
    pub maxproc: Option<u32>,
    /// The program, below `daemon_directory`.
    pub command: String,
    /// Its arguments, braces taken off.
    pub args: Vec<String>,
    /// The number of its first line.
    pub line: usize,
}

impl Entry {
    /// Whether the service runs chrooted when `-` means `default`.
    pub fn chroot_or(&self, default: bool) -> bool {
        self.chroot.unwrap_or(default)
    }
}

/// What separates the fields.
const BLANKS: &[char] = &[' ', '\t', '\r', '\n'];

/// The services of a file with this text, in its order, and what to warn about. `path` is for the messages; `disabled` tells
/// which services (`name/type`) are to be passed over (`master_service_disable`).
///
/// # Errors
/// A line is not a service; the text is that of Postfix's master.
pub fn parse(
    path: &str,
    text: &[u8],
    disabled: &dyn Fn(&str, &str) -> bool,
) -> Result<(Vec<Entry>, Vec<String>), Error> {
    let mut lines = Lines::new(text);
    let mut entries = Vec::new();
    let mut warnings = Vec::new();
    while let Some(line) = lines.next() {
        warnings.extend(lines.warnings.drain(..).map(|w| format!("{path}{w}")));
        let text = line.text.split(|b| *b == 0).next().unwrap_or_default();
        let text = crate::lines::text(text);
        let entry = entry(&text, line.first, disabled)
            .map_err(|why| Error(format!("{path}: line {}: {why}", line.first)))?;
        entries.extend(entry);
    }
    warnings.extend(lines.warnings.drain(..).map(|w| format!("{path}{w}")));
    Ok((entries, warnings))
}

/// Takes fields off a line.
struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start_matches(BLANKS);
        if text.is_empty() {
            return None;
        }
        let end = text.find(BLANKS).unwrap_or(text.len());
        let (field, rest) = text.split_at(end);
        self.0 = rest;
        Some(field)
    }

    fn required(&mut self, name: &str) -> Result<&'a str, String> {
        match self.next() {
            None => Err(format!("missing \"{name}\" field")),
            Some("-") => Err(format!("field \"{name}\" has no default value")),
            Some(value) => Ok(value),
        }
    }

    /// `None` for `-`.
    fn optional(&mut self, name: &str) -> Result<Option<&'a str>, String> {
        match self.next() {
            None => Err(format!("missing \"{name}\" field")),
            Some("-") => Ok(None),
            Some(value) => Ok(Some(value)),
        }
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>, String> {
        match self.optional(name)? {
            None => Ok(None),
            Some("y") => Ok(Some(true)),
            Some("n") => Ok(Some(false)),
            Some(value) => Err(bad_field(name, value)),
        }
    }

    /// A number, and the text that it begins.
    fn number(&mut self, name: &str) -> Result<Option<(u32, &'a str)>, String> {
        let Some(value) = self.optional(name)? else {
            return Ok(None);
        };
        let end = value
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(value.len());
        let number = value
            .get(..end)
            .and_then(|digits| digits.parse().ok())
            .filter(|n| *n <= i32::MAX.unsigned_abs())
            .ok_or_else(|| bad_field(name, value))?;
        Ok(Some((number, value)))
    }
}

fn bad_field(name: &str, value: &str) -> String {
    format!("field \"{name}\": bad value: \"{value}\"")
}

fn entry(
    text: &str,
    line: usize,
    disabled: &dyn Fn(&str, &str) -> bool,
) -> Result<Option<Entry>, String> {
    let mut fields = Fields(text);
    let Some(service) = fields.next() else {
        return Ok(None);
    };
    let kind_name = fields.required("transport type")?;
    if disabled(service, kind_name) {
        return Ok(None);
    }
    let kind = Type::parse(kind_name).ok_or_else(|| format!("bad transport type: {kind_name}"))?;
    let private = fields.flag("private")?.unwrap_or(true);
    if private && kind == Type::Inet {
        return Err("inet service cannot be private".into());
    }
    let unprivileged = fields.flag("unprivileged")?.unwrap_or(true);
    let chroot = fields.flag("chroot")?;
    let (wakeup, wakeup_text) = fields.number("wakeup_time")?.unwrap_or((0, ""));
    let maxproc = fields.number("max_proc")?.map(|(number, _)| number);
    let command = fields.required("command")?;
    let mut args = Vec::new();
    for word in split_words(fields.0) {
        args.push(if word.starts_with('{') {
            strip_braces(word)?.to_owned()
        } else {
            word.to_owned()
        });
    }
    Ok(Some(Entry {
        service: service.to_owned(),
        kind,
        private,
        unprivileged,
        chroot,
        wakeup: Duration::from_secs(wakeup.into()),
        wakeup_optional: wakeup > 0 && wakeup_text.ends_with('?'),
        maxproc,
        command: command.to_owned(),
        args,
        line,
    }))
}

/// Words separated by blanks, except inside braces.
pub fn split_words(text: &str) -> Vec<&str> {
    split_outside_braces(text, |c| BLANKS.contains(&c))
}

/// Words separated by characters of one kind, except inside braces.
pub fn split_outside_braces(text: &str, separates: impl Fn(char) -> bool) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(&separates);
    while !rest.is_empty() {
        let mut level = 0_usize;
        let end = rest
            .find(|c: char| {
                match c {
                    '{' => level += 1,
                    '}' => level = level.saturating_sub(1),
                    _ => return level == 0 && separates(c),
                }
                false
            })
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after.trim_start_matches(&separates);
    }
    words
}

/// Takes the braces off a text that begins with one, and white space inside them.
///
/// # Errors
/// The braces are not balanced, or text follows them.
pub fn strip_braces(text: &str) -> Result<&str, String> {
    if !text.starts_with('{') {
        return Err(format!("no '{{' at start of text in \"{text}\""));
    }
    let inner = inside_braces(text);
    let rest = text.get(inner.len() + 1..).unwrap_or_default();
    match rest.len() {
        0 => Err(format!("missing '}}' in \"{text}\"")),
        1 => Ok(inner.trim_matches(|c: char| matches!(c, ' ' | '\t'..='\r'))),
        _ => Err(format!("syntax error after '}}' in \"{text}\"")),
    }
}

/// What stands between the brace at the start of a text and its partner; to the end when it has none.
pub fn inside_braces(text: &str) -> &str {
    let inner = text.strip_prefix('{').unwrap_or(text);
    let mut level = 1_usize;
    let end = inner.find(|c: char| {
        match c {
            '{' => level += 1,
            '}' => level -= 1,
            _ => {}
        }
        level == 0
    });
    inner.get(..end.unwrap_or(inner.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<Entry, String> {
        parse("master.cf", text.as_bytes(), &|_, _| false)
            .map(|(entries, _)| entries.into_iter().next().unwrap())
            .map_err(|e| e.0)
    }

    #[test]
    fn a_service() {
        let entry =
            one("# x\nrelay unix - n - 300? 0 smtp\n  -o { syslog_name = a b } -o x=y {a {b} c}\n")
                .unwrap();
        assert_eq!(entry.service, "relay");
        assert_eq!(entry.kind, Type::Unix);
        assert!(entry.private && !entry.unprivileged && entry.wakeup_optional);
        assert_eq!(entry.chroot, None);
        assert_eq!(entry.wakeup, Duration::from_secs(300));
        assert_eq!(entry.maxproc, Some(0));
        assert_eq!(
            entry.args,
            ["-o", "syslog_name = a b", "-o", "x=y", "a {b} c"]
        );
        assert_eq!(entry.line, 2);
    }

    #[test]
    fn complaints() {
        assert_eq!(
            one("smtp inet n"),
            Err("master.cf: line 1: missing \"unprivileged\" field".into())
        );
        assert_eq!(
            one("smtp inet y - - - - smtpd"),
            Err("master.cf: line 1: inet service cannot be private".into())
        );
        assert_eq!(
            one("smtp inet n - - x - smtpd"),
            Err("master.cf: line 1: field \"wakeup_time\": bad value: \"x\"".into())
        );
        assert_eq!(
            one("a unix - - - - - smtp {a"),
            Err("master.cf: line 1: missing '}' in \"{a\"".into())
        );
        assert_eq!(
            one("a tcp - - - - - smtp"),
            Err("master.cf: line 1: bad transport type: tcp".into())
        );
    }
}
