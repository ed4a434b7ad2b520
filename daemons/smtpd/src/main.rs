//! Start of the `smtpd` daemon.

fn main() {}
