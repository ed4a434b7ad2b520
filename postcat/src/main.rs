//! Start of the `postcat` command.

fn main() {}
