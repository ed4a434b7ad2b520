//! The `virtual` daemon.
