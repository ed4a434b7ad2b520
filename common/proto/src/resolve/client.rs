//! The client of `trivial-rewrite`: one set of kept connections and a small cache for both kinds of question.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

use pf_attr::Error;

use super::{Personality, Resolve, Resolved};
use crate::client::Client;
use crate::rewrite::{Rewrite, Rewritten, is_standard};

/// How long an answer is good.
const LIFE: Duration = Duration::from_secs(30);

/// The most answers of a kind that are kept.
const CAPACITY: usize = 512;

/// Asks for addresses to be rewritten and resolved; shared by all tasks of a process.
pub struct TrivialClient {
    client: Client,
    rewritten: RefCell<Cache<Rc<[u8]>>>,
    resolved: RefCell<Cache<Rc<Resolved>>>,
}

impl TrivialClient {
    /// Asks through `client`, whose address is `private/` and the value of `rewrite_service_name`.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            rewritten: RefCell::new(Cache::new()),
            resolved: RefCell::new(Cache::new()),
        }
    }

    /// Rewrites an address in external form by a rule set ([`LOCAL`](crate::rewrite::LOCAL) or
    /// [`REMOTE`](crate::rewrite::REMOTE)); answers of the last 30 seconds may be given again, and an address
    /// that no parameter would change is not asked about.
    ///
    /// # Errors
    /// The server does not answer; only with a client that does not try for ever.
    pub async fn rewrite(&self, rule: &str, address: &[u8]) -> Result<Rc<[u8]>, Error> {
        if is_standard(address) {
            return Ok(address.into());
        }
        let key = [rule.as_bytes(), b"\0", address].concat();
        if let Some(known) = self.rewritten.borrow_mut().get(&key, Instant::now()) {
            return Ok(known);
        }
        let request = Rewrite {
            rule: rule.as_bytes(),
            address,
        };
        let Rewritten {
            server_flags,
            address,
        } = self.client.call(&request).await?;
        if server_flags != 0 {
            self.client.disconnect();
        }
        let answer: Rc<[u8]> = address.into();
        self.rewritten
            .borrow_mut()
            .put(key, Rc::clone(&answer), Instant::now());
        Ok(answer)
    }

    /// Resolves an address in internal form; answers of the last 30 seconds may be given again.
    ///
    /// # Errors
    /// The server does not answer; only with a client that does not try for ever.
    pub async fn resolve(
        &self,
        personality: Personality,
        sender: &[u8],
        address: &[u8],
    ) -> Result<Rc<Resolved>, Error> {
        let key = [personality.name().as_bytes(), b"\0", sender, b"\0", address].concat();
        if !address.is_empty()
            && let Some(known) = self.resolved.borrow_mut().get(&key, Instant::now())
        {
            return Ok(known);
        }
        let answer = loop {
            let answer = self
                .client
                .call(&Resolve {
                    personality,
                    sender,
                    address,
                })
                .await?;
            if answer.server_flags != 0 {
                self.client.disconnect();
            }
            let what = if answer.transport.is_empty() {
                "transport"
            } else if answer.recipient.is_empty() && !address.is_empty() {
                "recipient"
            } else {
                break Rc::new(answer);
            };
            pf_log::warning!(
                "resolve_clnt: null {} result for: <{}>",
                what,
                String::from_utf8_lossy(address)
            );
            self.client.disconnect();
            tokio::time::sleep(Duration::from_secs(1)).await;
        };
        self.resolved
            .borrow_mut()
            .put(key, Rc::clone(&answer), Instant::now());
        Ok(answer)
    }
}

/// Answers by question, the oldest thrown out first.
struct Cache<T> {
    answers: HashMap<Rc<[u8]>, (T, Instant)>,
    order: VecDeque<(Rc<[u8]>, Instant)>,
}

impl<T: Clone> Cache<T> {
    fn new() -> Self {
        Self {
            answers: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    fn get(&mut self, key: &[u8], now: Instant) -> Option<T> {
        let (answer, since) = self.answers.get(key)?;
        (now.saturating_duration_since(*since) < LIFE).then(|| answer.clone())
    }

    fn put(&mut self, key: Vec<u8>, answer: T, now: Instant) {
        while self.order.len() >= CAPACITY {
            let Some((oldest, since)) = self.order.pop_front() else {
                break;
            };
            // The same question may have been answered again since.
            if self
                .answers
                .get(&oldest)
                .is_some_and(|(_, at)| *at == since)
            {
                self.answers.remove(&oldest);
            }
        }
        let key: Rc<[u8]> = key.into();
        self.answers.insert(Rc::clone(&key), (answer, now));
        self.order.push_back((key, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_grow_old_and_are_bounded() {
        let mut cache = Cache::new();
        let start = Instant::now();
        cache.put(b"a".to_vec(), 1, start);
        assert_eq!(cache.get(b"a", start), Some(1));
        assert_eq!(cache.get(b"a", start + LIFE), None);
        cache.put(b"a".to_vec(), 2, start + LIFE);
        assert_eq!(cache.get(b"a", start + LIFE), Some(2));
        for n in 0..2 * CAPACITY {
            cache.put(n.to_string().into_bytes(), 3, start + LIFE);
        }
        assert!(cache.answers.len() <= CAPACITY);
        assert_eq!(cache.get(b"a", start + LIFE), None);
    }
}
