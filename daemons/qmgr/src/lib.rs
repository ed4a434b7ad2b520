//! The queue manager: takes mail from the incoming and the deferred queue, finds out where each recipient goes, decides what is
//! delivered when, and puts what is left aside for later (qmgr(8)).
//!
//! In reading order: [`service`] (triggers and scans), [`message`] (the queue file; pure), [`active`] (one message from its
//! arrival in the active queue to its end), [`scheduler`] and [`jobs`] (who is next; pure), [`feedback`] (how many at once; pure),
//! [`agents`] (talking to delivery agents), [`params`].

mod active;
mod agents;
mod feedback;
mod jobs;
mod message;
mod params;
mod scheduler;
mod service;

pub use service::Qmgr;
