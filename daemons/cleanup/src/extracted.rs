//! The records behind the content, and what is added there.

use pf_record::{RecordType, attr, set};

use crate::envelope::until_nul;
use crate::message::{Message, Phase};

impl Message<'_> {
    /// Takes a record behind the content.
    pub(crate) async fn extracted_record(&mut self, kind: RecordType, data: &[u8]) {
        if self.phase == Phase::ExtractedStart {
            self.put(RecordType::XTRA, b"");
            self.phase = Phase::Extracted;
        }
        let data = until_nul(data);
        if kind == RecordType::FLAGS {
            self.extra_flags(data);
            return;
        }
        if !kind.is_in(set::EXTRACT) {
            self.reject(format_args!(
                "unexpected record type {} in extracted envelope",
                kind.0
            ));
            return;
        }
        let Some((meaning, value)) = self.extracted_meaning(kind, data) else {
            return;
        };
        if !self.in_recipients && kind.is_in(set::EXTRACT_RECIPIENTS) {
            self.put_findings();
        }
        if self
            .recipient_record(kind, meaning, value, data, "dsn")
            .await
        {
            return;
        }
        if kind == RecordType::END {
            if self.service.params.leave_room && !self.room_for_recipients {
                self.put_room();
            }
            self.in_recipients = false;
            self.end_seen = true;
            self.finish_extracted().await;
            return;
        }
        if self.in_recipients {
            self.mixed_recipients();
        }
        self.put(kind, data);
    }

    /// What was found in headers and body, before the first recipient.
    fn put_findings(&mut self) {
        if let Some(filter) = self.filter.clone() {
            self.put(RecordType::FILTER, &filter);
        }
        if let Some(redirect) = self.redirect.clone() {
            self.put(RecordType::REDIRECT, &redirect);
        }
        if let Some(message_id) = self.message_id.clone() {
            self.put_attribute("message_id", &message_id);
        }
        if let Some(encoding) = self.attribute(attr::ENCODING).map(<[u8]>::to_vec) {
            self.put_attribute(attr::ENCODING, &encoding);
        }
        self.in_recipients = true;
        if self.service.params.leave_room {
            self.put_room();
        }
    }

    /// Automatic recipients, and the end of the file.
    async fn finish_extracted(&mut self) {
        let always_bcc = &self.service.params.always_bcc;
        if self.flags.has(pf_proto::cleanup::Flags::BCC_OK)
            && self.recipient.is_some()
            && !always_bcc.is_empty()
        {
            self.bcc_address(always_bcc).await;
        }
        for bcc in std::mem::take(&mut self.bcc) {
            if self.is_ok() && self.recipient.is_some() {
                self.bcc_address(&bcc).await;
            }
        }
        self.put(RecordType::END, b"");
    }
}
