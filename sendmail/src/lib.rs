//! The `sendmail` command.
