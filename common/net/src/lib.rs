//! `net`: to be described.
