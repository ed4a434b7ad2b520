//! Sessions that are kept for the next message to the same destination.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Instant;

use crate::params::Params;
use crate::session::Session;

/// Sessions by destination.
#[derive(Default)]
pub struct Cache {
    idle: RefCell<HashMap<String, Vec<(Session, Instant)>>>,
}

impl Cache {
    /// A session to this destination that still lives.
    pub fn take(&self, key: &str) -> Option<Session> {
        let now = Instant::now();
        let mut idle = self.idle.borrow_mut();
        let sessions = idle.get_mut(key)?;
        while let Some((session, until)) = sessions.pop() {
            if until > now && !session.is_stale() {
                return Some(session);
            }
        }
        idle.remove(key);
        None
    }

    /// Keeps a session until then.
    pub fn put(&self, key: String, session: Session, until: Instant) {
        self.idle
            .borrow_mut()
            .entry(key)
            .or_default()
            .push((session, until));
    }

    /// Takes leave of the sessions whose time is up.
    pub async fn close_expired(&self, params: &Params) {
        let now = Instant::now();
        let mut expired = Vec::new();
        self.idle.borrow_mut().retain(|_, sessions| {
            let (old, kept): (Vec<_>, Vec<_>) =
                sessions.drain(..).partition(|(_, until)| *until <= now);
            expired.extend(old);
            *sessions = kept;
            !sessions.is_empty()
        });
        for (mut session, _) in expired {
            session.quit(params).await;
        }
    }

    /// Takes leave of all sessions.
    pub async fn close_all(&self, params: &Params) {
        let all: Vec<_> = self
            .idle
            .borrow_mut()
            .drain()
            .flat_map(|(_, sessions)| sessions)
            .collect();
        for (mut session, _) in all {
            session.quit(params).await;
        }
    }
}
