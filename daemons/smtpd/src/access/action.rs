//! The right-hand sides of access(5) tables.

use pf_dsn::Dsn;
use pf_proto::cleanup::Flags;

use super::ask::Ask;
use super::reject::TempfailAction;
use super::words::{Kind, parse};
use super::{Abort, Check, Decision, Status, Subject};
use crate::session::errors::Classes;
use crate::session::state::stage;
use crate::text::{all_digits, text};

/// How deep tables may name restrictions whose tables name restrictions.
pub(super) const MAX_DEPTH: u32 = 100;

/// An entry of a table, as it bears on one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) table: &'a str,
    /// What was looked for.
    pub(super) datum: &'a [u8],
    pub(super) subject: &'a Subject,
    /// The `check_*_access` that a bare table name stands for.
    pub(super) default: Option<Kind>,
}

/// The first word of a right-hand side, and what follows it.
fn split(value: &[u8]) -> (&[u8], &[u8]) {
    let end = value
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t'))
        .unwrap_or(value.len());
    let (command, rest) = value.split_at_checked(end).unwrap_or((value, b""));
    (command, rest.trim_ascii_start())
}

impl<A: Ask> Check<'_, A> {
    /// Does what a table says.
    pub(super) async fn act(&mut self, entry: Entry<'_>, value: &[u8]) -> Decision {
        let (command, rest) = split(value);
        let is = |name: &str| command.eq_ignore_ascii_case(name.as_bytes());
        if is("DUNNO") {
            Ok(Status::Dunno)
        } else if is("REJECT") {
            Ok(self.refuse(entry, self.params.codes.map_reject, b'5', rest))
        } else if is("DEFER") {
            Ok(self.refuse(entry, self.params.codes.map_defer, b'4', rest))
        } else if is("HANGUP") {
            self.log_event("hangup", rest);
            Err(Abort::Hangup)
        } else if is("INFO") {
            self.log_event("info", rest);
            Ok(Status::Dunno)
        } else if is("WARN") {
            self.log_event("warn", rest);
            Ok(Status::Dunno)
        } else if is("FILTER") {
            Ok(self.filter(entry, rest))
        } else if is("HOLD") {
            Ok(self.hold(entry, rest))
        } else if is("DISCARD") {
            self.discard(entry, command, rest)
        } else if is("REDIRECT") {
            Ok(self.redirect(entry, rest))
        } else if is("BCC") {
            Ok(self.bcc(entry, rest))
        } else if is("DEFER_IF_PERMIT") {
            let (dsn, reason) = self.maybe(entry, rest);
            let code = self.params.codes.map_defer;
            Ok(self.defer_if_permit(TempfailAction::DeferIfPermit, code, &dsn, reason))
        } else if is("DEFER_IF_REJECT") {
            let (dsn, reason) = self.maybe(entry, rest);
            let code = self.params.codes.map_defer;
            self.defer_if_reject(code, &String::from_utf8_lossy(&dsn), reason);
            Ok(Status::Dunno)
        } else if is("PREPEND") {
            Ok(self.prepend(entry, rest))
        } else if all_digits(value) || is("OK") || is("RELAY") {
            self.permit(
                command,
                entry.subject.class,
                &entry.subject.name,
                Some(entry.table),
            )
        } else if let Some(code) = reply_code(command, rest) {
            let class = *command.first().unwrap_or(&b'5');
            Ok(self.refuse(entry, code, class, rest))
        } else {
            self.restrictions(entry, value).await
        }
    }

    /// `<name>: class rejected: reason`.
    fn refuse(&mut self, entry: Entry<'_>, code: i64, class: u8, rest: &[u8]) -> Status {
        let (dsn, reason) = pf_dsn::split_text(rest, default_dsn(class));
        let reason = if reason.is_empty() {
            b"Access denied"
        } else {
            reason
        };
        let dsn = self.fix_dsn(dsn, entry.subject.class);
        let reason = text![
            "<",
            entry.subject.name,
            ">: ",
            entry.subject.class,
            " rejected: ",
            reason
        ];
        self.reject(Classes::POLICY, code, &dsn, &reason)
    }

    fn maybe(&mut self, entry: Entry<'_>, rest: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (dsn, reason) = pf_dsn::split_text(rest, default_dsn(b'4'));
        let reason = if reason.is_empty() {
            b"Service unavailable"
        } else {
            reason
        };
        let subject = entry.subject;
        (
            self.fix_dsn(dsn, subject.class),
            text![
                "<",
                subject.name,
                ">: ",
                subject.class,
                " rejected: ",
                reason
            ],
        )
    }

    /// Whether cleanup can carry out an action here.
    fn can_delegate(&self, table: &str, action: &str) -> bool {
        if self.params.proxy_filter.is_some() {
            self.warn(format!(
                "access table {table}: with smtpd_proxy_filter specified, action {action} is unavailable"
            ));
            return false;
        }
        if self.session.stage == "ETRN" {
            self.warn(format!(
                "access table {table}: action {action} is unavailable in smtpd_etrn_restrictions"
            ));
            return false;
        }
        self.in_transaction(table, action)
    }

    fn in_transaction(&self, table: &str, action: &str) -> bool {
        if self.session.mail.sender.is_none() {
            self.warn(format!(
                "access table {table}: with smtpd_delay_reject=no, action {action} is always skipped in Client host or Helo command restrictions"
            ));
            return false;
        }
        true
    }

    fn triggers(&self, entry: Entry<'_>, what: &str, log: &str, rest: &[u8]) {
        let subject = entry.subject;
        self.log_event(
            log,
            &text![
                "<",
                subject.name,
                ">: ",
                subject.class,
                " triggers ",
                what,
                " ",
                rest
            ],
        );
    }

    fn told(&self, entry: Entry<'_>, log: &str, rest: &[u8], otherwise: &str) {
        let subject = entry.subject;
        let rest = if rest.is_empty() {
            otherwise.as_bytes()
        } else {
            rest
        };
        self.log_event(
            log,
            &text!["<", subject.name, ">: ", subject.class, " ", rest],
        );
    }

    fn misfit(&self, entry: Entry<'_>, problem: &str) {
        self.warn(text![
            "access table ",
            entry.table,
            " entry \"",
            entry.datum,
            "\" ",
            problem
        ]);
    }

    fn filter(&mut self, entry: Entry<'_>, rest: &[u8]) -> Status {
        if self.can_delegate(entry.table, "FILTER") {
            if rest.is_empty() {
                self.misfit(entry, "has FILTER entry without value");
            } else if !rest.contains(&b':') {
                self.misfit(entry, "requires transport:destination");
            } else {
                self.triggers(entry, "FILTER", "filter", rest);
                self.session.mail.filter = Some(rest.to_vec());
            }
        }
        Status::Dunno
    }

    fn hold(&mut self, entry: Entry<'_>, rest: &[u8]) -> Status {
        if self.can_delegate(entry.table, "HOLD")
            && !self.session.mail.cleanup_flags.has(Flags::HOLD)
        {
            self.told(entry, "hold", rest, "triggers HOLD action");
            self.session.mail.cleanup_flags |= Flags::HOLD;
        }
        Status::Dunno
    }

    fn discard(&mut self, entry: Entry<'_>, command: &[u8], rest: &[u8]) -> Decision {
        if !self.can_delegate(entry.table, "DISCARD") {
            return Ok(Status::Dunno);
        }
        self.told(entry, "discard", rest, "triggers DISCARD action");
        self.session.mail.cleanup_flags |= Flags::DISCARD;
        self.session.mail.discard = true;
        self.permit(
            command,
            entry.subject.class,
            &entry.subject.name,
            Some(entry.table),
        )
    }

    fn redirect(&mut self, entry: Entry<'_>, rest: &[u8]) -> Status {
        if self.can_delegate(entry.table, "REDIRECT") {
            if rest.contains(&b'@') {
                self.triggers(entry, "REDIRECT", "redirect", rest);
                self.session.mail.redirect = Some(rest.to_vec());
            } else {
                self.misfit(entry, "requires user@domain target");
            }
        }
        Status::Dunno
    }

    fn bcc(&mut self, entry: Entry<'_>, rest: &[u8]) -> Status {
        if self.can_delegate(entry.table, "BCC") {
            if rest.contains(&b'@') {
                self.triggers(entry, "BCC", "bcc", rest);
                self.session.mail.bcc.push(rest.to_vec());
            } else {
                self.misfit(entry, "requires user@domain target");
            }
        }
        Status::Dunno
    }

    fn prepend(&mut self, entry: Entry<'_>, rest: &[u8]) -> Status {
        if !self.in_transaction(entry.table, "PREPEND") {
            return Status::Dunno;
        }
        if self.session.stage == stage::END {
            self.warn(format!(
                "access table {}: action PREPEND must be used before smtpd_end_of_data_restrictions",
                entry.table
            ));
        } else if is_header(rest) {
            self.session.mail.prepend.push(rest.to_vec());
        } else {
            self.misfit(entry, "requires header: text");
        }
        Status::Dunno
    }

    /// The right-hand side is a list of restrictions.
    async fn restrictions(&mut self, entry: Entry<'_>, value: &[u8]) -> Decision {
        if value.contains(&b':') {
            self.warn(text![
                "access table ",
                entry.table,
                " has entry with lookup table: ",
                value
            ]);
            self.warn("do not specify lookup tables inside SMTPD access maps");
            self.warn("define a restriction class and specify its name instead.");
            return Err(self.server_error());
        }
        if self.depth > MAX_DEPTH {
            self.warn(text![
                "access table ",
                entry.table,
                " entry ",
                value,
                " causes unreasonable recursion"
            ]);
            return Err(self.server_error());
        }
        let words = parse(&String::from_utf8_lossy(value));
        if words.is_empty() {
            self.warn(text![
                "access table ",
                entry.table,
                " entry ",
                value,
                " has empty value"
            ]);
            return Ok(Status::Permit);
        }
        self.evaluate(&words, entry.subject, entry.default).await
    }
}

fn default_dsn(class: u8) -> Dsn {
    Dsn::parse(&[class, b'.', b'7', b'.', b'1']).unwrap_or(Dsn::new(5, 7, 1))
}

/// `4NN text` or `5NN text`.
fn reply_code(command: &[u8], rest: &[u8]) -> Option<i64> {
    match command {
        [b'4' | b'5', tens, ones]
            if tens.is_ascii_digit() && ones.is_ascii_digit() && !rest.is_empty() =>
        {
            std::str::from_utf8(command).ok()?.parse().ok()
        }
        _ => None,
    }
}

/// Whether the text begins with a header name and a colon.
pub(crate) fn is_header(text: &[u8]) -> bool {
    let mut rest = text;
    let mut name = 0;
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b':' => return name > 0,
            b' ' | b'\t' => {
                let after = rest.trim_ascii_start();
                return name > 0 && after.first() == Some(&b':');
            }
            b'!'..=b'~' => name += 1,
            _ => return false,
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn right_hand_sides_fall_in_two() {
        assert_eq!(split(b"REJECT  go away"), (&b"REJECT"[..], &b"go away"[..]));
        assert_eq!(split(b"OK"), (&b"OK"[..], &b""[..]));
        assert_eq!(reply_code(b"450", b"x"), Some(450));
        assert_eq!(reply_code(b"450", b""), None);
        assert_eq!(reply_code(b"250", b"x"), None);
    }

    #[test]
    fn headers() {
        assert!(is_header(b"X-Foo: bar") && is_header(b"X : y"));
        assert!(!is_header(b": x") && !is_header(b"X y: z") && !is_header(b"EHLO"));
    }
}
