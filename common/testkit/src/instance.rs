//! One private mail system: its configuration, queue, data, network and users.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use nix::sched::{CloneFlags, setns};
use nix::sys::socket as sock;
use tempfile::TempDir;

use crate::mixture::{self, swapped};
use crate::namespace::hold;
use crate::{Client, Target};

/// What stands in lines of the log that are the test's own.
const MARK: &str = " testkit[";

/// The services of a `master.cf` as installed, without TLS and without chroots.
const MASTER_CF: &str = "\
smtp      inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
postlog   unix-dgram n  -       n       -       1       postlogd
";

/// Users that every instance has beside the system's own.
const USERS: [(&str, u32); 3] = [("alice", 61001), ("bob", 61002), ("vmail", 61003)];

/// How a private mail system is to be.
#[derive(Debug, Clone)]
pub struct Builder {
    target: Target,
    main_cf: String,
    master_cf: String,
    master_extra: String,
    hosts: String,
    swapped: Vec<String>,
    spool_kib: Option<u32>,
}

impl Builder {
    /// Puts the queue on a file system of its own, of this size in KiB.
    #[must_use]
    pub fn spool_kib(mut self, size: u32) -> Self {
        self.spool_kib = Some(size);
        self
    }

    /// Takes these programs from the other system; ours has to run in the peer's root for that.
    #[must_use]
    pub fn swap(mut self, programs: &[&str]) -> Self {
        let names = programs.iter().map(|name| (*name).to_owned());
        self.swapped.extend(names);
        self
    }

    /// Adds lines to `main.cf`; later ones win.
    #[must_use]
    pub fn main_cf(mut self, lines: &str) -> Self {
        self.main_cf.push_str(lines);
        self.main_cf.push('\n');
        self
    }

    /// Adds services to `master.cf`.
    #[must_use]
    pub fn master_cf(mut self, lines: &str) -> Self {
        self.master_extra.push_str(lines);
        self.master_extra.push('\n');
        self
    }

    /// Replaces the service line that begins with these two words (`smtp inet`).
    #[must_use]
    pub fn service(mut self, name: &str, kind: &str, line: &str) -> Self {
        self.master_cf = self
            .master_cf
            .lines()
            .filter(|old| !old.split_whitespace().take(2).eq([name, kind]))
            .map(|old| format!("{old}\n"))
            .collect::<String>()
            + line
            + "\n";
        self
    }

    /// Adds lines to `/etc/hosts`.
    #[must_use]
    pub fn hosts(mut self, lines: &str) -> Self {
        self.hosts.push_str(lines);
        self
    }

    /// Makes the instance; the mail system is not started.
    pub fn build(self) -> Instance {
        Instance::new(self)
    }

    /// Makes the instance and starts the mail system.
    pub fn start(self) -> Instance {
        let instance = self.build();
        instance.start();
        instance
    }
}

/// What a command left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit status; minus the number of the signal that ended it.
    pub status: i32,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
}

/// One private mail system. Dropping it ends all its processes and removes its files.
#[derive(Debug)]
pub struct Instance {
    target: Target,
    root: TempDir,
    holder: Child,
}

impl Instance {
    /// A builder for an instance of the target that the environment asks for.
    pub fn builder() -> Builder {
        Self::builder_for(Target::from_env())
    }

    /// A builder for an instance of this target.
    pub fn builder_for(target: Target) -> Builder {
        Builder {
            target,
            main_cf: String::new(),
            master_cf: MASTER_CF.to_owned(),
            master_extra: String::new(),
            hosts: "127.0.0.1 localhost\n".to_owned(),
            swapped: swapped(),
            spool_kib: None,
        }
    }

    fn new(builder: Builder) -> Self {
        let target = builder.target;
        let root = tempfile::Builder::new()
            .prefix("pfrs-")
            .tempdir_in("/tmp")
            .unwrap();
        let top = root.path();
        fs::set_permissions(top, fs::Permissions::from_mode(0o755)).unwrap();
        let system = target.root();
        let mut passwd = fs::read_to_string(system.join("etc/passwd")).unwrap();
        let mut group = fs::read_to_string(system.join("etc/group")).unwrap();
        let owner = account(&passwd, "postfix");
        for dir in ["etc", "spool", "data", "mail", "home", "log"] {
            fs::create_dir(top.join(dir)).unwrap();
        }
        chown(top.join("data"), Some(owner), None).unwrap();
        fs::set_permissions(top.join("mail"), fs::Permissions::from_mode(0o1777)).unwrap();
        for (name, id) in USERS {
            let home = top.join("home").join(name);
            passwd += &format!("{name}:x:{id}:{id}:{name}:{}:/bin/sh\n", home.display());
            group += &format!("{name}:x:{id}:\n");
            fs::create_dir(&home).unwrap();
            chown(&home, Some(id), Some(id)).unwrap();
        }
        fs::write(top.join("passwd"), passwd).unwrap();
        fs::write(top.join("group"), group).unwrap();
        fs::write(top.join("hosts"), builder.hosts).unwrap();
        fs::write(
            top.join("default.cf"),
            format!("alternate_config_directories = {}/etc\n", top.display()),
        )
        .unwrap();
        fs::write(
            top.join("resolv.conf"),
            "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n",
        )
        .unwrap();
        fs::write(top.join("etc/aliases"), "postmaster root\n").unwrap();
        let at = top.display();
        fs::write(
            top.join("etc/main.cf"),
            overridden(&format!(
                "compatibility_level = 3.11\nqueue_directory = {at}/spool\ndata_directory = {at}/data\n{}mail_owner = postfix\nsetgid_group = postdrop\nmaillog_file = {at}/log/maillog\nmaillog_file_prefixes = {at}\nmail_spool_directory = {at}/mail\ninet_interfaces = loopback-only\ninet_protocols = ipv4\nmyhostname = mx.test.example\nmydestination = $myhostname, localhost, test.example\nmynetworks = 127.0.0.1/32\ndefault_database_type = lmdb\ndefault_cache_db_type = lmdb\nalias_maps = texthash:{at}/etc/aliases\nalias_database =\nrelay_domains =\nbiff = no\nsmtp_tls_security_level =\n{}",
                target.directories(),
                builder.main_cf,
            )),
        )
        .unwrap();
        fs::write(
            top.join("etc/master.cf"),
            builder.master_cf + &builder.master_extra,
        )
        .unwrap();
        let holder = hold(&target, top, builder.spool_kib, &builder.swapped);
        Self {
            target,
            root,
            holder,
        }
    }

    /// The system under test.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The process that keeps the instance's namespaces.
    pub(crate) fn holder_pid(&self) -> u32 {
        self.holder.id()
    }

    /// A path below the instance's own directory (`etc`, `spool`, `data`, `mail`, `home`, `log`); the same from inside.
    pub fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    /// The same as [`path`](Self::path), as this process sees it: file systems that only the instance has mounted included.
    pub fn seen(&self, below: &str) -> PathBuf {
        let top = self.root.path().strip_prefix("/").unwrap();
        Path::new("/proc")
            .join(self.holder.id().to_string())
            .join("root")
            .join(top)
            .join(below)
    }

    /// Writes a file below the instance's own directory and gives its path.
    ///
    /// A file that was there is replaced at once, and keeps its owner and mode: a program that starts meanwhile reads the old text or
    /// the new, never half of one.
    pub fn write(&self, below: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.seen(below);
        match fs::symlink_metadata(&path) {
            Ok(old) if old.is_file() && old.nlink() == 1 => {
                let new = path.with_added_extension("being-written");
                fs::write(&new, text).unwrap();
                fs::set_permissions(&new, old.permissions()).unwrap();
                chown(&new, Some(old.uid()), Some(old.gid())).unwrap();
                fs::rename(&new, &path).unwrap();
            }
            _ => fs::write(&path, text).unwrap(),
        }
        self.path(below)
    }

    /// Makes a file below the instance's own directory look as if it had been written and read this long ago.
    pub fn set_age(&self, below: &str, age: Duration) {
        let then = SystemTime::now() - age;
        let times = fs::FileTimes::new().set_modified(then).set_accessed(then);
        let file = File::open(self.seen(below)).unwrap();
        file.set_times(times).unwrap();
    }

    /// Reads a file below the instance's own directory.
    pub fn read(&self, below: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.seen(below)).unwrap_or_default()).into_owned()
    }

    /// A command of the system under test (or a path), inside the instance, with `MAIL_CONFIG` set.
    pub fn command(&self, name: &str) -> Command {
        let mut command = self.enter();
        command.arg(self.target.command(name));
        command
    }

    /// As [`command`](Self::command), by another user.
    pub fn command_as(&self, user: &str, name: &str) -> Command {
        let mut command = self.enter();
        command.args([
            "setpriv",
            "--reuid",
            user,
            "--regid",
            user,
            "--init-groups",
            "--",
        ]);
        command.arg(self.target.command(name));
        command
    }

    fn enter(&self) -> Command {
        let pid = self.holder.id();
        let mut command = Command::new("nsenter");
        command
            .args([format!("--target={pid}"), "--mount".into(), "--net".into()])
            .arg(format!("--pid=/proc/{pid}/ns/pid_for_children"))
            .arg("--");
        if self.target.is_in_peer_root() {
            command.arg("chroot").arg(self.target.root());
        }
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("TZ", "UTC")
            .env("MAIL_CONFIG", self.path("etc"));
        command
    }

    /// Runs a command of the system under test to its end, within a minute.
    pub fn run(&self, name: &str, args: &[&str]) -> Output {
        self.run_with(name, args, b"")
    }

    /// As [`run`](Self::run), with this standard input.
    pub fn run_with(&self, name: &str, args: &[&str], stdin: &[u8]) -> Output {
        let mut command = self.command(name);
        command.args(args);
        finish(command, stdin)
    }

    /// As [`run_with`](Self::run_with), by another user.
    pub fn run_as(&self, user: &str, name: &str, args: &[&str], stdin: &[u8]) -> Output {
        let mut command = self.command_as(user, name);
        command.args(args);
        finish(command, stdin)
    }

    /// Starts the mail system and waits until it answers.
    pub fn start(&self) {
        let output = self.run("postfix", &["start"]);
        assert_eq!(
            output.status,
            0,
            "postfix start: {output:?}\n{}",
            self.log()
        );
        let up = wait_for(Duration::from_secs(15), || {
            let locked = !self.read("spool/pid/master.pid").trim().is_empty();
            locked && self.seen("spool/public/pickup").exists()
        });
        assert!(
            up,
            "the mail system did not come up: {output:?}\n{}",
            self.log()
        );
    }

    /// Stops the mail system in good order.
    pub fn stop(&self) {
        let output = self.run("postfix", &["stop"]);
        assert_eq!(output.status, 0, "postfix stop: {output:?}\n{}", self.log());
    }

    /// Puts all programs of the other system in the place of this one's, as an administrator does who replaces the files.
    pub fn replace_programs(&self) {
        let names = mixture::all(&self.target);
        self.mount(&mixture::mounts(&self.target, self.root.path(), &names));
    }

    /// Takes back what [`replace_programs`](Self::replace_programs) did.
    pub fn restore_programs(&self) {
        // Who still runs keeps the program that it began with.
        self.mount(&mixture::unmounts(
            &self.target,
            &mixture::all(&self.target),
        ));
    }

    /// Runs commands of the shell among the instance's mounts.
    fn mount(&self, script: &str) {
        let pid = self.holder.id();
        let status = Command::new("nsenter")
            .args([format!("--target={pid}"), "--mount".into()])
            // umount(8) looks into /proc.
            .arg(format!("--pid=/proc/{pid}/ns/pid_for_children"))
            .args(["--", "sh", "-e", "-c", script])
            .status()
            .unwrap();
        assert!(status.success(), "{status}: {script}");
    }

    /// Runs commands of the shell in the instance's network.
    pub fn in_network(&self, script: &str) {
        let status = Command::new("nsenter")
            .args([&format!("--target={}", self.holder.id()), "--net", "--"])
            .args(["sh", "-e", "-c", script])
            .status()
            .unwrap();
        assert!(status.success(), "{status}: {script}");
    }

    /// The mail log so far.
    pub fn log(&self) -> String {
        let log = self.read("log/maillog");
        let lines = log.split_inclusive('\n');
        lines.filter(|line| !line.contains(MARK)).collect()
    }

    /// The mail log with all that was logged before this call: lines go through postlogd, one after the other, and a mark of
    /// our own is waited for behind them.
    pub fn whole_log(&self) -> String {
        static MARKS: AtomicU32 = AtomicU32::new(0);
        let mark = format!("mark-{}-", MARKS.fetch_add(1, Ordering::Relaxed));
        self.run("postlog", &["-t", "testkit", &mark]);
        wait_for(Duration::from_secs(5), || {
            self.read("log/maillog").contains(&mark)
        });
        self.log()
    }

    /// Waits until a line of the log matches, and gives the line.
    pub fn wait_log(&self, pattern: &str) -> String {
        let pattern = regex::Regex::new(pattern).unwrap();
        let mut found = None;
        wait_for(Duration::from_secs(20), || {
            found = self
                .log()
                .lines()
                .find(|line| pattern.is_match(line))
                .map(str::to_owned);
            found.is_some()
        });
        found.unwrap_or_else(|| panic!("no line of the log matches {pattern}:\n{}", self.log()))
    }

    /// Asserts that no program of the system complained of a bug.
    pub fn assert_no_panic(&self) {
        let log = self.log();
        assert!(!log.contains("panic"), "a program panicked:\n{log}");
    }

    /// A mailbox of a local user, once it is there.
    pub fn wait_mailbox(&self, user: &str) -> String {
        let below = format!("mail/{user}");
        let there = wait_for(Duration::from_secs(20), || {
            self.read(&below).contains("\n\n")
        });
        assert!(there, "nothing was delivered to {user}:\n{}", self.log());
        self.read(&below)
    }

    /// Waits until the queue is empty.
    pub fn wait_queue_empty(&self) {
        let empty = wait_for(Duration::from_secs(30), || {
            self.run("postqueue", &["-p"])
                .stdout
                .contains("Mail queue is empty")
        });
        assert!(
            empty,
            "the queue is not empty: {}\n{}",
            self.run("postqueue", &["-p"]).stdout,
            self.log()
        );
    }

    /// An SMTP client connected to port 25, from 127.0.0.1, the greeting read.
    pub fn smtp(&self) -> Client {
        self.smtp_from("127.0.0.1", "127.0.0.1:25")
    }

    /// An SMTP client connected from `source` to `server`, the greeting read.
    pub fn smtp_from(&self, source: &str, server: &str) -> Client {
        Client::new(self.connect(source, server))
    }

    /// As [`smtp_from`](Self::smtp_from), with something said before the server has greeted.
    pub fn smtp_after(&self, source: &str, server: &str, first: &[u8]) -> Client {
        Client::after(self.connect(source, server), first)
    }

    /// A connection inside the instance's network, once the server is there.
    pub fn connect(&self, source: &str, server: &str) -> TcpStream {
        let mut last = None;
        for _ in 0..100 {
            match self.try_connect(source, server) {
                Ok(stream) => return stream,
                Err(err) => last = Some(err),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("connect to {server}: {last:?}");
    }

    /// One attempt at a connection inside the instance's network.
    ///
    /// # Errors
    /// As `connect(2)`.
    pub fn try_connect(&self, source: &str, server: &str) -> std::io::Result<TcpStream> {
        let source: std::net::Ipv4Addr = source.parse().unwrap();
        let server: std::net::SocketAddrV4 = server.parse().unwrap();
        self.inside(move || {
            let fd = sock::socket(
                sock::AddressFamily::Inet,
                sock::SockType::Stream,
                sock::SockFlag::SOCK_CLOEXEC,
                None,
            )?;
            let raw = std::os::fd::AsRawFd::as_raw_fd(&fd);
            let own = std::net::SocketAddrV4::new(source, 0);
            sock::bind(raw, &sock::SockaddrIn::from(own))?;
            sock::connect(raw, &sock::SockaddrIn::from(server))?;
            Ok(TcpStream::from(fd))
        })
    }

    /// A TCP listener inside the instance's network.
    pub fn listen(&self, address: &str) -> TcpListener {
        let address: SocketAddr = address.parse().unwrap();
        self.inside(move || TcpListener::bind(address).unwrap())
    }

    /// A UDP socket inside the instance's network.
    pub fn udp(&self, address: &str) -> UdpSocket {
        let address: SocketAddr = address.parse().unwrap();
        self.inside(move || UdpSocket::bind(address).unwrap())
    }

    /// Runs a closure on a thread that is in the instance's network.
    fn inside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let net = fs::File::open(format!("/proc/{}/ns/net", self.holder.id())).unwrap();
        std::thread::spawn(move || {
            setns(net, CloneFlags::CLONE_NEWNET).unwrap();
            work()
        })
        .join()
        .unwrap()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprint_log(&self.log());
        }
        // The first process of the namespace dies with the holder, and all others with it.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

#[allow(clippy::print_stderr, reason = "a failed test shows the log")]
fn eprint_log(log: &str) {
    eprintln!("---- mail log ----\n{log}------------------");
}

/// The user id of an account of a passwd file.
fn account(passwd: &str, name: &str) -> u32 {
    passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&name))
        .and_then(|fields| fields.get(2)?.parse().ok())
        .unwrap_or_else(|| panic!("no account {name}: run `cargo xtask setup` first"))
}

/// Runs a command with this input to its end; kills it after a minute.
fn finish(mut command: Command, stdin: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let bytes = stdin.to_vec();
    // A command may end without reading its input: a broken pipe is no failure.
    let writer = std::thread::spawn(move || drop(input.write_all(&bytes)));
    let stdout = drain(child.stdout.take().unwrap());
    let stderr = drain(child.stderr.take().unwrap());
    let mut status = None;
    wait_for(Duration::from_secs(60), || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    let Some(status) = status else {
        child.kill().unwrap();
        panic!("{command:?} did not end within a minute");
    };
    writer.join().unwrap();
    Output {
        status: status
            .code()
            .unwrap_or_else(|| -status.signal().unwrap_or(1)),
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    }
}

fn drain(mut from: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Asks every 10 milliseconds until the answer is yes or the time is up; gives the last answer.
pub fn wait_for(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if ready() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Without the settings that a later line repeats: a warning about each would only stand in the way.
fn overridden(text: &str) -> String {
    fn name(line: &str) -> Option<&str> {
        let name = line.split_once('=')?.0.trim_end();
        (!name.is_empty() && !name.starts_with([' ', '\t', '#'])).then_some(name)
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut kept = String::with_capacity(text.len());
    for (at, line) in lines.iter().enumerate() {
        let later = lines.get(at + 1..).unwrap_or_default();
        let single = later
            .first()
            .is_none_or(|next| !next.starts_with([' ', '\t']));
        let again =
            name(line).is_some_and(|found| later.iter().any(|one| name(one) == Some(found)));
        if !(again && single) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}
