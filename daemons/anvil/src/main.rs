//! Start of the `anvil` daemon.

fn main() {}
