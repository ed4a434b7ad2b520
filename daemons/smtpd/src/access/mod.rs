//! The restrictions: lists are parsed at start-up ([`words`]) and evaluated stage by stage ([`stages`]), against whatever
//! answers the questions of [`ask::Ask`].

pub(crate) mod action;
mod address;
pub(crate) mod ask;
mod evaluate;
mod hello;
mod known;
mod login;
mod policy;
mod rbl;
mod reject;
mod relay;
mod servers;
pub(crate) mod stages;
mod subjects;
mod tables;
#[cfg(test)]
mod tests;
pub(crate) mod words;

use crate::params::Params;
use crate::session::state::{Postponed, Session};
use ask::Ask;
pub(crate) use reject::TempfailAction;

/// What a restriction decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Dunno,
    Permit,
    Reject,
}

/// Why the evaluation cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abort {
    /// The request was refused for a reason that has nothing to do with it; the reply is ready.
    Refused,
    /// The connection is to end without another word.
    Hangup,
}

pub(crate) type Decision = Result<Status, Abort>;

/// How the things that restrictions judge are called in replies.
pub(crate) mod class {
    pub(crate) const CLIENT: &str = "Client host";
    pub(crate) const REVERSE_CLIENT: &str = "Unverified Client host";
    pub(crate) const SASL_USER: &str = "SASL login name";
    pub(crate) const HELO: &str = "Helo command";
    pub(crate) const SENDER: &str = "Sender address";
    pub(crate) const RECIPIENT: &str = "Recipient address";
    pub(crate) const ETRN: &str = "Etrn command";
    pub(crate) const DATA: &str = "Data command";
    pub(crate) const END_OF_DATA: &str = "End-of-data";
}

/// What is judged: its name in replies, and what kind of thing it is.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) name: Vec<u8>,
    pub(crate) class: &'static str,
}

impl Subject {
    fn new(name: &[u8], class: &'static str) -> Self {
        Self {
            name: name.to_vec(),
            class,
        }
    }

    fn is_sender(&self) -> bool {
        self.class == class::SENDER
    }
}

/// One evaluation of the restrictions, within one command of a session.
pub(crate) struct Check<'a, A> {
    pub(crate) params: &'a Params,
    pub(crate) ask: &'a A,
    pub(crate) session: &'a mut Session,
    /// The reply to a refused request.
    pub(crate) reply: Vec<u8>,
    depth: u32,
    /// The depth at which `warn_if_reject` was met; zero: not.
    warn_if_reject: u32,
    defer_if_reject: Option<Postponed>,
    /// The default action of a policy service is being carried out.
    in_policy: bool,
}

impl<'a, A: Ask> Check<'a, A> {
    pub(crate) fn new(params: &'a Params, ask: &'a A, session: &'a mut Session) -> Self {
        Self {
            params,
            ask,
            session,
            reply: Vec::new(),
            depth: 0,
            warn_if_reject: 0,
            defer_if_reject: None,
            in_policy: false,
        }
    }
}
