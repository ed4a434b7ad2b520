//! Start of the `postqueue` command.

fn main() {}
