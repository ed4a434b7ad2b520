//! The process: wakes up by a trigger or by master's timer, and empties the `maildrop` directory.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use pf_log::warning;
use pf_proto::cleanup::Submission;
use pf_proto::{Address, Class};
use pf_queue::{Check, Queue, QueueId, QueueName};
use pf_service::event::EventService;
use pf_service::{Context, Jail, Kind, Limit, Share};

use crate::copy::{Dropped, Fate, copy};
use crate::params::Params;

/// The service.
pub struct Pickup {
    params: Params,
    queue: Queue,
    cleanup: Address,
    busy: Cell<bool>,
    again: Cell<bool>,
}

impl EventService for Pickup {
    const SHARE: Share = Share::Many;
    const KIND: Kind = Kind::Triggers;
    const LIMIT: Limit = Limit::One;
    const JAIL: Jail = Jail::Unprivileged;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        let params = Params::read(&context.config)?;
        let cleanup = Address::new(Path::new("."), Class::Public, &params.cleanup_service);
        Ok(Self {
            queue: Queue::new(&context.config)?,
            cleanup,
            params,
            busy: Cell::new(false),
            again: Cell::new(false),
        })
    }

    async fn trigger(self: Rc<Self>, _request: Vec<u8>) {
        // One walk at a time; a trigger that comes meanwhile means another walk.
        if self.busy.replace(true) {
            self.again.set(true);
            return;
        }
        loop {
            self.again.set(false);
            let found = self.walk().await;
            if found == 0 && !self.again.get() {
                break;
            }
        }
        self.busy.set(false);
    }
}

impl Pickup {
    /// Takes all messages that are there; how many could be taken.
    async fn walk(&self) -> usize {
        let scan = match self.queue.scan(QueueName::Maildrop) {
            Ok(scan) => scan,
            Err(err) => {
                warning!("open directory maildrop: {err}");
                return 0;
            }
        };
        let mut taken = 0;
        for id in scan.flatten().filter_map(|entry| entry.id()) {
            taken += usize::from(self.take(&id).await);
        }
        taken
    }

    async fn take(&self, id: &QueueId) -> bool {
        let Check::Ready(_) = self.queue.check(QueueName::Maildrop, id) else {
            return false;
        };
        let opened = self
            .queue
            .open(QueueName::Maildrop, id, false)
            .and_then(|file| Ok((file.metadata()?, file)));
        let (status, file) = match opened {
            Ok(opened) => opened,
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => return false,
            Err(err) => {
                warning!("open input file maildrop/{}: {err}", id.as_str());
                return false;
            }
        };
        let dropped = Dropped {
            id,
            file: &file,
            status: &status,
        };
        let open = async |flags| {
            Submission::open_wait(&self.cleanup, self.params.timeout, flags)
                .await
                .map_err(|err| warning!("connect to {}: {err}", self.cleanup.name()))
                .ok()
        };
        match copy(&self.params, &dropped, open).await {
            Fate::Keep => false,
            Fate::Remove => {
                if let Err(err) = self.queue.remove(QueueName::Maildrop, id) {
                    warning!("remove maildrop/{}: {err}", id.as_str());
                    return false;
                }
                true
            }
        }
    }
}
