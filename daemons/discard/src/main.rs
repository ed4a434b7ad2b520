//! Start of the `discard` daemon.

fn main() {}
