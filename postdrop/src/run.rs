//! From standard input to the maildrop directory.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, anyhow, bail};
use nix::sys::signal::Signal;
use pf_attr::Encoder;
use pf_cli::{Invocation, Opt, Spec};
use pf_config::{Config, param};
use pf_log::warning;
use pf_proto::cleanup::Status;
use pf_proto::{Address, Class, trigger};
use pf_queue::{NewFile, Queue, QueueName};
use pf_record::{ArrivalTime, Decoder, RecordType, Writer};
use pf_sys::identity;
use pf_sys::interrupt::{Input, Interrupts};

use crate::filter::{Filter, Passed};
use crate::sender::Senders;

/// The protocol that is announced on standard output.
const PROTOCOL: &str = "postdrop_protocol";

/// What the command accepts.
pub const SPEC: Spec = Spec {
    name: "postdrop",
    about: "put a message into the mail queue",
    usage: "%s [-c config_dir] [-v]",
    options: &[
        Opt::value('c', "config_dir", "use the configuration in this directory"),
        Opt::flag('r', "speak the internal protocol (the only one there is)"),
        Opt::flag('v', "be talkative (root only)"),
    ],
    long: &[],
    operands: "",
};

/// The command's main function.
pub fn main() -> ExitCode {
    pf_cli::run_setgid(&SPEC, 1, |_| Ok(()), run)
}

fn run(invocation: &Invocation) -> Result<ExitCode> {
    let uid = identity::real_uid();
    let source = invocation.source();
    pf_cli::authorize(&source)?;
    let config = Config::load(&source)?;
    pf_cli::open_log("postdrop", &config, false)?;
    config.check()?;
    let directory = config.get(param::QUEUE_DIRECTORY)?;
    std::env::set_current_dir(&directory).with_context(|| format!("chdir {directory}"))?;
    let limit = config.get(param::MESSAGE_SIZE_LIMIT)?;
    if let Ok(limit) = u64::try_from(limit)
        && limit > 0
    {
        pf_sys::process::limit_file_size(limit)?;
    }
    // A full disk or a reader that has gone shows in the result of a call.
    pf_sys::process::ignore_signal(Signal::SIGXFSZ)?;
    pf_sys::process::ignore_signal(Signal::SIGPIPE)?;
    let interrupts = Interrupts::catch()?;
    let list = config.get(param::AUTHORIZED_SUBMIT_USERS)?;
    let (user, allowed) = pf_cli::user_allowed("authorized_submit_users", &list, uid)?;
    if !allowed {
        bail!("User {user}({uid}) is not allowed to submit mail");
    }
    let queue = Queue::new(&config)?;
    let started = SystemTime::now();
    let file = queue
        .create(QueueName::Maildrop, 0o044)
        .with_context(|| format!("uid={uid}: create file maildrop"))?;
    say(&Encoder::new()
        .str("protocol", PROTOCOL)
        .str("queue_id", file.id().as_bytes())
        .end())?;
    let line_limit = config.count(param::LINE_LENGTH_LIMIT)?;
    let senders = Senders::new(&config, uid)?;
    let received = receive(uid, &file, started, line_limit, &senders, &interrupts)?;
    // Unless there is a message, the unfinished file goes with us.
    let (status, reason) = match received {
        Received::Message(status, reason) => (status, reason),
        Received::Nothing => return Ok(ExitCode::SUCCESS),
        Received::Interrupted(signal) => {
            return Ok(ExitCode::from(u8::try_from(signal as i32).unwrap_or(1)));
        }
    };
    let status = if status.is_empty() {
        commit(uid, file)
    } else {
        status
    };
    if status.is_empty() {
        let service = config.get(param::PICKUP_SERVICE_NAME)?;
        let address = Address::new(Path::new("."), Class::Public, &service);
        // pickup looks by itself from time to time; mail is safe whether it hears of it now or not.
        if let Err(
            err @ (trigger::TriggerError::Missing(..) | trigger::TriggerError::NotASocket(_)),
        ) = trigger::send(&address, &[trigger::WAKEUP], Duration::from_secs(2))
        {
            warning!("{err}");
        }
    }
    let bits = i32::try_from(status.bits()).unwrap_or(1);
    say(&Encoder::new()
        .int("status", bits)
        .str("reason", reason.as_bytes())
        .end())?;
    Ok(ExitCode::from(u8::try_from(bits & 0xff).unwrap_or(1)))
}

/// What came in.
enum Received {
    /// A message; its status, and the reason where the status does not say it all.
    Message(Status, String),
    /// The input ended too early: the caller has changed its mind.
    Nothing,
    /// The program is to end.
    Interrupted(Signal),
}

/// Copies records from standard input.
fn receive(
    uid: u32,
    file: &NewFile,
    started: SystemTime,
    line_limit: usize,
    senders: &Senders,
    interrupts: &Interrupts,
) -> Result<Received> {
    let mut out = Writer::new(io::BufWriter::with_capacity(32 * 1024, file.file()?));
    let mut filter = Filter::new();
    let mut input = Decoder::new(line_limit.max(1024));
    let (mut status, mut reason) = (Status::NONE, String::new());
    if let Err(err) = out.put(RecordType::TIME, &ArrivalTime::from(started).encode()) {
        status |= unwritten(uid, &err);
    }
    let mut chunk = vec![0; 32 * 1024];
    loop {
        loop {
            let record = input.take_ref().map_err(|err| malformed(uid, &err))?;
            let Some((kind, data)) = record else { break };
            let passed = filter
                .record(kind, data)
                .map_err(|why| anyhow!("uid={uid}: {why}"))?;
            if kind == RecordType::FROM
                && filter.senders == 1
                && status.is_empty()
                && let Some(refusal) = senders.refuse(data)?
            {
                (status, reason) = (Status::NOPERM, refusal);
            }
            let written = match &passed {
                Passed::No(why) => {
                    warning!("uid={uid}: {why}");
                    Ok(())
                }
                // What has gone wrong has been told; the rest is only read.
                _ if !status.is_empty() => Ok(()),
                Passed::As(data) => out.put(kind, data),
                Passed::Yes | Passed::End => out.put(kind, data),
            };
            if let Err(err) = written {
                status |= unwritten(uid, &err);
            }
            if passed == Passed::End {
                if status.is_empty()
                    && let Err(err) = out.flush().and_then(|()| out.into_inner().flush())
                {
                    status |= unwritten(uid, &err);
                }
                if status.is_empty() && !filter.is_complete() {
                    status |= Status::BAD;
                }
                return Ok(Received::Message(status, reason));
            }
        }
        let read = interrupts.read(io::stdin(), &mut chunk);
        let count = match read.with_context(|| format!("uid={uid}: malformed input"))? {
            Input::Bytes(count) => count,
            Input::Interrupted(signal) => return Ok(Received::Interrupted(signal)),
        };
        if count == 0 {
            input.end().map_err(|err| malformed(uid, &err))?;
            if out.flush().and_then(|()| out.into_inner().flush()).is_err() {
                warning!("mail_stream_cleanup: close error");
            }
            return Ok(Received::Nothing);
        }
        input.feed(chunk.get(..count).unwrap_or_default());
    }
}

fn malformed(uid: u32, err: &pf_record::Error) -> anyhow::Error {
    warning!("stdin: {err}");
    anyhow!("uid={uid}: malformed input")
}

fn commit(uid: u32, file: NewFile) -> Status {
    match file.commit(None) {
        Ok(_) => Status::NONE,
        Err(err) => unwritten(uid, &err),
    }
}

/// What it means that the message cannot be written.
fn unwritten(uid: u32, err: &io::Error) -> Status {
    warning!("uid={uid}: {}", pf_sys::error::text(err));
    if err.kind() == io::ErrorKind::FileTooLarge {
        Status::SIZE
    } else {
        Status::WRITE
    }
}

fn say(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    Ok(out.write_all(bytes).and_then(|()| out.flush())?)
}
