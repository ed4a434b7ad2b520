//! The `error` daemon.
