//! The `postqueue` command.
