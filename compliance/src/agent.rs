//! Delivery agents that the test plays itself, well or badly.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pf_testkit::{Instance, wait_for};

use crate::ipc::Peer;

/// What an agent says first, when all is well.
pub const HELLO: &[u8] = b"protocol\0delivery_request_protocol\0\0";

/// What it says last: what is wrong with the destination and why, if anything is, and 0 for success.
pub fn reply(status: &str, reason: &str, number: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in [
        ("status", status),
        ("diag_type", ""),
        ("diag_text", ""),
        ("mta_type", ""),
        ("mta_mname", ""),
        ("action", ""),
        ("reason", reason),
        ("status", number),
    ] {
        bytes.extend_from_slice(format!("{name}\0{value}\0").as_bytes());
    }
    bytes.push(0);
    bytes
}

/// What an agent does with a connection.
#[derive(Debug, Clone)]
pub enum Act {
    /// Says this and takes nothing.
    Say(&'static [u8]),
    /// Says the first, takes the request, says the second and hangs up.
    Answer(&'static [u8], Vec<u8>),
    /// Takes the request, and answers when the flag is set.
    Later(Arc<AtomicBool>, Vec<u8>),
    /// As [`Act::Later`], and everybody else waits meanwhile.
    Queued(Arc<AtomicBool>, Vec<u8>),
    /// Says this, and waits until the queue manager hangs up.
    Wait(&'static [u8]),
}

/// The requests that an agent got.
pub type Requests = Arc<Mutex<Vec<Vec<(String, String)>>>>;

/// Listens as the transport `name` of a running instance. `act` is asked about each connection, which have numbers from 0.
pub fn play(
    instance: &Instance,
    name: &str,
    act: impl Fn(usize) -> Act + Send + 'static,
) -> Requests {
    let requests = Requests::default();
    play_for(instance, name, &requests, act);
    requests
}

/// As [`play`], with requests of several transports in one list.
pub fn play_for(
    instance: &Instance,
    name: &str,
    requests: &Requests,
    act: impl Fn(usize) -> Act + Send + 'static,
) {
    let path = instance.path("spool/private").join(name);
    let listener = UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let requests = requests.clone();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (act, seen) = (act(number), requests.clone());
            let Ok(stream) = stream else { return };
            // Whatever the queue manager makes of it, it shows in its log.
            if let Act::Queued(flag, words) = act {
                serve(stream, Act::Later(flag, words), &seen);
            } else {
                std::thread::spawn(move || serve(stream, act, &seen));
            }
        }
    });
}

fn serve(mut stream: UnixStream, act: Act, seen: &Requests) {
    match act {
        Act::Say(words) => {
            let _ = stream.shutdown(Shutdown::Read);
            let _ = stream.write_all(words);
        }
        Act::Answer(hello, words) => answer(stream, hello, seen, || words),
        Act::Later(flag, words) | Act::Queued(flag, words) => answer(stream, HELLO, seen, || {
            wait_for(Duration::from_secs(30), || flag.load(Ordering::Relaxed));
            words
        }),
        Act::Wait(words) => {
            let _ = stream.write_all(words);
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
        }
    }
}

fn answer(mut stream: UnixStream, hello: &[u8], seen: &Requests, words: impl FnOnce() -> Vec<u8>) {
    let _ = stream.write_all(hello);
    let mut peer = Peer::over(stream);
    let Some(mut request) = peer.try_receive() else {
        return;
    };
    let count = request
        .iter()
        .find(|(name, _)| name == "recipient_count")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    for _ in 0..count {
        request.extend(peer.try_receive().unwrap_or_default());
    }
    seen.lock().unwrap().push(request);
    let _ = peer.stream.write_all(&words());
}
