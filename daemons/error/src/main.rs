//! Start of the `error` daemon.

fn main() {}
