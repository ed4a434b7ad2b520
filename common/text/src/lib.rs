//! `text`: to be described.
