//! What comes of a question.

use crate::Record;

/// Records were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Those of the type that was asked for; never empty.
    pub records: Vec<Record>,
    /// The name at the end of the aliases.
    pub name: String,
    /// Whether a trusted server vouches for the answer (DNSSEC).
    pub authentic: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// A sentence or two for log lines, such as `Name service error for name=... type=...: ...`.
    pub text: String,
    /// Whether a trusted server vouches for it.
    pub authentic: bool,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Records.
    Found(Found),
    /// There is no such name, or it is no domain name.
    NoName(Trouble),
    /// The name has no record of this type.
    NoData(Trouble),
    /// The domain takes no mail (RFC 7505).
    NullMx(Trouble),
    /// The domain does not have the service (RFC 2782).
    NullSrv(Trouble),
    /// A filter left nothing of the answer.
    Policy(Trouble),
    /// Nobody could tell; try again later.
    Retry(Trouble),
    /// Nobody can tell: the server refuses, or the answer makes no sense.
    Fail(Trouble),
    /// A name in the answer is no domain name.
    Invalid(Trouble),
}

impl Answer {
    /// The records; none for every other outcome.
    pub fn records(&self) -> &[Record] {
        match self {
            Answer::Found(found) => &found.records,
            _ => &[],
        }
    }

    /// Why there are no records.
    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Answer::Found(_) => None,
            Answer::NoName(trouble)
            | Answer::NoData(trouble)
            | Answer::NullMx(trouble)
            | Answer::NullSrv(trouble)
            | Answer::Policy(trouble)
            | Answer::Retry(trouble)
            | Answer::Fail(trouble)
            | Answer::Invalid(trouble) => Some(trouble),
        }
    }
}
