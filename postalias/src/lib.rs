//! The `postalias` command.
