//! The `qshape` command: how mail in the queue is spread over domains and ages (qshape(1)).
//!
//! `envelope` reads one file, `table` counts and shows.

mod envelope;
mod table;

use std::ffi::OsString;
use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow};
use pf_cli::{BadOption, Opt, Scanned, Spec};
use pf_config::{Config, Source, param};
use pf_sys::error::text;

use table::{Columns, Table};

/// The options of the command.
pub const SPEC: Spec = Spec {
    name: "qshape",
    about: "print queue domain and age distribution",
    usage: "%s [-s] [-p] [-m min_subdomains] [-l] [-b bucket_count] [-t bucket_time] [-w terminal_width] [-N batch_msg_count] [-n batch_top_domains] [-c config_directory] [queue_name...]",
    options: &[
        Opt::flag('s', "count senders, not recipients"),
        Opt::flag('p', "count parent domains, too"),
        Opt::value(
            'm',
            "min_subdomains",
            "show parents of at least so many domains",
        ),
        Opt::flag('l', "ages go on in equal steps"),
        Opt::value('b', "bucket_count", "tell so many ages apart"),
        Opt::value(
            't',
            "bucket_time",
            "the first age ends after so many minutes",
        ),
        Opt::value('w', "terminal_width", "the width of the table"),
        Opt::value(
            'N',
            "batch_msg_count",
            "on a terminal, show the table after so many messages",
        ),
        Opt::value(
            'n',
            "batch_top_domains",
            "on a terminal, show so many domains",
        ),
        Opt::value(
            'c',
            "config_directory",
            "use the configuration in this directory",
        ),
        Opt::flag('h', "help"),
    ],
    long: &[],
    operands: "queue_name...",
};

/// The exit status after a bad command line.
const BAD_USAGE: u8 = 255;
/// Makes a terminal forget what it shows.
const CLEAR: &[u8] = b"\x1b[H\x1b[2J\x1b[3J";
/// The narrowest table.
const MIN_WIDTH: f64 = 80.0;
/// Directories of hashed queues are no deeper.
const MAX_DEPTH: usize = 32;

/// The command.
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called = arguments.next().unwrap_or_else(|| SPEC.name.into());
    let called = called.to_string_lossy();
    let mut scanned = Scanned::default();
    match SPEC.scan_into(&mut scanned, arguments) {
        // An option at the end without its value is none.
        Ok(()) | Err(BadOption::NoValue(_)) if scanned.has('h') => return usage(&called, None),
        Ok(()) => {}
        // It hides one of the same kind that had its value.
        Err(BadOption::NoValue(letter)) => scanned.options.retain(|(other, _)| *other != letter),
        Err(bad @ BadOption::Unknown(letter)) => {
            let status = usage(&called, Some(letter));
            pf_cli::suggest_option(&called, &bad, &SPEC);
            return status;
        }
        // There are no long ones.
        Err(_) => return usage(&called, Some('-')),
    }
    match run(&scanned) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            complain(&format!("{called}: {err:#}"));
            ExitCode::FAILURE
        }
    }
}

fn complain(text: &str) {
    let _unread = writeln!(std::io::stderr(), "{text}");
}

fn usage(called: &str, unknown: Option<char>) -> ExitCode {
    if let Some(letter) = unknown {
        complain(&format!("{called}: Unknown option: {letter}"));
    }
    complain(&format!("Usage: {}", SPEC.usage.replace("%s", called)));
    ExitCode::from(BAD_USAGE)
}

/// The number that an option has, if that is more than `least`.
fn number(scanned: &Scanned, letter: char, least: f64) -> Option<f64> {
    let value: f64 = scanned.last(letter)?.to_str()?.trim().parse().ok()?;
    (value > least && value.is_finite()).then_some(value)
}

/// As [`number`], without what follows the point.
fn count(scanned: &Scanned, letter: char, least: f64) -> Option<usize> {
    let value = number(scanned, letter, least)?.trunc();
    format!("{value}").parse().ok()
}

fn run(scanned: &Scanned) -> Result<()> {
    let columns = Columns {
        buckets: count(scanned, 'b', 0.0).unwrap_or(10),
        minutes: number(scanned, 't', 0.0).unwrap_or(5.0),
        linear: scanned.has('l'),
        width: count(scanned, 'w', MIN_WIDTH).unwrap_or(80),
    };
    let least = count(scanned, 'm', 0.0).unwrap_or(5);
    let parents = scanned.has('p').then_some(least as u64);
    let (batch, most) = if std::io::stdout().is_terminal() {
        (
            count(scanned, 'N', -1.0).unwrap_or(1000),
            count(scanned, 'n', -1.0).unwrap_or(20),
        )
    } else {
        (0, 0)
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mut shape = Shape {
        table: Table::new(columns, parents),
        senders: scanned.has('s'),
        now: i64::try_from(now)?,
        batch,
        most,
        messages: 0,
    };
    for directory in directories(scanned)? {
        match fs::symlink_metadata(&directory) {
            Ok(status) if status.is_dir() => shape.walk(&directory, 0)?,
            Ok(_) => shape.file(&directory)?,
            Err(err) => complain(&format!(
                "Can't stat {}: {}",
                directory.display(),
                text(&err)
            )),
        }
    }
    shape.show()
}

/// The directories of the queues that were asked for.
fn directories(scanned: &Scanned) -> Result<Vec<PathBuf>> {
    let named = match scanned.operands.as_slice() {
        [] => vec![OsString::from("incoming"), OsString::from("active")],
        named => named.to_vec(),
    };
    if named.iter().all(|name| Path::new(name).is_absolute()) {
        return Ok(named.into_iter().map(PathBuf::from).collect());
    }
    let queue = queue_directory(scanned).map_err(|err| {
        complain(&format!("postconf: fatal: {err:#}"));
        anyhow!("postconf failed")
    })?;
    std::env::set_current_dir(&queue).with_context(|| format!("chdir({queue})"))?;
    Ok(named.into_iter().map(PathBuf::from).collect())
}

/// What the original asks postconf for.
fn queue_directory(scanned: &Scanned) -> Result<String> {
    let directory = scanned.last('c').map(PathBuf::from);
    let config = Config::load(&Source::with_directory(directory))?;
    Ok(config.get(param::QUEUE_DIRECTORY)?)
}

struct Shape {
    table: Table,
    senders: bool,
    /// In seconds.
    now: i64,
    /// After how many messages the table is shown; 0: at the end only.
    batch: usize,
    /// How many rows are shown; 0: all.
    most: usize,
    messages: usize,
}

impl Shape {
    fn walk(&mut self, directory: &Path, depth: usize) -> Result<()> {
        let listing = match fs::read_dir(directory) {
            Ok(listing) => listing,
            Err(err) => {
                complain(&format!(
                    "Can't opendir({}): {}",
                    directory.display(),
                    text(&err)
                ));
                return Ok(());
            }
        };
        for entry in listing {
            // Mail that goes its way meanwhile is no news.
            let Ok(entry) = entry else { continue };
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => {
                    self.walk(&entry.path(), depth + 1)?;
                }
                Ok(kind) if kind.is_file() => self.file(&entry.path())?,
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        let Some(envelope) = envelope::read(path) else {
            return Ok(());
        };
        let seconds = i32::try_from(self.now.saturating_sub(envelope.time)).unwrap_or(i32::MAX);
        let age = f64::from(seconds);
        if self.senders {
            self.table.count(&envelope.sender, age);
        } else {
            for recipient in &envelope.recipients {
                self.table.count(recipient, age);
            }
        }
        self.messages += 1;
        if self.batch > 0 && self.messages.is_multiple_of(self.batch) {
            self.show()?;
        }
        Ok(())
    }

    fn show(&self) -> Result<()> {
        let mut out = std::io::stdout().lock();
        if self.batch > 0 {
            out.write_all(CLEAR)?;
        }
        out.write_all(&self.table.show(self.most))?;
        Ok(out.flush()?)
    }
}
