//! Fast flush: which messages wait for a destination, and their delivery on demand.

use pf_attr::{Decoder, Encoder, Error};

use crate::Request;

/// The protocol's name in the server's announcement.
pub const PROTOCOL: &str = "queue_flush_protocol";

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The request was done.
    Ok,
    /// The request could not be done.
    Fail,
    /// The request was malformed.
    Bad,
    /// The destination is not one of `fast_flush_domains`.
    Deny,
}

impl Status {
    /// The status as a number.
    pub fn code(self) -> i32 {
        match self {
            Status::Ok => 0,
            Status::Fail => -1,
            Status::Bad => 3,
            Status::Deny => 4,
        }
    }

    /// The status of this number; what is unknown is a failure.
    pub fn from_code(code: i32) -> Self {
        match code {
            0 => Status::Ok,
            3 => Status::Bad,
            4 => Status::Deny,
            _ => Status::Fail,
        }
    }
}

/// A request to the flush service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlushRequest<'a> {
    /// This message waits for this destination.
    Add {
        /// The domain, or `[host]`.
        site: &'a [u8],
        /// The message.
        queue_id: &'a [u8],
    },
    /// Try all messages for this destination now.
    SendSite {
        /// The domain, or `[host]`.
        site: &'a [u8],
    },
    /// Try this message now.
    SendFile {
        /// The message.
        queue_id: &'a [u8],
    },
    /// Bring the logs that were not read for `fast_flush_refresh_time` up to date.
    Refresh,
    /// Bring all logs up to date.
    Purge,
}

impl<'a> FlushRequest<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// The list is not such a request.
    pub fn decode(list: &mut Decoder<'a>) -> Result<Self, Error> {
        let request = match list.str("request")? {
            b"add" => FlushRequest::Add {
                site: list.str("site")?,
                queue_id: list.str("queue_id")?,
            },
            b"send_site" => FlushRequest::SendSite {
                site: list.str("site")?,
            },
            b"send_file" => FlushRequest::SendFile {
                queue_id: list.str("queue_id")?,
            },
            b"rfrsh" => FlushRequest::Refresh,
            b"purge" => FlushRequest::Purge,
            _ => return Err(Error::Malformed("request")),
        };
        list.end()?;
        Ok(request)
    }
}

impl Request for FlushRequest<'_> {
    type Reply = Status;

    const PROTOCOL: Option<&'static str> = Some(PROTOCOL);

    fn encode(&self, list: Encoder) -> Encoder {
        match self {
            FlushRequest::Add { site, queue_id } => list
                .str("request", "add")
                .str("site", site)
                .str("queue_id", queue_id),
            FlushRequest::SendSite { site } => list.str("request", "send_site").str("site", site),
            FlushRequest::SendFile { queue_id } => {
                list.str("request", "send_file").str("queue_id", queue_id)
            }
            FlushRequest::Refresh => list.str("request", "rfrsh"),
            FlushRequest::Purge => list.str("request", "purge"),
        }
    }

    fn decode_reply(&self, list: &mut Decoder<'_>) -> Result<Status, Error> {
        list.int("status").map(Status::from_code)
    }
}

/// The server's answer.
pub fn reply(status: Status) -> Vec<u8> {
    Encoder::new().int("status", status.code()).end()
}
