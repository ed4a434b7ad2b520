//! One message, from its file in `maildrop` to cleanup.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

use pf_log::{info, warning};
use pf_proto::cleanup::{Flags, Status, Submission};
use pf_queue::QueueId;
use pf_record::{Reader, RecordType, set};
use pf_sys::time::{Calendar, seconds};

use crate::params::Params;

/// What is to become of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The message is in the queue, or the file is of no use to anybody.
    Remove,
    /// It is tried again later.
    Keep,
}

/// A file in `maildrop`.
pub struct Dropped<'a> {
    pub id: &'a QueueId,
    pub file: &'a File,
    pub status: &'a Metadata,
}

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

impl Dropped<'_> {
    /// Whether `postsuper -r` put it here: then it is the mail owner's, and no user's to read.
    fn requeued(&self, params: &Params) -> bool {
        self.status.uid() == params.owner && self.status.mode() & 0o004 == 0
    }
}

/// Why copying stopped.
enum Stop {
    /// The file has a record of this type, which does not belong there; -1: it ends; -2: what follows is no record.
    Malformed(i32),
    /// Nobody sends it, as a warning said.
    NoSender,
    /// cleanup does not take more; its verdict says why.
    Cleanup,
}

/// Copies the message to cleanup.
pub async fn copy(
    params: &Params,
    dropped: &Dropped<'_>,
    open: impl AsyncFnOnce(Flags) -> Option<Submission>,
) -> Fate {
    let requeued = dropped.requeued(params);
    // The message went through the filters when it first came.
    let flags = if requeued {
        params.flags.without(Flags::MILTER).without(Flags::AUTOUTF8)
    } else {
        params.flags
    };
    let Some(mut cleanup) = open(flags).await else {
        return Fate::Keep;
    };
    let id = String::from_utf8_lossy(cleanup.queue_id()).into_owned();
    let arrived = plausible_time(&id, dropped);
    match segments(params, dropped, &mut cleanup, &id, arrived, requeued).await {
        Ok(()) | Err(Stop::Cleanup) => {
            let verdict = cleanup.finish().await;
            if verdict.status.is_empty() {
                return Fate::Remove;
            }
            if verdict.reason.is_empty() {
                warning!(
                    "maildrop/{}: error writing {id}: {}",
                    dropped.id.as_str(),
                    verdict.status.detail().text
                );
            }
            // Without a recipient there is nobody to keep it for.
            if verdict.status.has(Status::BAD) || verdict.status.has(Status::RCPT) {
                Fate::Remove
            } else {
                Fate::Keep
            }
        }
        Err(why @ (Stop::Malformed(_) | Stop::NoSender)) => {
            if let Stop::Malformed(kind) = why {
                warning!(
                    "uid={}: unexpected or malformed record type {kind}",
                    dropped.status.uid()
                );
            }
            // cleanup logs what it has seen of it, and gives it up.
            let _gone = cleanup.flush().await;
            Fate::Remove
        }
    }
}

/// When the message was submitted; a clock that was wrong then is not believed.
fn plausible_time(id: &str, dropped: &Dropped<'_>) -> SystemTime {
    let now = SystemTime::now();
    let written = dropped.status.modified().unwrap_or(now);
    let path = format!("maildrop/{}", dropped.id.as_str());
    if let Ok(ahead) = written.duration_since(now)
        && ahead > 2 * HOUR
    {
        warning!(
            "{id}: message {path} dated {} seconds into the future",
            ahead.as_secs()
        );
        return now;
    }
    if let Ok(age) = now.duration_since(written)
        && age > DAY
    {
        warning!(
            "{id}: message {path} has been queued for {} days",
            age.as_secs() / DAY.as_secs()
        );
    }
    written
}

async fn segments(
    params: &Params,
    dropped: &Dropped<'_>,
    cleanup: &mut Submission,
    id: &str,
    arrived: SystemTime,
    requeued: bool,
) -> Result<(), Stop> {
    let mut records = Reader::new(dropped.file).with_limit(params.line_limit.max(1024));
    if !params.content_filter.is_empty() {
        cleanup.push(RecordType::FILTER.0, params.content_filter.as_bytes());
    }
    let mut sender: Option<Vec<u8>> = None;
    let mut has_time = false;
    let mut data = Vec::new();
    loop {
        let kind = next(dropped, &mut records, &mut data, set::ENVELOPE)?;
        match kind {
            RecordType::MESG => break,
            // Decided anew.
            RecordType::FILTER | RecordType::REDIRECT => continue,
            RecordType::TIME => has_time = true,
            RecordType::FROM => {
                if !has_time {
                    cleanup.push(RecordType::TIME.0, seconds(arrived).to_string().as_bytes());
                }
                sender.get_or_insert_with(|| data.clone());
            }
            _ => {}
        }
        put(cleanup, kind, &data).await?;
    }
    let uid = dropped.status.uid();
    let Some(sender) = sender else {
        warning!("{id}: uid={uid}: no envelope sender");
        cleanup.push(RecordType::MESG.0, b"");
        return Err(Stop::NoSender);
    };
    let shown = pf_address::shown(&sender).into_owned();
    if requeued {
        info!(
            "{id}: uid={uid} from=<{shown}> orig_id={}",
            dropped.id.as_str()
        );
    } else {
        info!("{id}: uid={uid} from=<{shown}>");
    }
    cleanup.push(RecordType::MESG.0, b"");
    let received = format!(
        "Received: by {} ({}, from userid {uid})",
        params.myhostname, params.mail_name
    );
    cleanup.push(RecordType::NORM.0, received.as_bytes());
    let date = Calendar::local(seconds(arrived)).mail_date();
    cleanup.push(RecordType::NORM.0, format!("\tid {id}; {date}").as_bytes());
    let mut first = true;
    loop {
        let kind = next(dropped, &mut records, &mut data, set::CONTENT)?;
        if kind == RecordType::XTRA {
            break;
        }
        // Content that begins with white space must not become part of our own header.
        if first
            && data
                .first()
                .is_some_and(|byte| matches!(byte, b' ' | b'\t'))
        {
            cleanup.push(RecordType::NORM.0, b"");
        }
        first = false;
        put(cleanup, kind, &data).await?;
    }
    cleanup.push(RecordType::XTRA.0, b"");
    loop {
        let kind = next(dropped, &mut records, &mut data, set::EXTRACT)?;
        match kind {
            RecordType::END => break,
            RecordType::FILTER
            | RecordType::REDIRECT
            | RecordType::RETURN_RECEIPT
            | RecordType::ERRORS_TO => {
                continue;
            }
            RecordType::ATTR => {
                // What a rule said before is decided anew; what belongs to recipients stays.
                let kept = pf_record::attr::split(&data)
                    .is_ok_and(|(name, _)| pf_record::attr::record_type(name).is_some());
                if !kept {
                    continue;
                }
            }
            _ => {}
        }
        put(cleanup, kind, &data).await?;
    }
    cleanup.push(RecordType::END.0, b"");
    Ok(())
}

fn next(
    dropped: &Dropped<'_>,
    records: &mut Reader<&File>,
    data: &mut Vec<u8>,
    allowed: &[u8],
) -> Result<RecordType, Stop> {
    match records.next_into(data) {
        Ok(Some((kind, _))) if kind.is_in(allowed) => Ok(kind),
        Ok(Some((kind, _))) => Err(Stop::Malformed(kind.0.into())),
        Ok(None) => Err(Stop::Malformed(-1)),
        Err(err) => {
            warning!("maildrop/{}: {err}", dropped.id);
            Err(Stop::Malformed(-2))
        }
    }
}

async fn put(cleanup: &mut Submission, kind: RecordType, data: &[u8]) -> Result<(), Stop> {
    cleanup
        .record(kind.0, data)
        .await
        .map_err(|_| Stop::Cleanup)
}
