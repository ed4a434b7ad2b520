//! The same black-box tests for real Postfix and for ours: a test first has to pass on the peer.
//!
//! Each file of `tests/` covers one program or one journey of mail. `POSTFIX_RS_TARGET=peer|ours` chooses the system; what
//! the tests stand on is in `pf-testkit`. `cargo xtask compliance` builds, installs and runs both.

pub use pf_testkit as testkit;
