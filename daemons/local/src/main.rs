//! Start of the `local` daemon.

fn main() {}
