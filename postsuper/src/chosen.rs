//! Messages that are chosen by what they are like.

use std::collections::HashSet;
use std::fs::Metadata;
use std::io::Write as _;
use std::time::SystemTime;

use anyhow::{Result, anyhow};
use pf_cli::Progress;
use pf_proto::showq::Message;
use pf_queue::{Check, Lister, QueueId, QueueName};
use pf_select::Criteria;
use pf_sys::error::text;

use crate::one::applies;
use crate::work::{MESSAGES, Operation, Work};

/// What messages must be like to be worked on.
#[derive(Debug)]
pub struct Choice {
    criteria: Criteria,
    lister: Lister,
    /// Nothing is changed.
    dry_run: bool,
    /// Seconds since the epoch.
    now: i64,
    /// What was found good so far.
    found: HashSet<QueueId>,
}

impl Choice {
    /// Chooses now.
    pub fn new(criteria: Criteria, lister: Lister, dry_run: bool) -> Self {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            criteria,
            lister,
            dry_run,
            now: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
            found: HashSet::new(),
        }
    }

    /// How many messages were found good, when nothing was done to them.
    pub fn only_found(&self) -> Option<usize> {
        self.dry_run.then_some(self.found.len())
    }

    /// What a message is like, if it is to be worked on. One that cannot be read never is.
    fn take(&mut self, queue: QueueName, id: &QueueId, status: &Metadata) -> Option<Message> {
        let known = self.found.contains(id);
        if !known && self.found.len() >= self.criteria.limit() {
            return None;
        }
        let (message, recipients) = self.lister.read(queue, id, status)?;
        if !known {
            if !self.criteria.matches(&message, &recipients, self.now) {
                return None;
            }
            self.found.insert(id.clone());
        }
        Some(message)
    }
}

impl Work {
    /// Does this to all messages that are to be worked on, each as if it had been named.
    ///
    /// # Errors
    /// A queue cannot be read or changed.
    pub fn all_chosen(&mut self, operation: Operation) -> Result<()> {
        let mut progress = Progress::of("messages");
        for asked in self.queues.clone() {
            let queue = asked.queue()?;
            if !MESSAGES.contains(&queue) {
                continue;
            }
            let listing = self.queue.scan(queue).map_err(|err| {
                anyhow!(
                    "scan_dir_push: open directory {}: {}",
                    queue.as_str(),
                    text(&err)
                )
            })?;
            // The names are read before any is changed: a renamed file must not be met again.
            let ids: Vec<QueueId> = listing.flatten().filter_map(|entry| entry.id()).collect();
            for id in ids {
                self.goes_on()?;
                progress.step();
                if let Check::Ready(status) = self.queue.check(queue, &id) {
                    self.if_chosen(operation, queue, &id, &status)?;
                }
            }
        }
        Ok(())
    }

    /// Changes a message that was just seen in this queue, unless it is not what was asked for; `false`: it was not changed.
    ///
    /// # Errors
    /// A queue cannot be changed.
    pub fn if_chosen(
        &mut self,
        operation: Operation,
        queue: QueueName,
        id: &QueueId,
        status: &Metadata,
    ) -> Result<bool> {
        if operation == Operation::ExpireRelease {
            let expired = self.if_chosen(Operation::Expire, queue, id, status)?;
            let released = self.if_chosen(Operation::Release, queue, id, status)?;
            return Ok(expired || released);
        }
        if !applies(operation, queue) {
            return Ok(false);
        }
        let Some(choice) = &mut self.choice else {
            return self.change(operation, queue, id);
        };
        let Some(message) = choice.take(queue, id, status) else {
            return Ok(false);
        };
        if !choice.dry_run {
            return self.change(operation, queue, id);
        }
        writeln!(
            std::io::stdout(),
            "{id}: would be {} (queue={}, size={}, from=<{}>)",
            operation.done(),
            queue.as_str(),
            message.size,
            String::from_utf8_lossy(&message.sender)
        )?;
        Ok(true)
    }
}
