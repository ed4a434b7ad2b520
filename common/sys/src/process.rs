//! Processes: starting programs with chosen descriptors and identities, forking, limits.
#![allow(
    unsafe_code,
    reason = "fork(2), and hooks that run between fork and exec"
)]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask,
};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Gid, Pid, Uid};

/// What is different in a child process, beyond what [`Command`] itself can say.
#[derive(Debug, Default)]
pub struct ChildSetup {
    /// Descriptors and the numbers the program finds them at; they stay open across exec.
    pub descriptors: Vec<(OwnedFd, RawFd)>,
    /// User, group and supplementary groups.
    pub identity: Option<(u32, u32, Vec<u32>)>,
    /// A session of its own, so that the whole family can be signalled.
    pub new_session: bool,
    /// A process group of its own.
    pub new_group: bool,
    /// The file mode creation mask.
    pub umask: Option<u32>,
    /// Whether the default treatment of all signals is restored.
    pub default_signals: bool,
    /// The root directory, entered with the rights of this process.
    pub root: Option<PathBuf>,
    /// The working directory, entered with the rights of the program.
    pub directory: Option<PathBuf>,
}

impl ChildSetup {
    /// Arranges that `command` starts its program in this way. The descriptors are closed in this process when the command
    /// is dropped.
    ///
    /// # Errors
    /// The descriptors cannot be duplicated.
    pub fn apply(self, command: &mut Command) -> io::Result<()> {
        let mut moves = Vec::with_capacity(self.descriptors.len());
        let highest = self
            .descriptors
            .iter()
            .map(|(_, number)| *number)
            .max()
            .unwrap_or(0);
        for (fd, number) in &self.descriptors {
            // Out of the way of all target numbers, so that no move overwrites what a later one needs.
            let copy = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(highest + 1))?;
            // SAFETY: the kernel has just made this descriptor for us.
            moves.push((
                unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(copy) },
                *number,
            ));
        }
        let Self {
            identity,
            new_session,
            new_group,
            umask,
            default_signals,
            root,
            directory,
            ..
        } = self;
        let c_path = |path: PathBuf| {
            CString::new(path.into_os_string().into_encoded_bytes()).map_err(io::Error::from)
        };
        let root = root.map(c_path).transpose()?;
        let directory = directory.map(c_path).transpose()?;
        let identity = identity.map(|(uid, gid, groups)| {
            let groups: Vec<Gid> = groups.into_iter().map(Gid::from_raw).collect();
            (Uid::from_raw(uid), Gid::from_raw(gid), groups)
        });
        let hook = move || -> io::Result<()> {
            for (fd, number) in &moves {
                // SAFETY: plain dup2(2) on descriptors that are open; errors are checked.
                if unsafe { libc::dup2(fd.as_raw_fd(), *number) } < 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            if new_session {
                nix::unistd::setsid()?;
            } else if new_group {
                nix::unistd::setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
            }
            if let Some(mask) = umask {
                nix::sys::stat::umask(Mode::from_bits_truncate(mask));
            }
            if default_signals {
                restore_signals()?;
            }
            if let Some(root) = &root {
                nix::unistd::chroot(root.as_c_str())?;
                nix::unistd::chdir(c"/")?;
            }
            if let Some((uid, gid, groups)) = &identity {
                nix::unistd::setgroups(groups)?;
                nix::unistd::setgid(*gid)?;
                nix::unistd::setuid(*uid)?;
            }
            if let Some(directory) = &directory {
                nix::unistd::chdir(directory.as_c_str())?;
            }
            Ok(())
        };
        // SAFETY: the hook only makes async-signal-safe system calls on values made before the fork, and allocates nothing
        // but on its error path, after which the child ends.
        unsafe { command.pre_exec(hook) };
        Ok(())
    }
}

/// Gives all signals their default treatment, and unblocks them.
fn restore_signals() -> io::Result<()> {
    let action = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    for signal in Signal::iterator() {
        if !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP) {
            // SAFETY: the default treatment runs no code of ours.
            unsafe { sigaction(signal, &action) }?;
        }
    }
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    Ok(())
}

/// Has a signal ignored, in this process and in those it starts.
///
/// # Errors
/// As sigaction(2).
pub fn ignore_signal(signal: Signal) -> io::Result<()> {
    let action = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: ignoring a signal runs no code of ours.
    unsafe { sigaction(signal, &action) }?;
    Ok(())
}

/// Whether a signal is ignored, as it may be from the start (`nohup`).
///
/// # Errors
/// As sigaction(2).
pub fn is_ignored(signal: Signal) -> io::Result<bool> {
    // SAFETY: a sigaction of zeroes is a valid value to be overwritten.
    let mut found: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: nothing is changed, and what is found goes to a live value of the right type.
    let done = unsafe { libc::sigaction(signal as libc::c_int, std::ptr::null(), &raw mut found) };
    nix::errno::Errno::result(done)?;
    Ok(found.sa_sigaction == libc::SIG_IGN)
}

/// Ends this process by a signal, whatever treatment it had. Returns only when the signal does not end a process.
pub fn end_by(signal: Signal) {
    if restore_signals().is_ok() {
        let _ = nix::sys::signal::raise(signal);
    }
}

/// Which side of a fork one is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fork {
    /// The old process; the new one has this id.
    Parent(i32),
    /// The new process.
    Child,
}

/// Makes a copy of this process, which must have one thread only.
///
/// # Errors
/// As fork(2); `Other` when the process has more threads.
pub fn fork() -> io::Result<Fork> {
    if std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1) {
        return Err(io::Error::other(
            "a process with several threads cannot fork safely",
        ));
    }
    // SAFETY: the process has one thread, so no lock can be held by a thread that the copy lacks.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Parent { child } => Ok(Fork::Parent(child.as_raw())),
        nix::unistd::ForkResult::Child => Ok(Fork::Child),
    }
}

/// Starts a command and gives its process id at once, for a process that has one thread only. What keeps the program from being
/// executed is told by the new process, with `complain`, which then ends with status 1.
///
/// # Errors
/// As [`fork`].
pub fn start(command: &mut Command, complain: impl FnOnce(&io::Error)) -> io::Result<i32> {
    use std::os::unix::process::CommandExt as _;
    match fork()? {
        Fork::Parent(pid) => Ok(pid),
        Fork::Child => {
            complain(&command.exec());
            // SAFETY: ends the process at once; what the old process has registered for its own end is not run.
            unsafe { libc::_exit(1) }
        }
    }
}

/// How a child process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By exit(3) with this status.
    Exited(i32),
    /// By this signal.
    Signaled(i32),
}

/// The next child that has ended, if any; never waits.
///
/// # Errors
/// As waitpid(2), but that there is no child at all is no error.
pub fn reap() -> io::Result<Option<(i32, Ended)>> {
    match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::Exited(pid, status)) => Ok(Some((pid.as_raw(), Ended::Exited(status)))),
        Ok(WaitStatus::Signaled(pid, signal, _)) => {
            Ok(Some((pid.as_raw(), Ended::Signaled(signal as i32))))
        }
        Ok(_) | Err(nix::errno::Errno::ECHILD) => Ok(None),
        Err(err) => Err(err.into()),
    }
}

/// Waits for this child to end.
///
/// # Errors
/// As waitpid(2).
pub fn wait_for(pid: i32) -> io::Result<Ended> {
    loop {
        match waitpid(Pid::from_raw(pid), None) {
            Ok(WaitStatus::Exited(_, status)) => return Ok(Ended::Exited(status)),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(Ended::Signaled(signal as i32)),
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(err) => return Err(err.into()),
        }
    }
}

/// Waits for this child to end, for some time; `None` when it still runs then.
///
/// # Errors
/// As pidfd_open(2), poll(2) and waitpid(2).
pub fn wait_at_most(pid: i32, limit: std::time::Duration) -> io::Result<Option<Ended>> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    // SAFETY: the call takes numbers only; its result is checked before it is taken for a descriptor.
    let number = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    let number = RawFd::try_from(number).map_err(io::Error::other)?;
    let watched = crate::fd::adopt_accepted(number);
    let end = std::time::Instant::now() + limit;
    loop {
        let left = end.saturating_duration_since(std::time::Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut wanted = [PollFd::new(watched.as_fd(), PollFlags::POLLIN)];
        match poll(&mut wanted, timeout) {
            Ok(0) if end <= std::time::Instant::now() => return Ok(None),
            Ok(0) | Err(nix::errno::Errno::EINTR) => {}
            Ok(_) => return wait_for(pid).map(Some),
            Err(err) => return Err(err.into()),
        }
    }
}

/// Sends a signal to a process, or with a negative id to a process group; signal 0 only asks whether it is there.
///
/// # Errors
/// As kill(2).
pub fn kill(pid: i32, signal: Option<Signal>) -> io::Result<()> {
    Ok(nix::sys::signal::kill(Pid::from_raw(pid), signal)?)
}

/// Shuts this process into a directory: afterwards `/` is that directory, and it is the working directory.
///
/// # Errors
/// As chroot(2) and chdir(2).
pub fn chroot_and_cd(directory: &Path) -> io::Result<()> {
    nix::unistd::chroot(directory)?;
    Ok(nix::unistd::chdir("/")?)
}

/// Sets the file mode creation mask and gives the one before.
pub fn umask(mask: u32) -> u32 {
    nix::sys::stat::umask(Mode::from_bits_truncate(mask)).bits()
}

/// Becomes the leader of a new session.
///
/// # Errors
/// As setsid(2).
pub fn new_session() -> io::Result<()> {
    nix::unistd::setsid()?;
    Ok(())
}

/// Points a standard descriptor (0, 1 or 2) at what `fd` is open on.
///
/// # Errors
/// As dup2(2).
pub fn redirect(fd: impl AsFd, number: RawFd) -> io::Result<()> {
    // SAFETY: dup2 replaces what the number means in one step; standard descriptors have no owner that could double-close.
    if unsafe { libc::dup2(fd.as_fd().as_raw_fd(), number) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Raises the limit of open files as far as this process may, and gives the limit.
///
/// # Errors
/// As setrlimit(2).
pub fn raise_open_files() -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}

/// Has this process run when others pause instead of in their place (SCHED_BATCH). Nothing is lost when the system refuses.
pub fn prefer_batches() {
    let how = libc::sched_param { sched_priority: 0 };
    // SAFETY: the structure lives through the call, which only reads it.
    let _ = unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const how) };
}

/// The largest size of files that this process may write.
///
/// # Errors
/// As `getrlimit(2)`.
pub fn file_size_limit() -> io::Result<u64> {
    Ok(getrlimit(Resource::RLIMIT_FSIZE)?.0)
}

/// The largest file this process may write, in bytes.
///
/// # Errors
/// As setrlimit(2).
pub fn limit_file_size(bytes: u64) -> io::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE)?;
    Ok(setrlimit(Resource::RLIMIT_FSIZE, bytes.min(hard), hard)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    #[allow(clippy::zombie_processes, reason = "wait_at_most waits for it")]
    fn waiting_for_a_child_has_an_end() {
        let child = Command::new("sleep").arg("30").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        assert_eq!(wait_at_most(pid, Duration::from_millis(20)).unwrap(), None);
        kill(pid, Some(Signal::SIGKILL)).unwrap();
        assert_eq!(
            wait_at_most(pid, Duration::from_secs(10)).unwrap(),
            Some(Ended::Signaled(9))
        );
    }
}
