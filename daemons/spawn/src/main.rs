//! Start of the `spawn` daemon.

fn main() {}
