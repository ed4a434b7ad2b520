//! Start of the `showq` daemon.

fn main() {}
