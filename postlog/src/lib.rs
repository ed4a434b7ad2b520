//! The `postlog` command.
