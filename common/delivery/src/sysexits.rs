//! Exit statuses of commands, as `<sysexits.h>` names them, and what they mean for mail.

use pf_dsn::Dsn;

/// The enhanced status code and the text for an exit status; a status outside the standard is a permanent failure.
pub fn detail(status: i32) -> (Dsn, String) {
    let (dsn, text) = match status {
        64 => (Dsn::new(5, 3, 0), "command line usage error"),
        65 => (Dsn::new(5, 6, 0), "data format error"),
        66 => (Dsn::new(5, 3, 0), "cannot open input"),
        67 => (Dsn::new(5, 1, 1), "user unknown"),
        68 => (Dsn::new(5, 1, 2), "host name unknown"),
        69 => (Dsn::new(5, 3, 0), "service unavailable"),
        70 => (Dsn::new(5, 3, 0), SOFTWARE),
        71 => (Dsn::new(4, 3, 0), "system resource problem"),
        72 => (Dsn::new(5, 3, 0), "critical OS file missing"),
        73 => (Dsn::new(5, 2, 0), "can't create user output file"),
        74 => (Dsn::new(5, 3, 0), INPUT_OUTPUT),
        75 => (Dsn::new(4, 3, 0), "temporary failure"),
        76 => (Dsn::new(5, 5, 0), "remote error in protocol"),
        77 => (Dsn::new(5, 7, 0), "permission denied"),
        78 => (Dsn::new(5, 3, 5), "local configuration error"),
        other => {
            return (
                Dsn::new(5, 3, 0),
                format!("unknown mail system error {other}"),
            );
        }
    };
    (dsn, text.to_owned())
}

/// Whether an exit status is one of the standard.
pub fn is_standard(status: i32) -> bool {
    (64..=78).contains(&status)
}

/// The text of `EX_SOFTWARE`.
pub const SOFTWARE: &str = "internal software error";
/// The text of `EX_IOERR`.
pub const INPUT_OUTPUT: &str = "input/output error";
/// The exit status `EX_TEMPFAIL`.
pub const TEMPFAIL: i32 = 75;
