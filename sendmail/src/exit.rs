//! How the program ends when it cannot do what was asked.

/// Try again later (sysexits.h). Whatever is wrong, Postfix's own complaints end with this status, usage errors included: a caller
/// never takes one for the fate of the message. The programs that are run instead of this one have their own.
pub const TEMPFAIL: u8 = 75;

/// A complaint.
pub fn fail(text: impl Into<String>) -> anyhow::Error {
    anyhow::Error::msg(text.into())
}
