//! The greeting, and clients that speak before it is their turn.

use super::Talk;
use crate::access::ask::{Answer, Ask, Event, TextTable};
use crate::conn::{Stop, Transport};
use crate::session::ehlo::Keywords;
use crate::session::errors::Classes;
use crate::text::{escape, text};

impl<A: Ask, S: Transport> Talk<'_, A, S> {
    /// Says hello; false: the client is not welcome.
    pub(super) async fn greet(&mut self) -> Result<bool, Stop> {
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
    pub(super) async fn ill_pipelining(&mut self) -> bool {
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
}
