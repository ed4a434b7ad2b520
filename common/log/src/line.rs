//! The shape of a line.

use std::fmt::{Arguments, Write as _};
use std::sync::atomic::Ordering;

use pf_sys::time::{Calendar, seconds};

use crate::{Options, Sink};

/// The longest text of one line in a log, in bytes; the rest is cut off. A person sees all of it.
pub const MAX_TEXT: usize = 2000;

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The course of business.
    Info,
    /// Somebody should look at it.
    Warning,
    /// The program cannot do one thing it should.
    Error,
    /// The program ends.
    Fatal,
    /// The program has a bug.
    Panic,
}

impl Level {
    /// What stands before the text.
    pub fn prefix(self) -> &'static str {
        match self {
            Level::Info => "",
            Level::Warning => "warning: ",
            Level::Error => "error: ",
            Level::Fatal => "fatal: ",
            Level::Panic => "panic: ",
        }
    }

    /// The syslog priority.
    pub(crate) fn priority(self) -> u8 {
        match self {
            Level::Info => 6,
            Level::Warning => 4,
            Level::Error => 3,
            Level::Fatal | Level::Panic => 2,
        }
    }
}

/// Everything that goes into a line but its text.
pub(crate) struct Logger {
    program: String,
    tag: String,
    sinks: Vec<Sink>,
    text: String,
    line: Vec<u8>,
    /// `[123]`. A process that forks and goes on in the child opens the log anew.
    pid: String,
    /// The date is only formatted anew when the second changes: for files, and for syslog, which has a space where a file
    /// has a zero.
    stamp: (i64, String, String),
    /// Whether the tag names a process already.
    foreign: bool,
}

impl Logger {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            program: options.program,
            tag: options.tag,
            sinks: options.sinks,
            text: String::new(),
            line: Vec::new(),
            pid: format!("[{}]", std::process::id()),
            stamp: (i64::MIN, String::new(), String::new()),
            foreign: false,
        }
    }

    /// What logs before anybody said where to.
    pub(crate) fn unnamed() -> Self {
        Self::new(Options {
            program: String::new(),
            tag: "postfix".into(),
            sinks: vec![Sink::Stderr],
        })
    }

    pub(crate) fn set_program(&mut self, name: String) {
        self.program = name;
    }

    /// Logs a line of another process, which `tag` names with its process id.
    pub(crate) fn log_as(&mut self, tag: &str, level: Level, text: Arguments<'_>) {
        let own = std::mem::replace(&mut self.tag, tag.to_owned());
        self.foreign = true;
        self.log(level, text);
        self.foreign = false;
        self.tag = own;
    }

    pub(crate) fn log(&mut self, level: Level, text: Arguments<'_>) {
        self.text.clear();
        // Writing to a string does not fail, and a value whose formatting fails is logged as far as it went.
        let _ = self.text.write_fmt(text);
        without_error_numbers(&mut self.text);
        // What stands for bytes that are no text is shown as other unprintable characters are.
        if self.text.contains(char::REPLACEMENT_CHARACTER) {
            self.text = self.text.replace(char::REPLACEMENT_CHARACTER, "?");
        }
        if crate::ASCII.load(Ordering::Relaxed) && !self.text.is_ascii() {
            self.text = self
                .text
                .chars()
                .map(|c| if c.is_ascii() { c } else { '?' })
                .collect();
        }
        let text = self.text.as_bytes();
        let whole = if crate::SHOW_UTF8.load(Ordering::Relaxed) {
            pf_text::printable_utf8(text, b'?')
        } else {
            pf_text::printable(text, b'?')
        };
        let clean = whole.get(..MAX_TEXT).unwrap_or(&whole);
        let now = seconds(std::time::SystemTime::now());
        if self.stamp.0 != now {
            let date = Calendar::local(now);
            let stamp = format!(
                "{} {:02} {:02}:{:02}:{:02}",
                date.month_name(),
                date.day,
                date.hour,
                date.minute,
                date.second
            );
            let syslog = space_day(&stamp);
            self.stamp = (now, stamp, syslog);
        }
        let pid = if self.foreign { "" } else { &self.pid };
        for sink in &mut self.sinks {
            self.line.clear();
            match sink {
                Sink::Stderr | Sink::Stdout => {
                    if !self.program.is_empty() {
                        self.line.extend_from_slice(self.program.as_bytes());
                        self.line.extend_from_slice(b": ");
                    }
                    self.line.extend_from_slice(level.prefix().as_bytes());
                    self.line.extend_from_slice(&whole);
                    self.line.push(b'\n');
                }
                Sink::Syslog(syslog) => {
                    let priority = syslog.priority(level);
                    push(
                        &mut self.line,
                        format_args!(
                            "<{priority}>{} {}{pid}: {}",
                            self.stamp.2,
                            self.tag,
                            level.prefix()
                        ),
                    );
                    self.line.extend_from_slice(clean);
                }
                Sink::Postlog(postlog) => {
                    push(
                        &mut self.line,
                        format_args!(
                            "{} {} {}{pid}: {}",
                            self.stamp.1,
                            postlog.host(),
                            self.tag,
                            level.prefix()
                        ),
                    );
                    self.line.extend_from_slice(clean);
                }
            }
            sink.write(&self.line);
        }
    }
}

/// Takes ` (os error 2)` out, which Rust puts behind the system's own words and Postfix's users have never seen.
fn without_error_numbers(text: &mut String) {
    while let Some(at) = text.find(" (os error ") {
        let Some(len) = text.get(at..).and_then(|rest| rest.find(')')) else {
            return;
        };
        text.replace_range(at..=at + len, "");
    }
}

/// Syslog has a space where the log file has a zero: `Nov  3`.
fn space_day(stamp: &str) -> String {
    match stamp.split_once(" 0") {
        Some((month, rest)) if month.len() == 3 => format!("{month}  {rest}"),
        _ => stamp.to_owned(),
    }
}

fn push(line: &mut Vec<u8>, text: Arguments<'_>) {
    use std::io::Write as _;
    // Writing to memory does not fail.
    let _ = line.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_numbers_go() {
        let mut text = "open x: No such file or directory (os error 2) -- y".to_owned();
        without_error_numbers(&mut text);
        assert_eq!(text, "open x: No such file or directory -- y");
    }

    #[test]
    fn the_day_is_padded_as_each_sink_wants_it() {
        assert_eq!(space_day("Nov 03 01:02:03"), "Nov  3 01:02:03");
        assert_eq!(space_day("Nov 23 01:02:03"), "Nov 23 01:02:03");
        assert_eq!(space_day("Nov 23 00:02:03"), "Nov 23 00:02:03");
    }
}
