//! Start of the `verify` daemon.

fn main() {}
