//! The `postmap` command: makes indexed tables from sources, and asks, lists and changes tables (postmap(1)).
//!
//! What it shares with `postalias` is in `pf-tabletool`; here are the options, the lines of a source, and the messages that can
//! be given as keys.

mod message;
mod source;

use std::process::ExitCode;

use anyhow::{Result, bail};
use pf_cli::{Invocation, Opt, Sinks, Spec};

use message::Wanted;
use source::Source;

/// The options of the command.
pub const SPEC: Spec = Spec {
    name: "postmap",
    about: "make, ask and change lookup tables",
    usage: "%s [-bfFhimnNoprsuUvw] [-c config_dir] [-d key] [-q key] [map_type:]file...",
    options: &[
        Opt::flag('b', "With -q -: look up the body lines of a message."),
        Opt::value('c', "config_dir", "The directory of main.cf."),
        Opt::value(
            'd',
            "key",
            "Delete a key; - reads keys from standard input.",
        ),
        Opt::flag('f', "Do not fold keys to lower case."),
        Opt::flag(
            'F',
            "Values are names of files, whose content is stored as base64.",
        ),
        Opt::flag('h', "With -q -: look up the headers of a message."),
        Opt::flag('i', "Add entries from standard input to the table."),
        Opt::flag('j', "With -q or -s: print JSON objects."),
        Opt::flag('m', "With -b or -h: look into attachments, too."),
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
        Opt::flag('U', "With -b or -h: text is UTF-8."),
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
    let scanned = &invocation.scanned;
    pf_tabletool::run(&SPEC, invocation, |_, options| {
        let wanted = Wanted {
            header: scanned.has('h'),
            body: scanned.has('b'),
            mime: scanned.has('m'),
        };
        let of_message = wanted.header || wanted.body;
        if (of_message || wanted.mime) && scanned.last('q').is_none_or(|key| key != "-") {
            bail!("specify -b -h or -m only with \"-q -\"");
        }
        if wanted.mime && !of_message {
            pf_log::warning!("ignoring -m option without -b or -h");
        }
        options.value_is_file = scanned.has('F');
        options.utf8 &= !of_message || scanned.has('U');
        Ok(Source {
            message: of_message.then_some(wanted),
        })
    })
}
