//! `address`: to be described.
