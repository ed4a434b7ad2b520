//! Start of the `postlock` command.

fn main() {}
