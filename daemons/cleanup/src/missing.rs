//! Headers that a message should have and has not.

use pf_address::quote_822;
use pf_log::{info, warning};
use pf_mime::{Fault, HeaderKind, header_name_len};
use pf_record::{RecordType, sendopts};
use pf_sys::time::Calendar;

use crate::Show;
use crate::fullname::{Place, header_text};
use crate::message::Message;
use crate::params::{FromFormat, NonEmptyEnd};

impl Message<'_> {
    /// The primary headers are over.
    pub(crate) fn end_of_headers(&mut self) {
        if !self.is_ok() {
            return;
        }
        if self.received < 1 {
            self.reject(format_args!("no Received: header"));
            return;
        }
        let params = &self.service.params;
        let add = self.context.is_some() || params.always_add_missing_headers;
        if add {
            self.add_message_id();
        }
        if !self.has_seen(HeaderKind::MessageId) {
            info!("{}: message-id=<>", self.id);
        }
        if add {
            self.add_date();
            self.add_from();
            self.add_undisclosed();
        }
        if params.requiretls_header
            && self.sendopts & sendopts::REQUIRETLS_ESMTP != 0
            && !self.requiretls_header_seen
        {
            self.put(RecordType::NORM, b"Require-TLS-ESMTP: yes");
        }
        if params.leave_room {
            self.put_room();
        }
        if params.non_empty_end == NonEmptyEnd::AddHeader && self.ended_early {
            self.put(
                RecordType::NORM,
                b"MIME-Error: message header was not terminated by empty line",
            );
        }
    }

    /// Remembers a fault that a header is made of.
    pub(crate) fn note_fault(&mut self, fault: Fault) {
        if fault == Fault::NonEmptyEndOfHeader {
            self.ended_early = true;
        }
    }

    /// `Resent-` for a message that is sent again.
    fn prefix(&self) -> &'static str {
        if self.resent { "Resent-" } else { "" }
    }

    fn lacks(&self, kind: HeaderKind, resent: HeaderKind) -> bool {
        !self.has_seen(if self.resent { resent } else { kind })
    }

    fn add_message_id(&mut self) {
        if !self.lacks(HeaderKind::MessageId, HeaderKind::ResentMessageId) {
            return;
        }
        let params = &self.service.params;
        let host = &params.myhostname;
        // The queue id is unique only together with the second that it was made in.
        let id = if params.enable_long_queue_ids {
            format!("{}@{host}", self.id)
        } else {
            format!(
                "{}.{}@{host}",
                utc_stamp(self.file.arrival().seconds),
                self.id
            )
        };
        let prefix = self.prefix();
        self.put_header(format!("{prefix}Message-Id: <{id}>").as_bytes());
        info!(
            "{}: {}message-id=<{id}>",
            self.id,
            if self.resent { "resent-" } else { "" }
        );
        if self.resent {
            self.mark_seen(HeaderKind::ResentMessageId);
        } else {
            self.mark_seen(HeaderKind::MessageId);
            if self.message_id.is_none() {
                self.message_id = Some(format!("<{id}>").into_bytes());
            }
        }
    }

    fn add_date(&mut self) {
        if self.lacks(HeaderKind::Date, HeaderKind::ResentDate) {
            let arrival = self.arrival.map_or(0, |arrival| arrival.seconds);
            let date = Calendar::local(arrival).mail_date();
            self.put_header(format!("{}Date: {date}", self.prefix()).as_bytes());
        }
    }

    fn add_from(&mut self) {
        if !self.lacks(HeaderKind::From, HeaderKind::ResentFrom) {
            return;
        }
        let params = &self.service.params;
        let sender = self.sender.clone().unwrap_or_default();
        let prefix = self.prefix().as_bytes();
        if sender.is_empty() {
            let text = [prefix, b"From: MAILER-DAEMON"].concat();
            self.put_folded(text);
            return;
        }
        let address = quote_822(&sender);
        let place = match params.header_from_format {
            FromFormat::Standard => Place::Phrase,
            FromFormat::Obsolete => Place::Comment,
        };
        let name = self.full_name.as_deref().and_then(|name| {
            header_text(
                name,
                place,
                &params.full_name_encoding_charset,
                params.header_address_token_limit,
            )
        });
        let text = match (name.filter(|name| !name.is_empty()), place) {
            (Some(name), Place::Phrase) => {
                [prefix, b"From: ", &name, b"\n<", &address, b">"].concat()
            }
            (Some(name), Place::Comment) => {
                [prefix, b"From: ", &address, b"\n(", &name, b")"].concat()
            }
            (None, _) => [prefix, b"From: ", &address].concat(),
        };
        self.put_folded(text);
    }

    fn add_undisclosed(&mut self) {
        let text = &self.service.params.undisclosed_recipients_header;
        let visible = [
            HeaderKind::To,
            HeaderKind::ResentTo,
            HeaderKind::Cc,
            HeaderKind::ResentCc,
        ];
        if text.is_empty() || visible.into_iter().any(|kind| self.has_seen(kind)) {
            return;
        }
        if header_name_len(text).is_some() {
            self.put(RecordType::NORM, text);
        } else {
            warning!(
                "bad undisclosed_recipients_header header text \"{}\" -- need \"headername: headervalue\"",
                Show(text)
            );
        }
    }
}

/// A moment in universal time, as `20261123164749`.
fn utc_stamp(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400);
    let rest = seconds.rem_euclid(86_400);
    // Counted from 0000-03-01, so that a leap day is the last of its year.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}{month:02}{day:02}{:02}{:02}{:02}",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn stamps_are_universal_time() {
        assert_eq!(super::utc_stamp(0), "19700101000000");
        assert_eq!(super::utc_stamp(951_782_399), "20000228235959");
        assert_eq!(super::utc_stamp(951_782_400), "20000229000000");
        assert_eq!(super::utc_stamp(1_795_449_600), "20261123160000");
    }
}
