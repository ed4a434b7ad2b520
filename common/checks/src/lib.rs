//! `checks`: to be described.
