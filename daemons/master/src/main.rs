//! Start of the `master` daemon.

fn main() {}
