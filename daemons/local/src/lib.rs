//! The `local` daemon.
