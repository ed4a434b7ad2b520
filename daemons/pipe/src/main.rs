//! Start of the `pipe` daemon.

fn main() {}
