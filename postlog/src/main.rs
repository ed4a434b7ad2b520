//! Start of the `postlog` command.

fn main() {}
