//! The `postconf` command.
