//! Start of the `postalias` command.

fn main() {}
