//! Exit statuses that mail programs look for (sysexits.h).

/// The command line makes no sense.
pub const USAGE: u8 = 64;
/// The input makes no sense.
pub const DATAERR: u8 = 65;
/// A service is not available.
pub const UNAVAILABLE: u8 = 69;
/// A bug.
pub const SOFTWARE: u8 = 70;
/// The system is in trouble.
pub const OSERR: u8 = 71;
/// Try again later.
pub const TEMPFAIL: u8 = 75;
/// It is not allowed.
pub const NOPERM: u8 = 77;

/// An end with this status, after this line.
pub fn fail(status: u8, text: impl Into<String>) -> anyhow::Error {
    pf_cli::Failure {
        status,
        text: text.into(),
    }
    .into()
}
