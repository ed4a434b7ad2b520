//! `DATA`, and what a message is made of however it comes.

use std::time::SystemTime;

use pf_proto::cleanup::Status;
use pf_sys::time::{Calendar, seconds};

use super::{Done, Next, Talk};
use crate::access::ask::Ask;
use crate::conn::Transport;
use crate::logline;
use crate::session::content::{Content, Piece, Rules};
use crate::session::errors::Classes;
use crate::session::received::Received;
use crate::session::reply::is_negative;
use crate::session::state::{Protocol, stage};
use crate::session::token::Token;
use crate::text::text;

impl<A: Ask, S: Transport> Talk<'_, A, S> {
    pub(super) async fn data(&mut self, line: &[u8], words: &[Token<'_>]) -> Done {
        if self.session.in_bdat() {
            return self
                .refuse(Classes::PROTOCOL, "503 5.5.1 Error: DATA after BDAT")
                .await;
        }
        if self.session.recipients == 0 {
            return match self.session.in_transaction() {
                false => {
                    self.refuse(Classes::PROTOCOL, "503 5.5.1 Error: need RCPT command")
                        .await
                }
                // With pipelining the client cannot know.
                true => {
                    self.denied(b"554 5.5.1 Error: no valid recipients".to_vec())
                        .await
                }
            };
        }
        if words.len() != 1 {
            return self
                .refuse(Classes::PROTOCOL, "501 5.5.4 Syntax: DATA")
                .await;
        }
        if let Some(reply) = self.unless_local(async |check| check.data().await).await? {
            return self.denied(reply).await;
        }
        if let Some(proxy) = &mut self.proxy
            && let Err((reply, class)) = proxy.command(line, b'3').await
        {
            self.session.classes |= class;
            return self.denied(reply).await;
        }
        let mut content = self.begin_content();
        self.reply("354 End data with <CR><LF>.<CR><LF>").await?;
        self.session.stage = stage::DATA_CONTENT;
        let rate = self.data_rate();
        self.begin();
        loop {
            let mut done = false;
            let queue = &mut self.queue;
            let proxy = &mut self.proxy;
            let reading = self.conn.content(rate, |input| {
                let (used, complete) =
                    content.data(input, |piece, text| match (&mut *queue, &mut *proxy) {
                        (Some(queue), _) => queue.content(piece, text),
                        (None, Some(proxy)) => proxy.content(piece, text),
                        (None, None) => {}
                    });
                done = complete;
                used
            });
            let result = reading.await;
            self.session.mail.actual_size = content.tally.size;
            result?;
            self.pass_on().await;
            if done {
                break;
            }
        }
        self.session.stage = stage::END;
        self.judge_content(&content);
        self.finish().await
    }

    pub(super) fn data_rate(&self) -> u64 {
        u64::try_from(self.params.min_data_rate).unwrap_or(0)
    }

    /// Sends records on, when there are enough of them.
    pub(super) async fn pass_on(&mut self) {
        let failed = match (&mut self.queue, &mut self.proxy) {
            (Some(queue), _) => queue.flush_full().await.is_err().then_some(Status::WRITE),
            (None, Some(proxy)) => proxy.flush_full().await.is_err().then_some(Status::PROXY),
            (None, None) => None,
        };
        if let Some(status) = failed {
            self.session.mail.status |= status;
            // Nobody takes the rest; the client is told at the end.
            self.queue = None;
        }
    }

    /// Takes over what the receiver of content found out.
    pub(super) fn judge_content(&mut self, content: &Content) {
        self.session.mail.actual_size = content.tally.size;
        self.session.bare_lf_noted |= content.tally.bare_lf_noted;
        if content.tally.bare_lf_refused {
            self.session.mail.status |= Status::BARE_LF;
        }
        if content.tally.too_large && !self.session.mail.status.has(Status::SIZE) {
            self.session.mail.status |= Status::SIZE;
            self.warn(text![
                self.session.queue_id(),
                ": queue file size limit exceeded"
            ]);
        }
    }

    /// Ends the envelope, and begins the message with our headers.
    pub(super) fn begin_content(&mut self) -> Content {
        let forwarded = self.session.forwarded.is_some();
        let mut headers = self.session.mail.prepend.clone();
        if self.proxy.is_none() || !forwarded {
            headers.extend(self.received());
        }
        if let Some(queue) = &mut self.queue {
            queue.message(&self.session);
            for line in &headers {
                queue.content(Piece::Line, line);
            }
        } else if let Some(proxy) = &mut self.proxy {
            for line in &headers {
                proxy.content(Piece::Line, line);
            }
        }
        Content::new(Rules {
            line_limit: self.params.line_length_limit,
            size_limit: self.params.message_size_limit,
            bare_lf: self.session.bare_lf,
            keep_dots: self.proxy.is_some(),
        })
    }

    fn received(&self) -> Vec<Vec<u8>> {
        let session = &self.session;
        let esmtp = session.protocol == Protocol::Esmtp;
        let protocol = match (session.mail.smtputf8, esmtp, &session.login) {
            (true, ..) if esmtp && session.login.is_some() => "UTF8SMTPA",
            (true, ..) => "UTF8SMTP",
            (false, true, Some(_)) => "ESMTPA",
            (false, true, None) => "ESMTP",
            (false, false, _) => "SMTP",
        };
        let arrival =
            SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(session.mail.arrival.0);
        let date = Calendar::local(seconds(arrival)).mail_date();
        let recipient = session
            .recipient
            .as_deref()
            .filter(|_| session.recipients == 1)
            .map(pf_address::quote_822);
        Received {
            hide_client: self.params.hide_client_session,
            helo: session.helo.as_deref().unwrap_or(&session.peer.name),
            client_name: &session.peer.name,
            client_address: &session.peer.rfc_address,
            authenticated: session
                .login
                .as_deref()
                .filter(|_| self.params.sasl_authenticated_header),
            hostname: &self.params.myhostname,
            mail_name: &self.params.mail_name,
            protocol,
            queue_id: self.queue.as_ref().map(|_| session.queue_id()),
            recipient: recipient.as_deref(),
            date: &date,
        }
        .lines()
    }

    /// The end of a message, whatever came of it: tells the client, and ends the transaction.
    pub(super) async fn finish(&mut self) -> Done {
        if self.session.mail.status.is_empty()
            && let Some(reply) = self
                .unless_local(async |check| check.end_of_data().await)
                .await?
        {
            self.reply(reply).await?;
            self.flush_history(self.params.history_threshold).await;
            self.reset_transaction().await;
            return Ok(Next::Bad);
        }
        let mut reason = Vec::new();
        let mut proxy_reply = None;
        if let Some(proxy) = &mut self.proxy {
            if self.session.mail.status.is_empty() {
                let (reply, class) = match proxy.command(b".", b'*').await {
                    Ok(reply) => (reply, Classes::NONE),
                    Err((reply, class)) => {
                        self.session.mail.status |= Status::PROXY;
                        (reply, class)
                    }
                };
                self.session.classes |= class;
                if self.session.mail.status.is_empty() && reply.first() != Some(&b'2') {
                    self.session.mail.status |= Status::CONT;
                }
                proxy_reply = Some(reply);
            } else {
                proxy_reply = Some(proxy.last_reply().to_vec());
            }
        } else if self.session.mail.status.is_empty()
            && let Some(mut queue) = self.queue.take()
        {
            queue.trailer(&self.session);
            let verdict = queue.finish().await;
            self.session.mail.status = verdict.status;
            reason = clean(&verdict.reason);
        }
        let status = self.session.mail.status;
        let good = status.is_empty();
        if good {
            self.session.errors = 0;
            self.session.classes = Classes::NONE;
            self.session.junk = 0;
        }
        if status.has(Status::BARE_LF) {
            self.bare_lf_refused().await?;
        } else {
            let (class, reply) = self.end_reply(status, &reason, proxy_reply.as_deref());
            self.session.classes |= class;
            self.reply(reply).await?;
        }
        if let Some(reply) = &proxy_reply {
            self.info(&logline::proxy(&self.session, self.params, good, reply));
        }
        self.flush_history(self.params.history_threshold).await;
        self.reset_transaction().await;
        Ok(if good { Next::Good } else { Next::Bad })
    }

    /// The reply to a message; the most severe trouble counts.
    fn end_reply(&self, status: Status, reason: &[u8], proxy: Option<&[u8]>) -> (Classes, Vec<u8>) {
        let session = &self.session;
        if status.is_empty() {
            let reply = match proxy {
                Some(reply) => reply.to_vec(),
                None if session.in_bdat() => text![
                    "250 2.0.0 Ok: ",
                    session.mail.actual_size.to_string(),
                    " bytes queued as ",
                    session.queue_id()
                ],
                None => text!["250 2.0.0 Ok: queued as ", session.queue_id()],
            };
            return (Classes::NONE, reply);
        }
        if is_negative(reason) {
            return (Classes::POLICY, reason.to_vec());
        }
        let standard = |status: Status| {
            let detail = status.detail();
            text![
                detail.smtp.to_string(),
                " ",
                detail.dsn,
                " Error: ",
                detail.text
            ]
        };
        // The reason may have an enhanced status code of its own.
        let explained = |status: Status| {
            if reason.is_empty() {
                standard(status)
            } else {
                text![status.detail().smtp.to_string(), " ", reason]
            }
        };
        let internal = || {
            let detail = Status::BAD.detail();
            text![
                detail.smtp.to_string(),
                " ",
                detail.dsn,
                " Error: internal error ",
                status.bits().to_string()
            ]
        };
        let filter = || proxy.map_or_else(|| standard(Status::PROXY), <[u8]>::to_vec);
        if status.has(Status::DEFER) {
            (Classes::POLICY, explained(Status::DEFER))
        } else if status.has(Status::BAD) {
            (Classes::SOFTWARE, internal())
        } else if status.has(Status::SIZE) {
            (Classes::BOUNCE, standard(Status::SIZE))
        } else if status.has(Status::HOPS) {
            (Classes::BOUNCE, standard(Status::HOPS))
        } else if status.has(Status::CONT) {
            let reply = if proxy.is_some() {
                filter()
            } else {
                explained(Status::CONT)
            };
            (Classes::POLICY, reply)
        } else if status.has(Status::WRITE) {
            (Classes::RESOURCE, standard(Status::WRITE))
        } else if status.has(Status::PROXY) {
            (Classes::SOFTWARE, filter())
        } else {
            (Classes::SOFTWARE, internal())
        }
    }
}

/// The reason that cleanup gives, fit for a reply.
fn clean(reason: &[u8]) -> Vec<u8> {
    if !is_negative(reason) {
        return pf_text::printable_utf8(reason, b' ').into_owned();
    }
    let lines: Vec<_> = bstr::ByteSlice::split_str(reason, "\r\n")
        .map(|line| pf_text::printable_utf8(line, b' '))
        .collect();
    bstr::join("\r\n", lines)
}

#[cfg(test)]
mod unit {
    use super::clean;

    #[test]
    fn reasons_are_cleaned_line_by_line() {
        assert_eq!(clean(b"5.7.1 a\x01b"), b"5.7.1 a b");
        assert_eq!(clean(b"550-a\x01\r\n550 b"), b"550-a \r\n550 b");
    }
}
