//! The postlogd daemon: writes the lines that other programs send it to `maillog_file` (postlogd(8)).
//!
//! While it does not run, lines wait in its socket. Lines that still come after `maillog_file` was taken out of the
//! configuration go to the system's log, under the name of the program that wrote them.

mod line;

use std::cell::RefCell;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, bail};
use pf_config::param;
use pf_log::{Fallback, Level, Sink};
use pf_service::event::{Datagrams, EventService};
use pf_service::{Context, Kind, Limit, Share};

/// The service.
#[derive(Debug)]
pub struct Postlogd {
    file: Option<RefCell<Logfile>>,
    watchdog: Duration,
}

#[derive(Debug)]
struct Logfile {
    file: File,
    lines: Vec<u8>,
}

impl EventService for Postlogd {
    const SHARE: Share = Share::Many;
    const KIND: Kind = Kind::Datagrams;
    const LIMIT: Limit = Limit::One;
    const MAX_USE: bool = false;

    async fn start(context: &Context) -> Result<Self> {
        if let Some(word) = context.argv.first() {
            bail!("unexpected command-line argument: {word}");
        }
        let config = &context.config;
        let path = config.get(param::MAILLOG_FILE)?;
        let watchdog = config.get(param::POSTLOGD_WATCHDOG_TIMEOUT)?;
        if path.is_empty() {
            return Ok(Self {
                file: None,
                watchdog,
            });
        }
        let to = Fallback::new(&path, &config.get(param::MAILLOG_FILE_PERMISSIONS)?);
        let file = match pf_sys::safe_open::append(Path::new(&path), to.mode) {
            Ok(file) => file,
            Err(why) => bail!("open logfile '{path}': {why}"),
        };
        // From here on our own lines go to the file too: sent to our socket, each would cause the next.
        pf_log::open(pf_log::Options {
            program: context.process_name.clone(),
            tag: pf_service::logging::tag(config, &context.process_name)?,
            sinks: vec![Sink::file(
                file.try_clone()?,
                &config.get(param::MYHOSTNAME)?,
            )],
        });
        Ok(Self {
            file: Some(RefCell::new(Logfile {
                file,
                lines: Vec::new(),
            })),
            watchdog,
        })
    }

    fn watchdog_limit(&self, _daemon_timeout: Duration) -> Duration {
        self.watchdog
    }

    fn datagrams(&self, batch: &Datagrams) {
        match &self.file {
            Some(file) => file.borrow_mut().append(batch),
            None => batch.iter().for_each(redirect),
        }
    }

    async fn stop(self: Rc<Self>) {}
}

impl Logfile {
    /// All lines with one write: what one program logs is never cut by what another one does.
    fn append(&mut self, batch: &Datagrams) {
        self.lines.clear();
        for line in batch.iter() {
            self.lines.extend_from_slice(line);
            self.lines.push(b'\n');
        }
        if let Err(err) = self.file.write_all(&self.lines) {
            // The file system is full, perhaps: the file cannot be told.
            let _ = writeln!(
                std::io::stderr(),
                "postlogd: warning: write logfile: {}",
                pf_sys::error::text(&err)
            );
        }
    }
}

/// Sends a line to where the configuration says now, under its writer's name.
fn redirect(line: &[u8]) {
    let (tag, text) = line::split(line);
    let (tag, text) = (String::from_utf8_lossy(tag), String::from_utf8_lossy(text));
    pf_log::log_as(&tag, Level::Info, format_args!("{text}"));
}
