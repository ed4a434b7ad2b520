//! From the command line to the files that are shown.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use pf_cli::{Invocation, Opt, Spec};
use pf_config::{Config, param};
use pf_log::warning;
use pf_queue::{Queue, QueueId, QueueName};
use pf_sys::error::text;

use crate::input::Input;
use crate::show::{Show, Wanted};

/// What the command accepts.
pub const SPEC: Spec = Spec {
    name: "postcat",
    about: "show the contents of queue files",
    usage: "%s [-b (body text)] [-c config_dir] [-d (decimal record type)] [-e (envelope records)] [-h (header text)] [-q (access queue)] [-v] [file(s)...]",
    options: &[
        Opt::flag('b', "show the body"),
        Opt::value('c', "config_dir", "use the configuration in this directory"),
        Opt::flag('d', "show the number of each record's type"),
        Opt::flag('e', "show the envelope"),
        Opt::flag('f', "show the file's name before each record"),
        Opt::flag('h', "show the header"),
        Opt::flag('o', "show the offset of each record"),
        Opt::flag('q', "operands are queue ids, not files"),
        Opt::flag('r', "do not follow pointer records"),
        Opt::value('s', "offset", "begin at this offset"),
        Opt::flag('v', "show records of all types and be talkative"),
    ],
    long: &[],
    operands: "file...",
};

/// The queues that are searched for an id, in the order in which mail passes through them.
const QUEUES: [QueueName; 6] = [
    QueueName::Maildrop,
    QueueName::Incoming,
    QueueName::Active,
    QueueName::Deferred,
    QueueName::Hold,
    QueueName::Saved,
];

/// The command's main function.
pub fn main() -> ExitCode {
    pf_cli::run_as_called(&SPEC, |invocation| start(invocation).map(drop), run)
}

/// Where to begin; offsets are looked at as they come.
fn start(invocation: &Invocation) -> Result<u64> {
    invocation.scanned.all('s').try_fold(0, |_, offset| {
        parse_offset(offset.as_bytes())
            .ok_or_else(|| anyhow!("bad offset: {}", offset.to_string_lossy()))
    })
}

fn run(invocation: &Invocation) -> Result<ExitCode> {
    let scanned = &invocation.scanned;
    let parts = ['e', 'h', 'b'].map(|letter| scanned.has(letter));
    let all = parts == [false; 3];
    let [envelope, header, body] = parts.map(|part| part || all);
    let wanted = Wanted {
        envelope,
        header,
        body,
        paths: scanned.has('f'),
        offsets: scanned.has('o'),
        types: scanned.has('d'),
        raw: scanned.has('r'),
        verbose: pf_log::verbose() > 0,
        start: start(invocation)?,
    };
    let mut show = Show::new(wanted, io::stdout());
    let config = Config::load(&invocation.source())?;
    config.check()?;
    pf_log::show_utf8(config.get(param::SMTPUTF8_ENABLE)?);
    if scanned.operands.is_empty() {
        let stdin = io::stdin().as_fd().try_clone_to_owned()?;
        show.file(&mut Input::stdin(File::from(stdin)))?;
    } else if scanned.has('q') {
        let directory = config.get(param::QUEUE_DIRECTORY)?;
        std::env::set_current_dir(&directory)
            .map_err(|err| anyhow!("chdir {directory}: {}", text(&err)))?;
        let queue = Queue::new(&config)?;
        for name in &scanned.operands {
            let (path, file) = find(&queue, name.as_bytes())?;
            one(&mut show, &name.to_string_lossy(), Input::file(&path, file))?;
        }
    } else {
        for name in &scanned.operands {
            let path = Path::new(name);
            let file = File::open(path)
                .map_err(|err| anyhow!("open {}: {}", path.display(), text(&err)))?;
            one(&mut show, &name.to_string_lossy(), Input::file(path, file))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn one(show: &mut Show<io::Stdout>, name: &str, mut input: Input) -> Result<()> {
    show.file(&mut input)?;
    if let Some(err) = input.trouble() {
        warning!("close {name}: {}", text(err));
    }
    Ok(())
}

/// Opens a queue file, wherever it is: it may move to a queue that was already searched, so the search is made twice.
fn find(queue: &Queue, name: &[u8]) -> Result<(std::path::PathBuf, File)> {
    let shown = String::from_utf8_lossy(name);
    let Some(id) = QueueId::parse(name) else {
        bail!("bad mail queue ID: {shown}");
    };
    let mut last = io::Error::from_raw_os_error(libc::ENOENT);
    for place in QUEUES.iter().cycle().take(2 * QUEUES.len()) {
        match queue.open(*place, &id, false) {
            Ok(file) => return Ok((queue.path(*place, &id), file)),
            Err(err) => last = err,
        }
    }
    Err(anyhow!(text(&last))).with_context(|| format!("open queue file {shown}"))
}

/// Digits only; a number that is too large leads behind every file.
fn parse_offset(digits: &[u8]) -> Option<u64> {
    let ok = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    ok.then(|| pf_record::parse_offset(digits).unwrap_or(i64::MAX as u64))
}
