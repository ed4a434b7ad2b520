//! `maps`: to be described.
