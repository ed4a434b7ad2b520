//! The `smtp` daemon.
