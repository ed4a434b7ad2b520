//! The `postalias` command: makes indexed alias tables, and asks, lists and changes them (postalias(1)).
//!
//! What it shares with `postmap` is in `pf-tabletool`; here are the options, and the lines of an alias file.

mod entry;
mod source;

use std::process::ExitCode;

use anyhow::Result;
use pf_cli::{Invocation, Opt, Sinks, Spec};
use pf_config::param;

use source::Aliases;

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
    long: &[],
    operands: "[map_type:]file",
};

/// The command.
pub fn main() -> ExitCode {
    pf_cli::run_checked(&SPEC, Sinks::StandardError, pf_tabletool::check, run)
}

fn run(invocation: &Invocation) -> Result<ExitCode> {
    pf_tabletool::run(&SPEC, invocation, |config, _| {
        Ok(Aliases {
            host: config.get(param::MYHOSTNAME)?,
        })
    })
}
