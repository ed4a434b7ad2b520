//! Start of the `postdrop` command.

fn main() {}
