//! The classes of trouble that `notify_classes` can report to the postmaster.

/// A set of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Classes(u8);

impl Classes {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const POLICY: Self = Self(1);
    pub(crate) const PROTOCOL: Self = Self(1 << 1);
    pub(crate) const BOUNCE: Self = Self(1 << 2);
    pub(crate) const SOFTWARE: Self = Self(1 << 3);
    pub(crate) const RESOURCE: Self = Self(1 << 4);
    const DOUBLE_BOUNCE: Self = Self(1 << 5);
    const DELAY: Self = Self(1 << 6);
    pub(crate) const DATA: Self = Self(1 << 7);

    /// Reads the value of `notify_classes`; the error names the first unknown class.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut set = Self::NONE;
        for word in text
            .split([',', ' ', '\t', '\r', '\n'])
            .filter(|word| !word.is_empty())
        {
            set |= match word {
                "bounce" => Self::BOUNCE,
                "2bounce" => Self::DOUBLE_BOUNCE,
                "data" => Self::DATA,
                "delay" => Self::DELAY,
                "policy" => Self::POLICY,
                "protocol" => Self::PROTOCOL,
                "resource" => Self::RESOURCE,
                "software" => Self::SOFTWARE,
                _ => return Err(word.to_owned()),
            };
        }
        Ok(set)
    }

    /// Whether the two sets have a class in common.
    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether no class is in the set.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl std::ops::BitOrAssign for Classes {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
