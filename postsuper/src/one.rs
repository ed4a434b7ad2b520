//! Messages that are named, on the command line or on standard input.

use std::io::stdin;
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::Result;
use pf_log::{info, warning};
use pf_queue::{Check, QueueId, QueueName};
use pf_sys::error::text;
use pf_sys::interrupt::Input;

use crate::parallel::{BATCH, for_each};
use crate::work::{Asked, Interrupted, LOGS, MESSAGES, Operation, Work, expire, remove, rename};

/// A message may move from one queue to the next while they are searched.
const TRIES: usize = 2;

impl Work {
    /// Does this to the message of each line of standard input.
    ///
    /// # Errors
    /// A queue cannot be changed, or the input not read.
    pub fn each_line(&mut self, operation: Operation) -> Result<()> {
        let (mut text, mut chunk) = (Vec::new(), vec![0; 64 << 10]);
        loop {
            // What has come so far is done before more is waited for.
            if let Some(end) = text.iter().rposition(|byte| *byte == b'\n') {
                let rest = text.split_off(end + 1);
                text.truncate(end);
                let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
                self.each(operation, &lines)?;
                text = rest;
            }
            match self.interrupts.read(stdin(), &mut chunk)? {
                Input::Bytes(0) if text.is_empty() => return Ok(()),
                Input::Bytes(0) => return self.one(operation, &text),
                Input::Bytes(count) => text.extend(chunk.iter().take(count)),
                Input::Interrupted(signal) => return Err(Interrupted(signal).into()),
            }
        }
    }

    /// Does this to the message of each name, in order as far as anybody sees.
    fn each(&mut self, operation: Operation, names: &[&[u8]]) -> Result<()> {
        if operation != Operation::Delete || self.choice.is_some() {
            return names.iter().try_for_each(|name| self.one(operation, name));
        }
        for batch in names.chunks(BATCH) {
            self.goes_on()?;
            let removed = for_each(batch, |name| {
                QueueId::parse(name).map(|id| self.remove_wherever(&id))
            });
            for (name, removed) in batch.iter().zip(removed) {
                match removed {
                    None => invalid(name),
                    Some(Ok(false)) => {}
                    Some(Ok(true)) => {
                        info!("{}: {}", String::from_utf8_lossy(name), operation.done());
                        self.counts.deleted += 1;
                    }
                    Some(Err(err)) => return Err(err),
                }
            }
        }
        Ok(())
    }

    /// Removes a message, whichever queue it is in; `false`: it is in none.
    fn remove_wherever(&self, id: &QueueId) -> Result<bool> {
        for asked in self.queues.iter().cycle().take(self.queues.len() * TRIES) {
            let queue = asked.queue()?;
            if MESSAGES.contains(&queue)
                && matches!(self.queue.check(queue, id), Check::Ready(_))
                && self.remove_message(queue, id)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes a message that was just seen in this queue; `false`: it is no longer there.
    fn remove_message(&self, queue: QueueName, id: &QueueId) -> Result<bool> {
        // Logs go first, and only where there is a message: the id may soon be another message's.
        for log in LOGS {
            remove(&self.queue.path(log, id))?;
        }
        remove(&self.queue.path(queue, id))
    }

    /// Does this to one message. A name that cannot be one is only worth a warning.
    ///
    /// # Errors
    /// A queue cannot be changed.
    pub fn one(&mut self, operation: Operation, name: &[u8]) -> Result<()> {
        if operation == Operation::ExpireRelease {
            self.one(Operation::Expire, name)?;
            return self.one(Operation::Release, name);
        }
        self.goes_on()?;
        let Some(id) = QueueId::parse(name) else {
            invalid(name);
            return Ok(());
        };
        let tries = if operation == Operation::Release {
            1
        } else {
            TRIES
        };
        let mut queues = self.queues.clone();
        if operation == Operation::Release {
            queues.retain(|asked| *asked == Asked::Queue(QueueName::Hold));
        }
        for asked in queues.iter().cycle().take(queues.len() * tries) {
            let queue = asked.queue()?;
            if MESSAGES.contains(&queue)
                && applies(operation, queue)
                && let Check::Ready(status) = self.queue.check(queue, &id)
                && self.if_chosen(operation, queue, &id, &status)?
            {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Changes a message that was just seen in this queue; `false`: it is no longer there.
    ///
    /// # Errors
    /// A queue cannot be changed.
    pub fn change(&mut self, operation: Operation, queue: QueueName, id: &QueueId) -> Result<bool> {
        let path = self.queue.path(queue, id);
        let to = |target| -> PathBuf { self.queue.path(target, id) };
        let (done, count) = match operation {
            Operation::Delete => (self.remove_message(queue, id)?, &mut self.counts.deleted),
            Operation::Requeue => {
                let target = to(QueueName::Maildrop);
                let done = rename(&path, &target)?;
                if done
                    && let Err(err) =
                        self.queue
                            .set_time(QueueName::Maildrop, id, SystemTime::now())
                {
                    warning!("{}: reset time stamps: {}", target.display(), text(&err));
                }
                (done, &mut self.counts.requeued)
            }
            Operation::Hold => (rename(&path, &to(QueueName::Hold))?, &mut self.counts.held),
            Operation::Release => (
                rename(&path, &to(QueueName::Deferred))?,
                &mut self.counts.released,
            ),
            Operation::Expire | Operation::ExpireRelease => {
                (expire(&path), &mut self.counts.expired)
            }
        };
        if done {
            info!("{id}: {}", operation.done());
            *count += 1;
        }
        Ok(done)
    }
}

fn invalid(name: &[u8]) {
    warning!("invalid mail queue id: {}", String::from_utf8_lossy(name));
}

/// Whether an operation is for messages of this queue. What is in maildrop has not been checked yet, and must not come among
/// mail that has.
pub(crate) fn applies(operation: Operation, queue: QueueName) -> bool {
    match operation {
        Operation::Delete => true,
        Operation::Requeue | Operation::Expire | Operation::ExpireRelease => {
            queue != QueueName::Maildrop
        }
        Operation::Hold => !matches!(queue, QueueName::Maildrop | QueueName::Hold),
        Operation::Release => queue == QueueName::Hold,
    }
}
