//! The event-driven skeleton as master sees it. This program is both sides: called with a service's options it is the daemon.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test ends at its first surprise"
)]

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::rc::Rc;
use std::time::{Duration, Instant};

use pf_maps::{Options, Table};
use pf_service::event::EventService;
use pf_service::{Client, Context, Share};
use pf_sys::process::ChildSetup;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Echoes bytes, after a look into a table; `!` is a bug.
struct Toy {
    table: Table,
}

impl EventService for Toy {
    const SHARE: Share = Share::One;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        let file = context.config.directory().join("table");
        Ok(Self {
            table: Table::open(&format!("texthash:{}", file.display()), &Options::default()),
        })
    }

    async fn serve(self: Rc<Self>, mut client: Client) {
        let mut byte = [0];
        while let Ok(1) = client.stream.read(&mut byte).await {
            assert!(byte != *b"!", "a bug");
            let _ = self.table.lookup(&byte).await;
            if client.stream.write_all(&byte).await.is_err() {
                return;
            }
        }
    }
}

/// The daemon, and master's ends of what it inherited.
struct Daemon {
    child: Child,
    status: Option<UnixStream>,
    socket: std::path::PathBuf,
    // Master keeps the socket open.
    _listener: UnixListener,
}

impl Daemon {
    fn start(dir: &Path, share: Option<&str>, options: &[&str]) -> Self {
        std::fs::write(
            dir.join("main.cf"),
            format!(
                "compatibility_level=3.11\nqueue_directory={0}\nmyhostname=mx.test.example\nmaillog_file={0}/log\nmaillog_file_prefixes=/tmp\n",
                dir.display()
            ),
        )
        .unwrap();
        std::fs::write(dir.join("table"), "x y\n").unwrap();
        let socket = dir.join("socket");
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).unwrap();
        let (status, theirs) = UnixStream::pair().unwrap();
        status
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let (flow_read, flow_write) = UnixStream::pair().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["-n", "toy", "-t", "unix", "-d"])
            .args(options)
            .env("MAIL_CONFIG", dir)
            .env("GENERATION", "17")
            .env_remove(pf_service::CLIENTS_VARIABLE);
        if let Some(share) = share {
            command.env(pf_service::CLIENTS_VARIABLE, share);
        }
        ChildSetup {
            descriptors: vec![
                (flow_read.into(), 3),
                (flow_write.into(), 4),
                (theirs.into(), 5),
                (OwnedFd::from(listener.try_clone().unwrap()), 6),
            ],
            ..ChildSetup::default()
        }
        .apply(&mut command)
        .unwrap();
        let child = command.spawn().unwrap();
        Self {
            child,
            status: Some(status),
            socket,
            _listener: listener,
        }
    }

    /// The next status message: 0 taken, 1 available, 2 retired.
    fn word(&mut self) -> u32 {
        let mut message = [0; pf_proto::master::SIZE];
        self.status
            .as_mut()
            .unwrap()
            .read_exact(&mut message)
            .unwrap();
        let part = |at: usize| u32::from_ne_bytes(message[at..at + 4].try_into().unwrap());
        assert_eq!((part(0), part(4)), (self.child.id(), 0o17));
        part(8)
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.socket).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    /// The exit status; the daemon must end within ten seconds.
    fn end(&mut self) -> i32 {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < end, "the daemon does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn echoes(stream: &mut UnixStream) -> bool {
    let mut byte = [0];
    stream.write_all(b"x").unwrap();
    stream.read_exact(&mut byte).is_ok()
}

/// The daemon takes as many clients as it is told, and says so only when that changes.
fn share(dir: &Path) {
    let mut daemon = Daemon::start(dir, Some("2"), &[]);
    let mut first = daemon.connect();
    assert!(echoes(&mut first));
    let mut second = daemon.connect();
    assert!(echoes(&mut second));
    assert_eq!(daemon.word(), 0);
    let mut third = daemon.connect();
    third
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(!echoes(&mut third));
    // A bug ends one client, and the place is free for the next.
    second.write_all(b"!").unwrap();
    assert_eq!(second.read(&mut [0]).unwrap(), 0);
    assert_eq!(daemon.word(), 1);
    assert_eq!(daemon.word(), 0);
    third
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    assert_eq!(third.read(&mut [0]).unwrap(), 1);
    assert!(echoes(&mut first));
    // Master begins a new generation: the clients are served to their end.
    daemon.status = None;
    std::thread::sleep(Duration::from_millis(200));
    assert!(echoes(&mut first));
    drop((first, third));
    assert_eq!(daemon.end(), 0);
}

/// Without a share it is one client, as with Postfix's skeleton.
fn one(dir: &Path) {
    let mut daemon = Daemon::start(dir, None, &["-m", "2"]);
    for _ in 0..2 {
        let mut client = daemon.connect();
        assert_eq!(daemon.word(), 0);
        assert!(echoes(&mut client));
        drop(client);
        assert_eq!(daemon.word(), 1);
    }
    assert_eq!(daemon.word(), 0);
    assert_eq!(daemon.end(), 0);
}

/// Each place has its own max_use; the daemon tells our master that it retires.
fn use_limit(dir: &Path) {
    let mut daemon = Daemon::start(dir, Some("2"), &["-m", "2"]);
    let mut longest = daemon.connect();
    assert!(echoes(&mut longest));
    for count in 0..4 {
        let mut client = daemon.connect();
        assert_eq!(daemon.word(), 0);
        assert!(echoes(&mut client), "client {count}");
        drop(client);
        assert_eq!(daemon.word(), 1);
    }
    assert_eq!(daemon.word(), 2);
    assert!(echoes(&mut longest));
    drop(longest);
    assert_eq!(daemon.end(), 0);
}

/// A daemon without clients ends.
fn idle(dir: &Path) {
    let before = Instant::now();
    let mut daemon = Daemon::start(dir, Some("2"), &["-i", "1s"]);
    assert!(echoes(&mut daemon.connect()));
    assert_eq!(daemon.end(), 0);
    assert!(before.elapsed() >= Duration::from_secs(1));
    assert!(
        !std::fs::read_to_string(dir.join("log"))
            .unwrap_or_default()
            .contains("panic")
    );
}

/// A table changes that cannot be opened again: the clients are served to their end, master may start a new process.
fn outdated(dir: &Path) {
    let mut daemon = Daemon::start(dir, Some("2"), &[]);
    let mut client = daemon.connect();
    assert!(echoes(&mut client));
    // Proof that this program works.
    assert_eq!((daemon.word(), daemon.word()), (0, 1));
    std::fs::remove_file(dir.join("table")).unwrap();
    std::fs::create_dir(dir.join("table")).unwrap();
    let status = daemon.status.as_ref().unwrap().try_clone().unwrap();
    status.set_nonblocking(true).unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    while nix::sys::socket::recv(
        std::os::fd::AsRawFd::as_raw_fd(&status),
        &mut [0],
        nix::sys::socket::MsgFlags::MSG_PEEK,
    )
    .is_err()
    {
        assert!(Instant::now() < end, "the daemon does not retire");
        assert!(echoes(&mut client));
        std::thread::sleep(Duration::from_millis(20));
    }
    status.set_nonblocking(false).unwrap();
    assert_eq!(daemon.word(), 2);
    assert!(echoes(&mut client));
    let mut late = daemon.connect();
    late.set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(!echoes(&mut late));
    drop(client);
    assert_eq!(daemon.end(), 0);
}

type Test = fn(&Path);

fn main() -> ExitCode {
    if std::env::args().any(|word| word == "-n") {
        return pf_service::event::run::<Toy>();
    }
    let tests: [(&str, Test); 5] = [
        ("share", share),
        ("one", one),
        ("use_limit", use_limit),
        ("idle", idle),
        ("outdated", outdated),
    ];
    for (name, test) in tests {
        let dir = std::env::temp_dir().join(format!("pf-service-{}-{name}", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        test(&dir);
        std::fs::remove_dir_all(&dir).unwrap();
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}
