//! Saying no, saying maybe, and writing down that one said yes.

use pf_dsn::Dsn;

use super::ask::{Ask, Severity};
use super::{Abort, Check, Decision, Status, class};
use crate::logline;
use crate::session::errors::Classes;
use crate::session::state::Postponed;
use crate::text::text;

/// The longest reply, in bytes.
const MAX_REPLY: usize = 510;

/// What to do about a lookup that failed just now, `*_tempfail_action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TempfailAction {
    Defer,
    DeferIfPermit,
}

impl TempfailAction {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "defer" => Some(Self::Defer),
            "defer_if_permit" => Some(Self::DeferIfPermit),
            _ => None,
        }
    }
}

impl<A: Ask> Check<'_, A> {
    pub(super) fn info(&self, text: &[u8]) {
        self.ask.log(Severity::Info, text);
    }

    pub(super) fn warn(&self, text: impl AsRef<[u8]>) {
        self.ask.log(Severity::Warning, text.as_ref());
    }

    /// Logs what happened, with everything known about the request.
    pub(super) fn log_event(&self, what: &str, text: &[u8]) {
        self.info(&logline::event(self.session, self.params, what, text));
    }

    /// Refuses the request, or only warns where that was asked for.
    pub(super) fn reject(
        &mut self,
        class: Classes,
        code: i64,
        dsn: &[u8],
        reason: &[u8],
    ) -> Status {
        self.session.classes |= class;
        let ours =
            class == Classes::SOFTWARE || class == Classes::RESOURCE || class == Classes::DATA;
        let only_warn = self.warn_if_reject > 0 && !ours;
        let mut reply = text![code.to_string(), " ", dsn, " ", reason];
        if !(400..=599).contains(&code) {
            self.warn(text!["SMTP reply code configuration error: ", reply]);
            reply = b"450 4.7.1 Service unavailable".to_vec();
        }
        if Dsn::parse_prefix(reply.get(4..).unwrap_or_default()).is_none() {
            self.warn(text!["DSN detail code configuration error: ", reply]);
            reply = b"450 4.7.1 Service unavailable".to_vec();
        }
        reply.truncate(MAX_REPLY);
        let mut reply = if self.params.smtputf8_enable {
            pf_text::printable_utf8(&reply, b' ').into_owned()
        } else {
            pf_text::printable(&reply, b' ').into_owned()
        };
        if !only_warn
            && reply.first() == Some(&b'5')
            && let Some(earlier) = self.defer_if_reject.take()
        {
            self.warn_if_reject = 0;
            return self.reject(earlier.class, earlier.code, &earlier.dsn, &earlier.reason);
        }
        if let [code, _, _, _, dsn, ..] = reply.as_mut_slice() {
            if self.params.soft_bounce && *code == b'5' {
                *code = b'4';
            }
            *dsn = *code;
        }
        self.reply = reply;
        let what = if only_warn {
            "reject_warning"
        } else {
            "reject"
        };
        self.log_event(what, &self.reply);
        if only_warn {
            Status::Dunno
        } else {
            Status::Reject
        }
    }

    /// Remembers the first reason to turn a refusal into a deferral.
    pub(super) fn defer_if_reject(&mut self, code: i64, dsn: &str, reason: Vec<u8>) {
        self.defer_if_reject.get_or_insert(Postponed {
            class: Classes::POLICY,
            code,
            dsn: dsn.as_bytes().to_vec(),
            reason,
        });
    }

    /// Whether a refusal would become a deferral.
    pub(super) fn refusal_postponed(&self) -> bool {
        self.defer_if_reject.is_some()
    }

    /// Remembers the first reason to turn a permission into a deferral, or defers at once.
    pub(super) fn defer_if_permit(
        &mut self,
        action: TempfailAction,
        code: i64,
        dsn: &[u8],
        reason: Vec<u8>,
    ) -> Status {
        if self.warn_if_reject > 0 || action == TempfailAction::Defer {
            return self.reject(Classes::POLICY, code, dsn, &reason);
        }
        if !self.session.defer_if_permit_active {
            self.session.defer_if_permit_active = true;
            self.session.defer_if_permit = Some(Postponed {
                class: Classes::POLICY,
                code,
                dsn: dsn.to_vec(),
                reason,
            });
        }
        Status::Dunno
    }

    /// Defers a request that nothing refused but that some earlier trouble kept us from judging.
    pub(super) fn enforce_defer_if_permit(&mut self, status: Status) -> Status {
        if status == Status::Reject || !self.session.defer_if_permit_active {
            return status;
        }
        match self.session.defer_if_permit.clone() {
            Some(why) => self.reject(why.class, why.code, &why.dsn, &why.reason),
            None => status,
        }
    }

    /// A lookup failed just now.
    pub(super) fn lookup_failure(&mut self, name: &[u8]) -> Abort {
        let reason = text!["<", name, ">: Temporary lookup failure"];
        self.reject(Classes::DATA, 451, b"4.3.0", &reason);
        Abort::Refused
    }

    /// The configuration cannot be carried out.
    pub(super) fn server_error(&mut self) -> Abort {
        self.reject(
            Classes::SOFTWARE,
            451,
            b"4.3.5",
            b"Server configuration error",
        );
        Abort::Refused
    }

    /// A list or table cannot tell.
    pub(super) fn failure(&mut self, retry: bool, name: &[u8]) -> Abort {
        if retry {
            self.lookup_failure(name)
        } else {
            self.server_error()
        }
    }

    /// Permits the request, and logs that where `smtpd_log_access_permit_actions` asks for it.
    pub(super) fn permit(
        &mut self,
        action: &[u8],
        class: &str,
        name: &[u8],
        from: Option<&str>,
    ) -> Decision {
        if !self.session.defer_if_permit_active && self.params.log_permit_actions.matches(action) {
            let mut what = text!["action=", action, " for ", class, "=", name];
            what.push(b' ');
            if let Some(table) = from {
                what.extend_from_slice(b"from ");
                what.extend_from_slice(table.as_bytes());
            }
            self.log_event("permit", &what);
        }
        Ok(Status::Permit)
    }

    /// Makes an enhanced status code fit what is refused: a code about a sender never answers for a recipient.
    pub(super) fn fix_dsn(&self, dsn: Dsn, subject: &'static str) -> Vec<u8> {
        let status = dsn.to_string();
        let fixed = fixed_dsn(&status, subject);
        if let Some(fixed) = fixed {
            let (first, rest) = (
                status.get(..1).unwrap_or_default(),
                fixed.get(1..).unwrap_or_default(),
            );
            if status.get(2..) != fixed.get(2..) {
                self.info(
                    format!("mapping DSN status {status} into {subject} status {first}{rest}")
                        .as_bytes(),
                );
            }
            return fixed.as_bytes().to_vec();
        }
        status.into_bytes()
    }
}

/// The status codes x.1.y for senders and recipients.
const ADDRESS_CODES: [(&str, &str, &str); 8] = [
    ("1", "4.1.7", "4.1.1"),
    ("2", "4.1.8", "4.1.2"),
    ("3", "4.1.7", "4.1.3"),
    ("4", "4.1.7", "4.1.4"),
    ("5", "4.1.0", "4.1.5"),
    ("6", "4.1.7", "4.1.6"),
    ("7", "4.1.7", "4.1.3"),
    ("8", "4.1.8", "4.1.2"),
];

fn fixed_dsn(status: &str, subject: &str) -> Option<&'static str> {
    let detail = status.get(1..)?.strip_prefix(".1.")?;
    let row = ADDRESS_CODES.iter().find(|(code, _, _)| *code == detail);
    Some(match subject {
        class::SENDER => row.map_or("4.1.0", |(_, sender, _)| sender),
        class::RECIPIENT => row.map_or("4.1.0", |(_, _, recipient)| recipient),
        _ => "4.0.0",
    })
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn codes_about_addresses_fit_the_address() {
        assert_eq!(fixed_dsn("5.1.1", class::SENDER), Some("4.1.7"));
        assert_eq!(fixed_dsn("5.1.8", class::RECIPIENT), Some("4.1.2"));
        assert_eq!(fixed_dsn("5.1.9", class::RECIPIENT), Some("4.1.0"));
        assert_eq!(fixed_dsn("5.1.1", class::HELO), Some("4.0.0"));
        assert_eq!(fixed_dsn("5.7.1", class::HELO), None);
    }
}
