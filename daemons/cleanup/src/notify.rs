//! Waking up the queue manager.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use pf_proto::{Address, trigger};
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;

/// Messages that come within this time of each other share a wake-up: the queue manager looks at the whole incoming queue.
const PAUSE: Duration = Duration::from_millis(5);

/// Tells the queue manager of new mail.
pub struct Notifier {
    state: Rc<State>,
}

struct State {
    queue_manager: Address,
    limit: Duration,
    last: Cell<Option<Instant>>,
    waiting: Cell<bool>,
}

impl Notifier {
    /// Wakes up the service at this address; one attempt takes no longer than `limit`.
    pub fn new(queue_manager: Address, limit: Duration) -> Self {
        Self {
            state: Rc::new(State {
                queue_manager,
                limit,
                last: Cell::new(None),
                waiting: Cell::new(false),
            }),
        }
    }

    /// There is new mail. The first one of a while is told at once.
    pub fn notify(&self) {
        let state = &self.state;
        if state.waiting.get() {
            return;
        }
        let since = state.last.get().map_or(PAUSE, |last| last.elapsed());
        state.waiting.set(true);
        let state = Rc::clone(state);
        tokio::task::spawn_local(async move {
            if since < PAUSE {
                tokio::time::sleep(PAUSE - since).await;
            }
            state.waiting.set(false);
            state.last.set(Some(Instant::now()));
            state.send().await;
        });
    }

    /// Before the process ends: what is not told yet is told now.
    pub async fn flush(&self) {
        if self.state.waiting.replace(false) {
            self.state.send().await;
        }
    }
}

impl State {
    /// A queue manager that is not there finds the mail when it starts.
    async fn send(&self) {
        let work = async {
            let mut stream = UnixStream::connect(self.queue_manager.path()).await?;
            stream.write_all(&[trigger::WAKEUP, 0]).await
        };
        if let Ok(Err(err)) = tokio::time::timeout(self.limit, work).await
            && err.kind() == std::io::ErrorKind::NotFound
        {
            pf_log::warning!(
                "unable to look up {}: {}",
                self.queue_manager.name(),
                pf_sys::error::text(&err)
            );
        }
    }
}
