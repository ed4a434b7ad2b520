//! What the client is told.

use super::{Done, Next, Talk};
use crate::access::ask::{Answer, Ask, TextTable};
use crate::conn::{Stop, Transport};
use crate::expand::{footer, session_value};
use crate::session::errors::Classes;
use crate::session::reply::{Refusal, wire};
use crate::text::text;

impl<A: Ask, S: Transport> Talk<'_, A, S> {
    /// Sends a reply, which may have many lines; may be late when the client made many mistakes.
    pub(super) async fn reply(&mut self, reply: impl AsRef<[u8]>) -> Result<(), Stop> {
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
    pub(super) async fn filter_reply(&self, mut reply: Vec<u8>) -> Vec<u8> {
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
    pub(super) async fn refuse(&mut self, class: Classes, reply: impl AsRef<[u8]>) -> Done {
        self.session.classes |= class;
        self.reply(reply).await?;
        Ok(Next::Bad)
    }

    pub(super) async fn refusal(&mut self, refusal: Refusal) -> Done {
        self.refuse(refusal.class, refusal.reply).await
    }

    /// Refuses a command as the restrictions say.
    pub(super) async fn denied(&mut self, reply: Vec<u8>) -> Done {
        self.reply(reply).await?;
        Ok(Next::Bad)
    }

    pub(super) async fn good(&mut self, reply: impl AsRef<[u8]>) -> Done {
        self.reply(reply).await?;
        Ok(Next::Good)
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
