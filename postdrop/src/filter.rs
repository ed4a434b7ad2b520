//! What a user may put into a queue file. Pure: records in, records or refusals out.

use pf_proto::deliver::flags;
use pf_record::{RecordType, attr, set};

/// What becomes of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passed {
    /// It is written.
    Yes,
    /// This is written in its place.
    As(Vec<u8>),
    /// It is not, and why.
    No(String),
    /// It was the last one.
    End,
}

/// Follows a message through its three segments.
#[derive(Debug)]
pub struct Filter {
    segments: &'static [&'static [u8]],
    pub senders: usize,
    pub recipients: usize,
}

const SEGMENTS: [&[u8]; 3] = [set::POST_ENVELOPE, set::POST_CONTENT, set::POST_EXTRACT];

impl Filter {
    pub fn new() -> Self {
        Self {
            segments: &SEGMENTS,
            senders: 0,
            recipients: 0,
        }
    }

    /// Looks at one record.
    ///
    /// # Errors
    /// The input cannot be trusted any further; the text says why.
    pub fn record(&mut self, kind: RecordType, data: &[u8]) -> Result<Passed, String> {
        let segment = self.segments.first().copied().unwrap_or_default();
        if kind.0 == 0 || !kind.is_in(segment) {
            return Err(format!("unexpected record type: {}", kind.0));
        }
        let content = matches!(kind, RecordType::NORM | RecordType::CONT);
        if !content && data.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            let name = kind.name().unwrap_or("unknown");
            // A C string ends at the first NUL.
            let text = data.split(|byte| *byte == 0).next().unwrap_or_default();
            let shown = String::from_utf8_lossy(text);
            return Err(format!(
                "null or line break in '{name}' record type: {shown:.200}"
            ));
        }
        if segment.first() == Some(&kind.0) {
            self.segments = self.segments.get(1..).unwrap_or_default();
        }
        Ok(match kind {
            RecordType::FROM => {
                self.senders += 1;
                Passed::Yes
            }
            RecordType::RCPT => {
                self.recipients += 1;
                Passed::Yes
            }
            RecordType::ATTR => attribute(data),
            RecordType::END => Passed::End,
            _ => Passed::Yes,
        })
    }

    /// Whether somebody sends it and somebody gets it.
    pub fn is_complete(&self) -> bool {
        self.senders > 0 && self.recipients > 0
    }
}

/// The attributes that users may set.
fn attribute(data: &[u8]) -> Passed {
    let shown = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes)
            .chars()
            .take(200)
            .collect::<String>()
    };
    let (name, value) = match attr::split(data) {
        Ok(pair) => pair,
        Err(why) => {
            return Passed::No(format!("ignoring malformed record: {why}: {}", shown(data)));
        }
    };
    match name {
        b"trace_flags" => {
            // What `sendmail -bv` and `-v` ask for, and no probes that would poison the verify cache.
            let allowed = [flags::USER_VERIFY, flags::RECORD];
            let wanted = std::str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse::<i32>().ok());
            match wanted.filter(|wanted| allowed.contains(wanted)) {
                Some(wanted) => Passed::As(format!("trace_flags={wanted}").into_bytes()),
                None => Passed::No(format!("ignoring unexpected trace flags: {}", shown(value))),
            }
        }
        b"encoding" if matches!(value, b"7bit" | b"8bit" | b"") => Passed::Yes,
        b"rewrite_context" if matches!(value, b"local" | b"remote") => Passed::Yes,
        name if attr::record_type(name).is_some() => Passed::Yes,
        name => Passed::No(format!(
            "ignoring attribute record: {}={}",
            shown(name),
            shown(value)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_come_in_order() {
        let mut filter = Filter::new();
        assert_eq!(filter.record(RecordType::FROM, b"a@b"), Ok(Passed::Yes));
        assert_eq!(filter.record(RecordType::RCPT, b"c@d"), Ok(Passed::Yes));
        assert!(filter.record(RecordType::NORM, b"too early").is_err());
        assert_eq!(filter.record(RecordType::MESG, b""), Ok(Passed::Yes));
        assert_eq!(
            filter.record(RecordType::NORM, b"From \r\n"),
            Ok(Passed::Yes)
        );
        assert!(filter.record(RecordType::RCPT, b"too late").is_err());
        assert_eq!(filter.record(RecordType::XTRA, b""), Ok(Passed::Yes));
        assert_eq!(filter.record(RecordType::END, b""), Ok(Passed::End));
        assert!(filter.is_complete());
    }

    #[test]
    fn known_bugs_20250807_and_20260708_line_breaks_and_null_records() {
        for data in [&b"a\nFrom x"[..], b"a\rb", b"a\0b"] {
            assert!(Filter::new().record(RecordType::FROM, data).is_err());
        }
        assert!(Filter::new().record(RecordType(0), b"").is_err());
        assert!(Filter::new().record(RecordType::POINTER, b"0").is_err());
    }

    #[test]
    fn known_bugs_20260806_users_send_no_probes() {
        let trace = |value: &str| {
            Filter::new().record(RecordType::ATTR, format!("trace_flags={value}").as_bytes())
        };
        for flags in ["512", "1024"] {
            let kept = format!("trace_flags={flags}").into_bytes();
            assert_eq!(trace(flags), Ok(Passed::As(kept)));
        }
        assert!(matches!(trace("256"), Ok(Passed::No(_))));
        assert!(matches!(trace("768"), Ok(Passed::No(_))));
        let other = Filter::new().record(RecordType::ATTR, b"sasl_username=root");
        assert!(matches!(other, Ok(Passed::No(_))));
    }
}
