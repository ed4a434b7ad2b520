//! `RCPT TO`.

use pf_proto::cleanup::Status;

use super::{Done, Next, Talk};
use crate::access::ask::Ask;
use crate::conn::Transport;
use crate::session::errors::Classes;
use crate::session::rcpt::parse;
use crate::session::token::Token;
use crate::text::text;
use crate::verify::probe_sender;

impl<A: Ask, S: Transport> Talk<'_, A, S> {
    pub(super) async fn rcpt(&mut self, line: &[u8], words: &[Token<'_>]) -> Done {
        if !self.session.in_transaction() {
            return self
                .refuse(Classes::PROTOCOL, "503 5.5.1 Error: need MAIL command")
                .await;
        }
        if self.session.in_bdat() {
            return self
                .refuse(Classes::PROTOCOL, "503 5.5.1 Error: RCPT after BDAT")
                .await;
        }
        let (path, parameters) = match words {
            [_, to, path, parameters @ ..] if to.text.eq_ignore_ascii_case(b"to:") => {
                (path, parameters)
            }
            _ => {
                return self
                    .refuse(Classes::PROTOCOL, "501 5.5.4 Syntax: RCPT TO:<address>")
                    .await;
            }
        };
        if let Some(reply) = self.too_many_recipients().await {
            return self.refuse(Classes::POLICY, reply).await;
        }
        let strict = self.params.strict_envelopes;
        let smtputf8 = self.session.mail.smtputf8;
        let recipient = if path.open {
            None
        } else {
            self.extract_address(path.text, false, strict, smtputf8)
                .await
        };
        let Some(mut recipient) = recipient else {
            return self
                .refuse(Classes::PROTOCOL, "501 5.1.3 Bad recipient address syntax")
                .await;
        };
        let parameters = match parse(self.session.discard_keywords, parameters) {
            Ok(parameters) => parameters,
            Err(refusal) => return self.refusal(refusal).await,
        };
        if self.params.recipient_limit > 0 && self.session.recipients >= self.params.recipient_limit
        {
            self.reply("452 4.5.3 Error: too many recipients").await?;
            self.session.overshoot += 1;
            if self.session.overshoot <= self.params.recipient_overshoot {
                return Ok(Next::Good);
            }
            self.session.classes |= Classes::POLICY;
            return Ok(Next::Bad);
        }
        if let Some(reply) = self.undeclared_utf8(&recipient, "recipient") {
            return self.denied(reply).await;
        }
        if !self.session.stand_alone {
            // A probe for our own probe sender must not end in two servers probing each other.
            if let Some(probe) = probe_sender(self.params, &self.shared.ask, &recipient).await {
                recipient = probe;
            } else if let Some(reply) = self.check().recipient(&recipient).await? {
                return self.denied(reply).await;
            }
        }
        if self.queue.is_none()
            && self.proxy.is_none()
            && let Some(reply) = self.open_queue().await?
        {
            return self.denied(reply).await;
        }
        if let Some(proxy) = &mut self.proxy
            && let Err((reply, class)) = proxy.command(line, b'2').await
        {
            self.session.classes |= class;
            if class == Classes::SOFTWARE {
                // Nobody knows what the filter makes of this transaction.
                self.session.mail.status |= Status::PROXY;
            }
            return self.denied(reply).await;
        }
        self.session.recipients += 1;
        if let Some(queue) = &mut self.queue {
            let original = match &parameters.orcpt {
                Some((kind, address)) => text![kind, ";", address],
                None => {
                    let bare = match path.text {
                        [b'<', inner @ .., b'>'] => inner,
                        other => other,
                    };
                    text!["rfc822;", bare]
                }
            };
            queue.recipient(parameters.notify, &original, &recipient);
            if let Err(err) = queue.flush_full().await {
                self.warn(format!("writing to the cleanup service: {err}"));
            }
        }
        self.session.recipient.get_or_insert(recipient);
        self.good("250 2.1.5 Ok").await
    }
}
