//! TLS security levels.

/// A level, as `smtp_tls_security_level` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    None,
    May,
    Encrypt,
    Fingerprint,
    /// TLSA records are believed, the MX record that led to them is not: nobody can ask for this.
    HalfDane,
    Dane,
    DaneOnly,
    Verify,
    Secure,
}

/// Those that can be asked for.
const NAMES: [(&str, Level); 8] = [
    ("none", Level::None),
    ("may", Level::May),
    ("encrypt", Level::Encrypt),
    ("fingerprint", Level::Fingerprint),
    ("dane", Level::Dane),
    ("dane-only", Level::DaneOnly),
    ("verify", Level::Verify),
    ("secure", Level::Secure),
];

impl Level {
    /// The level of this name, in upper or lower case.
    pub fn by_name(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, level)| *level)
    }

    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(_, level)| *level == self)
            .map_or("halfdane", |(name, _)| *name)
    }

    /// Whether TLSA records decide.
    pub fn is_dane(self) -> bool {
        matches!(self, Self::Dane | Self::DaneOnly)
    }
}
