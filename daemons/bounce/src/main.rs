//! Start of the `bounce` daemon.

fn main() {}
