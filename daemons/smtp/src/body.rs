//! The content of a message over a session.

use std::time::{Duration, Instant};

use pf_delivery::{Content, Job};
use pf_dsn::Dsn;
use pf_log::{info, warning};
use pf_smtp::stuffing::Stuffing;

use crate::connection::Broken;
use crate::content::{Source, Unsendable};
use crate::params::Params;
use crate::session::Session;
use crate::trouble::Failure;

/// How much content is sent with one write.
const CHUNK: usize = 64 * 1024;

impl Session {
    /// Sends the content; not the dot behind it.
    pub(crate) async fn content(&mut self, params: &Params, job: &Job) -> Result<(), Stopped> {
        let content = Content::new(&job.file, job.request.data_offset).map_err(|err| {
            warning!("{}: {err}", job.queue_id());
            unreadable()
        })?;
        let downgrade = self.downgrades(params, job);
        let mut source = Source::new(params, job.queue_id(), content, downgrade);
        let mut body = Stuffing::new(params.line_length_limit);
        if !params.added_headers.is_empty() {
            for line in self.added_headers(params, job).await? {
                body.piece(self.connection.output(), &line, true);
            }
        }
        let started = Instant::now();
        let mut sent = 0;
        loop {
            let more = source
                .fill(&mut body, self.connection.output(), CHUNK)
                .await;
            let more = more.map_err(|why| self.unsendable(job, &why))?;
            if body.broke {
                body.broke = false;
                self.note_broken_line(params, job);
            }
            if !more {
                // The end goes out together with the final dot.
                body.end(self.connection.output());
                if self.delay_dot {
                    self.write(params, started, sent).await?;
                    tokio::time::sleep(params.pix_delay).await;
                }
                return Ok(());
            }
            sent += self.connection.output().len();
            self.write(params, started, sent).await?;
        }
    }

    /// Writes what is there, within the time that this much content may take.
    async fn write(
        &mut self,
        params: &Params,
        started: Instant,
        sent: usize,
    ) -> Result<(), Stopped> {
        let mut limit = params.data_xfer_timeout;
        if params.per_request_deadline {
            let extra = sent.checked_div(params.min_data_rate).unwrap_or(0);
            limit = (limit + Duration::from_secs(extra as u64)).saturating_sub(started.elapsed());
        }
        self.connection.flush(limit).await.map_err(Stopped::Broken)
    }

    fn note_broken_line(&mut self, params: &Params, job: &Job) {
        if !self.line_broken {
            self.line_broken = true;
            info!(
                "{}: breaking line > {} bytes with <CR><LF>SPACE",
                job.queue_id(),
                params.line_length_limit
            );
        }
    }

    async fn added_headers(&mut self, params: &Params, job: &Job) -> Result<Vec<Vec<u8>>, Stopped> {
        let first = job.request.recipients.first();
        let mut lines = Vec::new();
        for (flag, label, open, close) in [
            ('R', "Return-Path: ", "<", ">"),
            ('O', "X-Original-To: ", "", ""),
            ('D', "Delivered-To: ", "", ""),
        ] {
            if !params.added_headers.contains(flag) {
                continue;
            }
            let address: &[u8] = match flag {
                'R' => &job.request.sender,
                'O' => first.map_or(b"", |recipient| &recipient.original),
                _ => first.map_or(b"", |recipient| &recipient.address),
            };
            let mapped = params.generic.map(address).await;
            let mapped = mapped.map_err(|_| Stopped::Broken(Broken::Local))?;
            let quoted = pf_address::quote_822(&mapped);
            lines.push([label.as_bytes(), open.as_bytes(), &quoted, close.as_bytes()].concat());
        }
        Ok(lines)
    }

    fn unsendable(&mut self, job: &Job, why: &Unsendable) -> Stopped {
        let id = job.queue_id();
        match why {
            Unsendable::Unreadable(err) => {
                warning!("{id}: {err}");
                unreadable()
            }
            Unsendable::Damaged => {
                warning!("{id}: bad record type in message content");
                unreadable()
            }
            Unsendable::Lookup(place) => {
                warning!("{id}: smtp {place} checks lookup error");
                Stopped::Broken(Broken::Local)
            }
            Unsendable::Fault(fault) => {
                let dsn = Dsn::parse(fault.dsn().as_bytes()).unwrap_or(Dsn::new(5, 6, 0));
                Stopped::Unsendable(Failure::message(dsn, fault.text()))
            }
        }
    }
}

/// Why the content did not get through.
pub(crate) enum Stopped {
    /// The content itself is at fault.
    Unsendable(Failure),
    /// The connection is, or a table.
    Broken(Broken),
}

/// The message is still there, and somebody has to look at it.
fn unreadable() -> Stopped {
    Stopped::Unsendable(Failure::message(
        Dsn::new(4, 3, 0),
        "unreadable mail queue entry",
    ))
}
