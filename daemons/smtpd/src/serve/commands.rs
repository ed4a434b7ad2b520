//! Command lines: read, checked, and handed to those who carry them out.

use super::{Done, Next, Talk};
use crate::access::action::is_header;
use crate::access::ask::{Answer, Ask, CommandList, TextTable};
use crate::conn::{Stop, Transport};
use crate::logline;
use crate::session::command::Command;
use crate::session::errors::Classes;
use crate::session::state::Protocol;
use crate::session::token::{Token, tokens};
use crate::text::{escape, text, until_nul};

impl<A: Ask, S: Transport> Talk<'_, A, S> {
    /// Commands until the end (false) or until the session begins anew (true).
    pub(super) async fn commands(&mut self) -> Result<bool, Stop> {
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
            let behind_nul = text.split_off(until_nul(&text).len());
            if self.session.debugged || pf_log::verbose() > 0 {
                let (peer, line) = (&self.session.peer.shown, &text);
                pf_log::info!(
                    "< {}: {}",
                    String::from_utf8_lossy(peer),
                    String::from_utf8_lossy(line)
                );
            }
            match self.command(text, &behind_nul).await? {
                Some(Next::Restart) => return Ok(true),
                Some(_) => {}
                None => return Ok(false),
            }
        }
    }

    /// Refuses a line or a message with a bare newline.
    pub(super) async fn bare_lf_refused(&mut self) -> Result<(), Stop> {
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
    pub(super) async fn malformed(&mut self, reply: &str) -> Result<Option<Next>, Stop> {
        self.refuse(Classes::PROTOCOL, reply).await?;
        self.session.errors += 1;
        self.session.stage = Command::Unknown.name();
        self.session.stats.came(Command::Unknown);
        Ok(Some(Next::Bad))
    }

    /// One command line; `None`: the session is over.
    pub(super) async fn command(
        &mut self,
        mut line: Vec<u8>,
        behind_nul: &[u8],
    ) -> Result<Option<Next>, Stop> {
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
                let shown = escape(&text![line, behind_nul]);
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
    pub(super) fn junk(&mut self) {
        if self.session.junk > self.params.junk_limit {
            self.session.errors += 1;
        }
        self.session.junk += 1;
    }

    pub(super) async fn carry_out(
        &mut self,
        command: Command,
        line: &[u8],
        words: &[Token<'_>],
    ) -> Done {
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
}
