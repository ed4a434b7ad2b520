//! Start of the `postsuper` command.

fn main() {}
