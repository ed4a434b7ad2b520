//! One program of one system, inside the other system.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::rows::Row;
use crate::shell::{command, output, root, say, target_dir};

/// These of the original run scripts beside its daemons, which ours does not have.
const NOT_INSIDE_OURS: [&str; 2] = ["postfix", "postmulti"];

/// This one of the original finds no files of the system in its jail: our `postfix start` copies none there, as ours need none.
const NOT_IN_OUR_JAIL: (&str, &str) = ("smtpd", "scenarios::daemons_in_a_chroot_jail");

/// How many lines of a failed test are shown.
const SHOWN: usize = 40;

/// Whose system it is, and whose program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A program of ours inside the peer's system.
    InsidePeer,
    /// A program of the peer's inside our system.
    InsideOurs,
}

impl Way {
    pub const BOTH: [Self; 2] = [Self::InsidePeer, Self::InsideOurs];
}

/// A row, one way.
pub struct Cell {
    pub row: &'static Row,
    pub way: Way,
}

/// What came of the tests of one cell.
#[derive(Default)]
pub struct Outcome {
    passed: usize,
    pub failed: Vec<String>,
}

impl Outcome {
    pub fn shown(&self) -> String {
        format!("{} of {}", self.passed, self.passed + self.failed.len())
    }
}

impl Cell {
    /// Whether there is such a place: older peers lack some programs.
    pub fn is_possible(&self, peer: &Path) -> bool {
        let places = ["usr/sbin", "usr/lib/postfix/sbin"];
        places
            .iter()
            .any(|place| peer.join(place).join(self.row.program).exists())
            && (self.way == Way::InsidePeer || !NOT_INSIDE_OURS.contains(&self.row.program))
    }

    /// How a failed test is told.
    pub fn told(&self, test: &str) -> String {
        let whose = match self.way {
            Way::InsidePeer => "our",
            Way::InsideOurs => "the peer's",
        };
        format!("{whose} {}: {test}", self.row.program)
    }
}

/// Which tests are run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tests {
    /// All that touch the program.
    All,
    /// One for each program.
    Quick,
    /// Those that do not depend on the peer's version.
    OfAnyVersion,
}

/// What runs the tests of cells.
pub struct Runner {
    pub program: PathBuf,
    pub peer: PathBuf,
    pub tests: Tests,
}

impl Runner {
    /// Runs the tests of a cell.
    pub fn try_out(&self, cell: &Cell) -> Result<Outcome> {
        let mut tests = self.command(cell);
        match self.tests {
            Tests::Quick => {
                let (file, test) = cell.row.quick;
                tests.args(["--exact", &format!("{file}::{test}")]);
            }
            Tests::OfAnyVersion => {
                tests.arg("dialects::");
            }
            Tests::All => {
                tests.arg("dialects::");
                tests.args(cell.row.files.iter().map(|file| format!("{file}::")));
                let (program, test) = NOT_IN_OUR_JAIL;
                if cell.way == Way::InsideOurs && cell.row.program == program {
                    tests.args(["--skip", test]);
                }
            }
        }
        let told = tests.stderr(Stdio::null()).output();
        let told = told.with_context(|| format!("cannot run {tests:?}"))?;
        let mut outcome = Outcome::default();
        for line in String::from_utf8_lossy(&told.stdout).lines() {
            let Some(result) = line.strip_prefix("test ") else {
                continue;
            };
            if let Some(name) = result.strip_suffix(" ... FAILED") {
                outcome.failed.push(name.to_owned());
            } else if result.ends_with(" ... ok") {
                outcome.passed += 1;
            }
        }
        ensure!(
            outcome.passed + outcome.failed.len() > 0,
            "{tests:?}: no test ran"
        );
        Ok(outcome)
    }

    /// Runs the failed tests once more, and shows what those say that fail again.
    pub fn try_again(&self, cell: &Cell, outcome: &mut Outcome) -> Result<()> {
        let failed = std::mem::take(&mut outcome.failed);
        for name in failed {
            say(&format!("once more: {}", cell.told(&name)));
            let mut again = self.command(cell);
            let told = again.args(["--exact", &name]).output()?;
            if told.status.success() {
                outcome.passed += 1;
            } else {
                say(&last_lines(&String::from_utf8_lossy(&told.stdout)));
                outcome.failed.push(name);
            }
        }
        Ok(())
    }

    /// The test program, told which system to make.
    fn command(&self, cell: &Cell) -> Command {
        let compliance = root().join("compliance");
        let mut tests = Command::new(&self.program);
        tests
            .current_dir(&compliance)
            .env("CARGO_MANIFEST_DIR", &compliance)
            .env("POSTFIX_RS_PREFIX", target_dir().join("postfix-rs"))
            .env("POSTFIX_RS_PEER", &self.peer)
            .env("POSTFIX_RS_SWAP", cell.row.program)
            .env(
                "POSTFIX_RS_TARGET",
                match cell.way {
                    Way::InsidePeer => "peer",
                    Way::InsideOurs => "ours",
                },
            )
            .args(["--test-threads", "1"]);
        tests
    }
}

/// The end of what a test says: an old peer can have many fail.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(SHOWN);
    lines.get(from..).unwrap_or_default().join("\n")
}

/// Builds the program that all black-box tests are in, and gives its path.
pub fn test_program() -> Result<PathBuf> {
    let options = ["--quiet", "--locked", "--package", "compliance"];
    let only = ["--test", "all", "--no-run", "--message-format=json"];
    let told = output(command("cargo", &["test"]).args(options).args(only))?;
    told.lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .context("cargo names no test program")
}
