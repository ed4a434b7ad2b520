//! One who sits between the programs of a mail system: on each socket, what they say to each other comes late, cut off, in another
//! order, with garbage before it, or not at all.
//!
//! A socket of the queue gets another name, and a listener takes its place. What is changed is what a program can notice: a message
//! whose text was changed on the way to `cleanup` looks like any other.

use std::collections::BTreeMap;
use std::io::{IoSlice, IoSliceMut, Result};
use std::net::Shutdown;
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use pf_testkit::Instance;

use crate::random::Random;

/// What is done to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// It comes late.
    Late,
    /// Both ends find the connection closed.
    Closed,
    /// Half of it comes, then both ends find the connection closed.
    Cut,
    /// Bytes stand before it that belong to no protocol.
    Garbage,
    /// Two attributes have changed places; where there are none, it comes twice.
    Reordered,
}

/// All of them; the first three also where a change would go unnoticed.
const TROUBLES: [Trouble; 5] = [
    Trouble::Late,
    Trouble::Closed,
    Trouble::Cut,
    Trouble::Garbage,
    Trouble::Reordered,
];
const NOTICED_BY_CLEANUP: usize = 3;

/// Of ten connections so many are left alone.
const LEFT_ALONE: usize = 7;

type Counts = BTreeMap<(String, Trouble), usize>;

/// The one who meddles, until it is told to leave.
pub struct Meddler {
    /// The name of each socket, and the one that the real one has for the time being.
    moved: Vec<(PathBuf, PathBuf)>,
    shared: Arc<Shared>,
}

struct Shared {
    active: AtomicBool,
    random: Mutex<Random>,
    counts: Mutex<Counts>,
}

impl Meddler {
    /// Takes the place of all sockets of a running instance.
    pub fn between(instance: &Instance, seed: u64) -> Self {
        let shared = Arc::new(Shared {
            active: AtomicBool::new(true),
            random: Mutex::new(Random(seed)),
            counts: Mutex::default(),
        });
        let mut moved = Vec::new();
        for directory in ["spool/public", "spool/private"] {
            for entry in std::fs::read_dir(instance.path(directory))
                .unwrap()
                .flatten()
            {
                if !entry.file_type().unwrap().is_socket() {
                    continue;
                }
                let name = entry.path();
                let real = name.with_extension("real");
                std::fs::rename(&name, &real).unwrap();
                take_place(&name, &real, &shared);
                moved.push((name, real));
            }
        }
        Self { moved, shared }
    }

    /// Gives the sockets their names back. Connections that are open go on without trouble. Tells what was done where, how often.
    pub fn leave(self) -> Counts {
        self.shared.active.store(false, Ordering::Relaxed);
        for (name, real) in &self.moved {
            std::fs::rename(real, name).unwrap();
        }
        self.shared.counts.lock().unwrap().clone()
    }
}

/// Binds the name, and passes on what comes.
fn take_place(name: &Path, real: &Path, shared: &Arc<Shared>) {
    let service = name.file_name().unwrap().to_str().unwrap().to_owned();
    let (real, shared) = (real.to_owned(), shared.clone());
    if service == "postlog" {
        let socket = UnixDatagram::bind(name).unwrap();
        open_to_all(name);
        std::thread::spawn(move || datagrams(&socket, &real, &service, &shared));
        return;
    }
    let listener = UnixListener::bind(name).unwrap();
    open_to_all(name);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = UnixStream::connect(&real) else {
                continue;
            };
            shared.connection(&service, client, server);
        }
    });
}

fn open_to_all(socket: &Path) {
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o666)).unwrap();
}

impl Shared {
    /// What will happen to a connection, and at which piece of what is said in that direction.
    fn plan(&self, service: &str, to_server: bool) -> Option<(Trouble, usize)> {
        let mut random = self.random.lock().unwrap();
        let direction = random.below(2) == 0;
        if random.below(10) < LEFT_ALONE || direction != to_server {
            return None;
        }
        let kinds = match (service, to_server) {
            ("cleanup", true) => &TROUBLES[..NOTICED_BY_CLEANUP],
            _ => &TROUBLES[..],
        };
        Some((kinds[random.below(kinds.len())], random.below(4)))
    }

    fn connection(self: &Arc<Self>, service: &str, client: UnixStream, server: UnixStream) {
        for to_server in [true, false] {
            let plan = self.plan(service, to_server);
            let (Ok(client), Ok(server)) = (client.try_clone(), server.try_clone()) else {
                return;
            };
            let (from, to) = match to_server {
                true => (client, server),
                false => (server, client),
            };
            let (shared, service) = (self.clone(), service.to_owned());
            std::thread::spawn(move || shared.pump(&service, &from, &to, plan));
        }
    }

    /// Passes on what is said in one direction, until one end hangs up.
    fn pump(
        &self,
        service: &str,
        from: &UnixStream,
        to: &UnixStream,
        plan: Option<(Trouble, usize)>,
    ) {
        let mut piece = 0;
        while let Ok((bytes, fds)) = receive(from) {
            if bytes.is_empty() {
                break;
            }
            let trouble = plan
                .filter(|(_, at)| *at == piece && self.active.load(Ordering::Relaxed))
                .map(|(trouble, _)| trouble);
            piece += 1;
            let sent = match trouble {
                None => Some(bytes),
                Some(trouble) => {
                    let key = (service.to_owned(), trouble);
                    *self.counts.lock().unwrap().entry(key).or_default() += 1;
                    self.change(trouble, bytes, to)
                }
            };
            let done = sent.is_none_or(|bytes| send(to, &bytes, &fds).is_err());
            for fd in fds {
                let _ = nix::unistd::close(fd);
            }
            if done {
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    }

    /// What is passed on instead; nothing when the connection is closed.
    fn change(&self, trouble: Trouble, bytes: Vec<u8>, to: &UnixStream) -> Option<Vec<u8>> {
        let mut random = self.random.lock().unwrap();
        match trouble {
            Trouble::Late => {
                let pause = random.below(400);
                drop(random);
                std::thread::sleep(Duration::from_millis(u64::try_from(pause).unwrap()));
                Some(bytes)
            }
            Trouble::Closed => None,
            Trouble::Cut => {
                let _ = send(to, &bytes[..bytes.len() / 2], &[]);
                None
            }
            Trouble::Garbage => {
                // No record type and no attribute's name begins like that.
                let mut all = vec![0xff];
                let count = random.below(200);
                all.extend(random.bytes(count));
                all.extend(bytes);
                Some(all)
            }
            Trouble::Reordered => Some(reordered(&bytes, &mut random)),
        }
    }
}

/// An attribute list of which two neighbours have changed places; anything else, twice.
fn reordered(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut words: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == 0).collect();
    let list = words.iter().position(|word| *word == [0]).unwrap_or(0);
    let pairs = list / 2;
    if pairs < 2 {
        return [bytes, bytes].concat();
    }
    let at = random.below(pairs - 1) * 2;
    words.swap(at, at + 2);
    words.swap(at + 1, at + 3);
    words.concat()
}

fn datagrams(socket: &UnixDatagram, real: &Path, service: &str, shared: &Shared) {
    // By its own name or by the other: once it is connected, names do not matter.
    let out = UnixDatagram::unbound().unwrap();
    out.connect(real).unwrap();
    let mut buffer = vec![0; 65_536];
    let mut kept: Option<Vec<u8>> = None;
    while let Ok(count) = socket.recv(&mut buffer) {
        let Some(line) = buffer.get(..count) else {
            return;
        };
        let mut random = shared.random.lock().unwrap();
        let active = shared.active.load(Ordering::Relaxed);
        // No line is kept back altogether: the test reads the log.
        match random.below(12) {
            0 if active => {
                // Without letters, or it might say anything.
                let count = random.below(500);
                let mut bytes = random.bytes(count);
                bytes.retain(|byte| !byte.is_ascii_alphabetic());
                let _ = out.send(&bytes);
            }
            1 if active => {
                let _ = out.send(&line[..count / 2]);
            }
            2 if active && kept.is_none() => {
                kept = Some(line.to_vec());
                continue;
            }
            _ => {}
        }
        drop(random);
        let _ = out.send(line);
        if let Some(late) = kept.take() {
            let key = (service.to_owned(), Trouble::Reordered);
            *shared.counts.lock().unwrap().entry(key).or_default() += 1;
            let _ = out.send(&late);
        }
    }
}

/// What comes next: bytes, and descriptors that were sent with them.
fn receive(from: &UnixStream) -> Result<(Vec<u8>, Vec<RawFd>)> {
    let mut buffer = vec![0; 16_384];
    let mut space = nix::cmsg_space!([RawFd; 4]);
    let mut parts = [IoSliceMut::new(&mut buffer)];
    let message = recvmsg::<()>(
        from.as_raw_fd(),
        &mut parts,
        Some(&mut space),
        MsgFlags::MSG_CMSG_CLOEXEC,
    )?;
    let mut fds = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(some) = control {
            fds.extend(some);
        }
    }
    let count = message.bytes;
    buffer.truncate(count);
    Ok((buffer, fds))
}

fn send(to: &UnixStream, bytes: &[u8], fds: &[RawFd]) -> Result<()> {
    let mut sent = 0;
    while sent < bytes.len() {
        let control = [ControlMessage::ScmRights(fds)];
        let control = if sent == 0 && !fds.is_empty() {
            &control[..]
        } else {
            &[]
        };
        sent += sendmsg::<()>(
            to.as_raw_fd(),
            &[IoSlice::new(&bytes[sent..])],
            control,
            MsgFlags::MSG_NOSIGNAL,
            None,
        )?;
    }
    Ok(())
}
