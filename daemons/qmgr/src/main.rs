//! Start of the `qmgr` daemon.

fn main() {}
