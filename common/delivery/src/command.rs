//! Delivery to a command: it reads the message from its standard input, as another user, within a time limit; what it writes and
//! how it ends tells what became of the mail.
//!
//! These calls wait: they are for processes that serve one client at a time.

mod watch;

use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader, PipeWriter};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use pf_config::system::reason;
use pf_dsn::{Dsn, Outcome, Status, split_text};
use pf_log::warning;
use pf_sys::identity::EffectiveIdentity;
use pf_sys::process::ChildSetup;

use crate::copy::{Envelope, Failure, Form, copy, system_status};
use crate::{Job, sysexits};
use watch::{Feed, Watch};

/// What is run.
#[derive(Debug, Clone)]
pub enum Program {
    /// A line, by a shell if it needs one.
    Line {
        /// The command.
        text: Vec<u8>,
        /// `local_command_shell`; empty: the standard shell, and only where it is needed.
        shell: String,
    },
    /// Words, without a shell.
    Words(Vec<Vec<u8>>),
}

/// A command and how it is run.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// The command.
    pub program: &'a Program,
    /// The user and group whose rights it gets; never those of root.
    pub identity: (u32, u32),
    /// How long each step may take.
    pub limit: Duration,
    /// Variables for the command.
    pub environment: &'a [(&'a str, Vec<u8>)],
    /// `export_environment`: names of variables that are passed on, and `name=value`.
    pub export: &'a str,
    /// The working directory.
    pub directory: Option<&'a Path>,
    /// The root directory.
    pub chroot: Option<&'a Path>,
    /// This program's name, for what a shell would have said.
    pub process_name: &'a str,
}

/// The most output that is looked at, in bytes.
const OUTPUT_LIMIT: usize = 4096;

/// Where commands are looked for.
const SEARCH_PATH: &str = "/usr/bin:/bin";

/// The standard shell, which is called `sh`.
const SHELL: &str = "/bin/sh";

/// Characters of a command line that mean the same with and without a shell.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!@%-_=+:,./ \t".contains(&byte)
}

impl Program {
    /// How the command is called in log lines.
    fn name(&self) -> &[u8] {
        match self {
            Program::Line { text, .. } => text,
            Program::Words(words) => words.first().map_or(b"", Vec::as_slice),
        }
    }

    /// The words to run, and whether the standard shell is to try when there is no such program.
    fn words(&self) -> (Vec<OsString>, bool) {
        let own = |word: &[u8]| OsStr::from_bytes(word).to_owned();
        match self {
            Program::Words(words) => (words.iter().map(|word| own(word)).collect(), false),
            Program::Line { text, shell } if !shell.trim().is_empty() => {
                let mut words: Vec<OsString> = shell.split_whitespace().map(Into::into).collect();
                words.push(own(text));
                (words, false)
            }
            Program::Line { text, .. } => {
                if text.iter().all(|byte| is_plain(*byte)) && !text.trim_ascii().is_empty() {
                    let words: Vec<OsString> = text
                        .split(|byte| matches!(byte, b' ' | b'\t'))
                        .filter(|word| !word.is_empty())
                        .map(own)
                        .collect();
                    let builtin = words
                        .first()
                        .is_some_and(|word| !word.as_bytes().contains(&b'/'));
                    return (words, builtin);
                }
                (shell_words(text), false)
            }
        }
    }
}

fn shell_words(text: &[u8]) -> Vec<OsString> {
    vec![
        SHELL.into(),
        "-c".into(),
        OsStr::from_bytes(text).to_owned(),
    ]
}

/// How a command ended, and what it wrote.
struct Ended {
    status: ExitStatus,
    output: Vec<u8>,
    /// Whether it wrote anything, be it only what does not show.
    spoke: bool,
    timed_out: bool,
}

/// Runs a command with the message as its input. `None`: the queue file is damaged. The reason of a success is the command's
/// output.
pub fn deliver(run: &Run<'_>, job: &Job, form: &Form, envelope: &Envelope<'_>) -> Option<Outcome> {
    let (ended, written) = match attempt(run, job, form, envelope) {
        Ok(both) => both,
        Err(err) => {
            warning!("fork: {}", reason(&err));
            let text = format!("Delivery failed: {}", reason(&err));
            return Some(Outcome::Defer(system_status(
                Dsn::new(4, 3, 0),
                "system resource problem",
                text.into_bytes(),
            )));
        }
    };
    judge(run.program.name(), &ended, written)
}

/// What the end of a command means.
fn judge(name: &[u8], ended: &Ended, written: Result<(), Failure>) -> Option<Outcome> {
    let output = &ended.output;
    let told = |dsn: Dsn, default: &str, head: String, quoted: bool| {
        let mut text = head.into_bytes();
        if quoted {
            text.extend_from_slice(b": \"");
            text.extend_from_slice(name);
            text.push(b'"');
        }
        if ended.spoke {
            text.extend_from_slice(b". Command output: ");
            text.extend_from_slice(output);
        }
        let diagnostic = if ended.spoke {
            output.clone()
        } else {
            default.as_bytes().to_vec()
        };
        by_class(system_status(dsn, diagnostic, text))
    };
    if ended.timed_out {
        return Some(told(
            Dsn::new(5, 3, 0),
            sysexits::SOFTWARE,
            "Command time limit exceeded".into(),
            true,
        ));
    }
    if let Some(signal) = ended.status.signal() {
        return Some(told(
            Dsn::new(4, 3, 0),
            sysexits::SOFTWARE,
            format!("Command died with signal {signal}"),
            true,
        ));
    }
    let code = ended.status.code().unwrap_or(sysexits::TEMPFAIL);
    if code != 0 {
        if let Some((dsn, _)) = Dsn::parse_prefix(output) {
            let (_, text) = split_text(output, dsn);
            let status = system_status(dsn, text, text.to_vec());
            // A command that failed has not delivered, whatever it says.
            return Some(if dsn.class == 4 {
                Outcome::Defer(status)
            } else {
                Outcome::Bounce(status)
            });
        }
        let (dsn, text) = sysexits::detail(code);
        return Some(if sysexits::is_standard(code) {
            told(dsn, &text, text.clone(), false)
        } else {
            told(dsn, &text, format!("Command died with status {code}"), true)
        });
    }
    match written {
        Err(Failure::Corrupt) => None,
        // A command may know enough before the end of the message.
        Err(Failure::Told(_, Some(err))) if err.kind() == io::ErrorKind::BrokenPipe => Some(
            Outcome::Sent(Status::new(Dsn::new(2, 0, 0), output.clone())),
        ),
        Err(Failure::Told(mut status, _)) => {
            status.reason.splice(..0, *b"Command failed: ");
            status.reason.extend_from_slice(b": \"");
            status.reason.extend_from_slice(name);
            status.reason.push(b'"');
            status.dsn = status.dsn.with_class(5);
            Some(Outcome::Bounce(*status))
        }
        Ok(()) => Some(Outcome::Sent(Status::new(
            Dsn::new(2, 0, 0),
            output.clone(),
        ))),
    }
}

/// The outcome that a status's class means.
pub(crate) fn by_class(status: Status) -> Outcome {
    match status.dsn.class {
        2 => Outcome::Sent(status),
        4 => Outcome::Defer(status),
        _ => Outcome::Bounce(status),
    }
}

fn attempt(
    run: &Run<'_>,
    job: &Job,
    form: &Form,
    envelope: &Envelope<'_>,
) -> io::Result<(Ended, Result<(), Failure>)> {
    let (input, feed) = io::pipe()?;
    let (collect, output) = io::pipe()?;
    // A command that talks too much must not wait for us.
    pf_sys::fd::set_nonblocking(&output, true)?;
    let (words, builtin) = run.program.words();
    let mut started = start(run, &words, &input, &output);
    if builtin
        && let (Err(err), Program::Line { text, .. }) = (&started, run.program)
        && err.kind() == io::ErrorKind::NotFound
    {
        started = start(run, &shell_words(text), &input, &output);
    }
    drop((input, output));
    let mut child = match started {
        Ok(child) => child,
        Err(err) if err.raw_os_error() == Some(libc::EAGAIN) => return Err(err),
        Err(err) => return Ok((not_started(run, &words, &err), Ok(()))),
    };
    let mut watch = Watch {
        limit: run.limit,
        expired: false,
    };
    let mut writer = Feed {
        pipe: feed,
        watch: &mut watch,
    };
    let written = copy(
        job,
        form,
        envelope,
        &mut io::BufWriter::with_capacity(4096, &mut writer),
    );
    drop(writer);
    let (output, spoke) = watch.read(collect);
    let status = watch.wait(&mut child, run.identity)?;
    let ended = Ended {
        status,
        output,
        spoke,
        timed_out: watch.expired,
    };
    Ok((ended, written))
}

/// What a child that could not become the command would have said.
fn not_started(run: &Run<'_>, words: &[OsString], err: &io::Error) -> Ended {
    let within = |path: &Path| match run.chroot {
        Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
        None => path.to_path_buf(),
    };
    let trouble = run.directory.and_then(|directory| {
        let _as_user = EffectiveIdentity::switch(run.identity.0, run.identity.1);
        let search: PathBuf = within(directory).join(".");
        std::fs::metadata(search).err().map(|err| (directory, err))
    });
    let (text, heard) = match trouble {
        // So early, there is nothing yet that could catch what the child says.
        Some((directory, err)) => (
            format!(
                "cannot change directory to \"{}\" for uid={} gid={}: {}",
                directory.display(),
                run.identity.0,
                run.identity.1,
                reason(&err)
            ),
            false,
        ),
        None => {
            let place = match run.program {
                Program::Line { shell, .. } if shell.trim().is_empty() => "",
                _ => "pipe_command: ",
            };
            let name = words.first().map_or(OsStr::new(""), OsString::as_os_str);
            let text = format!("{place}execvp {}: {}", name.display(), reason(err));
            (text, true)
        }
    };
    pf_log::fatal!("{text}");
    let output = if heard {
        format!("{}: fatal: {text} ", run.process_name).into_bytes()
    } else {
        Vec::new()
    };
    Ended {
        status: ExitStatus::from_raw(sysexits::TEMPFAIL << 8),
        output,
        spoke: heard,
        timed_out: false,
    }
}

fn start(
    run: &Run<'_>,
    words: &[OsString],
    input: &PipeReader,
    output: &PipeWriter,
) -> io::Result<Child> {
    let mut words = words.iter();
    let name = words.next().map_or(OsStr::new(""), OsString::as_os_str);
    let mut command = Command::new(name);
    if name == SHELL {
        command.arg0("sh");
    }
    command.args(words).env_clear();
    for item in pf_text::split::list_braces(run.export) {
        let item = pf_text::split::strip_braces(item).unwrap_or(item);
        match item.split_once('=') {
            Some((name, value)) => {
                command.env(name.trim(), value.trim());
            }
            None => {
                if let Some(value) = std::env::var_os(item) {
                    command.env(item, value);
                }
            }
        }
    }
    command.env("PATH", SEARCH_PATH);
    for (name, value) in run.environment {
        command.env(name, OsStr::from_bytes(value));
    }
    command
        .stdin(Stdio::from(input.try_clone()?))
        .stdout(Stdio::from(output.try_clone()?))
        .stderr(Stdio::from(output.try_clone()?));
    ChildSetup {
        identity: Some((run.identity.0, run.identity.1, vec![run.identity.1])),
        new_session: true,
        default_signals: true,
        root: run.chroot.map(Path::to_path_buf),
        directory: run.directory.map(Path::to_path_buf),
        ..ChildSetup::default()
    }
    .apply(&mut command)?;
    // The child needs all rights to give them up.
    let _as_root = EffectiveIdentity::switch(0, 0)?;
    command.spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(code: i32, output: &str) -> Ended {
        Ended {
            status: ExitStatus::from_raw(code << 8),
            output: output.into(),
            spoke: !output.is_empty(),
            timed_out: false,
        }
    }

    fn text(outcome: Option<Outcome>) -> String {
        let outcome = outcome.unwrap();
        let kind = match outcome {
            Outcome::Sent(_) => "sent",
            Outcome::Defer(_) => "defer",
            Outcome::Bounce(_) => "bounce",
        };
        let status = outcome.status();
        format!(
            "{kind} {} {}",
            status.dsn,
            String::from_utf8_lossy(&status.reason)
        )
    }

    #[test]
    fn how_a_command_ends_tells_what_became_of_the_mail() {
        let judged = |code, output| text(judge(b"cmd x", &end(code, output), Ok(())));
        assert_eq!(judged(0, "hello"), "sent 2.0.0 hello");
        assert_eq!(judged(75, ""), "defer 4.3.0 temporary failure");
        assert_eq!(
            judged(67, "who?"),
            "bounce 5.1.1 user unknown. Command output: who?"
        );
        assert_eq!(
            judged(1, ""),
            "bounce 5.3.0 Command died with status 1: \"cmd x\""
        );
        assert_eq!(judged(1, "4.2.2 full "), "defer 4.2.2 full ");
        let killed = Ended {
            status: ExitStatus::from_raw(9),
            ..end(0, "")
        };
        assert_eq!(
            text(judge(b"c", &killed, Ok(()))),
            "defer 4.3.0 Command died with signal 9: \"c\""
        );
    }

    #[test]
    fn plain_commands_need_no_shell() {
        let words = |text: &str| {
            let (words, builtin) = Program::Line {
                text: text.into(),
                shell: String::new(),
            }
            .words();
            let words: Vec<_> = words
                .iter()
                .map(|w| w.to_str().unwrap().to_owned())
                .collect();
            (words.join("|"), builtin)
        };
        assert_eq!(words("/bin/cat -u  x"), ("/bin/cat|-u|x".into(), false));
        assert_eq!(words("exit 3"), ("exit|3".into(), true));
        assert_eq!(words("cat > x"), ("/bin/sh|-c|cat > x".into(), false));
    }
}
