//! Start of the `flush` daemon.

fn main() {}
