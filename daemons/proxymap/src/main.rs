//! Start of the `proxymap` daemon.

fn main() {}
