//! Both systems on the same cases that chance makes, side by side.

use anyhow::{Context as _, Result};

use crate::install::{Plan, install};
use crate::layout::Layout;
use crate::shell::{command, run as run_command, say, target_dir};

/// The tests that make cases by chance, of any number.
const TESTS: [&str; 3] = [
    "tables_by_chance::commands",
    "commands_by_chance::of_postconf",
    "commands_by_chance::of_others",
];

/// `cargo xtask differ [CASES [SEED]]`: what the peer does is recorded below `target/`, and compared with what ours does.
pub fn run(words: &[&str]) -> Result<()> {
    let number = |at: usize, usual: u64| -> Result<u64> {
        let Some(word) = words.get(at) else {
            return Ok(usual);
        };
        word.parse().with_context(|| format!("{word}: no number"))
    };
    let (cases, seed) = (number(0, 4000)?, number(1, 1)?);
    crate::setup::run()?;
    crate::peer::run(crate::peer::Suite::named(None)?)?;
    let prefix = target_dir().join("postfix-rs");
    install(&Plan {
        layout: Layout::below(&prefix),
        destdir: "".into(),
        release: false,
    })?;
    let recordings = target_dir().join(format!("differ/{cases}-{seed}"));
    for target in ["peer", "ours"] {
        say(&format!(
            "==== {cases} cases of {} kinds: {target}",
            TESTS.len()
        ));
        let mut cargo = command(
            "cargo",
            &["test", "--quiet", "--locked", "--package", "compliance"],
        );
        cargo
            .args(["--", "--exact"])
            .args(TESTS)
            .env("POSTFIX_RS_TARGET", target)
            .env("POSTFIX_RS_PREFIX", &prefix)
            .env("POSTFIX_RS_CASES", cases.to_string())
            .env("POSTFIX_RS_SEED", seed.to_string())
            .env("POSTFIX_RS_GOLDEN", &recordings);
        if target == "peer" {
            cargo.env("POSTFIX_RS_RECORD", "1");
        }
        run_command(&mut cargo)?;
    }
    Ok(())
}
