//! Start of the `postkick` command.

fn main() {}
