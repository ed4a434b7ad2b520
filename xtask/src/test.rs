//! Everything that must pass.

use anyhow::{Result, bail};

use crate::install::{Plan, install};
use crate::layout::Layout;
use crate::shell::{command, run as run_command, say, target_dir};

/// `cargo xtask test`: installs what it needs, then runs all checks, cheap ones first.
pub fn run() -> Result<()> {
    crate::setup::run()?;
    step("tidy");
    crate::tidy::run()?;
    step("unit tests");
    run_command(&mut command(
        "cargo",
        &[
            "test",
            "--quiet",
            "--locked",
            "--workspace",
            "--exclude",
            "compliance",
        ],
    ))?;
    compliance(&[])?;
    step("the guided tour");
    crate::demo::run()
}

/// `cargo xtask compliance [peer|ours] [filter]`.
pub fn compliance(words: &[&str]) -> Result<()> {
    crate::setup::run()?;
    let (targets, filter): (&[&str], &[&str]) = match words {
        ["peer", filter @ ..] => (&["peer"], filter),
        ["ours", filter @ ..] => (&["ours"], filter),
        filter => (&["peer", "ours"], filter),
    };
    for target in targets {
        step(&format!("compliance tests: {target}"));
        let prefix = target_dir().join("postfix-rs");
        match *target {
            "peer" => crate::peer::run()?,
            "ours" => install(&Plan {
                layout: Layout::below(&prefix),
                destdir: "".into(),
                release: false,
            })?,
            other => bail!("no target {other}"),
        }
        let mut cargo = command(
            "cargo",
            &[
                "test",
                "--quiet",
                "--locked",
                "--no-fail-fast",
                "--package",
                "compliance",
                "--",
            ],
        );
        cargo.args(filter).args(["--test-threads", "4"]);
        run_command(
            cargo
                .env("POSTFIX_RS_TARGET", target)
                .env("POSTFIX_RS_PREFIX", &prefix),
        )?;
    }
    Ok(())
}

fn step(name: &str) {
    say(&format!("==== {name}"));
}
