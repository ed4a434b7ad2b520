//! The lines of a source, and the keys that are asked for.

use std::io;

use pf_maps::build::{BuildError, Builder};
use pf_maps::manage::Stop;
use pf_maps::source_text::{Fault, key_and_value};
use pf_maps::{Options, file_value};
use pf_tabletool::{Language, Place, ask_lines};
use pf_text::Show;

use crate::message::{self, Wanted};

/// Lines of a key, white space and a value.
#[derive(Debug)]
pub struct Source {
    /// The input of a query is a message, of which these parts are keys.
    pub message: Option<Wanted>,
}

impl Language for Source {
    const SEPARATOR: &'static str = "\t";

    fn add(
        &self,
        builder: &mut Builder,
        options: &Options,
        place: Place<'_>,
        line: &[u8],
    ) -> Result<(), BuildError> {
        match entry(options, place, line) {
            Some((key, value)) => builder.add(key, &value),
            None => Ok(()),
        }
    }

    fn ask(
        &self,
        lines: impl Iterator<Item = io::Result<Vec<u8>>>,
        query: impl FnMut(&[u8]) -> Result<bool, Stop>,
    ) -> Result<bool, Stop> {
        match self.message {
            Some(wanted) => message::ask(lines, wanted, query),
            None => ask_lines(lines, query),
        }
    }
}

/// Key and value of a line, unless there is something wrong with it, which is logged.
fn entry<'a>(options: &Options, place: Place<'_>, line: &'a [u8]) -> Option<(&'a [u8], Vec<u8>)> {
    let (key, value) = match key_and_value(line) {
        Ok(pair) => pair,
        Err(Fault::Unbalanced) => {
            pf_log::warning!(
                "{place}: unbalanced '\"' in '{}' -- ignoring this line",
                Show(line)
            );
            return None;
        }
        Err(Fault::Format) => {
            pf_log::warning!("{place}: expected format: key whitespace value");
            return None;
        }
    };
    if key.ends_with(b":") {
        pf_log::warning!("{place}: record is in \"key: value\" format; is this an alias file?");
    }
    if !options.value_is_file {
        return Some((key, value.to_vec()));
    }
    match file_value::encoded(value) {
        Ok(value) => Some((key, value)),
        Err(why) => {
            pf_log::warning!("{place}: {why}: skipping this entry");
            None
        }
    }
}
