//! Start of the `postfix` command.

fn main() {}
