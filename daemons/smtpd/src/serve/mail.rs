//! `MAIL FROM`.

use pf_address::Token as Part;
use pf_proto::resolve::ResolveFlags;

use super::{Done, Next, Talk};
use crate::access::ask::{Ask, Event};
use crate::conn::{Stop, Transport};
use crate::enqueue::{Queue, now};
use crate::logline;
use crate::proxy::Proxy;
use crate::session::errors::Classes;
use crate::session::mail::{MailContext, parse, wants_smtputf8};
use crate::session::token::Token;
use crate::text::text;
use crate::verify::probe_sender;

impl<A: Ask, S: Transport> Talk<'_, A, S> {
    /// The address in a command, in internal form; `None`: there is none, or not the one and only.
    pub(super) async fn extract_address(
        &mut self,
        argument: &[u8],
        allow_empty: bool,
        strict: bool,
        smtputf8: bool,
    ) -> Option<Vec<u8>> {
        let found = find_address(argument, strict);
        let good = match &found {
            None => false,
            Some(address) if address.is_empty() => allow_empty,
            Some(address) if strict && address.first() == Some(&b'@') => false,
            Some(_) if self.session.stand_alone => true,
            Some(address) => self.resolvable(address, smtputf8).await,
        };
        if !good {
            self.warn(text![
                "Illegal address syntax from ",
                self.session.peer.shown,
                " in ",
                self.session.stage,
                " command: ",
                self.params.printable(argument)
            ]);
            return None;
        }
        found
    }

    /// Whether an address makes sense to the resolver; a domain beyond ASCII needs SMTPUTF8.
    async fn resolvable(&self, address: &[u8], smtputf8: bool) -> bool {
        let other = if self.session.stage == "MAIL" {
            self.session.recipient.as_deref()
        } else {
            self.session.mail.sender.as_deref()
        };
        let resolved = self
            .shared
            .ask
            .resolve(other.unwrap_or_default(), address)
            .await;
        if resolved.flags.has(ResolveFlags::ERROR) {
            return false;
        }
        smtputf8 || pf_address::domain(&resolved.recipient).is_none_or(<[u8]>::is_ascii)
    }

    /// Addresses beyond ASCII without SMTPUTF8: refused, or logged where only the compatibility level allows them.
    pub(super) fn undeclared_utf8(&self, address: &[u8], what: &str) -> Option<Vec<u8>> {
        if self.session.mail.smtputf8 || address.is_ascii() {
            return None;
        }
        if self.params.strict_smtputf8 {
            return Some(b"553 5.6.7 Must declare SMTPUTF8 to send unicode address".to_vec());
        }
        if self.params.compatible.smtputf8 {
            self.info(&text![
                "using backwards-compatible default setting smtputf8_enable=no to accept non-ASCII ", what,
                " address \"", address, "\" from ", self.session.peer.shown
            ]);
        }
        None
    }

    pub(super) async fn mail(&mut self, line: &[u8], words: &[Token<'_>]) -> Done {
        self.session.mail.smtputf8 = false;
        self.session.mail.body = None;
        self.session.mail.ret = None;
        if self.params.helo_required && self.session.helo.is_none() {
            return self
                .refuse(Classes::POLICY, "503 5.5.1 Error: send HELO/EHLO first")
                .await;
        }
        if self.session.in_transaction() {
            return self
                .refuse(Classes::PROTOCOL, "503 5.5.1 Error: nested MAIL command")
                .await;
        }
        if self.session.in_bdat() {
            return self
                .refuse(Classes::PROTOCOL, "503 5.5.1 Error: MAIL after BDAT")
                .await;
        }
        let (path, parameters) = match words {
            [_, from, path, parameters @ ..] if from.text.eq_ignore_ascii_case(b"from:") => {
                (path, parameters)
            }
            _ => {
                return self
                    .refuse(Classes::PROTOCOL, "501 5.5.4 Syntax: MAIL FROM:<address>")
                    .await;
            }
        };
        if let Some(rate) = self
            .count_against(Event::Mail, self.params.rates.mail)
            .await
        {
            let reply = text![
                "450 4.7.1 Error: too much mail from ",
                self.session.peer.address
            ];
            self.refuse(Classes::POLICY, reply).await?;
            self.warn(text![
                "Message delivery request rate limit exceeded: ",
                rate.to_string(),
                " from ",
                self.session.peer.shown,
                " for service ",
                self.params.service
            ]);
            return Ok(Next::Bad);
        }
        let context = MailContext {
            discard: self.session.discard_keywords,
            smtputf8: self.params.smtputf8_enable,
            verp_allowed: self.session.verp_allowed,
            default_verp: &self.params.verp_default,
            verp_filter: &self.params.verp_filter,
        };
        let smtputf8 = !path.open && wants_smtputf8(&context, parameters);
        self.session.mail.smtputf8 = smtputf8;
        let strict = self.params.strict_envelopes;
        let sender = if path.open {
            None
        } else {
            self.extract_address(path.text, true, strict, smtputf8)
                .await
        };
        let Some(sender) = sender else {
            return self
                .refuse(Classes::PROTOCOL, "501 5.1.7 Bad sender address syntax")
                .await;
        };
        let announced = &mut self.session.mail.announced;
        let parameters = match parse(&context, parameters, announced) {
            Ok(parameters) => parameters,
            Err(refusal) => return self.refusal(refusal).await,
        };
        self.session.mail.sender = Some(sender.clone());
        let size = self.session.mail.announced.size;
        let refused = self.check().size(size);
        self.session.mail.sender = None;
        if let Some(reply) = refused {
            return self.denied(reply).await;
        }
        if parameters.verp.is_some() && sender.is_empty() {
            return self
                .denied(b"503 5.5.4 Error: XVERP requires non-null sender".to_vec())
                .await;
        }
        let mut sender = sender;
        if !self.session.stand_alone
            && let Some(probe) = probe_sender(self.params, &self.shared.ask, &sender).await
        {
            sender = probe;
        }
        if let Some(reply) = self.judge_sender(&sender).await? {
            self.reset_mail().await;
            return self.denied(reply).await;
        }
        if let Some(reply) = self.undeclared_utf8(&sender, "sender") {
            return self.denied(reply).await;
        }
        if !self.session.stand_alone
            && (self.params.proxy_filter.is_none() || self.params.proxy_speed_adjust)
        {
            let free = self.shared.ask.queue_space();
            if let Some(reply) = self.check().queue_space(free) {
                self.reset_mail().await;
                return self.denied(reply).await;
            }
        }
        let mail = &mut self.session.mail;
        mail.arrival = now();
        mail.sender = Some(sender);
        mail.body = parameters.body;
        mail.ret = parameters.ret;
        mail.envid = parameters.envid;
        mail.verp = parameters.verp;
        if self.uses_proxy() {
            self.session.mail.proxy_mail = Some(line.to_vec());
        }
        self.session.sequence = self.session.sequence.wrapping_add(1);
        if !self.params.delay_open
            && let Some(reply) = self.open_queue().await?
        {
            self.reset_mail().await;
            return self.denied(reply).await;
        }
        self.good("250 2.1.0 Ok").await
    }

    /// What the restrictions think of a sender, where they are asked at once, and of the client's own addresses.
    async fn judge_sender(&mut self, sender: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        if !self.params.delay_reject
            && let Some(reply) = self
                .unless_local(async |check| check.sender(Some(sender)).await)
                .await?
        {
            return Ok(Some(reply));
        }
        self.unless_local(async |check| Ok(check.rewrite_context().await))
            .await
    }

    /// Whether mail goes to a before-queue filter.
    pub(super) fn uses_proxy(&self) -> bool {
        !self.session.stand_alone && self.params.proxy_filter.is_some()
    }

    /// Opens the way into the queue; a reply: it is closed.
    pub(super) async fn open_queue(&mut self) -> Result<Option<Vec<u8>>, Stop> {
        if self.uses_proxy() {
            match Proxy::open(self.params, &self.shared.ask, &self.session).await {
                Ok(proxy) => self.proxy = Some(Box::new(proxy)),
                Err((reply, class)) => {
                    self.session.classes |= class;
                    return Ok(Some(reply));
                }
            }
        } else {
            let opened = if self.session.stand_alone {
                Queue::postdrop(self.params).await
            } else {
                let flags = self.cleanup_flags();
                Queue::cleanup(&self.shared.cleanup, self.params.ipc_timeout, flags).await
            };
            match opened {
                Ok(mut queue) => {
                    self.session.mail.queue_id = Some(queue.id().to_vec());
                    queue.envelope(&self.session, self.params);
                    self.queue = Some(queue);
                }
                Err(err) => {
                    let what = if self.session.stand_alone {
                        "execute postdrop"
                    } else {
                        "connect to the cleanup service"
                    };
                    self.warn(format!("unable to {what}: {err}"));
                    self.session.classes |= Classes::RESOURCE;
                    return Ok(Some(b"451 4.3.0 Error: queue file write error".to_vec()));
                }
            }
        }
        self.info(&logline::client(&self.session));
        Ok(None)
    }
}

/// Finds the one address in a path or something like it. `None`: more than one, or what strict rules do not allow.
fn find_address(argument: &[u8], strict: bool) -> Option<Vec<u8>> {
    let text = match argument {
        [b'<', inner @ .., b'>'] => inner,
        other => other,
    };
    // A source route: only its end counts.
    let text = match text {
        [b'@', ..] => memchr::memchr(b':', text)
            .and_then(|colon| text.get(colon + 1..))
            .unwrap_or(text),
        _ => text,
    };
    let parts = pf_address::parse(text);
    let mut found = None;
    let mut count = 0;
    let mut others = 0;
    for part in &parts {
        match part {
            Part::Address(address) => {
                found = Some(address);
                count += 1;
            }
            Part::Op(b'<' | b'>') => {}
            _ => others += 1,
        }
    }
    if count > 1 || (strict && (others > 0 || argument.first() != Some(&b'<'))) {
        return None;
    }
    Some(found.map(|address| address.internal()).unwrap_or_default())
}

#[cfg(test)]
mod unit {
    use super::find_address;

    #[test]
    fn addresses_in_paths() {
        let find = |text: &str| {
            find_address(text.as_bytes(), false).map(|found| String::from_utf8(found).unwrap())
        };
        assert_eq!(find("<a@b>").as_deref(), Some("a@b"));
        assert_eq!(find("a@b").as_deref(), Some("a@b"));
        assert_eq!(find("<>").as_deref(), Some(""));
        assert_eq!(find("<@x,@y:a@b>").as_deref(), Some("a@b"));
        assert_eq!(find("<\"a b\"@c>").as_deref(), Some("a b@c"));
        assert_eq!(find("<@:@>").as_deref(), Some("@"));
        assert_eq!(find("<a@b, c@d>"), None);
        assert_eq!(find_address(b"a@b", true), None);
        assert_eq!(find_address(b"<a@b (x)>", true), None);
    }
}
