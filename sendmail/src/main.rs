//! Start of the `sendmail` command.

fn main() {}
