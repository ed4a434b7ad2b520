//! The queue manager: takes mail from the incoming and the deferred queue, finds out where each recipient goes, decides what is
//! delivered when, and puts what is left aside for later (qmgr(8)).
//!
//! In reading order: [`service`] (start and triggers), [`scan`] (files become messages), [`message`] (a queue file), [`active`]
//! (one message in the active queue), [`assign`], [`route`] and [`intake`] (its recipients: in groups, where to, how many in memory),
//! [`scheduler`], [`entry`] and [`jobs`] (who is next; pure), [`feedback`] (how many at once; pure), [`dispatch`], [`request`] and [`agents`]
//! (deliveries), [`outcome`] (a message's end), [`shared`] and [`params`] (what all know).

mod active;
mod agents;
mod assign;
mod clog;
mod dispatch;
mod entry;
mod feedback;
mod intake;
mod jobs;
mod message;
mod outcome;
mod params;
mod request;
mod route;
mod scan;
mod scheduler;
mod service;
mod shared;

pub use service::Qmgr;
