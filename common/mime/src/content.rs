//! What kind of content a part of a message has, as far as its structure goes.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Message,
    Multipart,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subtype {
    Other,
    Plain,
    Rfc822,
    Partial,
    ExternalBody,
    Global,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    QuotedPrintable,
    Base64,
    SevenBit,
    EightBit,
    Binary,
}

impl Encoding {
    pub(crate) const ALL: [Encoding; 5] = [
        Encoding::SevenBit,
        Encoding::EightBit,
        Encoding::Binary,
        Encoding::Base64,
        Encoding::QuotedPrintable,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Encoding::SevenBit => "7bit",
            Encoding::EightBit => "8bit",
            Encoding::Binary => "binary",
            Encoding::Base64 => "base64",
            Encoding::QuotedPrintable => "quoted-printable",
        }
    }

    /// What kind of bytes the encoded content has.
    pub(crate) fn domain(self) -> Encoding {
        match self {
            Encoding::EightBit | Encoding::Binary => self,
            _ => Encoding::SevenBit,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    pub(crate) kind: Type,
    pub(crate) subtype: Subtype,
    pub(crate) encoding: Encoding,
    pub(crate) domain: Encoding,
}

impl Content {
    pub(crate) const PLAIN: Self = Self::new(Type::Text, Subtype::Plain);
    pub(crate) const OTHER: Self = Self::new(Type::Other, Subtype::Other);

    pub(crate) const fn new(kind: Type, subtype: Subtype) -> Self {
        Self {
            kind,
            subtype,
            encoding: Encoding::SevenBit,
            domain: Encoding::SevenBit,
        }
    }
}
