//! What header and body checks ask for.

use pf_checks::{Action, before_nul};
use pf_log::info;
use pf_proto::cleanup::{Flags, Status};
use pf_record::{RecordType, attr};

use crate::Show;
use crate::message::Message;

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
    /// Does what a table says about a text. `place` is `header`, `body` or `content`.
    pub(crate) fn act(&mut self, place: &str, text: &[u8], action: Action) -> Verdict {
        match action {
            Action::Keep => {}
            Action::Ignore => return Verdict::Drop,
            Action::Reject(reason) => {
                self.errors |= if reason.first() == Some(&b'4') {
                    Status::DEFER
                } else {
                    Status::CONT
                };
                self.flags = self.flags.without(Flags::FILTER_ALL);
                self.log_action("reject", place, text, &reason);
                self.reason = Some(reason);
            }
            Action::Warn(note) => self.log_action("warning", place, text, &note),
            Action::Info(note) => self.log_action("info", place, text, &note),
            Action::Filter(filter) => {
                self.log_action("filter", place, text, &filter);
                self.filter = Some(filter);
            }
            Action::Pass(note) => {
                self.log_action("pass", place, text, &note);
                self.flags = self.flags.without(Flags::FILTER_ALL);
            }
            Action::Discard(note) => {
                self.log_action("discard", place, text, &note);
                self.flags = self.flags.with(Flags::DISCARD).without(Flags::FILTER_ALL);
            }
            Action::Hold(note) => {
                if !self.flags.has(Flags::HOLD | Flags::DISCARD) {
                    self.log_action("hold", place, text, &note);
                    self.flags |= Flags::HOLD;
                }
            }
            Action::Prepend(new) => {
                self.log_action("prepend", place, text, &new);
                if place == "header" {
                    self.put_header(&new);
                } else {
                    self.put(RecordType::NORM, &new);
                }
            }
            Action::Replace(new) => {
                self.log_action("replace", place, text, &new);
                return Verdict::Replace(new);
            }
            Action::Redirect(target) => {
                self.log_action("redirect", place, text, &target);
                self.redirect = Some(target);
                self.flags = self.flags.without(Flags::FILTER_ALL);
            }
            Action::Bcc(address) => {
                self.log_action("bcc", place, text, &address);
                self.bcc.push(address);
            }
            Action::Strip(note) => {
                self.log_action("strip", place, text, &note);
                return Verdict::Drop;
            }
        }
        Verdict::Keep
    }

    fn log_action(&self, action: &str, place: &str, text: &[u8], note: &[u8]) {
        let origin = self
            .attribute(attr::LOG_MESSAGE_ORIGIN)
            .unwrap_or(b"unknown");
        let mut line = format!(
            "{}: {action}: {place} {:.200} from {};",
            self.id,
            Show(before_nul(text)),
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
        if !note.is_empty() {
            line.push_str(&format!(": {}", Show(note)));
        }
        info!("{line}");
    }
}
