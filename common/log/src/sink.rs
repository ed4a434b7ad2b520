//! Where lines go.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Level;

/// Where the system's log daemon listens.
const SYSLOG_SOCKET: &str = "/dev/log";

/// A syslog facility (`syslog_facility`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facility(u8);

impl Facility {
    /// The facility of mail systems.
    pub const MAIL: Self = Self(2);

    /// The facility with this name, as in syslog.conf.
    pub fn by_name(name: &str) -> Option<Self> {
        const NAMES: [(&str, u8); 20] = [
            ("kern", 0),
            ("user", 1),
            ("mail", 2),
            ("daemon", 3),
            ("auth", 4),
            ("syslog", 5),
            ("lpr", 6),
            ("news", 7),
            ("uucp", 8),
            ("cron", 9),
            ("authpriv", 10),
            ("ftp", 11),
            ("local0", 16),
            ("local1", 17),
            ("local2", 18),
            ("local3", 19),
            ("local4", 20),
            ("local5", 21),
            ("local6", 22),
            ("local7", 23),
        ];
        NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, number)| Self(*number))
    }
}

/// How long a line waits for a log daemon that does not read.
const PATIENCE: Duration = Duration::from_secs(1);

/// The connection to the system's log daemon.
#[derive(Debug)]
pub struct Syslog {
    facility: Facility,
    socket: Option<Datagrams>,
}

impl Syslog {
    pub(crate) fn priority(&self, level: Level) -> u8 {
        (self.facility.0 << 3) | level.priority()
    }
}

/// The connection to postlogd, which writes `maillog_file`.
#[derive(Debug)]
pub struct Postlog {
    /// postlogd's socket; empty for postlogd itself.
    path: PathBuf,
    host: String,
    socket: Option<Datagrams>,
    fallback: Option<Fallback>,
    file: Option<File>,
    /// Why the fallback cannot be written.
    problem: Option<String>,
    line: Vec<u8>,
}

/// Where lines go while postlogd does not run, for programs that may write there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// `maillog_file`.
    pub path: PathBuf,
    /// The mode of a new file.
    pub mode: u32,
}

impl Fallback {
    /// With `maillog_file_permissions`: 0600, 0640 or 0644; anything else counts as 0600.
    pub fn new(path: impl Into<PathBuf>, permissions: &str) -> Self {
        let mode = match permissions.trim_start_matches('0') {
            "644" => 0o644,
            "640" => 0o640,
            _ => 0o600,
        };
        Self {
            path: path.into(),
            mode,
        }
    }
}

impl Postlog {
    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

/// One place where lines go.
#[derive(Debug)]
pub enum Sink {
    /// Standard error, as `program: warning: text`.
    Stderr,
    /// Standard output, in the same form: for a program whose lines are its result.
    Stdout,
    /// The system's log daemon.
    Syslog(Syslog),
    /// postlogd.
    Postlog(Postlog),
}

impl Sink {
    /// The system's log daemon; connects now, so that it works after a chroot.
    pub fn syslog(facility: Facility) -> Self {
        Sink::Syslog(Syslog {
            facility,
            socket: connect(SYSLOG_SOCKET.as_ref()),
        })
    }

    /// postlogd behind this socket; connects now. Without postlogd lines go to `fallback`, for a program that may write there;
    /// it is opened now, too, before the program gives up its rights.
    pub fn postlog(path: PathBuf, hostname: &str, fallback: Option<Fallback>) -> Self {
        let socket = connect(&path);
        let mut postlog = Postlog {
            path,
            host: short(hostname),
            socket,
            fallback,
            file: None,
            problem: None,
            line: Vec::new(),
        };
        if postlog.socket.is_none() {
            postlog.open_file();
        }
        Sink::Postlog(postlog)
    }

    /// Why lines can go nowhere: postlogd does not run, and the program that may write `maillog_file` itself cannot.
    pub fn problem(&self) -> Option<&str> {
        match self {
            Sink::Postlog(postlog) => postlog.problem.as_deref(),
            Sink::Stderr | Sink::Stdout | Sink::Syslog(_) => None,
        }
    }

    /// An open `maillog_file`: for postlogd, which would else talk to itself.
    pub fn file(file: File, hostname: &str) -> Self {
        Sink::Postlog(Postlog {
            path: PathBuf::new(),
            host: short(hostname),
            socket: None,
            fallback: None,
            file: Some(file),
            problem: None,
            line: Vec::new(),
        })
    }

    /// Sends one finished line. That it cannot be sent is nothing anybody could be told.
    pub(crate) fn write(&mut self, line: &[u8]) {
        match self {
            Sink::Stderr => {
                let _ = std::io::stderr().lock().write_all(line);
            }
            Sink::Stdout => {
                let _ = std::io::stdout().lock().write_all(line);
            }
            Sink::Syslog(syslog) => {
                send(&mut syslog.socket, SYSLOG_SOCKET.as_ref(), line);
            }
            Sink::Postlog(postlog) => {
                if postlog.path.as_os_str().is_empty()
                    || !send(&mut postlog.socket, &postlog.path, line)
                {
                    postlog.write_file(line);
                }
            }
        }
    }
}

impl Postlog {
    fn open_file(&mut self) {
        let Some(to) = &self.fallback else {
            return;
        };
        match pf_sys::safe_open::append(&to.path, to.mode) {
            Ok(file) => self.file = Some(file),
            Err(why) => {
                self.problem = Some(format!("open logfile '{}': {why}", to.path.display()));
            }
        }
    }

    fn write_file(&mut self, line: &[u8]) {
        if self.file.is_none() {
            self.open_file();
        }
        if let Some(file) = &mut self.file {
            self.line.clear();
            self.line.extend_from_slice(line);
            self.line.push(b'\n');
            let _ = file.write_all(&self.line);
        }
    }
}

/// The host name as it stands in the file: its first label.
fn short(hostname: &str) -> String {
    hostname.split('.').next().unwrap_or_default().to_owned()
}

/// A connection to a log daemon.
#[derive(Debug)]
struct Datagrams {
    socket: UnixDatagram,
    /// Nobody reads: do not wait.
    stuck: bool,
}

fn connect(path: &Path) -> Option<Datagrams> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect(path).ok()?;
    socket.set_write_timeout(Some(PATIENCE)).ok()?;
    Some(Datagrams {
        socket,
        stuck: false,
    })
}

/// Sends a datagram; connects anew once when the daemon behind the socket was replaced. Where nobody reads, as when master cannot
/// start postlogd, one line waits for [`PATIENCE`], and none after it until a line gets through.
fn send(connection: &mut Option<Datagrams>, path: &Path, line: &[u8]) -> bool {
    if let Some(open) = connection {
        loop {
            let stuck = match open.socket.send(line) {
                Ok(_) => false,
                Err(err) if err.kind() == ErrorKind::Interrupted => continue,
                Err(err) if err.kind() == ErrorKind::WouldBlock => true,
                Err(_) => break,
            };
            if open.stuck != stuck {
                open.stuck = stuck;
                let _ = open.socket.set_nonblocking(stuck);
            }
            return !stuck;
        }
    }
    // In a chroot the path may not be there: the old socket is kept then, its daemon may come back.
    match connect(path) {
        Some(fresh) => {
            let sent = fresh.socket.send(line).is_ok();
            *connection = Some(fresh);
            sent
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_nobody_reads_stops_nobody_for_long() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let reader = UnixDatagram::bind(&path).unwrap();
        let mut socket = connect(&path);
        let full = (0..100_000).position(|_| !send(&mut socket, &path, b"line"));
        assert!(full.is_some());
        let began = std::time::Instant::now();
        for _ in 0..1000 {
            assert!(!send(&mut socket, &path, b"line"));
        }
        assert!(began.elapsed() < PATIENCE, "waits for each line");
        reader.recv(&mut [0; 8]).unwrap();
        assert!(send(&mut socket, &path, b"line"));
    }
}
