//! The notification as a message: RFC 3464's `multipart/report` with the text for people, the report for programs, and the
//! message or its headers.

use std::io;

use pf_dsn::Ret;
use pf_mime::header_name_len;
use pf_proto::post_mail::PostMail;
use pf_queue::bounce_log::Entry;
use pf_record::RecordType;
use pf_sys::time::Calendar;

use crate::original::Original;
use crate::params::Params;
use crate::template::{Kind, Template};
use crate::wrap::wrap;

/// SMTPUTF8 was requested for the message.
pub const SMTPUTF8_REQUESTED: i32 = 1;
/// Something about the message or its delivery needs SMTPUTF8.
pub const SMTPUTF8_ALL: i32 = 0b1111;
/// The message has the header `TLS-Required: no`.
pub const REQUIRETLS_HEADER: i32 = 1 << 4;
/// The message was sent with REQUIRETLS.
pub const REQUIRETLS_ESMTP: i32 = 1 << 5;

/// What one or more notifications about a message are made of.
pub struct Report<'a> {
    /// The parameters.
    pub params: &'a Params,
    /// Headers and text.
    pub template: &'a Template,
    /// The text with its names expanded.
    pub text: Vec<Vec<u8>>,
    /// The queue id of the message.
    pub id: &'a str,
    /// SMTPUTF8 and REQUIRETLS bits.
    pub sendopts: i32,
    /// `7bit` or `8bit`; `None` when unknown.
    pub encoding: Option<&'static str>,
    /// The DSN `ENVID`.
    pub envid: &'a [u8],
    /// The message itself.
    pub original: &'a Original,
    /// What the MIME parts begin with.
    pub boundary: String,
}

type Result<T> = std::result::Result<T, pf_attr::Error>;

/// Whether an address has to be called one of RFC 6533.
fn is_utf8_address(address: &[u8]) -> bool {
    !address.is_ascii() && std::str::from_utf8(address).is_ok()
}

/// A date as in message headers.
pub fn mail_date(seconds: i64) -> String {
    Calendar::local(seconds).mail_date()
}

impl Report<'_> {
    /// The encoding, when it is not 7bit.
    fn not_7bit(&self) -> Option<&'static str> {
        self.encoding
            .filter(|encoding| !encoding.eq_ignore_ascii_case("7bit"))
    }

    /// The type in front of an address.
    fn address_type(&self, address: &[u8]) -> &'static str {
        if self.sendopts & SMTPUTF8_ALL != 0 && is_utf8_address(address) {
            "utf-8"
        } else {
            "rfc822"
        }
    }

    fn utf8_requested(&self) -> bool {
        self.sendopts & SMTPUTF8_REQUESTED != 0
    }

    /// `mail_name` as it can stand in the name of a field.
    fn field_name(&self) -> String {
        self.params.mail_name.replace(
            [
                ' ', '\t', '\r', '\n', '(', ')', '<', '>', '@', ',', ';', ':', '\\', '"', '.', '[',
                ']',
            ],
            "-",
        )
    }

    /// The message headers and the beginning of the first part.
    fn header(&self, to: &[u8], postmaster: bool) -> Vec<Vec<u8>> {
        let template = self.template;
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut add = |line: String| lines.push(line.into_bytes());
        add(format!(
            "From: {}",
            if self.params.obsolete_from {
                &template.obsolete_from
            } else {
                &template.from
            }
        ));
        let subject = template
            .postmaster_subject
            .as_ref()
            .filter(|_| postmaster)
            .unwrap_or(&template.subject);
        add(format!("Subject: {subject}"));
        lines.push([b"To: ", &*pf_address::quote_822(to)].concat());
        if !self.original.message_id.is_empty() {
            for name in ["References: ", "In-Reply-To: "] {
                lines.push([name.as_bytes(), &self.original.message_id].concat());
            }
        }
        let mut add = |line: String| lines.push(line.into_bytes());
        if self.params.tls_required && self.sendopts & REQUIRETLS_HEADER != 0 {
            add("TLS-Required: no".to_owned());
        }
        add(format!(
            "Auto-Submitted: {}",
            if postmaster {
                "auto-generated"
            } else {
                "auto-replied"
            }
        ));
        add("MIME-Version: 1.0".to_owned());
        add("Content-Type: multipart/report; report-type=delivery-status;".to_owned());
        add(format!("\tboundary=\"{}\"", self.boundary));
        if let Some(encoding) = self.encoding {
            let encoding = match self.not_7bit() {
                Some(encoding) => encoding,
                None if template.eight_bit => "8bit",
                None => encoding,
            };
            add(format!("Content-Transfer-Encoding: {encoding}"));
        }
        add(String::new());
        add("This is a MIME-encapsulated message.".to_owned());
        add(String::new());
        add(format!("--{}", self.boundary));
        add("Content-Description: Notification".to_owned());
        let charset = if !template.charset.eq_ignore_ascii_case("us-ascii") {
            &template.charset
        } else if self.not_7bit().is_some() {
            "utf-8"
        } else {
            "us-ascii"
        };
        add(format!("Content-Type: text/plain; charset={charset}"));
        if let Some(encoding) = self.not_7bit() {
            add(format!("Content-Transfer-Encoding: {encoding}"));
        }
        add(String::new());
        lines
    }

    /// A recipient in the text for people.
    fn recipient_text(entry: &Entry) -> Vec<Vec<u8>> {
        let recipient = &entry.recipient;
        let mut text = [b"<", recipient.address.as_slice(), b">"].concat();
        if !recipient.original.is_empty() {
            text.extend_from_slice(b" (expanded from <");
            text.extend_from_slice(&recipient.original);
            text.extend_from_slice(b">)");
        }
        text.extend_from_slice(b": ");
        text.extend_from_slice(&entry.status.reason);
        let mut lines = vec![Vec::new()];
        lines.extend(wrap(&text));
        lines
    }

    /// The beginning of the report for programs.
    fn header_dsn(&self) -> Vec<Vec<u8>> {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut add = |parts: &[&[u8]]| lines.push(parts.concat());
        let name = self.field_name();
        add(&[b""]);
        add(&[b"--", self.boundary.as_bytes()]);
        add(&[b"Content-Description: Delivery report"]);
        add(&[
            b"Content-Type: message/",
            if self.utf8_requested() {
                b"global-"
            } else {
                b""
            },
            b"delivery-status",
        ]);
        if let (Some(encoding), true) = (self.not_7bit(), self.utf8_requested()) {
            add(&[b"Content-Transfer-Encoding: ", encoding.as_bytes()]);
        }
        add(&[b""]);
        add(&[b"Reporting-MTA: dns; ", self.params.myhostname.as_bytes()]);
        if !self.envid.is_empty() {
            add(&[b"Original-Envelope-Id: ", self.envid]);
        }
        add(&[b"X-", name.as_bytes(), b"-Queue-ID: ", self.id.as_bytes()]);
        let sender = &self.original.sender;
        if !sender.is_empty() {
            add(&[
                b"X-",
                name.as_bytes(),
                b"-Sender: ",
                self.address_type(sender).as_bytes(),
                b"; ",
                sender,
            ]);
        }
        if self.original.arrival > 0 {
            add(&[
                b"Arrival-Date: ",
                mail_date(self.original.arrival).as_bytes(),
            ]);
        }
        lines
    }

    /// A recipient in the report for programs.
    fn recipient_dsn(&self, entry: &Entry) -> Vec<Vec<u8>> {
        let Entry { recipient, status } = entry;
        let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
        lines.push(
            [
                b"Final-Recipient: ",
                self.address_type(&recipient.address).as_bytes(),
                b"; ",
                &recipient.address,
            ]
            .concat(),
        );
        if !recipient.dsn_original.is_empty() {
            lines.push([b"Original-Recipient: ", recipient.dsn_original.as_slice()].concat());
        } else if !recipient.original.is_empty() {
            lines.push(
                [
                    b"Original-Recipient: ",
                    self.address_type(&recipient.original).as_bytes(),
                    b"; ",
                    &recipient.original,
                ]
                .concat(),
            );
        }
        let action = if self.template.kind == Kind::Failure {
            b"failed".as_slice()
        } else {
            &status.action
        };
        lines.push([b"Action: ", action].concat());
        lines.push([b"Status: ", status.status.as_slice()].concat());
        if !status.mta_type.is_empty() && !status.mta_name.is_empty() {
            let text = [b"Remote-MTA: ", &*status.mta_type, b"; ", &status.mta_name].concat();
            lines.extend(wrap(&text));
        }
        let diagnostic = if status.diagnostic_type.is_empty() || status.diagnostic_text.is_empty() {
            let name = self.field_name();
            [
                b"Diagnostic-Code: X-",
                name.as_bytes(),
                b"; ",
                &status.reason,
            ]
            .concat()
        } else {
            [
                b"Diagnostic-Code: ",
                &*status.diagnostic_type,
                b"; ",
                &status.diagnostic_text,
            ]
            .concat()
        };
        lines.extend(wrap(&diagnostic));
        if self.template.kind == Kind::Delay {
            let lifetime =
                i64::try_from(self.params.maximal_queue_lifetime.as_secs()).unwrap_or(i64::MAX);
            let end = self.original.arrival.saturating_add(lifetime);
            lines.push(format!("Will-Retry-Until: {}", mail_date(end)).into_bytes());
        }
        lines
    }

    /// The head of the part that holds the message.
    fn header_original(&self, headers_only: bool) -> Vec<Vec<u8>> {
        let undelivered = matches!(self.template.kind, Kind::Failure | Kind::Delay);
        let kind = match (self.utf8_requested(), headers_only) {
            (true, true) => "message/global-headers",
            (true, false) => "message/global",
            (false, true) => "text/rfc822-headers",
            (false, false) => "message/rfc822",
        };
        let mut lines = vec![
            String::new(),
            format!("--{}", self.boundary),
            format!(
                "Content-Description: {}{}",
                if undelivered { "Undelivered " } else { "" },
                if headers_only {
                    "Message Headers"
                } else {
                    "Message"
                }
            ),
            format!("Content-Type: {kind}"),
        ];
        if let Some(encoding) = self.not_7bit() {
            lines.push(format!("Content-Transfer-Encoding: {encoding}"));
        }
        lines.push(String::new());
        lines.into_iter().map(String::into_bytes).collect()
    }

    /// Writes the beginning of a notification: its header, and its text for a sender.
    ///
    /// # Errors
    /// The cleanup service does not take it any more.
    pub async fn begin(&self, mail: &mut PostMail, to: &[u8], postmaster: bool) -> Result<()> {
        for line in self.header(to, postmaster) {
            mail.line(line).await?;
        }
        if !postmaster {
            for line in &self.text {
                mail.line(line).await?;
            }
        }
        Ok(())
    }

    /// Writes everything but the envelope. `entries` are the recipients to report (`None`: the log is gone), `text` is
    /// whether the text of the template is wanted.
    ///
    /// # Errors
    /// The message cannot be handed over.
    pub async fn write(
        &self,
        mail: &mut PostMail,
        to: &[u8],
        postmaster: bool,
        entries: Option<&[&Entry]>,
        ret: Ret,
    ) -> Result<()> {
        self.begin(mail, to, postmaster).await?;
        let mut lines = Vec::new();
        match entries {
            Some(entries) => lines.extend(entries.iter().flat_map(|e| Self::recipient_text(e))),
            None => {
                lines.push(Vec::new());
                lines.push(b"\t--- Delivery report unavailable ---".to_vec());
            }
        }
        lines.extend(self.header_dsn());
        for entry in entries.unwrap_or_default() {
            lines.extend(self.recipient_dsn(entry));
        }
        for line in &lines {
            mail.line(line).await?;
        }
        self.original(mail, ret).await
    }

    /// The part that holds the message, or its headers.
    async fn original(&self, mail: &mut PostMail, ret: Ret) -> Result<()> {
        let original = self.original;
        let limit = self.params.bounce_size_limit;
        let too_big =
            limit > 0 && original.is_there() && (original.size == 0 || original.size > limit);
        let headers_only = ret == Ret::Hdrs || too_big;
        for line in self.header_original(headers_only) {
            mail.line(line).await?;
        }
        let Some(mut reader) = original.content()? else {
            mail.line("\t--- Undelivered message unavailable ---")
                .await?;
            return Ok(());
        };
        mail.line([b"Return-Path: <", original.sender.as_slice(), b">"].concat())
            .await?;
        let mut data = Vec::new();
        let mut continued = false;
        loop {
            let kind = reader.read_into(&mut data).map_err(io::Error::other)?;
            let Some(kind @ (RecordType::NORM | RecordType::CONT)) = kind else {
                break;
            };
            if headers_only && !continued && !is_header(&data) {
                break;
            }
            continued = kind == RecordType::CONT;
            mail.record(kind.0, &data).await?;
        }
        mail.line("").await?;
        mail.line(format!("--{}--", self.boundary)).await
    }
}

/// Whether a line is a header, or continues one.
fn is_header(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t')) || header_name_len(line).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_config::Config;
    use pf_proto::bounce::{Recipient, Status};

    fn text(lines: Vec<Vec<u8>>) -> String {
        String::from_utf8(lines.join(&b'\n')).unwrap()
    }

    fn original() -> Original {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::for_tests(&[("queue_directory", dir.path().to_str().unwrap())]);
        let queue = pf_queue::Queue::new(&config).unwrap();
        let id = pf_queue::QueueId::parse(b"4F2A1").unwrap();
        let mut original = Original::open(
            &queue,
            pf_queue::QueueName::Active,
            &id,
            "MAILER-DAEMON@h",
            false,
        )
        .unwrap();
        original.sender = b"s@x.example".to_vec();
        original.arrival = 0;
        original
    }

    #[test]
    fn the_report_has_the_fields_of_rfc_3464() {
        let config = Config::for_tests(&[("myhostname", "h.example"), ("mail_name", "My Mail")]);
        let params = Params::new(&config).unwrap();
        let template = Template::built_in(Kind::Failure);
        let original = original();
        let report = Report {
            params: &params,
            template: &template,
            text: Vec::new(),
            id: "4F2A1",
            sendopts: 0,
            encoding: Some("8bit"),
            envid: b"env",
            original: &original,
            boundary: "B".to_owned(),
        };
        let entry = Entry {
            recipient: Recipient {
                address: b"r@y.example".to_vec(),
                original: b"o@y.example".to_vec(),
                ..Recipient::default()
            },
            status: Status {
                status: b"5.1.1".to_vec(),
                action: b"delayed".to_vec(),
                reason: b"no such user".to_vec(),
                ..Status::default()
            },
        };
        assert_eq!(
            text(report.header_dsn()),
            "\n--B\nContent-Description: Delivery report\nContent-Type: message/delivery-status\n\n\
             Reporting-MTA: dns; h.example\nOriginal-Envelope-Id: env\nX-My-Mail-Queue-ID: 4F2A1\n\
             X-My-Mail-Sender: rfc822; s@x.example"
        );
        assert_eq!(
            text(report.recipient_dsn(&entry)),
            "\nFinal-Recipient: rfc822; r@y.example\nOriginal-Recipient: rfc822; o@y.example\nAction: failed\n\
             Status: 5.1.1\nDiagnostic-Code: X-My-Mail; no such user"
        );
        assert_eq!(
            text(Report::recipient_text(&entry)),
            "\n<r@y.example> (expanded from <o@y.example>): no such user"
        );
        assert_eq!(
            text(report.header(b"s@x.example", true)),
            "From: Mail Delivery System <MAILER-DAEMON>\nSubject: Postmaster Copy: Undelivered Mail\n\
             To: s@x.example\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"B\"\n\
             Content-Transfer-Encoding: 8bit\n\nThis is a MIME-encapsulated message.\n\n--B\n\
             Content-Description: Notification\nContent-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: 8bit\n"
        );
    }
}
