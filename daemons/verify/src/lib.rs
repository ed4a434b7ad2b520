//! The `verify` daemon.
