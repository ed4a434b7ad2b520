//! When recipients have an outcome, and when all have one: reports go out, and the file is removed or put aside.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use pf_delivery::Verdict;
use pf_dsn::Outcome;
use pf_log::{info, warning};
use pf_proto::bounce::{Command, Message as BounceMessage, Request};
use pf_proto::deliver::flags;
use pf_queue::{Check, QueueId, QueueName};
use pf_record::RecordType;

use crate::active::{Active, later, save_corrupt, seconds_now};
use crate::assign::read_on;
use crate::request::request;
use crate::scheduler::{MessageId, TransportId};
use crate::shared::Shared;

/// The queue manager's own word on a recipient.
pub async fn report(shared: &Shared, number: MessageId, at: usize, relay: &str, outcome: Outcome) {
    let Some(request) = request(shared, number, &[at], 0, b"") else {
        return;
    };
    let Some(recipient) = request.recipients.first() else {
        return;
    };
    let id = String::from_utf8_lossy(&request.id).into_owned();
    let verdict = shared
        .agent
        .tell(&request, &id, recipient, relay, None, outcome)
        .await;
    match verdict {
        Verdict::Later => {
            shared.with_message(number, |message| message.deferred = true);
        }
        Verdict::Done => {
            let offset = u64::try_from(recipient.offset).unwrap_or(0);
            if offset > 0
                && let Some(queue_id) = QueueId::parse(&request.id)
                && let Err(err) = shared
                    .queue
                    .open(QueueName::Active, &queue_id, true)
                    .and_then(|file: File| pf_queue::edit::mark_done(&file, offset))
            {
                warning!("{id}: mark recipient done: {err}");
            }
        }
    }
}

/// One entry is done with; the last one ends the message. When enough of them are, more recipients are read.
pub async fn release(shared: &Shared, number: MessageId, transport: TransportId, done: &[usize]) {
    let refill = shared.refill(transport);
    let room = shared.with_message(number, |message| {
        for at in done {
            message.recipients.remove(at);
        }
        message.allowance.free(&shared.places, done.len());
        message.room(&shared.places, refill)
    });
    if room.is_some_and(|room| room > 0) {
        Box::pin(read_on(shared, number, refill)).await;
    }
    one_less(shared, number).await;
}

/// What was outstanding is no more; when that was the last, the message has ended.
pub async fn one_less(shared: &Shared, number: MessageId) {
    let left = shared.with_message(number, |message| {
        message.outstanding = message.outstanding.saturating_sub(1);
        message.outstanding
    });
    if left == Some(0) {
        Box::pin(finish(shared, number)).await;
    }
}

/// All recipients have an outcome: reports go out, then the file goes.
pub async fn finish(shared: &Shared, number: MessageId) {
    let Some(mut message) = shared.remove_message(number) else {
        return;
    };
    let id = message.id.clone();
    if message.damaged {
        save_corrupt(shared, &id);
        shared.count_down();
        return;
    }
    let log = |queue: QueueName| std::fs::symlink_metadata(shared.queue.path(queue, &id));
    match log(QueueName::Bounce) {
        // A log without a word in it is what a failed service left.
        Ok(status) if status.len() == 0 => {
            if let Err(err) = shared.queue.remove(QueueName::Bounce, &id) {
                warning!("{}: remove bounce: {err}", id.as_str());
            }
        }
        Ok(_) => message.deferred |= !notify(shared, &message, Report::Bounce).await,
        Err(_) => {}
    }
    // An agent marks a file as corrupt by its mode, and says that it is to be tried again.
    if message.deferred
        && let Check::No = shared.queue.check(QueueName::Active, &id)
    {
        save_corrupt(shared, &id);
        shared.count_down();
        return;
    }
    let wanted = flags::USER_VERIFY | flags::RECORD | flags::RECORD_DELAYED;
    if (message.envelope.trace_flags & wanted != 0 || message.envelope.tells_success())
        && log(QueueName::Trace).is_ok()
    {
        let told = notify(shared, &message, Report::Trace).await;
        message.deferred |= !told;
        // Once is enough.
        if told
            && let Some(offset) = message.envelope.record_offset
            && let Err(err) = shared
                .queue
                .open(QueueName::Active, &id, true)
                .and_then(|file| file.write_all_at(&[RecordType::KILL.0], offset))
        {
            warning!("{}: kill trace record: {err}", id.as_str());
        }
    }
    if !message.deferred {
        remove(shared, &id);
        return;
    }
    let now = seconds_now();
    let limit = if message.envelope.sender.is_empty() {
        shared.params.bounce_lifetime
    } else {
        shared.params.maximal_lifetime
    };
    let limit = i64::try_from(limit.as_secs()).unwrap_or(i64::MAX);
    let expired = now >= message.envelope.created.saturating_add(limit);
    if message.wish.expire || expired {
        info!(
            "{}: from=<{}>, status={}, returned to sender",
            id.as_str(),
            pf_address::shown(&message.envelope.sender),
            if message.wish.expire {
                "force-expired"
            } else {
                "expired"
            }
        );
        if notify(shared, &message, Report::Expired).await {
            remove(shared, &id);
            return;
        }
    } else if let Some((due, offset)) = message.envelope.warn
        && due > 0
        && now >= due - 1
        && notify(shared, &message, Report::Delay).await
        && let Err(err) = shared
            .queue
            .open(QueueName::Active, &id, true)
            .and_then(|file| pf_queue::edit::set_warn_time(&file, offset, -1))
    {
        warning!("{}: update delay warning: {err}", id.as_str());
    }
    later(shared, &message);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report {
    Bounce,
    Trace,
    Expired,
    Delay,
}

/// Has the bounce daemon send what it has collected; false when it cannot now.
async fn notify(shared: &Shared, message: &Active, report: Report) -> bool {
    let envelope = &message.envelope;
    let about = BounceMessage {
        queue: b"active".to_vec(),
        id: message.id.as_bytes().to_vec(),
        encoding: envelope.encoding.clone(),
        sendopts: i32::try_from(envelope.size.sendopts).unwrap_or(0),
        sender: envelope.sender.clone(),
        envid: envelope.envid.clone(),
        ret: envelope.ret,
    };
    let verp = envelope
        .verp
        .as_ref()
        .filter(|_| !shared.params.plain_bounces);
    let command = match (report, verp) {
        (Report::Bounce | Report::Expired, Some(delimiters)) => {
            let delimiters = if delimiters.len() == 2 {
                delimiters.clone()
            } else {
                shared.params.verp_delimiters.clone().into_bytes()
            };
            Command::Verp {
                message: about,
                delimiters,
            }
        }
        (Report::Bounce | Report::Expired, None) => Command::Flush(about),
        (Report::Trace, _) => Command::Trace(about),
        (Report::Delay, _) => Command::Warn(about),
    };
    let client = match report {
        Report::Bounce => &shared.bounce,
        Report::Trace => &shared.trace,
        Report::Expired | Report::Delay => &shared.defer,
    };
    // The recipients of a report are marked done one by one by whoever delivers.
    let bits = if report == Report::Trace {
        envelope.trace_flags
    } else {
        0
    };
    match client
        .call(&Request {
            flags: bits,
            command,
        })
        .await
    {
        Ok(0) => true,
        other => {
            pf_log::debug!("{}: {report:?} report: {other:?}", message.id.as_str());
            false
        }
    }
}

/// Removes the file.
fn remove(shared: &Shared, id: &QueueId) {
    match shared.queue.remove(QueueName::Active, id) {
        Ok(()) => info!("{}: removed", id.as_str()),
        Err(err) => warning!(
            "qmgr_active_done_3_generic: remove {} from active: {err}",
            id.as_str()
        ),
    }
    shared.count_down();
}
