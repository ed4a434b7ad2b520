//! The `proxymap` daemon.
