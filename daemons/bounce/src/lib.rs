//! The `bounce` daemon.
