//! One session from the greeting to the end: reads commands, has them carried out, sends the replies.

mod chunks;
mod commands;
mod content;
mod greet;
mod hello;
mod mail;
mod others;
mod rcpt;
mod reply;
#[cfg(test)]
mod tests;

use pf_proto::cleanup::Flags;

use crate::access::Check;
use crate::access::ask::{Ask, Event, HostList, Membership, Severity};
use crate::access::stages::{Hangup, Outcome};
use crate::conn::{Conn, Limits, Scratch, Stop, Transport};
use crate::enqueue::Queue;
use crate::logline;
use crate::notify;
use crate::params::Params;
use crate::proxy::Proxy;
use crate::session::content::{BareLf, Content};
use crate::session::errors::Classes;
use crate::session::state::{Session, stage};
use crate::text::text;

/// What all sessions of a process share.
pub(crate) struct Shared<A> {
    pub(crate) params: Params,
    pub(crate) ask: A,
    pub(crate) scratch: Scratch,
    pub(crate) cleanup: pf_proto::Address,
}

/// A session, and the two it talks with: the client, and whoever takes the mail.
pub(crate) struct Talk<'s, A: Ask, S> {
    shared: &'s Shared<A>,
    params: &'s Params,
    session: Session,
    conn: Conn<S>,
    queue: Option<Queue>,
    proxy: Option<Box<Proxy>>,
    /// The content of a message in chunks.
    content: Option<Box<Content>>,
    /// Whether this client's events are counted.
    counted: bool,
    counter: A::Counter,
}

/// How it goes on after a command.
enum Next {
    /// The command did what it should.
    Good,
    /// The command was refused.
    Bad,
    /// Begin again with a greeting.
    Restart,
}

type Done = Result<Next, Stop>;

impl From<Hangup> for Stop {
    fn from(_: Hangup) -> Self {
        Stop::Quiet
    }
}

impl<'s, A: Ask, S: Transport> Talk<'s, A, S> {
    pub(crate) fn new(shared: &'s Shared<A>, session: Session, stream: S) -> Self {
        let params = &shared.params;
        Self {
            shared,
            params,
            session,
            conn: Conn::new(stream, shared.scratch.clone(), params.timeout),
            queue: None,
            proxy: None,
            content: None,
            counted: false,
            counter: A::Counter::default(),
        }
    }

    /// Serves the client until one of the two has had enough.
    pub(crate) async fn run(mut self) {
        self.session.debugged = self.client_in(HostList::Debug).await.unwrap_or(false);
        self.info(&logline::connect(&self.session));
        self.judge_client(true).await;
        let stop = self.dialogue().await.err();
        self.begin();
        let mut timeout_reply = 0;
        match stop {
            None | Some(Stop::Quiet) => {}
            Some(Stop::Lost) => self.session.reason = Some("lost connection"),
            Some(Stop::Timeout) => {
                self.session.reason = Some("timeout");
                let reply = format!(
                    "421 4.4.2 {} Error: timeout exceeded",
                    self.params.myhostname
                );
                let _ = self.reply(&reply).await;
                timeout_reply = reply.len() as u64;
            }
            Some(Stop::LocalData) => {
                let host = &self.params.myhostname;
                self.info(&text![
                    self.session.queue_id(),
                    ": reject: ",
                    self.session.stage,
                    " from ",
                    self.session.peer.shown,
                    ": 421 4.3.0 ",
                    host,
                    " Server local data error"
                ]);
                self.session.classes |= Classes::DATA;
                let reply = format!("421 4.3.0 {host} Server local data error");
                let _ = self.reply(reply).await;
            }
        }
        let _ = self.conn.flush().await;
        self.count(Event::Disconnect).await;
        let unfinished = self
            .content
            .as_ref()
            .map_or(0, |content| content.unfinished());
        let mut bytes =
            self.session.mail.actual_size + (unfinished + self.conn.unread().len()) as u64;
        if stop == Some(Stop::Timeout) && self.session.stage == stage::BDAT_CONTENT {
            // In Postfix a reply has the buffer in which a piece of a chunk was gathered.
            bytes = bytes.saturating_sub(self.session.mail.fragment) + timeout_reply;
        }
        if let Some(line) = logline::lost(&self.session, bytes) {
            self.info(&line);
        }
        self.session.helo = None;
        self.flush_history(0).await;
        self.reset_transaction().await;
        if stop == Some(Stop::Quiet) {
            self.conn.hang_up();
        }
        self.info(&logline::disconnect(&self.session));
    }

    fn info(&self, line: &[u8]) {
        self.shared.ask.log(Severity::Info, line);
    }

    fn warn(&self, line: impl AsRef<[u8]>) {
        self.shared.ask.log(Severity::Warning, line.as_ref());
    }

    /// Begins the time of a request.
    fn begin(&mut self) {
        self.conn.begin(Limits {
            time: self.params.timeout,
            whole_request: self.params.request_deadline,
        });
    }

    fn check(&mut self) -> Check<'_, A> {
        Check::new(self.params, &self.shared.ask, &mut self.session)
    }

    async fn client_in(&self, list: HostList) -> Result<bool, Stop> {
        let peer = &self.session.peer;
        match self
            .shared
            .ask
            .host_in(list, &peer.name, &peer.address)
            .await
        {
            Membership::Yes => Ok(true),
            Membership::No => Ok(false),
            Membership::Failed { .. } => Err(Stop::LocalData),
        }
    }

    /// What this client may do; after `XCLIENT` once more, with the new name.
    async fn judge_client(&mut self, first: bool) {
        if self.session.stand_alone {
            return;
        }
        // A list that cannot tell gives nothing away; who relies on it is told so later.
        self.session.xclient_allowed = self.client_in(HostList::Xclient).await.unwrap_or(false);
        if first {
            self.session.xforward_allowed =
                self.client_in(HostList::Xforward).await.unwrap_or(false);
        }
        self.session.verp_allowed = self.client_in(HostList::Verp).await.unwrap_or(false);
        let wanted = self.params.bare_newline;
        let excluded = wanted != BareLf::default()
            && self.client_in(HostList::BareNewline).await.unwrap_or(false);
        self.session.bare_lf = if excluded { BareLf::default() } else { wanted };
        self.counted = self.params.rates.counted()
            && !self.session.xclient_allowed
            && self.session.peer.range.is_some()
            && !self.client_in(HostList::Uncounted).await.unwrap_or(false);
    }

    /// Counts an event of this client.
    async fn count(&mut self, event: Event) -> Option<crate::access::ask::Counts> {
        let range = self
            .session
            .peer
            .range
            .as_deref()
            .filter(|_| self.counted)?;
        self.shared.ask.count(&mut self.counter, event, range).await
    }

    /// Tells the postmaster what went wrong, when the transcript has more than `threshold` lines, and begins a new one.
    async fn flush_history(&mut self, threshold: i64) {
        let len = i64::try_from(self.session.history.len()).unwrap_or(i64::MAX);
        if len <= threshold {
            return;
        }
        if !self.session.stand_alone && self.session.classes.meets(self.params.notify_classes) {
            notify::postmaster(self.params, &self.shared.cleanup, &self.session).await;
        }
        self.session.classes = Classes::NONE;
        self.session.history.clear();
    }

    /// Ends the transaction: whoever took the mail so far throws it away.
    async fn reset_transaction(&mut self) {
        self.reset_mail().await;
        self.session.reset_recipients();
    }

    async fn reset_mail(&mut self) {
        if let Some(queue) = self.queue.take() {
            queue.abandon().await;
        }
        self.content = None;
        if let Some(proxy) = self.proxy.take() {
            proxy.close().await;
        }
        self.session.reset_mail();
    }

    /// The greeting and the commands, again from the start after each `XCLIENT`.
    async fn dialogue(&mut self) -> Result<(), Stop> {
        loop {
            self.begin();
            if !self.greet().await? {
                return Ok(());
            }
            if !self.commands().await? {
                return Ok(());
            }
        }
    }

    /// How cleanup is to treat the message.
    fn cleanup_flags(&self) -> Flags {
        let flags = self.params.cleanup_flags;
        if self.session.mail.smtputf8 {
            flags | Flags::SMTPUTF8
        } else if self.params.smtputf8_autodetect {
            flags | Flags::AUTOUTF8
        } else {
            flags
        }
    }

    /// What the restrictions of a stage say; nothing where there is no network client.
    async fn unless_local(
        &mut self,
        outcome: impl AsyncFnOnce(&mut Check<'_, A>) -> Outcome,
    ) -> Result<Option<Vec<u8>>, Stop> {
        if self.session.stand_alone {
            return Ok(None);
        }
        let mut check = Check::new(self.params, &self.shared.ask, &mut self.session);
        Ok(outcome(&mut check).await?)
    }
}
