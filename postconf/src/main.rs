//! Start of the `postconf` command.

fn main() {}
