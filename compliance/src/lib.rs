//! The same black-box tests for real Postfix and for ours: a test first has to pass on the peer.
//!
//! Each file of `tests/` covers one program or one journey of mail. `POSTFIX_RS_TARGET=peer|ours` chooses the system; what
//! the tests stand on is in `pf-testkit`. `cargo xtask compliance` builds, installs and runs both.
//!
//! Many tests compare what happened with a recording ([`golden`]). A recording is only ever made from the peer:
//! `POSTFIX_RS_TARGET=peer POSTFIX_RS_RECORD=1 cargo test -p compliance`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at its first surprise"
)]

pub mod agent;
pub mod cleaned;
pub mod delivery;
pub mod dialogue;
pub mod differ;
pub mod golden;
pub mod ipc;
pub mod load;
pub mod meddler;
pub mod outbound;
pub mod perl;
pub mod queue_file;
pub mod random;
pub mod scenario;
pub mod shell;

pub use pf_testkit as testkit;
