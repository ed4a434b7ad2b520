//! The headers that the mail system knows.

/// Which header it is.
#[expect(missing_docs, reason = "the names are those of the headers")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum HeaderKind {
    Other,
    ApparentlyTo,
    Bcc,
    Cc,
    ContentLength,
    ContentTransferEncoding,
    ContentType,
    Date,
    DeliveredTo,
    ErrorsTo,
    From,
    MessageId,
    Received,
    ReplyTo,
    ResentBcc,
    ResentCc,
    ResentDate,
    ResentFrom,
    ResentMessageId,
    ResentReplyTo,
    ResentSender,
    ResentTo,
    ReturnPath,
    ReturnReceiptTo,
    Sender,
    To,
    MailFollowupTo,
    ContentDescription,
    ContentDisposition,
    ContentId,
    MimeVersion,
    DispositionNotificationTo,
    TlsRequired,
    RequireTlsEsmtp,
}

/// What is special about a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeaderFlags(u8);

impl HeaderFlags {
    /// It is taken out of a message (`message_drop_headers`).
    pub const DROP: Self = Self(1);
    /// It holds sender addresses.
    pub const SENDER: Self = Self(1 << 1);
    /// It holds recipient addresses.
    pub const RECIPIENT: Self = Self(1 << 2);
    /// It belongs to a message that is sent again.
    pub const RESENT: Self = Self(1 << 3);
    /// Its recipients count for `sendmail -t`.
    pub const EXTRACT: Self = Self(1 << 4);
    /// It describes the content.
    pub const MIME: Self = Self(1 << 5);

    /// Whether any bit of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A header that the mail system knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Its name, as the mail system writes it; for a header that is known only because it is dropped, empty.
    pub name: &'static str,
    /// Which one it is.
    pub kind: HeaderKind,
    /// What is special about it.
    pub flags: HeaderFlags,
}

const NONE: HeaderFlags = HeaderFlags(0);
const SENDER: HeaderFlags = HeaderFlags::SENDER;
const RECIPIENT: HeaderFlags = HeaderFlags::RECIPIENT;
const EXTRACT: HeaderFlags = RECIPIENT.with(HeaderFlags::EXTRACT);
const RESENT: HeaderFlags = HeaderFlags::RESENT;
const MIME: HeaderFlags = HeaderFlags::MIME;

const KNOWN: [(&str, HeaderKind, HeaderFlags); 34] = {
    use HeaderKind as K;
    [
        ("Apparently-To", K::ApparentlyTo, RECIPIENT),
        ("Bcc", K::Bcc, EXTRACT),
        ("Cc", K::Cc, EXTRACT),
        ("Content-Description", K::ContentDescription, MIME),
        ("Content-Disposition", K::ContentDisposition, MIME),
        ("Content-ID", K::ContentId, MIME),
        ("Content-Length", K::ContentLength, NONE),
        (
            "Content-Transfer-Encoding",
            K::ContentTransferEncoding,
            MIME,
        ),
        ("Content-Type", K::ContentType, MIME),
        ("Delivered-To", K::DeliveredTo, NONE),
        (
            "Disposition-Notification-To",
            K::DispositionNotificationTo,
            SENDER,
        ),
        ("Date", K::Date, NONE),
        ("Errors-To", K::ErrorsTo, SENDER),
        ("From", K::From, SENDER),
        ("Mail-Followup-To", K::MailFollowupTo, SENDER),
        ("Message-Id", K::MessageId, NONE),
        ("MIME-Version", K::MimeVersion, MIME),
        ("Received", K::Received, NONE),
        ("Reply-To", K::ReplyTo, SENDER),
        ("Resent-Bcc", K::ResentBcc, EXTRACT.with(RESENT)),
        ("Resent-Cc", K::ResentCc, EXTRACT.with(RESENT)),
        ("Resent-Date", K::ResentDate, RESENT),
        ("Resent-From", K::ResentFrom, SENDER.with(RESENT)),
        ("Resent-Message-Id", K::ResentMessageId, RESENT),
        ("Resent-Reply-To", K::ResentReplyTo, RECIPIENT.with(RESENT)),
        ("Resent-Sender", K::ResentSender, SENDER.with(RESENT)),
        ("Resent-To", K::ResentTo, EXTRACT.with(RESENT)),
        ("Return-Path", K::ReturnPath, SENDER),
        ("Return-Receipt-To", K::ReturnReceiptTo, SENDER),
        ("Sender", K::Sender, SENDER),
        ("To", K::To, EXTRACT),
        ("TLS-Required", K::TlsRequired, NONE),
        ("Require-TLS-ESMTP", K::RequireTlsEsmtp, NONE),
        ("", K::Other, NONE),
    ]
};

/// The known headers, and those that `message_drop_headers` names.
#[derive(Debug, Clone)]
pub struct HeaderTable {
    known: Vec<Header>,
    dropped: Vec<Vec<u8>>,
}

impl HeaderTable {
    /// The known headers; those named in `drop` (`message_drop_headers`) are marked, and known if they were not.
    pub fn new<'a>(drop: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: Vec<Header> = KNOWN
            .iter()
            .filter(|(name, ..)| !name.is_empty())
            .map(|&(name, kind, flags)| Header { name, kind, flags })
            .collect();
        let mut dropped = Vec::new();
        for name in drop {
            match known
                .iter_mut()
                .find(|header| header.name.eq_ignore_ascii_case(name))
            {
                Some(header) => header.flags = header.flags.with(HeaderFlags::DROP),
                None => dropped.push(name.as_bytes().to_vec()),
            }
        }
        Self { known, dropped }
    }

    /// Looks up a header by a text that begins with its name; the name ends at a colon, blanks before the colon do not count.
    pub fn find(&self, text: &[u8]) -> Option<Header> {
        let name = text.get(..memchr::memchr(b':', text)?)?.trim_ascii_end();
        self.known
            .iter()
            .find(|header| {
                header.name.len() == name.len() && header.name.as_bytes().eq_ignore_ascii_case(name)
            })
            .copied()
            .or_else(|| {
                self.dropped
                    .iter()
                    .any(|dropped| dropped.eq_ignore_ascii_case(name))
                    .then_some(Header {
                        name: "",
                        kind: HeaderKind::Other,
                        flags: HeaderFlags::DROP,
                    })
            })
    }
}

impl Default for HeaderTable {
    /// With nothing to drop.
    fn default() -> Self {
        Self::new([])
    }
}

/// How long the name of a header is, if the line is the first line of a header: printable characters, then optional blanks,
/// then a colon.
pub fn header_name_len(line: &[u8]) -> Option<usize> {
    let mut len = 0;
    let mut blank = false;
    for &ch in line {
        match ch {
            b':' => return (len > 0).then_some(len),
            b' ' | b'\t' if len > 0 => blank = true,
            33..=126 if !blank => len += 1,
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        let table = HeaderTable::new(["bcc", "X-Secret"]);
        assert_eq!(
            table.find(b"MESSAGE-ID: x").unwrap().kind,
            HeaderKind::MessageId
        );
        assert_eq!(table.find(b"To :x").unwrap().name, "To");
        assert!(table.find(b"Bcc:").unwrap().flags.has(HeaderFlags::DROP));
        assert!(
            table
                .find(b"x-secret: y")
                .unwrap()
                .flags
                .has(HeaderFlags::DROP)
        );
        assert_eq!(table.find(b"X-Other: y"), None);
        assert_eq!(table.find(b"to"), None);
    }

    #[test]
    fn a_header_begins_with_a_name() {
        assert_eq!(header_name_len(b"To: x"), Some(2));
        assert_eq!(header_name_len(b"To \t: x"), Some(2));
        for line in [
            &b": x"[..],
            b" To: x",
            b"To x: y",
            b"T\xc3: x",
            b"T\x01: x",
            b"To",
            b"",
        ] {
            assert_eq!(header_name_len(line), None, "{line:?}");
        }
    }
}
