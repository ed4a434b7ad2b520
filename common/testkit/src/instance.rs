//! One private mail system: its configuration, queue, data, network and users.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

use crate::mixture;
use crate::namespace::hold;
use crate::output::finish;
use crate::{Builder, Output, Target};

/// What stands in lines of the log that are the test's own.
const MARK: &str = " testkit[";

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
        Builder::new(target)
    }

    pub(crate) fn new(builder: Builder) -> Self {
        let root = tempfile::Builder::new()
            .prefix("pfrs-")
            .tempdir_in("/tmp")
            .unwrap();
        let top = root.path();
        fs::set_permissions(top, fs::Permissions::from_mode(0o755)).unwrap();
        builder.lay_out(top);
        let holder = hold(&builder.target, top, builder.spool_kib, &builder.swapped);
        Self {
            target: builder.target,
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
            .join(self.holder_pid().to_string())
            .join("root")
            .join(top)
            .join(below)
    }

    /// Writes a file below the instance's own directory and gives its path.
    ///
    /// What is in `etc` is replaced at once, and keeps its owner and mode: a program that starts meanwhile reads the old text or the
    /// new, never half of one. (Other files may be mounted over the system's; those stay the same file.)
    pub fn write(&self, below: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.seen(below);
        match fs::symlink_metadata(&path) {
            Ok(old) if below.starts_with("etc/") && old.is_file() => {
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
        let pid = self.holder_pid();
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
        let pid = self.holder_pid();
        let status = Command::new("nsenter")
            .args([format!("--target={pid}"), "--mount".into()])
            // umount(8) looks into /proc.
            .arg(format!("--pid=/proc/{pid}/ns/pid_for_children"))
            .args(["--", "sh", "-e", "-c", script])
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
