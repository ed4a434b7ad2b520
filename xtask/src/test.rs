//! Everything that must pass.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

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
    step("mixed systems");
    crate::mixed::short()?;
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
    // Some tests use both systems, whichever they begin with.
    crate::peer::run(crate::peer::Suite::named(None)?)?;
    let prefix = target_dir().join("postfix-rs");
    install(&Plan {
        layout: Layout::below(&prefix),
        destdir: "".into(),
        release: false,
    })?;
    for target in targets {
        step(&format!("compliance tests: {target}"));
        let run = |names: &[&str]| {
            let mut cargo = command("cargo", &["test", "--quiet", "--locked"]);
            cargo
                .args(["--package", "compliance", "--", "--test-threads", "4"])
                .args(names)
                .env("POSTFIX_RS_TARGET", target)
                .env("POSTFIX_RS_PREFIX", &prefix);
            failed_tests(&mut cargo)
        };
        let mut failed = run(filter)?;
        if *target == "peer" && !failed.is_empty() {
            // The original has races of its own, which are not ours to mend; what it does twice is what it does.
            step(&format!("once more on the peer: {}", failed.join(" ")));
            let names: Vec<&str> = failed.iter().map(String::as_str).collect();
            failed = run(&[&["--exact"], names.as_slice()].concat())?;
        }
        ensure!(failed.is_empty(), "{target}: {}", failed.join(" "));
    }
    Ok(())
}

/// Runs `cargo test`, shows what it says, and gives the names of the tests that failed.
fn failed_tests(cargo: &mut Command) -> Result<Vec<String>> {
    let mut child = cargo
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {cargo:?}"))?;
    let mut failed = Vec::new();
    // Names stand, indented, below the last of the lines that say so.
    let mut listed = false;
    for line in BufReader::new(child.stdout.take().context("no stdout")?).lines() {
        let line = line?;
        say(&line);
        if line == "failures:" {
            listed = true;
            failed.clear();
        } else if let Some(name) = line.strip_prefix("    ").filter(|_| listed) {
            failed.push(name.to_owned());
        } else if !line.is_empty() {
            listed = false;
        }
    }
    let status = child.wait()?;
    ensure!(
        status.success() || !failed.is_empty(),
        "{cargo:?}: {status}"
    );
    Ok(failed)
}

fn step(name: &str) {
    say(&format!("==== {name}"));
}
