//! Flags in the last number of [`SizeRecord`](crate::SizeRecord), in delivery and in bounce requests (`sendopts`).

/// SMTPUTF8 was asked for.
pub const SMTPUTF8_REQUESTED: i64 = 1 << 0;
/// A header needs SMTPUTF8.
pub const SMTPUTF8_HEADER: i64 = 1 << 1;
/// The sender needs SMTPUTF8.
pub const SMTPUTF8_SENDER: i64 = 1 << 2;
/// A recipient needs SMTPUTF8 (delivery requests only).
pub const SMTPUTF8_RECIPIENT: i64 = 1 << 3;
/// The header `TLS-Required: no` was there.
pub const REQUIRETLS_HEADER: i64 = 1 << 4;
/// REQUIRETLS was asked for.
pub const REQUIRETLS_ESMTP: i64 = 1 << 5;
/// All SMTPUTF8 flags.
pub const SMTPUTF8_ALL: i64 =
    SMTPUTF8_REQUESTED | SMTPUTF8_HEADER | SMTPUTF8_SENDER | SMTPUTF8_RECIPIENT;
/// The SMTPUTF8 flags that are found out from the message.
pub const SMTPUTF8_DERIVED: i64 = SMTPUTF8_HEADER | SMTPUTF8_SENDER | SMTPUTF8_RECIPIENT;
/// All flags.
pub const ALL: i64 = SMTPUTF8_ALL | REQUIRETLS_HEADER | REQUIRETLS_ESMTP;
/// All flags that are found out from the message.
pub const DERIVED: i64 = SMTPUTF8_DERIVED | REQUIRETLS_HEADER;
