//! What the command does for each word: start, stop, reload and so on.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::sys::signal::Signal;
use pf_config::{Config, param};

use crate::layout::Layout;
use crate::say::{as_script, fatal, say, silent, told};
use crate::{check, install, non_bdb, rotate, tls};

/// What an unknown command may have meant.
const COMMANDS: [&str; 14] = [
    "start",
    "start-fg",
    "stop",
    "quick-stop",
    "abort",
    "drain",
    "reload",
    "flush",
    "check",
    "status",
    "set-permissions",
    "upgrade-configuration",
    "logrotate",
    "non-bdb",
];

/// How often the end of the mail system is looked for before it is forced, a second apart.
const STOP_TRIES: u32 = 5;
/// Master needs a moment to see its processes off, which is no reason to say anything.
const STOP_MOMENT: Duration = Duration::from_millis(500);

/// Everything an action needs.
pub(crate) struct Run<'a> {
    pub(crate) config: &'a Config,
    pub(crate) layout: &'a Layout,
    environment: &'a [(OsString, OsString)],
}

/// Does what the operands say.
///
/// # Errors
/// What was said is in the error, with its exit status.
pub fn run(
    config: &Config,
    layout: &Layout,
    environment: &[(OsString, OsString)],
    operands: &[OsString],
) -> Result<ExitCode> {
    as_script("postfix-script", config)?;
    let run = Run {
        config,
        layout,
        environment,
    };
    run.directories()?;
    let word = operands.first().map(|word| word.to_string_lossy());
    let rest = operands.get(1..).unwrap_or_default();
    match word.as_deref().unwrap_or_default() {
        "start" => run.start(false),
        "start-fg" => run.start(true),
        "start_msg" => say("Start postfix").map(|()| ExitCode::SUCCESS),
        "stop_msg" => say("Stop postfix").map(|()| ExitCode::SUCCESS),
        "stop" => run.stop(),
        "quick-stop" => {
            if let Err(err) = run.stop() {
                pf_log::fatal!("{err}");
            }
            fs::File::create(run.layout.queue.join("quick-start"))?;
            Ok(ExitCode::SUCCESS)
        }
        "abort" => run.end("aborting the Postfix mail system", Signal::SIGTERM),
        "drain" => run.end("stopping the Postfix mail system", Signal::SIGKILL),
        "reload" => run.reload(),
        "flush" => Err(run.exec(&run.layout.command("postqueue"), [OsStr::new("-f")])),
        "check" => {
            run.check_fatal()?;
            non_bdb::check_aliases(&run)?;
            check::warn(&run)?;
            Ok(ExitCode::SUCCESS)
        }
        "status" => run.status(),
        "logrotate" => {
            if !rest.is_empty() {
                return Err(fatal("usage postfix logrotate (no arguments)"));
            }
            rotate::rotate(&run)
        }
        "set-permissions" | "upgrade-configuration" => {
            let words = [&["create-missing".into()], operands].concat();
            install::run(&run, &words)
        }
        "post-install" => install::run(&run, rest),
        "tls" => tls::run(&run, rest),
        "non-bdb" => non_bdb::run(&run, rest),
        path if path.starts_with('/') => Err(run.become_program(Path::new(path), rest)),
        other => Err(pf_cli::meant(
            fatal(format!(
                "unknown command: '{other}'. Usage: postfix start (or stop, reload, abort, flush, check, status, set-permissions, upgrade-configuration, logrotate, tls, non-bdb)"
            )),
            other,
            COMMANDS,
        )),
    }
}

impl Run<'_> {
    /// Nothing can be done without these.
    fn directories(&self) -> Result<()> {
        let layout = self.layout;
        let there = |path: &Path, what: &str| {
            if path.is_dir() {
                Ok(())
            } else {
                Err(fatal(format!(
                    "no Postfix {what} directory {}!",
                    path.display()
                )))
            }
        };
        there(&layout.command, "command")?;
        there(&layout.daemon, "daemon")?;
        if !layout.master().is_file() {
            return Err(fatal(format!(
                "no Postfix master program {}!",
                layout.master().display()
            )));
        }
        there(&layout.config, "configuration")?;
        if layout.has_libraries() {
            there(&layout.shlib, "shared-library")?;
        }
        there(&layout.meta, "meta")?;
        there(&layout.queue, "queue")?;
        // A master.cf that it cannot read is nothing to go on with.
        let postconf = layout.command("postconf");
        let mut looked = self.program(&postconf);
        looked
            .args(["-dh", "config_directory"])
            .stdout(Stdio::null());
        match looked.status() {
            Ok(status) if status.success() => Ok(()),
            _ => Err(fatal(format!("cannot execute {}!", postconf.display()))),
        }
    }

    /// A program in the environment that all of them get.
    pub(crate) fn program(&self, path: &Path) -> Command {
        let mut command = Command::new(path);
        command
            .env_clear()
            .envs(self.environment.iter().cloned())
            .current_dir(&self.layout.queue);
        command
    }

    /// Goes on as another program; returns only when that fails.
    fn exec<'a>(&self, path: &Path, args: impl IntoIterator<Item = &'a OsStr>) -> anyhow::Error {
        let err = self.program(path).args(args).exec();
        fatal(format!("{}: {}", path.display(), pf_sys::error::text(&err)))
    }

    /// As [`exec`](Self::exec), with the complaint and status of a shell.
    fn become_program(&self, path: &Path, args: &[OsString]) -> anyhow::Error {
        let err = self.program(path).args(args).exec();
        let (why, status) = match err.kind() {
            std::io::ErrorKind::NotFound => ("not found".to_owned(), 127),
            _ => (pf_sys::error::text(&err), 126),
        };
        let script = self.layout.daemon.join("postfix-script");
        let _told = told(format!("{}: {}: {why}", script.display(), path.display()));
        silent(status)
    }

    /// Whether the mail system runs.
    pub(crate) fn is_running(&self) -> bool {
        self.program(&self.layout.master())
            .arg("-t")
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| !status.success())
    }

    /// Ends with a complaint unless the mail system runs.
    fn need_running(&self) -> Result<()> {
        if self.is_running() {
            Ok(())
        } else {
            Err(fatal("the Postfix mail system is not running"))
        }
    }

    /// Master's process id.
    pub(crate) fn master_pid(&self) -> Result<i32> {
        let path = self.layout.queue.join("pid/master.pid");
        let text = fs::read_to_string(&path)
            .map_err(|err| fatal(format!("{}: {}", path.display(), pf_sys::error::text(&err))))?;
        let pid = text.lines().next().unwrap_or_default().trim();
        match pid.parse() {
            Ok(pid) if pid > 0 => Ok(pid),
            _ => Err(fatal(format!("{}: no process id", path.display()))),
        }
    }

    /// The parameters that are no longer used are complained about once.
    pub(crate) fn complain(&self) -> Result<()> {
        let postconf = self.layout.command("postconf");
        // What it has to say it says to standard error itself.
        let _ = self.program(&postconf).stdout(Stdio::null()).status();
        Ok(())
    }

    fn start(&self, foreground: bool) -> Result<ExitCode> {
        if self.is_running() {
            return Err(fatal("the Postfix mail system is already running"));
        }
        let quick = self.layout.queue.join("quick-start");
        if quick.is_file() {
            fs::remove_file(&quick)?;
        } else {
            if let Err(err) = self.check_fatal() {
                // A program that was started has said what is wrong itself.
                let text = err.to_string();
                if !text.is_empty() {
                    pf_log::fatal!("{text}");
                }
                return Err(fatal("Postfix integrity check failed!"));
            }
            check::warn(self)?;
            non_bdb::check_aliases(self)?;
        }
        pf_log::info!("starting the Postfix mail system");
        let master = self.layout.master();
        if !foreground {
            let started = self.program(&master).arg("-w").status();
            return match started {
                Ok(status) if status.success() => Ok(ExitCode::SUCCESS),
                _ => Err(fatal("mail system startup failed")),
            };
        }
        if !check::instances()?.is_empty() {
            return Err(fatal(
                "start-fg does not support multi_instance_directories",
            ));
        }
        if std::process::id() == 1 {
            // The first process of a container becomes master itself.
            let _ = self.exec(&master, [OsStr::new("-i")]);
            return Err(fatal("cannot start-fg the master daemon"));
        }
        let status = self.program(&master).arg("-s").status();
        Ok(status
            .ok()
            .and_then(|status| status.code())
            .map_or(ExitCode::FAILURE, |code| {
                ExitCode::from(u8::try_from(code & 0xff).unwrap_or(1))
            }))
    }

    fn stop(&self) -> Result<ExitCode> {
        self.need_running()?;
        pf_log::info!("stopping the Postfix mail system");
        let pid = self.master_pid()?;
        kill(pid, Signal::SIGTERM)?;
        let soon = Instant::now() + STOP_MOMENT;
        while self.is_running() && Instant::now() < soon {
            std::thread::sleep(Duration::from_millis(20));
        }
        for _ in 0..STOP_TRIES {
            if !self.is_running() {
                return Ok(ExitCode::SUCCESS);
            }
            pf_log::info!("waiting for the Postfix mail system to terminate");
            std::thread::sleep(Duration::from_secs(1));
        }
        pf_log::warning!("stopping the Postfix mail system with force");
        kill(-pid, Signal::SIGKILL)?;
        Ok(ExitCode::SUCCESS)
    }

    fn end(&self, what: &str, signal: Signal) -> Result<ExitCode> {
        self.need_running()?;
        pf_log::info!("{what}");
        kill(self.master_pid()?, signal)?;
        Ok(ExitCode::SUCCESS)
    }

    fn reload(&self) -> Result<ExitCode> {
        self.complain()?;
        self.need_running()?;
        pf_log::info!("refreshing the Postfix mail system");
        let postsuper = self.layout.command("postsuper");
        let looked = self.program(&postsuper).arg("active").status();
        if !looked.is_ok_and(|status| status.success()) {
            return Err(silent(1));
        }
        kill(self.master_pid()?, Signal::SIGHUP)?;
        // The rest of the queue is looked through while mail flows.
        let _background = self.program(&postsuper).spawn();
        Ok(ExitCode::SUCCESS)
    }

    fn status(&self) -> Result<ExitCode> {
        self.complain()?;
        if !self.is_running() {
            pf_log::info!("the Postfix mail system is not running");
            return Ok(ExitCode::FAILURE);
        }
        pf_log::info!(
            "the Postfix mail system is running: PID: {}",
            self.master_pid()?
        );
        Ok(ExitCode::SUCCESS)
    }

    /// Whether `master.cf` has the service that writes `maillog_file`. What else may be wrong with it is master's to tell.
    fn has_postlog(&self) -> bool {
        self.program(&self.layout.command("postconf"))
            // Not -q: a postconf of before 3.10 does not know it.
            .args(["-M", "postlog/unix-dgram"])
            .stderr(Stdio::null())
            .output()
            .is_ok_and(|output| !output.stdout.is_empty())
    }

    /// Whether all of `main.cf` can be expanded; if not, that is told.
    fn is_expanded(&self) -> Result<bool> {
        let postconf = self.layout.command("postconf");
        let output = self.program(&postconf).stdout(Stdio::null()).output()?;
        if !output.status.success() {
            std::io::stderr().write_all(&output.stderr)?;
        }
        Ok(output.status.success())
    }

    /// What must be right before mail can flow.
    fn check_fatal(&self) -> Result<()> {
        if !self.is_expanded()? {
            return Err(fatal("unable to create missing queue directories"));
        }
        if let Err(err) = install::run(self, &["create-missing".into()]) {
            let text = format!("{err:#}");
            if !text.is_empty() {
                pf_log::fatal!("{text}");
            }
            return Err(fatal("unable to create missing queue directories"));
        }
        let master_cf = self.layout.config.join("master.cf");
        if !master_cf.is_file() {
            return Err(fatal(format!("no {} file found", master_cf.display())));
        }
        if !self.config.get(param::MAILLOG_FILE)?.is_empty() && !self.has_postlog() {
            return Err(fatal(
                "missing 'postlog' service in master.cf - run 'postfix upgrade-configuration'",
            ));
        }
        // Queue files whose name does not fit their inode must not be seen by the queue manager.
        let looked = self.program(&self.layout.command("postsuper")).status();
        match looked {
            Ok(status) if status.success() => Ok(()),
            _ => Err(silent(1)),
        }
    }
}

/// Sends a signal.
///
/// # Errors
/// There is no such process.
pub(crate) fn kill(pid: i32, signal: Signal) -> Result<()> {
    pf_sys::process::kill(pid, Some(signal))
        .map_err(|err| fatal(format!("kill {pid}: {}", pf_sys::error::text(&err))))
}
