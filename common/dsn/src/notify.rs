//! What the sender asked to be told (RFC 3461, sections 4.1 and 4.3). The bits are those of Postfix's queue files and
//! sockets.

/// The NOTIFY parameter of a recipient; empty when there was none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Notify(u8);

impl Notify {
    /// No NOTIFY parameter.
    pub const NONE: Self = Self(0);
    /// Nothing is to be reported.
    pub const NEVER: Self = Self(1);
    /// Report delivery.
    pub const SUCCESS: Self = Self(2);
    /// Report delay.
    pub const DELAY: Self = Self(8);
    /// Report failure.
    pub const FAILURE: Self = Self(4);

    /// From the number in a queue file or on a socket; `None` for bits that have no meaning or contradict each other.
    pub fn from_bits(bits: i32) -> Option<Self> {
        let bits = u8::try_from(bits).ok().filter(|bits| *bits < 16)?;
        (bits & 1 == 0 || bits == 1).then_some(Self(bits))
    }

    /// The number in a queue file or on a socket.
    pub fn bits(self) -> i32 {
        i32::from(self.0)
    }

    /// Whether all of `other` is in here.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Without `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there was no NOTIFY parameter.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Parses the parameter's value: `NEVER`, or a list of the others. `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut all = Self::NONE;
        for word in text.split(|byte| *byte == b',') {
            let one = match word.to_ascii_uppercase().as_slice() {
                b"NEVER" => Self::NEVER,
                b"SUCCESS" => Self::SUCCESS,
                b"DELAY" => Self::DELAY,
                b"FAILURE" => Self::FAILURE,
                _ => return None,
            };
            all = all.union(one);
        }
        (!all.contains(Self::NEVER) || all == Self::NEVER).then_some(all)
    }
}

impl std::fmt::Display for Notify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = [
            (Self::NEVER, "NEVER"),
            (Self::SUCCESS, "SUCCESS"),
            (Self::FAILURE, "FAILURE"),
            (Self::DELAY, "DELAY"),
        ];
        let words: Vec<&str> = names
            .iter()
            .filter(|(bit, _)| self.contains(*bit))
            .map(|(_, name)| *name)
            .collect();
        f.write_str(&words.join(","))
    }
}

/// The RET parameter of a message: how much of it a failure report returns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Ret {
    /// No RET parameter.
    #[default]
    None,
    /// The whole message.
    Full,
    /// Its header only.
    Hdrs,
}

impl Ret {
    /// From the number in a queue file or on a socket.
    pub fn from_bits(bits: i32) -> Option<Self> {
        match bits {
            0 => Some(Ret::None),
            1 => Some(Ret::Full),
            2 => Some(Ret::Hdrs),
            _ => None,
        }
    }

    /// The number in a queue file or on a socket.
    pub fn bits(self) -> i32 {
        match self {
            Ret::None => 0,
            Ret::Full => 1,
            Ret::Hdrs => 2,
        }
    }

    /// Parses the parameter's value.
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text.to_ascii_uppercase().as_slice() {
            b"FULL" => Some(Ret::Full),
            b"HDRS" => Some(Ret::Hdrs),
            _ => None,
        }
    }
}
