//! `RSET`, `VRFY`, `ETRN`, `QUIT`, `HELP`, `AUTH`, `STARTTLS`.

use pf_proto::flush::Status as Flushed;

use super::{Done, Next, Talk};
use crate::access::ask::{Ask, Event};
use crate::conn::Transport;
use crate::session::command;
use crate::session::ehlo::Keywords;
use crate::session::errors::Classes;
use crate::session::hostname::{valid_hostname, valid_literal};
use crate::session::token::{Token, join};
use crate::text::text;

impl<A: Ask, S: Transport> Talk<'_, A, S> {
    pub(super) async fn rset(&mut self, words: &[Token<'_>]) -> Done {
        if words.len() != 1 {
            return self
                .refuse(Classes::PROTOCOL, "501 5.5.4 Syntax: RSET")
                .await;
        }
        self.flush_history(self.params.history_threshold).await;
        self.reset_transaction().await;
        self.good("250 2.0.0 Ok").await
    }

    pub(super) async fn quit(&mut self) -> Done {
        let pending = self.conn.has_unsent();
        self.reply("221 2.0.0 Bye").await?;
        if pending {
            // The reply to the message before this must not get lost.
            self.conn.flush().await?;
        }
        Ok(Next::Good)
    }

    pub(super) async fn help(&mut self) -> Done {
        self.good(format!("214 2.0.0 Commands: {}", command::help()))
            .await
    }

    pub(super) async fn auth(&mut self) -> Done {
        if self.params.helo_required && self.session.helo.is_none() {
            return self
                .refuse(Classes::POLICY, "503 5.5.1 Error: send HELO/EHLO first")
                .await;
        }
        if let Some(counts) = self
            .count_against(Event::Auth, self.params.rates.auth)
            .await
        {
            self.warn(text![
                "AUTH command rate limit exceeded: ",
                counts.to_string(),
                " from ",
                self.session.peer.shown,
                " for service ",
                self.params.service
            ]);
            let reply = text![
                "450 4.7.1 Error: too many AUTH commands from ",
                self.session.peer.address
            ];
            return self.refuse(Classes::POLICY, reply).await;
        }
        self.refuse(
            Classes::PROTOCOL,
            "503 5.5.1 Error: authentication not enabled",
        )
        .await
    }

    pub(super) async fn starttls(&mut self, words: &[Token<'_>]) -> Done {
        if words.len() != 1 {
            return self
                .refuse(Classes::PROTOCOL, "501 5.5.4 Syntax: STARTTLS")
                .await;
        }
        self.refuse(
            Classes::PROTOCOL,
            "502 5.5.1 Error: command not implemented",
        )
        .await
    }

    /// Counts an event of this client; the rate, when it is above the limit.
    pub(super) async fn count_against(&mut self, event: Event, limit: i64) -> Option<i64> {
        if limit <= 0 {
            return None;
        }
        let counts = self.count(event).await?;
        (counts.rate > limit).then_some(counts.rate)
    }

    /// Refuses a recipient of a client that had too many of them.
    pub(super) async fn too_many_recipients(&mut self) -> Option<Vec<u8>> {
        let rate = self
            .count_against(Event::Recipient, self.params.rates.recipients)
            .await?;
        self.warn(text![
            "Recipient address rate limit exceeded: ",
            rate.to_string(),
            " from ",
            self.session.peer.shown,
            " for service ",
            self.params.service
        ]);
        Some(text![
            "450 4.7.1 Error: too many recipients from ",
            self.session.peer.address
        ])
    }

    pub(super) async fn vrfy(&mut self, words: &[Token<'_>]) -> Done {
        if self.params.disable_vrfy {
            return self
                .refuse(Classes::POLICY, "502 5.5.1 VRFY command is disabled")
                .await;
        }
        let mut arguments = words.get(1..).unwrap_or_default();
        let mut smtputf8 = false;
        if self.params.smtputf8_enable
            && !self.session.discard_keywords.has(Keywords::SMTPUTF8)
            && let Some((last, before)) = arguments.split_last()
            && last.text.eq_ignore_ascii_case(b"SMTPUTF8")
        {
            arguments = before;
            smtputf8 = true;
        }
        if arguments.is_empty() {
            let option = if self.params.smtputf8_enable {
                " [SMTPUTF8]"
            } else {
                ""
            };
            let reply = format!("501 5.5.4 Syntax: VRFY address{option}");
            return self.refuse(Classes::PROTOCOL, reply).await;
        }
        if let Some(reply) = self.too_many_recipients().await {
            return self.refuse(Classes::POLICY, reply).await;
        }
        let argument = join(arguments);
        let Some(address) = self
            .extract_address(&argument, false, false, smtputf8)
            .await
        else {
            return self
                .refuse(Classes::PROTOCOL, "501 5.1.3 Bad recipient address syntax")
                .await;
        };
        if !smtputf8 && self.params.strict_smtputf8 && !address.is_ascii() {
            let reply = "553 5.6.7 Must declare SMTPUTF8 to send unicode address";
            return self.denied(reply.as_bytes().to_vec()).await;
        }
        // The transaction that may be on is none of this command's business.
        let saved = self.session.mail.smtputf8;
        self.session.mail.smtputf8 |= smtputf8;
        let refused = self
            .unless_local(async |check| check.recipient(&address).await)
            .await;
        self.session.mail.smtputf8 = saved;
        match refused? {
            Some(reply) => self.denied(reply).await,
            None => self.good(text!["252 2.0.0 ", argument]).await,
        }
    }

    pub(super) async fn etrn(&mut self, words: &[Token<'_>]) -> Done {
        if self.params.helo_required && self.session.helo.is_none() {
            return self
                .refuse(Classes::POLICY, "503 Error: send HELO/EHLO first")
                .await;
        }
        if self.session.in_transaction() {
            return self
                .refuse(Classes::PROTOCOL, "503 Error: MAIL transaction in progress")
                .await;
        }
        let [_, domain] = words else {
            return self
                .refuse(Classes::PROTOCOL, "500 Syntax: ETRN domain")
                .await;
        };
        let domain = match domain.text {
            [b'@' | b'#', rest @ ..] => rest,
            text => text,
        };
        if !valid_hostname(domain) && !valid_literal(domain) {
            return self
                .refuse(Classes::PROTOCOL, "501 Error: invalid parameter syntax")
                .await;
        }
        if self.session.stand_alone {
            self.warn("do not use ETRN in \"sendmail -bs\" mode");
            return self.denied(b"458 Unable to queue messages".to_vec()).await;
        }
        if let Some(reply) = self.check().etrn(domain).await? {
            return self.denied(reply).await;
        }
        let shown = domain.get(..100).unwrap_or(domain);
        match self.shared.ask.flush(domain).await {
            Flushed::Ok => self.good("250 Queuing started").await,
            Flushed::Deny => {
                self.warn(text![
                    "reject: ETRN ",
                    shown,
                    "... from ",
                    self.session.peer.shown
                ]);
                self.denied(text!["459 <", domain, ">: service unavailable"])
                    .await
            }
            Flushed::Bad => {
                self.warn(text![
                    "bad ETRN ",
                    shown,
                    "... from ",
                    self.session.peer.shown
                ]);
                self.denied(b"458 Unable to queue messages".to_vec()).await
            }
            _ => {
                self.warn("unable to talk to fast flush service");
                self.denied(b"458 Unable to queue messages".to_vec()).await
            }
        }
    }
}
