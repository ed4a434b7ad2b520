//! The first steps: options, terminal, locks.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use pf_config::{Config, Source, param};
use pf_log::Sink;
use pf_service::{debugger, logging};
use pf_sys::identity::{self, EffectiveIdentity};
use pf_sys::lock::{Mode as LockMode, Style, lock};
use pf_sys::process;

use crate::monitor::{self, Side};
use crate::run::Master;
use crate::services::Mode;

/// The options of master(8).
#[derive(Debug, Default)]
struct Options {
    detached: bool,
    exit_time: Option<Duration>,
    init: bool,
    debugger: bool,
    keep_stdout: bool,
    test_lock: bool,
    wait: bool,
    verbose: u8,
}

const USAGE: &str = "[-c config_dir] [-D (debug)] [-d (don't detach from terminal)] [-e exit_time] [-i (init mode)] [-s (keep stdout open)] [-t (test)] [-v] [-w (wait for daemon to initialize)]";

/// The program's main function.
pub fn main() -> ExitCode {
    match start() {
        Ok(status) => status,
        Err(err) => {
            pf_log::fatal!("{err:#}");
            std::thread::sleep(Duration::from_secs(1));
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<ExitCode> {
    process::umask(0o077);
    process::ignore_signal(nix::sys::signal::Signal::SIGPIPE)?;
    let mut words = std::env::args();
    let called = words.next().unwrap_or_default();
    let name = called.rsplit('/').next().unwrap_or("master").to_owned();
    pf_log::open(pf_log::Options {
        program: name.clone(),
        tag: logging::early_tag(&name),
        sinks: vec![Sink::syslog(pf_log::Facility::MAIL)],
    });
    ensure!(
        identity::real_uid() == 0,
        "the master command is reserved for the superuser"
    );
    ensure!(
        !identity::has_borrowed_rights(),
        "the master command must not run as a set-uid process"
    );
    let mut source = Source::from_environment();
    let options = match parse(words, &mut source) {
        Ok(options) => options,
        Err(bad) => {
            if let Some(bad) = bad {
                // This line is getopt(3)'s; the usage is for the log.
                let _unread = writeln!(std::io::stderr(), "{called}: {bad}");
            }
            bail!("usage: {called} {USAGE}");
        }
    };
    pf_log::set_verbose(
        options
            .verbose
            .max(u8::from(std::env::var_os("MAIL_VERBOSE").is_some())),
    );
    ensure!(
        !(options.test_lock && options.wait),
        "the -t and -w options cannot be used together"
    );
    ensure!(
        !options.init || std::process::id() == 1,
        "-i is allowed only for PID 1 process"
    );
    ensure!(
        !options.init || !(options.debugger || !options.detached || options.wait),
        "the -i option cannot be used with -D, -d, or -w"
    );
    // Daemons find the configuration where we found it.
    let config = Config::load(&source)?;
    logging::open(&config, &name, false, true)?;
    config.check()?;
    config.get(param::SERVICE_THROTTLE_TIME)?;
    let queue = config.get(param::QUEUE_DIRECTORY)?;
    let monitor = match options.wait.then(monitor::split).transpose()? {
        Some(Side::Ready) => return Ok(ExitCode::SUCCESS),
        Some(Side::Master(pipe)) => {
            // The log is to have the new process id.
            logging::open(&config, &name, false, true)?;
            Some(pipe)
        }
        None => None,
    };
    if options.detached {
        leave_terminal(options.keep_stdout || options.init)?;
    }
    if options.detached && !options.init && !options.debugger && process::new_session().is_err() {
        ensure!(
            nix::unistd::getsid(None).ok() == Some(nix::unistd::getpid()),
            "unable to set session and process group ID"
        );
    }
    let environment = environment(&config, &source)?;
    process::raise_open_files().context("set the limit of open files")?;
    std::env::set_current_dir(&queue).with_context(|| format!("chdir {queue}"))?;
    let pid_path = format!("pid/{name}.pid");
    if options.test_lock {
        let free = !Path::new(&pid_path).exists() || open_lock(Path::new(&pid_path)).is_ok();
        return Ok(if free {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    let pid_lock =
        open_lock(Path::new(&pid_path)).with_context(|| format!("open lock file {pid_path}"))?;
    write_pid(&pid_lock).with_context(|| format!("cannot update lock file {pid_path}"))?;
    let owner = mail_owner(&config)?;
    let data_path = Path::new(&config.get(param::DATA_DIRECTORY)?).join(format!("{name}.lock"));
    let data_lock = {
        let _owner = EffectiveIdentity::switch(owner.0, owner.1)?;
        open_lock(&data_path).with_context(|| format!("open lock file {}", data_path.display()))?
    };
    write_pid(&data_lock)
        .with_context(|| format!("cannot update lock file {}", data_path.display()))?;
    if options.debugger || debugger::wanted() {
        debugger::run(&config)?;
    }
    let mode = Mode {
        detached: options.detached,
        verbose: pf_log::verbose() > 0,
    };
    let mut master = Master::new(name, source, config, mode, environment, owner, options.init)?;
    if let Some(pipe) = monitor {
        nix::unistd::write(pipe.as_fd(), &[0]).context("tell the waiting process")?;
    }
    let result = master.run(options.exit_time);
    // The locks are held to the very end.
    drop((pid_lock, data_lock));
    result
}

/// The options, or what getopt(3) says of a bad one.
fn parse(
    words: impl Iterator<Item = String>,
    source: &mut Source,
) -> Result<Options, Option<String>> {
    let mut options = Options {
        detached: true,
        ..Options::default()
    };
    let mut words = words;
    while let Some(word) = words.next() {
        let letters = word.strip_prefix('-').filter(|letters| !letters.is_empty());
        let Some(letters) = letters else {
            return Err(None);
        };
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            match letter {
                'd' => options.detached = false,
                'D' => options.debugger = true,
                'i' => options.init = true,
                's' => options.keep_stdout = true,
                't' => options.test_lock = true,
                'v' => options.verbose = options.verbose.saturating_add(1),
                'w' => options.wait = true,
                'c' | 'e' => {
                    let value = match rest.as_str() {
                        "" => words.next().ok_or_else(|| {
                            Some(format!("option requires an argument -- '{letter}'"))
                        })?,
                        attached => attached.to_owned(),
                    };
                    if letter == 'c' {
                        source.dir = value.into();
                    } else {
                        options.exit_time = Some(Duration::from_secs(value.parse().unwrap_or(0)));
                    }
                    break;
                }
                _ => return Err(Some(format!("invalid option -- '{letter}'"))),
            }
        }
    }
    Ok(options)
}

/// The mail owner's user and group.
///
/// # Errors
/// There is no such account.
pub fn mail_owner(config: &Config) -> Result<(u32, u32)> {
    let name = config.get(param::MAIL_OWNER)?;
    let user = identity::user_by_name(&name)?.with_context(|| {
        format!(
            "file {}/main.cf: parameter mail_owner: unknown user name value: {name}",
            config.directory().display()
        )
    })?;
    ensure!(
        user.uid != 0,
        "file {}/main.cf: parameter mail_owner: user {name} has privileged user ID",
        config.directory().display()
    );
    Ok((user.uid, user.gid))
}

/// What daemons find in their environment: `import_environment`, and where the configuration is.
fn environment(
    config: &Config,
    source: &Source,
) -> Result<Vec<(std::ffi::OsString, std::ffi::OsString)>> {
    let list = config.get(param::IMPORT_ENVIRONMENT)?;
    let mut kept = pf_cli::imported(&list).map_err(anyhow::Error::msg)?;
    kept.retain(|(name, _)| {
        ![
            "MAIL_CONFIG",
            "MAIL_LOGTAG",
            "POSTLOG_SERVICE",
            "POSTLOG_HOSTNAME",
        ]
        .iter()
        .any(|ours| name == ours)
    });
    kept.push(("MAIL_LOGTAG".into(), config.get(param::SYSLOG_NAME)?.into()));
    kept.push(("MAIL_CONFIG".into(), source.dir.clone().into()));
    if !config.get(param::MAILLOG_FILE)?.is_empty() {
        let socket = Path::new(&config.get(param::QUEUE_DIRECTORY)?)
            .join("public")
            .join(config.get(param::POSTLOG_SERVICE_NAME)?);
        kept.push(("POSTLOG_SERVICE".into(), socket.into()));
        kept.push((
            "POSTLOG_HOSTNAME".into(),
            config.get(param::MYHOSTNAME)?.into(),
        ));
    }
    if !kept.iter().any(|(name, _)| name == "PATH") {
        kept.push(("PATH".into(), "/bin:/usr/bin:/sbin:/usr/sbin".into()));
    }
    Ok(kept)
}

/// Points the standard descriptors at nothing.
fn leave_terminal(keep_stdout: bool) -> Result<()> {
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")
        .context("open /dev/null")?;
    for number in 0..3 {
        if number != 1 || !keep_stdout {
            process::redirect(&null, number).context("redirect")?;
        }
    }
    Ok(())
}

/// Opens and locks a file, exclusively; one master only for each queue and each data directory.
fn open_lock(path: &Path) -> Result<File> {
    let flags = nix::libc::O_NOFOLLOW;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags)
        .open(path)
        .map_err(|err| anyhow::anyhow!("cannot open file: {}", pf_sys::error::text(&err)))?;
    ensure!(
        lock(&file, Style::Flock, LockMode::Exclusive, false)?,
        "unable to set exclusive lock: Resource temporarily unavailable"
    );
    Ok(file)
}

fn write_pid(file: &File) -> Result<()> {
    let mut file = file;
    file.set_len(0)?;
    // The width leaves nothing of a longer number behind.
    Ok(file.write_all(format!("{:>32}\n", std::process::id()).as_bytes())?)
}
