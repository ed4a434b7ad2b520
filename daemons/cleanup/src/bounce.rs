//! Returning a message to its sender instead of taking it.

use std::os::unix::fs::FileExt as _;

use pf_dsn::Dsn;
use pf_proto::bounce::{self, Recipient};
use pf_proto::cleanup::{Flags, Status};
use pf_record::{Decoder, RecordType, attr};

use crate::message::Message;

/// DSN RET=HDRS.
const RETURN_HEADERS: i32 = 2;

impl Message<'_> {
    /// Returns the message to its sender: all recipients into the log, then the report. When all is well the message is
    /// discarded; else it could not be queued.
    pub(crate) async fn bounce(&mut self) {
        let service = self.service;
        let (dsn, reason) = match &self.reason {
            Some(reason) => {
                let (dsn, text) = pf_dsn::split_text(reason, Dsn::new(5, 0, 0));
                (dsn.to_string(), text.to_vec())
            }
            None => {
                let detail = self.errors.detail();
                (detail.dsn.to_owned(), detail.text.as_bytes().to_vec())
            }
        };
        // Trouble with the rest of the file is of no interest any more.
        let errors = self.errors;
        self.spill();
        self.errors = errors;
        let mut recipients = self.written_recipients();
        if recipients.is_empty() {
            recipients.push(Recipient {
                address: b"unknown".to_vec(),
                ..Recipient::default()
            });
        }
        let mut good = true;
        for recipient in recipients {
            if !service
                .reports
                .bounced(self, recipient, dsn.as_bytes(), &reason)
                .await
            {
                good = false;
                break;
            }
        }
        if good {
            let about = bounce::Message {
                queue: self.queue().as_str().as_bytes().to_vec(),
                id: self.id.clone().into_bytes(),
                encoding: self.attribute(attr::ENCODING).unwrap_or_default().to_vec(),
                sendopts: i32::try_from(self.sendopts).unwrap_or(0),
                sender: self.sender.clone().unwrap_or_default(),
                envid: self.dsn_envid.clone(),
                // Content that was refused is not sent on.
                ret: if self.errors.has(Status::CONT | Status::SIZE) {
                    RETURN_HEADERS
                } else {
                    self.dsn_ret
                },
            };
            let verp = self
                .verp
                .clone()
                .filter(|_| !service.params.disable_verp_bounces);
            good = service.reports.flush(self, about, verp.as_deref()).await;
        }
        if good {
            self.errors = Status::NONE;
            self.flags |= Flags::DISCARD;
        } else {
            self.errors = Status::WRITE;
        }
    }

    /// The recipients that are in the queue file.
    fn written_recipients(&self) -> Vec<Recipient> {
        let mut found = Vec::new();
        let mut next = Recipient::default();
        let mut decoder = Decoder::new(usize::MAX);
        let mut chunk = vec![0; 64 << 10];
        let mut read_to = 0u64;
        let Ok(file) = self.file.file() else {
            return found;
        };
        loop {
            let at = read_to - decoder.rest().len() as u64;
            match decoder.take_ref() {
                Ok(Some((RecordType::END, _))) | Err(_) => return found,
                Ok(Some((kind, data))) => {
                    let (kind, data) = match attr::split(data) {
                        Ok((name, value)) if kind == RecordType::ATTR && !value.is_empty() => {
                            (attr::record_type(name).unwrap_or(kind), value)
                        }
                        _ => (kind, data),
                    };
                    match kind {
                        RecordType::DSN_ORCPT => next.dsn_original = data.to_vec(),
                        RecordType::DSN_NOTIFY => {
                            next.dsn_notify = std::str::from_utf8(data)
                                .ok()
                                .and_then(|text| text.parse().ok())
                                .unwrap_or(0);
                        }
                        RecordType::ORCPT => next.original = data.to_vec(),
                        RecordType::RCPT => {
                            let mut recipient = std::mem::take(&mut next);
                            recipient.address = data.to_vec();
                            recipient.offset = i64::try_from(at).unwrap_or(0);
                            if recipient.original.is_empty() {
                                recipient.original = data.to_vec();
                            }
                            found.push(recipient);
                        }
                        RecordType::CANCELLED | RecordType::DONE => next = Recipient::default(),
                        _ => {}
                    }
                }
                Ok(None) => match file.read_at(&mut chunk, read_to) {
                    Ok(0) | Err(_) => return found,
                    Ok(count) => {
                        decoder.feed(chunk.get(..count).unwrap_or_default());
                        read_to += count as u64;
                    }
                },
            }
        }
    }
}
