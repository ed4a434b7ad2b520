//! Mixed systems: each program of ours alone inside the peer's system, and each of the peer's alone inside ours.

mod cell;
mod rows;

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow, bail, ensure};

use crate::install::{Plan, install};
use crate::layout::Layout;
use crate::peer::Suite;
use crate::shell::{say, target_dir};
use cell::{Cell, Outcome, Runner, Tests, Way, test_program};
use rows::ROWS;

/// How many systems run at once. Most of their time they wait.
const AT_ONCE: usize = 6;

/// What the terminal asked for.
struct Request<'a> {
    tests: Tests,
    peer: &'static Suite,
    programs: Vec<&'a str>,
}

impl Request<'_> {
    /// Whether a failure is one. Programs of older versions do not know how ours speak; which ones do nevertheless is only shown.
    fn counts(&self, cell: &Cell) -> bool {
        self.tests != Tests::OfAnyVersion || cell.way == Way::InsidePeer
    }
}

/// `cargo xtask mixed [--short] [--peer SUITE] [PROGRAM...]`: prints how many of the tests that touch a program pass, both ways.
pub fn run(words: &[&str]) -> Result<()> {
    let mut request = Request {
        tests: Tests::All,
        peer: Suite::named(None)?,
        programs: Vec::new(),
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--short" => request.tests = Tests::Quick,
            "--peer" => {
                request.peer = Suite::named(words.next().copied())?;
                if request.peer.name != Suite::named(None)?.name {
                    request.tests = Tests::OfAnyVersion;
                }
            }
            option if option.starts_with('-') => bail!("mixed: unknown option {option}"),
            name if ROWS.iter().any(|row| row.program == name) => request.programs.push(name),
            name => bail!("mixed: no program {name}"),
        }
    }
    crate::setup::run()?;
    crate::peer::run(request.peer)?;
    install(&Plan {
        layout: Layout::below(&target_dir().join("postfix-rs")),
        destdir: "".into(),
        release: false,
    })?;
    matrix(&request)
}

/// One test for each program, both ways; everything is installed already.
pub fn short() -> Result<()> {
    matrix(&Request {
        tests: Tests::Quick,
        peer: Suite::named(None)?,
        programs: Vec::new(),
    })
}

fn matrix(request: &Request) -> Result<()> {
    let peer = request.peer.root();
    let cells: Vec<Cell> = ROWS
        .iter()
        .filter(|row| request.programs.is_empty() || request.programs.contains(&row.program))
        .flat_map(|row| Way::BOTH.map(|way| Cell { row, way }))
        .filter(|cell| cell.is_possible(&peer))
        .collect();
    let mut outcomes = all(&cells, request)?;
    say(&line("", "ours inside", "the peer's"));
    say(&line("", "the peer", "inside ours"));
    let mut failures = Vec::new();
    for row in ROWS {
        let mut shown = |way: Way| {
            let mine =
                |(cell, _): &(&Cell, Outcome)| cell.row.program == row.program && cell.way == way;
            let at = outcomes.iter().position(mine)?;
            let (cell, outcome) = outcomes.swap_remove(at);
            if request.counts(cell) {
                failures.extend(outcome.failed.iter().map(|test| cell.told(test)));
            }
            Some(outcome.shown())
        };
        let [inside_peer, inside_ours] = Way::BOTH.map(&mut shown);
        if inside_peer.is_some() || inside_ours.is_some() {
            let text = |shown: Option<String>| shown.unwrap_or_else(|| "-".to_owned());
            say(&line(row.program, &text(inside_peer), &text(inside_ours)));
        }
    }
    ensure!(failures.is_empty(), "failed:\n{}", failures.join("\n"));
    Ok(())
}

/// Tries out all cells, some at a time; what failed is tried once more alone: the original has races of its own.
fn all<'a>(cells: &'a [Cell], request: &Request) -> Result<Vec<(&'a Cell, Outcome)>> {
    let runner = Runner {
        program: test_program()?,
        peer: request.peer.root(),
        tests: request.tests,
    };
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((cell, runner.try_out(cell)?));
        }
        Ok::<_, anyhow::Error>(done)
    };
    let mut outcomes = Vec::new();
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            outcomes.extend(worker.join().map_err(|_| anyhow!("a worker panicked"))??);
        }
        Ok(())
    })?;
    for (cell, outcome) in &mut outcomes {
        if request.counts(cell) && !outcome.failed.is_empty() {
            runner.try_again(cell, outcome)?;
        }
    }
    Ok(outcomes)
}

fn line(program: &str, inside_peer: &str, inside_ours: &str) -> String {
    format!("{program:16} {inside_peer:>12} {inside_ours:>12}")
}
