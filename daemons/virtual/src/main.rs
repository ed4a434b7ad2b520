//! Start of the `virtual` daemon.

fn main() {}
