//! From a source to its index.

use std::fs::File;
use std::io::Read as _;

use pf_config::lines::Lines;
use pf_config::system::reason;
use pf_maps::build::{Builder, Duplicates, Plan};
use pf_maps::file_value;
use pf_maps::manage::{Stop, Tool, become_owner, index_umask};
use pf_maps::source_text::{Fault, key_and_value};
use pf_text::Show;

/// How an index is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Making {
    /// Entries from standard input are added to what is there.
    pub incremental: bool,
    /// Root becomes the owner of the source.
    pub as_owner: bool,
    /// The index is as readable as the source.
    pub keep_mode: bool,
    /// What becomes of duplicates.
    pub duplicates: Duplicates,
}

/// Makes the index of one source.
///
/// # Errors
/// The source cannot be read, or the index cannot be written.
pub fn make(tool: &Tool, word: &str, making: &Making) -> Result<(), Stop> {
    let (kind, name) = tool.split(word);
    let fatal = |text: String| Stop::Fatal(text);
    let opened = if making.incremental {
        None
    } else if kind == "proxy" {
        return Err(fatal("can't create maps via the proxy service".into()));
    } else {
        Some(File::open(name).map_err(|err| fatal(format!("open {name}: {}", reason(&err))))?)
    };
    let shown = if opened.is_some() { name } else { "stdin" };
    let mut text = Vec::new();
    let status = match &opened {
        Some(file) => file.metadata(),
        None => File::open("/dev/stdin").and_then(|file| file.metadata()),
    };
    let mut old_umask = None;
    // What the input is does not matter when it cannot be told.
    let mut _rights = None;
    if let Ok(status) = status {
        if making.keep_mode && status.is_file() {
            old_umask = Some(pf_sys::process::umask(index_umask(&status)));
        }
        if making.as_owner {
            _rights = become_owner(&status, shown, name)?;
        }
    }
    let mut builder = Builder::open(Plan {
        kind: kind.to_owned(),
        name: name.to_owned(),
        incremental: making.incremental,
        duplicates: making.duplicates,
        fold: tool.options.fold,
        utf8: tool.options.utf8,
        null: tool.options.null,
        map_size: tool.options.lmdb_map_size,
    })?;
    if let Some(mask) = old_umask {
        pf_sys::process::umask(mask);
    }
    match opened {
        Some(mut file) => file.read_to_end(&mut text),
        None => std::io::stdin().lock().read_to_end(&mut text),
    }
    .map_err(|err| fatal(format!("read {shown}: {}", reason(&err))))?;
    let failed = |why: String| fatal(format!("error updating {kind}:{name}: {why}"));
    let mut lines = Lines::new(&text);
    while let Some(line) = lines.next() {
        for warning in lines.warnings.drain(..) {
            pf_log::warning!("{shown}{warning}");
        }
        let place = format!("{shown}, line {}", line.first);
        let Some((key, value)) = entry(tool, &place, &line.text) else {
            continue;
        };
        builder.add(key, &value).map_err(failed)?;
    }
    for warning in &lines.warnings {
        pf_log::warning!("{shown}{warning}");
    }
    builder.finish().map_err(failed)
}

/// Key and value of a line, unless there is something wrong with it, which is logged.
fn entry<'a>(tool: &Tool, place: &str, line: &'a [u8]) -> Option<(&'a [u8], Vec<u8>)> {
    if tool.options.utf8 && std::str::from_utf8(line).is_err() {
        pf_log::warning!(
            "{place}: non-UTF-8 input \"{}\" -- ignoring this line",
            Show(line)
        );
        return None;
    }
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
    if !tool.options.value_is_file {
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
