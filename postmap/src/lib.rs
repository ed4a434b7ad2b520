//! The `postmap` command.
