//! `dns`: to be described.
