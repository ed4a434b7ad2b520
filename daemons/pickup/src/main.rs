//! Start of the `pickup` daemon.

fn main() {}
