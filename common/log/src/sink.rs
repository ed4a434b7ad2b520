//! Where lines go.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

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

/// The connection to the system's log daemon.
#[derive(Debug)]
pub struct Syslog {
    facility: Facility,
    socket: Option<UnixDatagram>,
}

impl Syslog {
    pub(crate) fn priority(&self, level: Level) -> u8 {
        (self.facility.0 << 3) | level.priority()
    }
}

/// The connection to postlogd, which writes `maillog_file`.
#[derive(Debug)]
pub struct Postlog {
    path: PathBuf,
    host: String,
    socket: Option<UnixDatagram>,
    /// Where lines go while postlogd does not run, for programs that may write there.
    fallback: Option<PathBuf>,
    file: Option<File>,
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

    /// postlogd behind this socket; connects now. Without postlogd lines go to `fallback`, for a program that may write there.
    pub fn postlog(path: PathBuf, hostname: &str, fallback: Option<PathBuf>) -> Self {
        let socket = connect(&path);
        let host = hostname.split('.').next().unwrap_or_default().to_owned();
        Sink::Postlog(Postlog {
            path,
            host,
            socket,
            fallback,
            file: None,
        })
    }

    /// Sends one finished line. That it cannot be sent is nothing anybody could be told.
    pub(crate) fn write(&mut self, line: &[u8]) {
        match self {
            Sink::Stderr => {
                let _ = std::io::stderr().lock().write_all(line);
            }
            Sink::Syslog(syslog) => {
                send(&mut syslog.socket, SYSLOG_SOCKET.as_ref(), line);
            }
            Sink::Postlog(postlog) => {
                if !send(&mut postlog.socket, &postlog.path, line) {
                    postlog.write_file(line);
                }
            }
        }
    }
}

impl Postlog {
    fn write_file(&mut self, line: &[u8]) {
        let Some(path) = &self.fallback else { return };
        if self.file.is_none() {
            // The file is not world-readable: it has addresses in it.
            self.file = OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o600)
                .open(path)
                .ok();
        }
        if let Some(file) = &mut self.file {
            let mut whole = line.to_vec();
            whole.push(b'\n');
            let _ = file.write_all(&whole);
        }
    }
}

fn connect(path: &std::path::Path) -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect(path).ok()?;
    Some(socket)
}

/// Sends a datagram; connects anew once when the daemon behind the socket was replaced.
fn send(socket: &mut Option<UnixDatagram>, path: &std::path::Path, line: &[u8]) -> bool {
    if let Some(open) = socket {
        match open.send(line) {
            Ok(_) => return true,
            Err(err) if err.kind() == ErrorKind::Interrupted => return open.send(line).is_ok(),
            Err(_) => {}
        }
    }
    // In a chroot the path may not be there: the old socket is kept then, its daemon may come back.
    match connect(path) {
        Some(fresh) => {
            let sent = fresh.send(line).is_ok();
            *socket = Some(fresh);
            sent
        }
        None => false,
    }
}
