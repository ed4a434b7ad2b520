//! `BDAT`: the message in chunks.

use super::{Done, Next, Talk};
use crate::access::ask::Ask;
use crate::conn::{Stop, Transport};
use crate::session::bdat::{self, BdatState, Chunk};
use crate::session::content::Content;
use crate::session::ehlo::Keywords;
use crate::session::errors::Classes;
use crate::session::state::stage;
use crate::session::token::Token;
use crate::text::text;

/// Postfix takes a chunk in such pieces, in bytes.
const FRAGMENT: u64 = 4096;

impl<A: Ask, S: Transport> Talk<'_, A, S> {
    pub(super) async fn bdat(&mut self, line: &[u8], words: &[Token<'_>]) -> Done {
        if self.session.discard_keywords.has(Keywords::CHUNKING) {
            return self
                .refuse(
                    Classes::PROTOCOL,
                    "521 5.5.1 Error: command not implemented",
                )
                .await;
        }
        let Some(chunk) = bdat::parse(words) else {
            let shown = self.params.printable(line);
            self.warn(text![
                self.session.queue_id(),
                ": malformed BDAT command syntax from ",
                self.session.peer.shown,
                ": ",
                shown.get(..100).unwrap_or(&shown)
            ]);
            return self
                .refuse(Classes::PROTOCOL, "521 5.5.4 Syntax: BDAT count [LAST]")
                .await;
        };
        self.begin();
        if chunk.size == 0 && !chunk.last {
            self.warn(text![
                self.session.queue_id(),
                ": null BDAT request from ",
                self.session.peer.shown
            ]);
            return self.skip(chunk, b"551 5.7.1 Null BDAT request").await;
        }
        if self.session.mail.bdat == BdatState::Failed {
            let reply = format!(
                "551 5.0.0 Discarded {} bytes after earlier error",
                chunk.size
            );
            return self.skip(chunk, reply.as_bytes()).await;
        }
        if !self.session.in_bdat()
            && let Some((class, reply)) = self.refuse_first_chunk().await?
        {
            self.session.classes |= class;
            return self.skip(chunk, &reply).await;
        }
        let limit = self.params.message_size_limit;
        if limit > 0 && self.session.mail.actual_size.saturating_add(chunk.size) > limit {
            self.session.classes |= Classes::POLICY;
            self.warn(text![
                self.session.queue_id(),
                ": BDAT request from ",
                self.session.peer.shown,
                " exceeds message size limit"
            ]);
            return self
                .skip(chunk, b"552 5.3.4 Chunk exceeds message size limit")
                .await;
        }
        if !self.session.in_bdat() {
            let content = self.begin_content();
            self.content = Some(Box::new(content));
        }
        self.session.mail.bdat = BdatState::Taking;
        self.session.stage = stage::BDAT_CONTENT;
        self.take_chunk(chunk).await?;
        if chunk.last {
            self.session.stage = stage::END;
            return self.finish().await;
        }
        if !self.session.mail.status.is_empty() {
            self.finish().await?;
            // The chunks that the client has sent on already are thrown away.
            self.session.mail.bdat = BdatState::Failed;
            return Ok(Next::Bad);
        }
        self.good(format!("250 2.0.0 Ok: {} bytes", chunk.size))
            .await
    }

    /// The first chunk stands for `DATA`; `None`: the message may come.
    pub(super) async fn refuse_first_chunk(&mut self) -> Result<Option<(Classes, Vec<u8>)>, Stop> {
        if self.session.recipients == 0 {
            return Ok(Some(if self.session.in_transaction() {
                (
                    Classes::NONE,
                    b"554 5.5.1 Error: no valid recipients".to_vec(),
                )
            } else {
                (
                    Classes::PROTOCOL,
                    b"503 5.5.1 Error: need RCPT command".to_vec(),
                )
            }));
        }
        if let Some(reply) = self.unless_local(async |check| check.data().await).await? {
            return Ok(Some((Classes::NONE, reply)));
        }
        if let Some(proxy) = &mut self.proxy
            && let Err((reply, class)) = proxy.command(b"DATA", b'3').await
        {
            return Ok(Some((class, reply)));
        }
        Ok(None)
    }

    pub(super) async fn take_chunk(&mut self, chunk: Chunk) -> Result<(), Stop> {
        let Some(mut content) = self.content.take() else {
            return Ok(());
        };
        let rate = self.data_rate();
        let mut left = chunk.size;
        if left == 0 {
            self.put_chunk(&mut content, b"", true);
        }
        while left > 0 {
            let queue = &mut self.queue;
            let proxy = &mut self.proxy;
            let receiver = &mut content;
            let reading = self.conn.content(rate, |input| {
                let used = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                left -= used as u64;
                let end = chunk.last && left == 0;
                let part = input.get(..used).unwrap_or_default();
                receiver.chunk(part, end, |piece, text| match (&mut *queue, &mut *proxy) {
                    (Some(queue), _) => queue.content(piece, text),
                    (None, Some(proxy)) => proxy.content(piece, text),
                    (None, None) => {}
                });
                used
            });
            let result = reading.await;
            self.session.mail.actual_size = content.tally.size;
            if let Err(stop) = result {
                self.session.mail.fragment = (chunk.size - left) % FRAGMENT;
                self.content = Some(content);
                return Err(stop);
            }
            self.pass_on().await;
        }
        self.judge_content(&content);
        self.content = Some(content);
        Ok(())
    }

    pub(super) fn put_chunk(&mut self, content: &mut Content, part: &[u8], end: bool) {
        let queue = &mut self.queue;
        let proxy = &mut self.proxy;
        content.chunk(part, end, |piece, text| match (&mut *queue, &mut *proxy) {
            (Some(queue), _) => queue.content(piece, text),
            (None, Some(proxy)) => proxy.content(piece, text),
            (None, None) => {}
        });
    }

    /// Throws a chunk away and says why; then the next one, until the last.
    pub(super) async fn skip(&mut self, chunk: Chunk, reply: &[u8]) -> Done {
        let so_far = self.session.mail.actual_size;
        let limit = self.params.message_size_limit;
        let allowed = bdat::skip_allowed(so_far, chunk.size, limit);
        if let Some(total) = allowed {
            self.session.mail.actual_size = total;
            let mut left = chunk.size;
            while left > 0 {
                let rate = self.data_rate();
                self.conn
                    .content(rate, |input| {
                        let used = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                        left -= used as u64;
                        used
                    })
                    .await?;
            }
        }
        self.reply(reply).await?;
        if allowed.is_none() {
            self.warn(text![
                self.session.queue_id(),
                ": too much BDAT content -- disabling further input from ",
                self.session.peer.shown
            ]);
            self.conn.close_input();
        }
        if chunk.last {
            self.flush_history(self.params.history_threshold).await;
            self.reset_transaction().await;
        } else {
            self.session.mail.bdat = BdatState::Failed;
        }
        Ok(Next::Bad)
    }
}
