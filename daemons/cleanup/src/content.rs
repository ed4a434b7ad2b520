//! Headers and body.

use std::borrow::Cow;

use pf_checks::Action;
use pf_mime::{Class, Event, Fault, Header, LineKind, Machine};
use pf_proto::cleanup::{Flags, Status};
use pf_record::{RecordType, attr};

use crate::Show;
use crate::action::Verdict;
use crate::message::{Message, Phase};
use crate::params::NonEmptyEnd;

impl Message<'_> {
    /// Takes a body record that comes out as it is, if that can be told at once: what almost all records of a message are.
    pub(crate) fn plain_body_record(&mut self, kind: RecordType, data: &[u8]) -> bool {
        if self.phase != Phase::Content {
            return false;
        }
        let line = match kind {
            RecordType::NORM => LineKind::Line,
            RecordType::CONT => LineKind::Continued,
            _ => return false,
        };
        let params = &self.service.params;
        let filtered = self.flags.has(Flags::FILTER)
            && (!self.service.tables.checks.no_body()
                || !params.reject_characters.is_empty()
                || !params.strip_characters.is_empty());
        if filtered || (params.replace_stray_cr_lf && has_stray(data)) {
            return false;
        }
        let Some(machine) = self
            .machine
            .as_mut()
            .filter(|machine| machine.is_plain_body(data))
        else {
            return false;
        };
        machine.skipped(line, data);
        self.put(kind, data);
        true
    }

    /// Takes a record of the content.
    pub(crate) async fn content_record(&mut self, kind: RecordType, data: &[u8]) {
        let params = &self.service.params;
        if self.phase == Phase::ContentStart {
            self.put(RecordType::MESG, b"");
            self.data_offset = self.out.offset();
            self.machine = Some(Machine::new(
                params.mime_options(self.flags.has(Flags::FILTER)),
            ));
            self.phase = Phase::Content;
        }
        let mut data = Cow::Borrowed(data);
        // Lone carriage returns and line feeds could smuggle a second message past the next system.
        if params.replace_stray_cr_lf && has_stray(&data) {
            for ch in data.to_mut() {
                if matches!(ch, b'\r' | b'\n') {
                    *ch = b' ';
                }
            }
        }
        if self.flags.has(Flags::FILTER) {
            let reject = &params.reject_characters;
            if data.iter().any(|ch| reject.contains(ch)) {
                self.act(
                    "content",
                    &data,
                    Action::Reject(b"5.7.1 disallowed character".to_vec()),
                );
                return;
            }
            let strip = &params.strip_characters;
            if data.iter().any(|ch| strip.contains(ch)) {
                data.to_mut().retain(|ch| !strip.contains(ch));
            }
        }
        match kind {
            RecordType::NORM => self.line(Some(LineKind::Line), &data).await,
            RecordType::CONT => self.line(Some(LineKind::Continued), &data).await,
            RecordType::XTRA => {
                self.line(None, b"").await;
                self.end_content();
            }
            _ => {
                pf_log::warning!(
                    "cleanup_message_headerbody: message rejected: unexpected record type {} in message content",
                    kind.0
                );
                self.bad();
            }
        }
    }

    /// Shows a line, or the end of the content, to the MIME machine, and does what comes of it.
    async fn line(&mut self, kind: Option<LineKind>, data: &[u8]) {
        let Some(mut machine) = self.machine.take() else {
            return;
        };
        let table = &self.service.params.headers;
        let mut input = match kind {
            Some(kind) => machine.text(table, kind, data),
            None => machine.end(table),
        };
        while let Some(event) = input.next() {
            match event {
                Event::Header {
                    class,
                    header,
                    text,
                } => self.header(class, header, text).await,
                Event::HeaderEnd => self.end_of_headers(),
                Event::Body { kind, text, offset } => self.body(kind, text, offset).await,
                Event::BodyEnd => {}
                Event::Fault { fault, text } => self.fault(fault, text),
            }
        }
        self.machine = Some(machine);
    }

    fn end_content(&mut self) {
        if self.service.params.leave_room {
            self.put_room();
        }
        let worst = self.machine.take().and_then(|machine| machine.worst());
        let worst = worst.filter(|fault| {
            *fault != Fault::NonEmptyEndOfHeader
                || self.service.params.non_empty_end == NonEmptyEnd::Reject
        });
        if let Some(fault) = worst
            && self.reason.is_none()
        {
            self.errors |= Status::CONT;
            self.reason = Some(format!("{} {}", fault.dsn(), fault.text()).into_bytes());
        }
        self.content_length = self.out.offset() - self.data_offset;
        self.phase = Phase::ExtractedStart;
    }

    /// A whole header.
    async fn header(&mut self, class: Class, mut header: Option<Header>, text: &[u8]) {
        use pf_mime::{HeaderFlags, HeaderKind};
        let class = match header {
            Some(header) if header.flags.has(HeaderFlags::MIME) => Class::Multipart,
            _ => class,
        };
        if header.is_some_and(|header| header.kind == HeaderKind::Received) {
            self.received += 1;
        }
        let mut text = Cow::Borrowed(text);
        let checks = &self.service.tables.checks;
        if self.flags.has(Flags::FILTER) && !checks.no_headers() {
            match checks.header(class, header, &text).await {
                Ok(action) => match self.act("header", &text, action) {
                    Verdict::Keep => {}
                    Verdict::Drop => return,
                    Verdict::Replace(new) => {
                        header = self.service.params.headers.find(&new);
                        text = Cow::Owned(new);
                    }
                },
                Err(_) => self.unavailable(checks.header_maps(class, header).title(), None),
            }
        }
        let Some(header) = header else {
            self.put_header(&text);
            return;
        };
        if header.kind == HeaderKind::ContentTransferEncoding
            && self.service.params.detect_8bit_encoding_header
        {
            let value = header_value(header, &text);
            if value.eq_ignore_ascii_case(b"8bit") || value.eq_ignore_ascii_case(b"binary") {
                self.set_attribute(attr::ENCODING.as_bytes(), b"8bit");
            }
        }
        if class == Class::Primary {
            self.primary_header(header, &text).await;
        } else {
            self.put_header(&text);
        }
    }

    async fn body(&mut self, kind: LineKind, text: &[u8], offset: u64) {
        if !self.is_ok() {
            return;
        }
        let kind = match kind {
            LineKind::Line => RecordType::NORM,
            LineKind::Continued => RecordType::CONT,
        };
        let most = self.service.params.body_checks_size_limit;
        let checks = &self.service.tables.checks;
        if self.flags.has(Flags::FILTER) && !checks.no_body() && (most == 0 || offset < most) {
            match checks.body(text).await {
                Ok(action) => match self.act("body", text, action) {
                    Verdict::Keep => {}
                    Verdict::Drop => return,
                    Verdict::Replace(new) => {
                        self.put(kind, &new);
                        return;
                    }
                },
                Err(_) => self.unavailable(checks.body_maps().title(), None),
            }
        }
        self.put(kind, text);
    }

    fn fault(&mut self, fault: Fault, text: &[u8]) {
        self.note_fault(fault);
        match fault {
            Fault::TruncatedHeader => return,
            Fault::NonEmptyEndOfHeader
                if self.service.params.non_empty_end != NonEmptyEnd::Reject =>
            {
                return;
            }
            _ => {}
        }
        let origin = self
            .attribute(attr::LOG_MESSAGE_ORIGIN)
            .unwrap_or(b"unknown");
        let sender = self.log_address(self.sender.as_deref().unwrap_or_default());
        let recipient = self.log_address(self.recipient.as_deref().unwrap_or(b"unknown"));
        self.log(format_args!(
            "reject: mime-error {}: {:.100} from {}; from=<{}> to=<{}>",
            fault.text(),
            Show(text),
            Show(origin),
            Show(&sender),
            Show(&recipient)
        ));
    }
}

/// A header's value, without leading white space.
pub(crate) fn header_value(header: Header, text: &[u8]) -> &[u8] {
    text.get(header.name.len() + 1..)
        .unwrap_or_default()
        .trim_ascii_start()
}

fn has_stray(data: &[u8]) -> bool {
    memchr::memchr2(b'\r', b'\n', data).is_some()
}
