//! The `postalias` command: makes indexed alias tables, and asks, lists and changes them (postalias(1)).
//!
//! How tables are opened and written is left to `pf-maps`; here are the options, and the lines of an alias file.

mod entry;
mod source;

use std::io::{BufWriter, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use anyhow::{Result, bail};
use pf_cli::{Failure, Invocation, Opt, Sinks, Spec};
use pf_config::{Config, param};
use pf_maps::Options;
use pf_maps::build::Duplicates;
use pf_maps::manage::{Stop, Tool, input_lines};

/// The options of the command.
pub const SPEC: Spec = Spec {
    name: "postalias",
    about: "make, ask and change alias tables",
    usage: "%s [-Nfinoprsuvw] [-c config_dir] [-d key] [-q key] [map_type:]file...",
    options: &[
        Opt::value('c', "config_dir", "The directory of main.cf."),
        Opt::value(
            'd',
            "key",
            "Delete a key; - reads keys from standard input.",
        ),
        Opt::flag('f', "Do not fold keys to lower case."),
        Opt::flag('i', "Add entries from standard input to the table."),
        Opt::flag('j', "With -q or -s: print JSON objects."),
        Opt::flag('n', "Keys and values do not end in a NUL byte."),
        Opt::flag('N', "Keys and values end in a NUL byte."),
        Opt::flag('o', "Do not become the owner of the source."),
        Opt::flag('p', "Do not take over the mode of the source."),
        Opt::value(
            'q',
            "key",
            "Look up a key; - reads keys from standard input.",
        ),
        Opt::flag('r', "Entries replace those with the same keys."),
        Opt::flag('s', "List all entries."),
        Opt::flag('u', "Text need not be UTF-8."),
        Opt::flag('v', "Log more."),
        Opt::flag('w', "Leave out duplicates without a warning."),
    ],
    operands: "[map_type:]file",
};

/// The command.
pub fn main() -> ExitCode {
    pf_cli::run(&SPEC, Sinks::StandardError, run)
}

/// The letters that say what is done, at most one of them.
const REQUESTS: &str = "diqs";

fn run(invocation: &Invocation) -> Result<ExitCode> {
    pf_sys::process::umask(0o022);
    let scanned = &invocation.scanned;
    let requests = scanned.options.iter().map(|(letter, _)| *letter);
    if requests.filter(|letter| REQUESTS.contains(*letter)).count() > 1 {
        bail!("specify only one of -d -i -q or -s");
    }
    let query = scanned.last('q').map(OsStrExt::as_bytes);
    if scanned.has('j') && query.is_none() && !scanned.has('s') {
        bail!("option -j requires -q or -s");
    }
    let config = invocation.config(true)?;
    let tool = tool(invocation, &config)?;
    let words: Vec<String> = scanned
        .operands
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words.is_empty() && !scanned.has('s') {
        return Err(pf_cli::usage(&SPEC, &invocation.called));
    }
    let found = if let Some(key) = scanned.last('d').map(OsStrExt::as_bytes) {
        if key == b"-" {
            let lines = input_lines(std::io::stdin().lock());
            tool.delete(&words, lines.map(|line| line.map(Into::into)))
        } else {
            tool.delete(&words, [Ok(key.into())])
        }
    } else if let Some(key) = query {
        ask(&tool, &words, key)
    } else if scanned.has('s') {
        let mut out = BufWriter::new(std::io::stdout().lock());
        match words.first() {
            Some(word) => tool.list(word, &mut out).map(|()| true),
            None => Ok(false),
        }
    } else {
        let host = config.get(param::MYHOSTNAME)?;
        for word in words {
            source::make(&tool, word, &making(invocation), &host).map_err(fatal)?;
        }
        Ok(true)
    };
    Ok(if found.map_err(fatal)? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A reader that went away is no error of ours.
fn fatal(stop: Stop) -> anyhow::Error {
    match stop {
        Stop::Fatal(text) => Failure { status: 1, text }.into(),
        Stop::Output(err) => err.into(),
    }
}

fn tool(invocation: &Invocation, config: &Config) -> Result<Tool> {
    let scanned = &invocation.scanned;
    let mut options = Options::from_config(config)?;
    options.fold = !scanned.has('f');
    options.utf8 &= !scanned.has('u');
    options.warn_duplicates = making(invocation).duplicates == Duplicates::Warn;
    options.null = scanned
        .options
        .iter()
        .rev()
        .find_map(|(letter, _)| match letter {
            'n' => Some(false),
            'N' => Some(true),
            _ => None,
        });
    let mut tool = Tool::new(options, config.get(param::DEFAULT_DATABASE_TYPE)?, ":\t")?;
    tool.json = scanned.has('j');
    Ok(tool)
}

fn making(invocation: &Invocation) -> source::Making {
    let scanned = &invocation.scanned;
    let letters = scanned.options.iter().rev();
    source::Making {
        incremental: scanned.has('i'),
        as_owner: !scanned.has('o'),
        keep_mode: !scanned.has('p'),
        duplicates: letters
            .into_iter()
            .find_map(|(letter, _)| match letter {
                'r' => Some(Duplicates::Replace),
                'w' => Some(Duplicates::Ignore),
                _ => None,
            })
            .unwrap_or(Duplicates::Warn),
    }
}

fn ask(tool: &Tool, words: &[&str], key: &[u8]) -> Result<bool, Stop> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    if key != b"-" {
        for word in words {
            if tool.query(word, key, &mut out)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let mut tables = tool.tables(words);
    let mut found = false;
    for line in input_lines(std::io::stdin().lock()) {
        found |= tables.query(&line?, &mut out)?;
    }
    out.flush()?;
    Ok(found)
}
