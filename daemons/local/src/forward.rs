//! Mail that goes on to other addresses: a new message for each pair of forwarding address and sender, handed to cleanup.

use std::path::Path;
use std::time::SystemTime;

use pf_attr::Error;
use pf_delivery::{Content, Job};
use pf_dsn::{Dsn, Outcome, Status};
use pf_log::warning;
use pf_proto::cleanup::{END, Flags, Submission};
use pf_proto::{Address, Class};

use crate::params::Params;
use crate::state::Attributes;

/// One message that is being made.
struct Forward {
    delivered: Vec<u8>,
    sender: Vec<u8>,
    submission: Submission,
    posted: SystemTime,
}

/// The messages that are made for one recipient.
#[derive(Default)]
pub(crate) struct Forwards {
    all: Vec<Forward>,
}

/// SMTPUTF8 and REQUIRETLS in the options that travel with a message.
const SENDOPT_UTF8_REQUESTED: i32 = 1;
const SENDOPT_REQUIRETLS: i32 = 1 << 5;

impl Forwards {
    /// Adds a recipient.
    ///
    /// # Errors
    /// The cleanup service cannot be reached.
    pub(crate) async fn add(
        &mut self,
        params: &Params,
        job: &Job,
        state: &Attributes,
    ) -> Result<(), Error> {
        let delivered = state.delivered.clone().unwrap_or_default();
        let known = self
            .all
            .iter()
            .position(|one| one.delivered == delivered && one.sender == state.sender);
        let at = match known {
            Some(at) => at,
            None => {
                let (submission, posted) = open(params, job, &state.sender).await?;
                self.all.push(Forward {
                    delivered,
                    sender: state.sender.clone(),
                    submission,
                    posted,
                });
                self.all.len() - 1
            }
        };
        let Some(one) = self.all.get_mut(at) else {
            return Ok(());
        };
        let recipient = &state.recipient;
        let message = &mut one.submission;
        if !recipient.dsn_original.is_empty() {
            message.push_attribute("dsn_orig_rcpt", &recipient.dsn_original);
        }
        if recipient.dsn_notify != 0 {
            message.push_attribute("notify_flags", recipient.dsn_notify.to_string().as_bytes());
        }
        if !recipient.original.is_empty() {
            message.push(b'O', &recipient.original);
        }
        message.push(b'R', &recipient.address);
        if message.is_full() {
            message.flush().await?;
        }
        Ok(())
    }

    /// Sends all messages, until one fails; gives each one's outcome, or `None` for one that failed.
    pub(crate) async fn send(self, params: &Params, job: &Job) -> Vec<Option<Outcome>> {
        let mut outcomes = Vec::new();
        for one in self.all {
            let sent = send(one, params, job).await;
            let failed = sent.is_none();
            outcomes.push(sent);
            if failed {
                break;
            }
        }
        outcomes
    }
}

async fn open(
    params: &Params,
    job: &Job,
    sender: &[u8],
) -> Result<(Submission, SystemTime), Error> {
    let request = &job.request;
    let mut flags = Flags::BOUNCE | Flags::MASK_INTERNAL;
    if params.autodetect_utf8 {
        flags |= Flags::AUTOUTF8;
    }
    if request.sendopts & SENDOPT_REQUIRETLS != 0 {
        flags |= Flags::REQTLS;
    }
    if request.sendopts & SENDOPT_UTF8_REQUESTED != 0 {
        flags |= Flags::SMTPUTF8;
    }
    let address = Address::new(Path::new("."), Class::Public, &params.cleanup_service);
    let mut message = match Submission::open(&address, params.ipc_timeout, flags).await {
        Ok(message) => message,
        Err(err) => {
            warning!("connect to {}: {err}", address.name());
            return Err(err);
        }
    };
    let posted = SystemTime::now();
    let since = posted
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let time = format!("{} {}", since.as_secs(), since.subsec_micros());
    message.push(b'T', time.as_bytes());
    message.push(b'S', sender);
    if request.ret != 0 {
        message.push_attribute("ret_flags", request.ret.to_string().as_bytes());
    }
    for (name, value) in [
        ("envelope_id", &request.envid),
        ("log_client_name", &request.client_name),
        ("log_client_address", &request.client_address),
        ("log_protocol_name", &request.client_protocol),
        ("log_helo_name", &request.client_helo),
        ("sasl_method", &request.sasl_method),
        ("sasl_username", &request.sasl_username),
        ("sasl_sender", &request.sasl_sender),
        ("log_ident", &request.log_ident),
        ("rewrite_context", &request.rewrite_context),
    ] {
        if !value.is_empty() {
            message.push_attribute(name, value);
        }
    }
    Ok((message, posted))
}

async fn send(one: Forward, params: &Params, job: &Job) -> Option<Outcome> {
    let mut message = one.submission;
    let id = String::from_utf8_lossy(message.queue_id()).into_owned();
    let date = pf_sys::time::Calendar::local(pf_sys::time::seconds(one.posted)).mail_date();
    message.push(b'M', b"");
    let received = format!("Received: by {} ({})", params.myhostname, params.mail_name);
    message.push(b'N', received.as_bytes());
    message.push(b'N', format!("\tid {id}; {date}").as_bytes());
    if params.delivered_header.forward {
        let folded = pf_text::case::fold(&one.delivered, true);
        message.push(b'N', &[b"Delivered-To: ", folded.as_slice()].concat());
    }
    let mut content = Content::new(&job.file, job.request.data_offset).ok()?;
    let whole = loop {
        match content.next_piece() {
            Ok(Some(piece)) => {
                let kind = if piece.ends_line { b'N' } else { b'L' };
                message.record(kind, piece.text).await.ok()?;
            }
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    if !whole || !content.ended_well() {
        pf_delivery::copy::mark_corrupt(&job.file, job.queue_id());
        return None;
    }
    message.push_encoded(END);
    if !message.finish().await.status.is_empty() {
        return None;
    }
    let mut status = Status::new(Dsn::new(2, 0, 0), format!("forwarded as {id}"));
    status.action = Some("relayed".into());
    Some(Outcome::Sent(status))
}
