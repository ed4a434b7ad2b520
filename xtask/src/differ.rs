//! Both systems on the same cases that chance makes, side by side.

use anyhow::Result;

use crate::install::{Plan, install};
use crate::layout::Layout;
use crate::shell::{command, run as run_command, target_dir};

/// `cargo xtask differ [CASES [SEED [KIND...]]]`, or `cargo xtask differ KIND/NUMBER [SEED]` for all that comes of one case.
pub fn run(words: &[&str]) -> Result<()> {
    crate::setup::run()?;
    crate::peer::run(crate::peer::Suite::named(None)?)?;
    let prefix = target_dir().join("postfix-rs");
    install(&Plan {
        layout: Layout::below(&prefix),
        destdir: "".into(),
        release: false,
    })?;
    let mut cargo = command(
        "cargo",
        &["run", "--quiet", "--locked", "--package", "compliance"],
    );
    cargo
        .args(["--example", "differ", "--"])
        .args(words)
        .env("POSTFIX_RS_TARGET", "ours")
        .env("POSTFIX_RS_PREFIX", &prefix);
    run_command(&mut cargo)
}
