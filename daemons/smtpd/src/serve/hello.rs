//! `HELO`, `EHLO`, `XCLIENT`, `XFORWARD`: who the client says it is, and who it says others are.

use super::{Done, Next, Talk};
use crate::access::ask::{Ask, Event, HostList, Membership};
use crate::conn::{Stop, Transport};
use crate::session::ehlo::{Features, announce};
use crate::session::errors::Classes;
use crate::session::state::Protocol;
use crate::session::token::{Token, join};
use crate::session::xclient::{self, Manner};
use crate::session::xforward;
use crate::text::{neuter, text};

impl<A: Ask, S: Transport> Talk<'_, A, S> {
    /// The name that the client gives itself, if it may use it.
    async fn greeted(
        &mut self,
        words: &[Token<'_>],
        syntax: &str,
    ) -> Result<Option<Vec<u8>>, Stop> {
        let Some(name) = words.get(1..).filter(|name| !name.is_empty()) else {
            self.refuse(Classes::PROTOCOL, syntax).await?;
            return Ok(None);
        };
        let name = join(name);
        if !self.params.delay_reject
            && let Some(reply) = self
                .unless_local(async |check| check.helo(Some(&name)).await)
                .await?
        {
            self.denied(reply).await?;
            return Ok(None);
        }
        self.flush_history(self.params.history_threshold).await;
        self.reset_transaction().await;
        let shown = self.params.printable(&name);
        self.session.helo = Some(neuter(shown.into_owned()));
        Ok(Some(name))
    }

    pub(super) async fn helo(&mut self, words: &[Token<'_>]) -> Done {
        if self
            .greeted(words, "501 Syntax: HELO hostname")
            .await?
            .is_none()
        {
            return Ok(Next::Bad);
        }
        let reply = format!("250 {}", self.params.myhostname);
        self.good(reply).await
    }

    pub(super) async fn ehlo(&mut self, words: &[Token<'_>]) -> Done {
        if self
            .greeted(words, "501 Syntax: EHLO hostname")
            .await?
            .is_none()
        {
            return Ok(Next::Bad);
        }
        self.session.protocol = Protocol::Esmtp;
        let discard = self.session.discard_keywords;
        if let Some(names) = discard.to_log() {
            self.info(format!("discarding EHLO keywords: {names}").as_bytes());
        }
        if self.session.keywords_unknown {
            self.warn(text![
                "don't know what EHLO features to announce to ",
                self.session.peer.shown
            ]);
            return Err(Stop::LocalData);
        }
        if !self.session.stand_alone {
            for (list, feature) in [
                (HostList::Verp, "XVERP"),
                (HostList::Xclient, "XCLIENT"),
                (HostList::Xforward, "XFORWARD"),
            ] {
                self.certain(list, feature, "EHLO feature ", " should be announced to ")
                    .await?;
            }
        }
        let features = Features {
            hostname: &self.params.myhostname,
            size_limit: self.params.message_size_limit,
            vrfy: !self.params.disable_vrfy,
            verp: self.session.verp_allowed,
            xclient: self.session.xclient_allowed,
            xforward: self.session.xforward_allowed,
            smtputf8: self.params.smtputf8_enable,
        };
        let lines = announce(&features, discard);
        let mut reply = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            if number > 0 {
                reply.extend_from_slice(b"\r\n");
            }
            let mark = if number + 1 < lines.len() { "-" } else { " " };
            reply.extend_from_slice(&text!["250", mark, line]);
        }
        self.good(reply).await
    }

    /// Ends the session when a list that decides on a feature cannot tell.
    async fn certain(
        &self,
        list: HostList,
        feature: &str,
        what: &str,
        should: &str,
    ) -> Result<(), Stop> {
        let peer = &self.session.peer;
        match self
            .shared
            .ask
            .host_in(list, &peer.name, &peer.address)
            .await
        {
            Membership::Failed { .. } => {
                self.warn(text!["don't know if ", what, feature, should, peer.shown]);
                Err(Stop::LocalData)
            }
            Membership::Yes | Membership::No => Ok(()),
        }
    }

    /// What `XCLIENT` and `XFORWARD` have in common; `None`: the command may be carried out.
    async fn trusted(
        &mut self,
        words: &[Token<'_>],
        allowed: bool,
        list: HostList,
        name: &str,
    ) -> Result<Option<Next>, Stop> {
        if self.session.in_transaction() {
            let reply = "503 5.5.1 Error: MAIL transaction in progress";
            return self.refuse(Classes::PROTOCOL, reply).await.map(Some);
        }
        if words.len() < 2 {
            let reply = format!("501 5.5.4 Syntax: {name} attribute=value...");
            return self.refuse(Classes::PROTOCOL, reply).await.map(Some);
        }
        if !allowed {
            if !self.session.stand_alone {
                self.certain(list, name, "command ", " should be allowed from ")
                    .await?;
            }
            let reply = "550 5.7.0 Error: insufficient authorization";
            return self.refuse(Classes::POLICY, reply).await.map(Some);
        }
        Ok(None)
    }

    fn manner(&self) -> Manner {
        Manner {
            families: self.params.families,
            utf8: self.params.smtputf8_enable,
            show_port: self.params.client_port_logging,
        }
    }

    pub(super) async fn xclient(&mut self, words: &[Token<'_>]) -> Done {
        let allowed = self.session.xclient_allowed;
        if let Some(next) = self
            .trusted(words, allowed, HostList::Xclient, "XCLIENT")
            .await?
        {
            return Ok(next);
        }
        let attributes = words.get(1..).unwrap_or_default();
        let manner = self.manner();
        if let Err(refusal) = xclient::apply(&mut self.session, attributes, manner) {
            return self.refusal(refusal).await;
        }
        // Connections are counted under the address that they were made from.
        self.count(Event::Disconnect).await;
        self.judge_client(false).await;
        self.flush_history(0).await;
        self.reset_transaction().await;
        Ok(Next::Restart)
    }

    pub(super) async fn xforward(&mut self, words: &[Token<'_>]) -> Done {
        let allowed = self.session.xforward_allowed;
        if let Some(next) = self
            .trusted(words, allowed, HostList::Xforward, "XFORWARD")
            .await?
        {
            return Ok(next);
        }
        let attributes = words.get(1..).unwrap_or_default();
        let manner = self.manner();
        match xforward::apply(&mut self.session, attributes, manner) {
            Ok(()) => self.good("250 2.0.0 Ok").await,
            Err(refusal) => self.refusal(refusal).await,
        }
    }
}
