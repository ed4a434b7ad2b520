//! What `EHLO` announces, and the keywords that `smtpd_discard_ehlo_keywords` takes out of it.

/// A set of `EHLO` keywords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Keywords(u16);

impl Keywords {
    pub(crate) const EIGHT_BIT_MIME: Self = Self(1);
    pub(crate) const PIPELINING: Self = Self(1 << 1);
    pub(crate) const SIZE: Self = Self(1 << 2);
    pub(crate) const VRFY: Self = Self(1 << 3);
    pub(crate) const ETRN: Self = Self(1 << 4);
    const AUTH: Self = Self(1 << 5);
    pub(crate) const VERP: Self = Self(1 << 6);
    const STARTTLS: Self = Self(1 << 7);
    pub(crate) const XCLIENT: Self = Self(1 << 8);
    pub(crate) const XFORWARD: Self = Self(1 << 9);
    pub(crate) const ENHANCED_STATUS_CODES: Self = Self(1 << 10);
    pub(crate) const DSN: Self = Self(1 << 11);
    pub(crate) const SMTPUTF8: Self = Self(1 << 12);
    pub(crate) const CHUNKING: Self = Self(1 << 13);
    const REQUIRETLS: Self = Self(1 << 14);
    const SILENT_DISCARD: Self = Self(1 << 15);

    /// All keywords, in the order in which a set is logged.
    const NAMES: [(&'static str, Self); 16] = [
        ("8BITMIME", Self::EIGHT_BIT_MIME),
        ("AUTH", Self::AUTH),
        ("ETRN", Self::ETRN),
        ("PIPELINING", Self::PIPELINING),
        ("SIZE", Self::SIZE),
        ("VERP", Self::VERP),
        ("VRFY", Self::VRFY),
        ("XCLIENT", Self::XCLIENT),
        ("XFORWARD", Self::XFORWARD),
        ("STARTTLS", Self::STARTTLS),
        ("ENHANCEDSTATUSCODES", Self::ENHANCED_STATUS_CODES),
        ("DSN", Self::DSN),
        ("SMTPUTF8", Self::SMTPUTF8),
        ("CHUNKING", Self::CHUNKING),
        ("REQUIRETLS", Self::REQUIRETLS),
        ("SILENT-DISCARD", Self::SILENT_DISCARD),
    ];

    /// Reads a list of keywords, in any case; unknown ones are ignored.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let mut set = Self(0);
        for word in text.split(|byte| b", \t\r\n".contains(byte)) {
            if let Some((_, keyword)) = Self::NAMES
                .iter()
                .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))
            {
                set.0 |= keyword.0;
            }
        }
        set
    }

    /// Whether the set has this keyword.
    pub(crate) fn has(self, keyword: Self) -> bool {
        self.0 & keyword.0 != 0
    }

    /// The keywords to log as discarded, if they are to be logged.
    pub(crate) fn to_log(self) -> Option<String> {
        if self.0 == 0 || self.has(Self::SILENT_DISCARD) || self.has(Self::ENHANCED_STATUS_CODES) {
            return None;
        }
        let names: Vec<&str> = Self::NAMES
            .iter()
            .filter(|(_, keyword)| self.has(*keyword))
            .map(|(name, _)| *name)
            .collect();
        Some(names.join(", "))
    }
}

/// What the announcement depends on, besides the keywords to leave out.
#[derive(Debug)]
pub(crate) struct Features<'a> {
    pub(crate) hostname: &'a str,
    /// `message_size_limit`; zero: none.
    pub(crate) size_limit: u64,
    pub(crate) vrfy: bool,
    pub(crate) verp: bool,
    pub(crate) xclient: bool,
    pub(crate) xforward: bool,
    pub(crate) smtputf8: bool,
}

/// The lines of the `EHLO` reply, without code and line end.
pub(crate) fn announce(features: &Features<'_>, discard: Keywords) -> Vec<String> {
    let mut lines = vec![features.hostname.to_owned()];
    let mut offer = |keyword: Keywords, wanted: bool, line: &str| {
        if wanted && !discard.has(keyword) {
            lines.push(line.to_owned());
        }
    };
    offer(Keywords::PIPELINING, true, "PIPELINING");
    if features.size_limit > 0 {
        offer(
            Keywords::SIZE,
            true,
            &format!("SIZE {}", features.size_limit),
        );
    } else {
        offer(Keywords::SIZE, true, "SIZE");
    }
    offer(Keywords::VRFY, features.vrfy, "VRFY");
    offer(Keywords::ETRN, true, "ETRN");
    offer(Keywords::VERP, features.verp, "XVERP");
    offer(
        Keywords::XCLIENT,
        features.xclient,
        "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT",
    );
    offer(
        Keywords::XFORWARD,
        features.xforward,
        "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT",
    );
    offer(Keywords::ENHANCED_STATUS_CODES, true, "ENHANCEDSTATUSCODES");
    offer(Keywords::EIGHT_BIT_MIME, true, "8BITMIME");
    offer(Keywords::DSN, true, "DSN");
    offer(Keywords::SMTPUTF8, features.smtputf8, "SMTPUTF8");
    offer(Keywords::CHUNKING, true, "CHUNKING");
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_in_any_case_and_unknown_ignored() {
        let set = Keywords::parse(b"pipelining, Chunking nonsense silent-discard");
        assert!(set.has(Keywords::PIPELINING) && set.has(Keywords::CHUNKING));
        assert!(!set.has(Keywords::SIZE));
        assert_eq!(set.to_log(), None);
        assert_eq!(
            Keywords::parse(b"dsn,size").to_log().as_deref(),
            Some("SIZE, DSN")
        );
    }

    #[test]
    fn announcement_in_the_original_order() {
        let features = Features {
            hostname: "mail.example",
            size_limit: 10_240_000,
            vrfy: true,
            verp: false,
            xclient: false,
            xforward: false,
            smtputf8: true,
        };
        assert_eq!(
            announce(&features, Keywords::parse(b"etrn")),
            [
                "mail.example",
                "PIPELINING",
                "SIZE 10240000",
                "VRFY",
                "ENHANCEDSTATUSCODES",
                "8BITMIME",
                "DSN",
                "SMTPUTF8",
                "CHUNKING"
            ]
        );
    }
}
