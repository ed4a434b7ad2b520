//! Start of the `postlogd` daemon.

fn main() {}
