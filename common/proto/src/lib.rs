//! `proto`: to be described.
