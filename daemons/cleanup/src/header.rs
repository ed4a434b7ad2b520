//! The primary headers: what is learnt from them, how their addresses are rewritten, how they are written.

use pf_address::{Token, externalize_header, parse_limited};
use pf_log::{info, warning};
use pf_mime::{Header, HeaderFlags, HeaderKind};
use pf_proto::cleanup::Status;
use pf_record::{RecordType, sendopts};

use crate::Show;
use crate::content::header_value;
use crate::message::{Context, Message};
use crate::params::Classes;

/// Lines of addresses are filled up to this width.
const FOLD_WIDTH: usize = 70;

impl Message<'_> {
    /// A header of the message itself that the mail system knows.
    pub(crate) async fn primary_header(&mut self, header: Header, text: &[u8]) {
        self.mark_seen(header.kind);
        let value = header_value(header, text);
        match header.kind {
            HeaderKind::MessageId => {
                info!("{}: message-id={}", self.id, Show(value));
                if self.message_id.is_none()
                    && let Some(id) = bracketed(value)
                {
                    self.message_id = Some(pf_text::printable(id, b' ').into_owned());
                }
            }
            HeaderKind::ResentMessageId => {
                info!("{}: resent-message-id={}", self.id, Show(value));
            }
            HeaderKind::Received if self.received >= self.service.params.hopcount_limit => {
                self.errors |= Status::HOPS;
                warning!("{}: message rejected: hopcount exceeded", self.id);
            }
            HeaderKind::TlsRequired if self.service.params.tls_required_enable => {
                if value.eq_ignore_ascii_case(b"no") {
                    self.sendopts |= sendopts::REQUIRETLS_HEADER;
                } else {
                    warning!("ignoring malformed header: '{:.100}'", Show(text));
                }
            }
            HeaderKind::RequireTlsEsmtp
                if self.service.params.requiretls_header && value.eq_ignore_ascii_case(b"yes") =>
            {
                self.sendopts |= sendopts::REQUIRETLS_ESMTP;
                self.requiretls_header_seen = true;
            }
            _ => {}
        }
        if !self.is_ok() {
            return;
        }
        if header.flags.has(HeaderFlags::RESENT) {
            self.resent = true;
        }
        let sender = header.flags.has(HeaderFlags::SENDER);
        if let Some(context) = self.context
            && (sender || header.flags.has(HeaderFlags::RECIPIENT))
        {
            self.rewrite_header(header, text, context, sender).await;
        } else if !header.flags.has(HeaderFlags::DROP) {
            self.put_header(text);
        }
    }

    /// Rewrites the addresses in a header.
    async fn rewrite_header(
        &mut self,
        header: Header,
        text: &[u8],
        context: Context,
        sender: bool,
    ) {
        let service = self.service;
        let value = text.get(header.name.len() + 1..).unwrap_or_default();
        let mut tokens = parse_limited(value, service.params.header_address_token_limit);
        let class = if sender {
            Classes::HEADER_SENDER
        } else {
            Classes::HEADER_RECIPIENT
        };
        let mut changed = false;
        for token in &mut tokens {
            if let Token::Address(address) = token {
                let old = address.external();
                let new = self.rewrite(context, &old).await;
                let new = self.map_external(new.to_vec(), class).await;
                if new != old {
                    changed = true;
                    *address = pf_address::Address::scan(&new);
                }
            }
        }
        if header.flags.has(HeaderFlags::DROP) {
            return;
        }
        if !changed {
            self.put_header(text);
            return;
        }
        let printed = externalize_header(&tokens);
        for stripped in &printed.stripped {
            warning!(
                "stripping too many comments from address: {:.100}...",
                Show(stripped)
            );
        }
        // The name keeps the case that it came in.
        let name = text.get(..header.name.len()).unwrap_or_default();
        self.put_folded([name, b": ", &printed.text].concat());
    }

    /// Writes a header that has an address on each line, as many addresses on a line as fit.
    pub(crate) fn put_folded(&mut self, mut text: Vec<u8>) {
        let mut start = 0;
        let mut line = 0;
        loop {
            let end = text
                .get(line..)
                .and_then(|rest| memchr::memchr(b'\n', rest))
                .map_or(text.len(), |at| line + at);
            if line > start {
                if end - start < FOLD_WIDTH {
                    if let Some(newline) = text.get_mut(line - 1) {
                        *newline = b' ';
                    }
                } else {
                    start = line;
                }
            }
            if end == text.len() {
                break;
            }
            line = end + 1;
        }
        self.put_header(&text);
    }

    /// Writes a header, a record for each line. A header that is too long is cut off, if possible between lines.
    pub(crate) fn put_header(&mut self, text: &[u8]) {
        let params = &self.service.params;
        if params.smtputf8_enable && !text.is_ascii() {
            self.note_utf8(sendopts::SMTPUTF8_HEADER);
        }
        let limit = params.mime_options(false).header_limit;
        let room = params.leave_room;
        let mut start = 0;
        for line in text.split(|&ch| ch == b'\n') {
            let mut line = line;
            let at = start;
            start += line.len() + 1;
            let cut = at + line.len() > limit;
            if cut {
                // A nice cut loses less than a tenth.
                if at > limit / 10 * 9 {
                    break;
                }
                line = line.get(..limit.saturating_sub(at)).unwrap_or_default();
            }
            if at == 0 {
                self.put(RecordType::NORM, line);
                if room && line.len() < pf_record::POINTER_SIZE {
                    self.put_padding(RecordType::PADDING, pf_record::POINTER_SIZE - line.len());
                }
            } else if matches!(line.first(), Some(b' ' | b'\t')) {
                self.put(RecordType::NORM, line);
            } else {
                self.put(RecordType::NORM, &[b"\t", line].concat());
            }
            if cut {
                break;
            }
        }
    }
}

/// `<...>` at the start of a text, balanced.
fn bracketed(text: &[u8]) -> Option<&[u8]> {
    let mut level = 0usize;
    for (at, ch) in text.iter().enumerate() {
        match ch {
            b'<' => level += 1,
            b'>' => {
                level = level.checked_sub(1)?;
                if level == 0 {
                    return text.get(..=at);
                }
            }
            _ if level == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_are_balanced() {
        assert_eq!(bracketed(b"<a@b> c"), Some(&b"<a@b>"[..]));
        assert_eq!(bracketed(b"<a<b>c>"), Some(&b"<a<b>c>"[..]));
        assert_eq!(bracketed(b"x <a>"), None);
        assert_eq!(bracketed(b"<a"), None);
        assert_eq!(bracketed(b""), None);
    }
}
