//! Compatibility levels: `major[.minor[.patch]]`, compared number by number.

/// A level of `compatibility_level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level {
    major: u64,
    minor: u16,
    patch: u16,
}

/// The text is not a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLevel(String);

impl std::fmt::Display for BadLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "malformed compatibility level syntax: \"{}\"", self.0)
    }
}

impl std::error::Error for BadLevel {}

/// The greatest major number; minor and patch have ten bits.
const MAX_MAJOR: u64 = (1 << 43) - 1;
const MAX_MINOR: u16 = 1023;

impl Level {
    /// The level at which nothing of the past is kept.
    pub const LATEST: Self = Self::new(3, 11);

    /// A level without patch.
    pub const fn new(major: u64, minor: u16) -> Self {
        Self {
            major,
            minor,
            patch: 0,
        }
    }

    /// Reads `3`, `3.6` or `3.6.1`.
    ///
    /// # Errors
    /// The text is not of this form, or a number is out of range.
    pub fn parse(text: &str) -> Result<Self, BadLevel> {
        Self::try_parse(text).ok_or_else(|| BadLevel(text.to_owned()))
    }

    fn try_parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let major = number(parts.next()?)?;
        let minor = parts.next().map_or(Some(0), number)?;
        let patch = parts.next().map_or(Some(0), number)?;
        if parts.next().is_some() || major > MAX_MAJOR {
            return None;
        }
        let small = |n: u64| u16::try_from(n).ok().filter(|n| *n <= MAX_MINOR);
        Some(Self {
            major,
            minor: small(minor)?,
            patch: small(patch)?,
        })
    }
}

/// What strtol(3) takes: leading white space and a plus sign are allowed.
fn number(text: &str) -> Option<u64> {
    let digits = text.trim_start_matches(pf_text::space::is_space_char);
    digits.strip_prefix('+').unwrap_or(digits).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_by_number() {
        let level = |t| Level::parse(t).unwrap();
        assert!(level("3.9") < level("3.10"));
        assert_eq!(level("2"), level("2.0.0"));
        assert!(level("3.6.1") > level("3.6"));
        assert_eq!(level("3.11"), Level::LATEST);
    }

    #[test]
    fn bad_levels() {
        for text in ["", "x", "3.", "3.1024", "3.6.", "1.2.3.4", "-1", "3.6x"] {
            assert_eq!(
                Level::parse(text).unwrap_err().to_string(),
                format!("malformed compatibility level syntax: \"{text}\"")
            );
        }
    }
}
