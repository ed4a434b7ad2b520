//! One session from the greeting to the end: reads commands, has them carried out, sends the replies.

mod content;
mod hello;
mod mail;
mod others;
mod rcpt;
#[cfg(test)]
mod tests;

use pf_proto::cleanup::Flags;

use crate::access::Check;
use crate::access::action::is_header;
use crate::access::ask::{
    Answer, Ask, CommandList, Event, HostList, Membership, Severity, TextTable,
};
use crate::access::stages::{Hangup, Outcome};
use crate::conn::{Conn, Limits, Scratch, Stop, Transport};
use crate::enqueue::Queue;
use crate::expand::{footer, session_value};
use crate::logline;
use crate::notify;
use crate::params::Params;
use crate::proxy::Proxy;
use crate::session::command::Command;
use crate::session::content::{BareLf, Content};
use crate::session::ehlo::Keywords;
use crate::session::errors::Classes;
use crate::session::reply::{Refusal, wire};
use crate::session::state::{Protocol, Session, stage};
use crate::session::token::{Token, tokens};
use crate::text::{escape, text, until_nul};

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

    /// Sends a reply, which may have many lines; may be late when the client made many mistakes.
    async fn reply(&mut self, reply: impl AsRef<[u8]>) -> Result<(), Stop> {
        let slow = self.session.errors >= self.params.soft_error_limit
            && !self.params.error_sleep.is_zero();
        if slow {
            self.shared.ask.sleep(self.params.error_sleep).await;
        }
        let mut reply = reply.as_ref().to_vec();
        if matches!(reply.first(), Some(b'4' | b'5')) {
            reply = self.filter_reply(reply).await;
        }
        let keep = !self.params.notify_classes.is_empty();
        let history = &mut self.session.history;
        let bytes = wire(&reply, self.params.soft_bounce, |line| {
            if keep {
                history.add("Out: ", line);
            }
            if self.session.debugged || pf_log::verbose() > 0 {
                let line = String::from_utf8_lossy(line);
                pf_log::info!(
                    "> {}: {line}",
                    String::from_utf8_lossy(&self.session.peer.shown)
                );
            }
        });
        if bytes.starts_with(b"421") || bytes.starts_with(b"521") {
            self.session.hangup = true;
        }
        self.conn.put(&bytes);
        if slow {
            self.conn.flush().await
        } else {
            self.conn.flush_some().await
        }
    }

    /// `smtpd_reject_filter_maps`, `smtpd_reject_footer_maps` and `smtpd_reject_footer`.
    async fn filter_reply(&self, mut reply: Vec<u8>) -> Vec<u8> {
        let ask = &self.shared.ask;
        if let Answer::Found(other) = ask.text(TextTable::RejectFilter, &reply).await {
            if good_filter_result(&other) {
                self.info(&text![
                    self.session.queue_id(),
                    ": reply filter in: ",
                    reply
                ]);
                self.info(&text![
                    self.session.queue_id(),
                    ": reply filter out: ",
                    other
                ]);
                reply = other;
            } else {
                self.warn(text![
                    self.session.queue_id(),
                    ": ignoring invalid reject filter result: ",
                    other
                ]);
            }
        }
        let template = match ask.text(TextTable::RejectFooter, &reply).await {
            Answer::Found(template) => template,
            _ => self.params.reject_footer.as_bytes().to_vec(),
        };
        if template.is_empty() {
            return reply;
        }
        footer(&reply, &template, &self.params.expansion_filter, |name| {
            session_value(&self.session, self.params, name)
        })
    }

    /// Refuses a command.
    async fn refuse(&mut self, class: Classes, reply: impl AsRef<[u8]>) -> Done {
        self.session.classes |= class;
        self.reply(reply).await?;
        Ok(Next::Bad)
    }

    async fn refusal(&mut self, refusal: Refusal) -> Done {
        self.refuse(refusal.class, refusal.reply).await
    }

    /// Refuses a command as the restrictions say.
    async fn denied(&mut self, reply: Vec<u8>) -> Done {
        self.reply(reply).await?;
        Ok(Next::Bad)
    }

    async fn good(&mut self, reply: impl AsRef<[u8]>) -> Done {
        self.reply(reply).await?;
        Ok(Next::Good)
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

    /// Says hello; false: the client is not welcome.
    async fn greet(&mut self) -> Result<bool, Stop> {
        let host = &self.params.myhostname;
        if self.session.hangup {
            self.reply(format!("421 4.3.0 {host} Server local error"))
                .await?;
            return Ok(false);
        }
        if self.params.tls_wrapper && !self.session.stand_alone {
            self.warn(text![
                "Wrapper-mode request dropped from ", self.session.peer.shown, " for service ", self.params.service,
                ". TLS context initialization failed. For details see earlier warnings in your logs."
            ]);
            return Ok(false);
        }
        if !self.session.stand_alone && !self.session.passed && self.ill_pipelining().await {
            self.reply("554 5.5.0 Error: SMTP protocol synchronization")
                .await?;
            return Ok(false);
        }
        if let Some(counts) = self.count(Event::Connect).await {
            let rates = &self.params.rates;
            let (what, number) = if rates.connections > 0 && counts.count > rates.connections {
                self.session.classes |= Classes::POLICY;
                ("concurrency", counts.count)
            } else if rates.connection_rate > 0 && counts.rate > rates.connection_rate {
                ("rate", counts.rate)
            } else {
                ("", 0)
            };
            if !what.is_empty() {
                self.warn(text![
                    "Connection ",
                    what,
                    " limit exceeded: ",
                    number.to_string(),
                    " from ",
                    self.session.peer.shown,
                    " for service ",
                    self.params.service
                ]);
                let reply = text![
                    "421 4.7.0 ",
                    host,
                    " Error: too many connections from ",
                    self.session.peer.address
                ];
                self.reply(reply).await?;
                return Ok(false);
            }
        }
        let address = &self.session.peer.address;
        let keywords = match self.shared.ask.text(TextTable::EhloKeywords, address).await {
            Answer::Found(keywords) => keywords,
            answer => {
                self.session.keywords_unknown = matches!(answer, Answer::Failed { .. });
                self.params.discard_ehlo_keywords.as_bytes().to_vec()
            }
        };
        self.session.discard_keywords = Keywords::parse(&keywords);
        if !self.session.stand_alone
            && !self.params.delay_reject
            && let Some(reply) = self.check().client().await?
        {
            self.session.classes |= Classes::POLICY;
            self.session.access_denied = Some(reply.clone());
            self.reply(reply).await?;
            self.session.errors += 1;
        } else {
            let banner = format!("220 {}", self.params.banner);
            self.reply(banner).await?;
        }
        Ok(true)
    }

    /// Whether the client spoke when it should have listened, for the first time, and whether that ends the session.
    async fn ill_pipelining(&mut self) -> bool {
        if self.session.ill_pipelining || !self.conn.spoke_early().await {
            return false;
        }
        let unread = self.conn.unread();
        let shown = escape(unread.get(..100).unwrap_or(unread));
        self.info(&text![
            "improper command pipelining after ",
            self.session.stage,
            " from ",
            self.session.peer.shown,
            ": ",
            shown
        ]);
        self.session.ill_pipelining = true;
        self.params.forbid_unauth_pipelining
    }

    /// Commands until the end (false) or until the session begins anew (true).
    async fn commands(&mut self) -> Result<bool, Stop> {
        let limit = self.params.line_length_limit;
        loop {
            if self.session.hangup {
                return Ok(false);
            }
            self.flush_history(self.params.history_threshold).await;
            self.begin();
            let host = &self.params.myhostname;
            if self.session.errors >= self.params.hard_error_limit {
                self.session.reason = Some("too many errors");
                self.session.classes |= Classes::PROTOCOL;
                self.reply(format!("421 4.7.0 {host} Error: too many errors"))
                    .await?;
                return Ok(false);
            }
            let strict = self.session.bare_lf.strict_end;
            let line = self.conn.line(limit, strict).await?;
            let mut text = line.text;
            if !self.params.notify_classes.is_empty() {
                self.session.history.add("In:  ", until_nul(&text));
            }
            if line.too_long {
                let start = text.get(..30).unwrap_or(&text);
                self.warn(text![
                    self.session.peer.shown,
                    ": request longer than ",
                    limit.to_string(),
                    ": ",
                    self.params.printable(start),
                    "..."
                ]);
            }
            if line.endless {
                self.warn(text!["disabling input from ", self.session.peer.shown]);
                let reply = format!("500 5.5.2 {host} Error: command too long");
                self.refuse(Classes::PROTOCOL, reply).await?;
                self.session.errors += 1;
                self.session.stats.came(Command::Unknown);
                self.session.stage = Command::Unknown.name();
                continue;
            }
            if line.bare_lf && self.session.bare_lf.reject {
                self.bare_lf_refused().await?;
                return Ok(false);
            }
            self.session.bare_lf_noted |= line.bare_lf && self.session.bare_lf.note;
            text.truncate(until_nul(&text).len());
            if self.session.debugged || pf_log::verbose() > 0 {
                let (peer, line) = (&self.session.peer.shown, &text);
                pf_log::info!(
                    "< {}: {}",
                    String::from_utf8_lossy(peer),
                    String::from_utf8_lossy(line)
                );
            }
            match self.command(text).await? {
                Some(Next::Restart) => return Ok(true),
                Some(_) => {}
                None => return Ok(false),
            }
        }
    }

    /// Refuses a line or a message with a bare newline.
    async fn bare_lf_refused(&mut self) -> Result<(), Stop> {
        self.session.classes |= Classes::PROTOCOL;
        self.info(&logline::event(
            &self.session,
            self.params,
            "reject",
            b"bare <LF> received",
        ));
        let reply = format!(
            "{} 5.5.2 {} Error: bare <LF> received",
            self.params.codes.bare_newline, self.params.myhostname
        );
        self.reply(reply).await
    }

    /// A line that is no command.
    async fn malformed(&mut self, reply: &str) -> Result<Option<Next>, Stop> {
        self.refuse(Classes::PROTOCOL, reply).await?;
        self.session.errors += 1;
        self.session.stage = Command::Unknown.name();
        self.session.stats.came(Command::Unknown);
        Ok(Some(Next::Bad))
    }

    /// One command line; `None`: the session is over.
    async fn command(&mut self, mut line: Vec<u8>) -> Result<Option<Next>, Stop> {
        if self.params.smtputf8_enable && std::str::from_utf8(&line).is_err() {
            return self.malformed("500 5.5.2 Error: bad UTF-8 syntax").await;
        }
        let start = line
            .iter()
            .position(|byte| !matches!(byte, b' ' | b'\t'))
            .unwrap_or(line.len());
        let bare = line.get(start..).unwrap_or_default();
        match self.shared.ask.text(TextTable::CommandFilter, bare).await {
            Answer::Found(other) => {
                self.info(&text![
                    self.session.peer.shown,
                    ": replacing command \"",
                    line.get(..100).unwrap_or(&line),
                    "\" with \"",
                    other.get(..100).unwrap_or(&other),
                    "\""
                ]);
                line = other;
            }
            Answer::Failed { .. } => {
                self.warn(text![
                    "smtpd_command_filter: lookup error for \"",
                    self.params.printable(&line),
                    "\""
                ]);
                return Err(Stop::LocalData);
            }
            Answer::Missing | Answer::Unopened => {}
        }
        let words = tokens(&line);
        let Some(first) = words.first() else {
            return self.malformed("500 5.5.2 Error: bad syntax").await;
        };
        if self
            .shared
            .ask
            .command_in(CommandList::Noop, first.text)
            .await
        {
            self.reply("250 2.0.0 Ok").await?;
            self.junk();
            return Ok(Some(Next::Good));
        }
        let command = Command::find(first.text);
        self.session.stats.came(command);
        if command == Command::Unknown {
            self.session.stage = command.name();
            if is_header(first.text)
                || self
                    .shared
                    .ask
                    .command_in(CommandList::Forbidden, first.text)
                    .await
            {
                let shown = escape(&line);
                self.warn(text![
                    "non-SMTP command from ",
                    self.session.peer.shown,
                    ": ",
                    shown.get(..100).unwrap_or(&shown)
                ]);
                self.reply("221 2.7.0 Error: I can break rules, too. Goodbye.")
                    .await?;
                return Ok(None);
            }
        }
        if let Some(denied) = self.session.access_denied.clone()
            && command != Command::Quit
        {
            if denied.get(1..3) == Some(b"21") {
                self.reply(denied).await?;
            } else {
                let reply = text![
                    "503 5.7.0 Error: access denied for ",
                    self.session.peer.shown
                ];
                self.reply(reply).await?;
                self.session.errors += 1;
            }
            return Ok(Some(Next::Bad));
        }
        if command == Command::Unknown {
            self.refuse(Classes::PROTOCOL, "500 5.5.2 Error: command not recognized")
                .await?;
            self.session.errors += 1;
            return Ok(Some(Next::Bad));
        }
        if self.params.tls_enforced && !self.session.stand_alone && !command.before_tls() {
            self.reply("530 5.7.0 Must issue a STARTTLS command first")
                .await?;
            self.session.errors += 1;
            return Ok(Some(Next::Bad));
        }
        self.session.stage = command.name();
        if !self.session.stand_alone
            && (self.session.protocol != Protocol::Esmtp || command.ends_pipeline())
            && self.ill_pipelining().await
        {
            self.reply("554 5.5.0 Error: SMTP protocol synchronization")
                .await?;
            return Ok(None);
        }
        // On the heap: a session that waits for a command should be small.
        let next = Box::pin(self.carry_out(command, &line, &words)).await?;
        match next {
            Next::Good => self.session.stats.succeeded(command),
            Next::Bad => self.session.errors += 1,
            Next::Restart => return Ok(Some(next)),
        }
        if command.is_junk() {
            self.junk();
        }
        Ok((command != Command::Quit).then_some(next))
    }

    /// Counts a command that does nothing.
    fn junk(&mut self) {
        if self.session.junk > self.params.junk_limit {
            self.session.errors += 1;
        }
        self.session.junk += 1;
    }

    async fn carry_out(&mut self, command: Command, line: &[u8], words: &[Token<'_>]) -> Done {
        match command {
            Command::Helo => self.helo(words).await,
            Command::Ehlo => self.ehlo(words).await,
            Command::Mail => self.mail(line, words).await,
            Command::Rcpt => self.rcpt(line, words).await,
            Command::Data => self.data(line, words).await,
            Command::Bdat => self.bdat(line, words).await,
            Command::Rset => self.rset(words).await,
            Command::Noop => self.good("250 2.0.0 Ok").await,
            Command::Vrfy => self.vrfy(words).await,
            Command::Etrn => self.etrn(words).await,
            Command::Quit => self.quit().await,
            Command::Help => self.help().await,
            Command::Auth => self.auth().await,
            Command::Starttls => self.starttls(words).await,
            Command::Xclient => self.xclient(words).await,
            Command::Xforward => self.xforward(words).await,
            Command::Unknown => Ok(Next::Bad),
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

/// Whether a result of `smtpd_reject_filter_maps` is a negative reply.
fn good_filter_result(reply: &[u8]) -> bool {
    match reply {
        [class @ (b'4' | b'5'), tens, ones, b' ' | b'-', rest @ ..] => {
            tens.is_ascii_digit()
                && ones.is_ascii_digit()
                && rest
                    .first()
                    .is_none_or(|digit| !digit.is_ascii_digit() || digit == class)
        }
        _ => false,
    }
}
