//! What the commands `postmap` and `postalias` have in common: which of their options go together, asking, listing and
//! changing tables, and the way from a source to its index. What differs is a [`Language`].

mod make;

use std::ffi::OsStr;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use anyhow::{Result, bail};
use pf_cli::{Failure, Invocation, Spec};
use pf_config::TABLE_TYPES;
use pf_config::{Config, param};
use pf_maps::Options;
use pf_maps::build::{BuildError, Builder, Duplicates};
use pf_maps::manage::{Stop, Tables, Tool, input_lines};

use make::Making;

/// A line of a source, as complaints name it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The source.
    pub source: &'a str,
    /// The number of the line.
    pub line: usize,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, line {}", self.source, self.line)
    }
}

/// Options as they come: one of them may say what is done.
///
/// # Errors
/// Two do.
pub fn check(invocation: &Invocation) -> Result<()> {
    let requests = invocation.scanned.options.iter().map(|(letter, _)| *letter);
    if requests.filter(|letter| REQUESTS.contains(*letter)).count() > 1 {
        bail!("specify only one of -d -i -q or -s");
    }
    Ok(())
}

/// What one of the commands does in its own way.
pub trait Language {
    /// What stands between key and value in a list.
    const SEPARATOR: &'static str;
    /// What follows `query error` when the log says already what is wrong.
    const WHEN_LOGGED: &'static str = "";

    /// Takes a line of a source; what is wrong with it is logged, with its place.
    ///
    /// # Errors
    /// The table cannot be written: why.
    fn add(
        &self,
        builder: &mut Builder,
        options: &Options,
        place: Place<'_>,
        line: &[u8],
    ) -> Result<(), BuildError>;

    /// Adds what no line says; `incremental` when there was a table before.
    ///
    /// # Errors
    /// As [`Language::add`].
    fn complete(&self, _builder: &mut Builder, _incremental: bool) -> Result<(), BuildError> {
        Ok(())
    }

    /// Asks for all keys of an input. Whether one was found.
    ///
    /// # Errors
    /// The input cannot be read, or a table cannot tell.
    fn ask(
        &self,
        lines: impl Iterator<Item = io::Result<Vec<u8>>>,
        query: impl FnMut(&[u8]) -> Result<bool, Stop>,
    ) -> Result<bool, Stop> {
        ask_lines(lines, query)
    }
}

/// Asks for each line of an input. Whether one was found.
///
/// # Errors
/// As [`Language::ask`].
pub fn ask_lines(
    mut lines: impl Iterator<Item = io::Result<Vec<u8>>>,
    mut query: impl FnMut(&[u8]) -> Result<bool, Stop>,
) -> Result<bool, Stop> {
    lines.try_fold(false, |found, line| Ok(query(c_string(&line?))? || found))
}

/// A key ends where a string of the original's ends.
fn c_string(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The letters that say what is done, at most one of them.
const REQUESTS: &str = "diqs";

/// Runs the command. `prepare` looks at options that the other command does not have; it may change how tables are opened.
///
/// # Errors
/// The options do not go together, or the work fails.
pub fn run<L: Language>(
    spec: &Spec,
    invocation: &Invocation,
    prepare: impl FnOnce(&Config, &mut Options) -> Result<L>,
) -> Result<ExitCode> {
    pf_sys::process::umask(0o022);
    let scanned = &invocation.scanned;
    let query = scanned.last('q').map(OsStrExt::as_bytes);
    if scanned.has('j') && query.is_none() && !scanned.has('s') {
        bail!("option -j requires -q or -s");
    }
    let config = invocation.config(false)?;
    let making = making(invocation);
    let mut options = options(invocation, &config, &making)?;
    let language = prepare(&config, &mut options)?;
    let default_type = config.get(param::DEFAULT_DATABASE_TYPE)?;
    let mut tool = Tool::new(options, default_type, L::SEPARATOR)?;
    tool.json = scanned.has('j');
    tool.when_logged = L::WHEN_LOGGED;
    let words: Vec<_> = scanned
        .operands
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    if words.is_empty() && !scanned.has('s') {
        return Err(pf_cli::usage(spec, &invocation.called));
    }
    let found = if let Some(key) = scanned.last('d') {
        delete(&tool, &words, key)
    } else if let Some(key) = query {
        ask(&language, &tool, &words, key)
    } else if scanned.has('s') {
        let mut out = BufWriter::new(io::stdout().lock());
        match words.first() {
            Some(word) => tool.list(word, &mut out).map(|()| true),
            None => Ok(false),
        }
    } else {
        words
            .iter()
            .try_for_each(|word| make::make(&language, &tool, word, &making))
            .map(|()| true)
    };
    Ok(
        if found.map_err(|stop| about_types(fatal(stop), &tool, &words))? {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        },
    )
}

/// If one of the tables has a type that there is not, the error may be about that.
fn about_types(err: anyhow::Error, tool: &Tool, words: &[&str]) -> anyhow::Error {
    let kinds = words.iter().map(|word| tool.split(word).0);
    let mut unknown = kinds.filter(|kind| !TABLE_TYPES.contains(kind));
    match unknown.next() {
        Some(kind) => pf_cli::meant(err, kind, TABLE_TYPES),
        None => err,
    }
}

/// A reader that went away is no error of ours.
fn fatal(stop: Stop) -> anyhow::Error {
    match stop {
        Stop::Fatal(text) => Failure { status: 1, text }.into(),
        Stop::Output(err) => err.into(),
    }
}

fn options(invocation: &Invocation, config: &Config, making: &Making) -> Result<Options> {
    let scanned = &invocation.scanned;
    let mut options = Options::from_config(config)?;
    options.fold = !scanned.has('f');
    options.utf8 &= !scanned.has('u');
    options.duplicates = making.duplicates;
    options.null = last_of(invocation, &[('n', false), ('N', true)]);
    Ok(options)
}

fn making(invocation: &Invocation) -> Making {
    let scanned = &invocation.scanned;
    let duplicates = [('r', Duplicates::Replace), ('w', Duplicates::Ignore)];
    Making {
        incremental: scanned.has('i'),
        as_owner: !scanned.has('o'),
        keep_mode: !scanned.has('p'),
        duplicates: last_of(invocation, &duplicates).unwrap_or(Duplicates::Warn),
    }
}

/// What the last of these letters on the command line stands for.
fn last_of<T: Copy>(invocation: &Invocation, meanings: &[(char, T)]) -> Option<T> {
    let mut given = invocation.scanned.options.iter().rev();
    given.find_map(|(given, _)| {
        let meaning = meanings.iter().find(|(letter, _)| letter == given);
        meaning.map(|(_, meaning)| *meaning)
    })
}

fn delete(tool: &Tool, words: &[&str], key: &OsStr) -> Result<bool, Stop> {
    let key = key.as_bytes();
    if key != b"-" {
        return tool.delete_one(words, key);
    }
    let lines = input_lines(io::stdin().lock());
    tool.delete(
        words,
        lines.map(|line| line.map(|line| c_string(&line).to_vec().into())),
    )
}

/// How much output is collected before it is written.
const BUFFER: usize = 4096;

fn ask(language: &impl Language, tool: &Tool, words: &[&str], key: &[u8]) -> Result<bool, Stop> {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    if key != b"-" {
        for word in words {
            if tool.query(word, key, &mut out)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let mut tables: Tables<'_> = tool.tables(words);
    let lines = input_lines(io::stdin().lock());
    match language.ask(lines, |key| tables.query(key, &mut out)) {
        Err(Stop::Fatal(text)) => {
            // As with the original, what has not been written by now is not any more.
            let _unwritten = out.into_parts();
            Err(Stop::Fatal(text))
        }
        other => {
            out.flush()?;
            other
        }
    }
}
