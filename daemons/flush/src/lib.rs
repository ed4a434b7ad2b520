//! The `flush` daemon.
