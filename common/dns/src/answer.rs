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

    /// Whether a trusted server vouches for it.
    pub fn authentic(&self) -> bool {
        match self {
            Answer::Found(found) => found.authentic,
            _ => self.trouble().is_some_and(|trouble| trouble.authentic),
        }
    }

    /// How bad a trouble is; what may pass is worst, because it must not make a failure final.
    pub fn badness(&self) -> u8 {
        match self {
            Answer::Policy(_) => 4,
            Answer::Retry(_) => 3,
            Answer::Invalid(_) => 2,
            Answer::Fail(_) => 1,
            _ => 0,
        }
    }

    /// What getaddrinfo(3) says of a name whose addresses were asked for.
    pub fn native_reason(&self) -> &'static str {
        match self {
            Answer::Retry(_) => "Temporary failure in name resolution",
            Answer::NoData(_) => "No address associated with hostname",
            _ => "Name or service not known",
        }
    }
}
