//! `dsn`: to be described.
