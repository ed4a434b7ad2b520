//! `config`: to be described.
