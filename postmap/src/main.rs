//! Start of the `postmap` command.

fn main() {}
