//! The `cleanup` daemon.
