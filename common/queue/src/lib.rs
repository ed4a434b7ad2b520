//! `queue`: to be described.
