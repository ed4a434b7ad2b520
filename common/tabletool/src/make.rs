//! From a source to its index.

use std::fs::File;
use std::io::{ErrorKind, Read as _};

use pf_cli::Progress;
use pf_config::lines::Lines;
use pf_config::system::reason;
use pf_maps::build::{BuildError, Builder, Duplicates, Plan};
use pf_maps::manage::{Stop, Tool, become_owner, index_umask};
use pf_maps::source_text::before_null;
use pf_text::Show;

use crate::{Language, Place};

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
pub fn make(
    language: &impl Language,
    tool: &Tool,
    word: &str,
    making: &Making,
) -> Result<(), Stop> {
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
        options: tool.options.clone(),
    })?;
    if let Some(mask) = old_umask {
        pf_sys::process::umask(mask);
    }
    let mut text = Vec::new();
    match opened {
        Some(mut file) => file.read_to_end(&mut text),
        None => std::io::stdin().lock().read_to_end(&mut text),
    }
    // As the original has it, a directory is a source without lines.
    .or_else(|err| match err.kind() {
        ErrorKind::IsADirectory => Ok(0),
        _ => Err(fatal(format!("read {shown}: {}", reason(&err)))),
    })?;
    let failed = |err| match err {
        BuildError::Refused(why) => fatal(why),
        BuildError::File(why) => fatal(format!("error updating {kind}:{name}: {why}")),
    };
    let mut lines = Lines::new(&text);
    let mut progress = Progress::of("entries");
    while let Some(line) = lines.next() {
        progress.step();
        for warning in lines.warnings.drain(..) {
            pf_log::warning!("{shown}{warning}");
        }
        let place = Place {
            source: shown,
            line: line.first,
        };
        let text = before_null(line.text);
        if tool.options.utf8 && std::str::from_utf8(&text).is_err() {
            let text = Show(&text);
            pf_log::warning!("{place}: non-UTF-8 input \"{text}\" -- ignoring this line");
            continue;
        }
        language
            .add(&mut builder, &tool.options, place, &text)
            .map_err(failed)?;
    }
    for warning in &lines.warnings {
        pf_log::warning!("{shown}{warning}");
    }
    language
        .complete(&mut builder, making.incremental)
        .map_err(failed)?;
    builder.finish().map_err(|why| failed(why.into()))
}
