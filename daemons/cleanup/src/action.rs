//! What header and body checks ask for.

use pf_dsn::Dsn;
use pf_log::{info, warning};
use pf_mime::header_name_len;
use pf_proto::cleanup::{Flags, Status};
use pf_record::{RecordType, attr};

use crate::Show;
use crate::message::Message;

/// What matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A header.
    Header,
    /// A body line.
    Body,
    /// Either.
    Any,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Place::Header => "header",
            Place::Body => "body",
            Place::Any => "content",
        }
    }
}

/// What becomes of the text that matched.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays.
    Keep,
    /// It goes.
    Drop,
    /// This takes its place.
    Replace(Vec<u8>),
}

impl Message<'_> {
    /// Does what the table `map` says about a text: its result, an action and optional text.
    pub(crate) fn act(&mut self, place: Place, text: &[u8], result: &[u8], map: &str) -> Verdict {
        let end = result
            .iter()
            .position(|ch| matches!(ch, b' ' | b'\t'))
            .unwrap_or(result.len());
        let (command, option) = result.split_at_checked(end).unwrap_or((result, b""));
        let option = option.trim_ascii_start();
        match command.to_ascii_uppercase().as_slice() {
            b"REJECT" => self.act_reject(place, text, option),
            b"WARN" => self.act_log("warning", place, text, option),
            b"INFO" => self.act_log("info", place, text, option),
            b"FILTER" => {
                if option.is_empty() {
                    warning!("missing FILTER command argument in {map} map");
                } else if !option.contains(&b':') {
                    warning!(
                        "bad FILTER command {} in {map} -- need transport:destination",
                        Show(option)
                    );
                } else {
                    self.filter = Some(option.to_vec());
                    self.act_log("filter", place, text, option);
                }
            }
            b"PASS" => {
                self.act_log("pass", place, text, option);
                self.flags = self.flags.without(Flags::FILTER_ALL);
            }
            b"DISCARD" => {
                self.act_log("discard", place, text, option);
                self.flags = self.flags.with(Flags::DISCARD).without(Flags::FILTER_ALL);
            }
            b"HOLD" => {
                if !self.flags.has(Flags::HOLD | Flags::DISCARD) {
                    self.act_log("hold", place, text, option);
                    self.flags |= Flags::HOLD;
                }
            }
            b"PREPEND" => self.act_prepend(place, text, option, map),
            b"REPLACE" => {
                if option.is_empty() {
                    warning!("REPLACE action without text in {map} map");
                } else if place == Place::Header && header_name_len(option).is_none() {
                    warning!(
                        "bad REPLACE header text \"{}\" in {map} map -- need \"headername: headervalue\"",
                        Show(option)
                    );
                } else {
                    self.act_log("replace", place, text, option);
                    return Verdict::Replace(option.to_vec());
                }
            }
            b"REDIRECT" => {
                if option.contains(&b'@') {
                    self.redirect = Some(option.to_vec());
                    self.act_log("redirect", place, text, option);
                    self.flags = self.flags.without(Flags::FILTER_ALL);
                } else {
                    warning!(
                        "bad REDIRECT target \"{}\" in {map} map -- need user@domain",
                        Show(option)
                    );
                }
            }
            b"BCC" => {
                if option.contains(&b'@') {
                    self.bcc.push(option.to_vec());
                    self.act_log("bcc", place, text, option);
                } else {
                    warning!(
                        "bad BCC address \"{}\" in {map} map -- need user@domain",
                        Show(option)
                    );
                }
            }
            b"STRIP" => {
                self.act_log("strip", place, text, option);
                return Verdict::Drop;
            }
            b"IGNORE" => return Verdict::Drop,
            b"DUNNO" | b"OK" => {}
            _ => warning!("unknown command in {map} map: {}", Show(result)),
        }
        Verdict::Keep
    }

    fn act_reject(&mut self, place: Place, text: &[u8], option: &[u8]) {
        let mut reason = if option.is_empty() {
            let detail = Status::CONT.detail();
            format!("{} {}", detail.dsn, detail.text).into_bytes()
        } else if Dsn::parse_prefix(option).is_some() {
            option.to_vec()
        } else {
            [b"5.7.1 ", option].concat()
        };
        match reason.first_mut() {
            Some(b'4' | b'5') | None => {}
            Some(class) => {
                *class = b'4';
                warning!("bad DSN action in {} -- need 4.x.x or 5.x.x", Show(option));
            }
        }
        self.errors |= if reason.first() == Some(&b'4') {
            Status::DEFER
        } else {
            Status::CONT
        };
        self.flags = self.flags.without(Flags::FILTER_ALL);
        self.act_log("reject", place, text, &reason);
        self.reason = Some(reason);
    }

    fn act_prepend(&mut self, place: Place, text: &[u8], option: &[u8], map: &str) {
        if option.is_empty() {
            warning!("PREPEND action without text in {map} map");
        } else if place != Place::Header {
            self.act_log("prepend", place, text, option);
            self.put(RecordType::NORM, option);
        } else if header_name_len(option).is_none() {
            warning!(
                "bad PREPEND header text \"{}\" in {map} map -- need \"headername: headervalue\"",
                Show(option)
            );
        } else {
            self.act_log("prepend", place, text, option);
            self.put_header(option);
        }
    }

    fn act_log(&self, action: &str, place: Place, text: &[u8], option: &[u8]) {
        let origin = self
            .attribute(attr::LOG_MESSAGE_ORIGIN)
            .unwrap_or(b"unknown");
        let mut line = format!(
            "{}: {action}: {} {:.200} from {};",
            self.id,
            place.name(),
            Show(text),
            Show(origin)
        );
        if let Some(sender) = &self.sender {
            line.push_str(&format!(" from=<{}>", Show(&self.log_address(sender))));
        }
        if let Some(recipient) = &self.recipient {
            line.push_str(&format!(" to=<{}>", Show(&self.log_address(recipient))));
        }
        if let Some(proto) = self.attribute(attr::LOG_PROTOCOL_NAME) {
            line.push_str(&format!(" proto={}", Show(proto)));
        }
        if let Some(helo) = self.attribute(attr::LOG_HELO_NAME) {
            line.push_str(&format!(" helo=<{}>", Show(helo)));
        }
        if !option.is_empty() {
            line.push_str(&format!(": {}", Show(option)));
        }
        info!("{line}");
    }
}
