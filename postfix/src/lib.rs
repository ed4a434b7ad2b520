//! The `postfix` command.
