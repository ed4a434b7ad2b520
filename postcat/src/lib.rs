//! The `postcat` command.
