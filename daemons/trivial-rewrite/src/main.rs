//! Start of the `trivial-rewrite` daemon.

fn main() {}
