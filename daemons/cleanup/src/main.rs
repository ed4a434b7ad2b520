//! Start of the `cleanup` daemon.

fn main() {}
