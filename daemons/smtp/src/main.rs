//! Start of the `smtp` daemon.

fn main() {}
