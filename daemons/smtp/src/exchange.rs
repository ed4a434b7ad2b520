//! One message over a session: envelope, content, and what the server says to it.

use pf_delivery::Job;
use pf_dsn::{Dsn, Outcome, Status};
use pf_log::warning;
use pf_proto::deliver::flags;

use crate::body::Stopped;
use crate::connection::Broken;
use crate::envelope;
use crate::params::{Params, VerifyTarget};
use crate::session::Session;
use crate::trouble::{Failure, outcome};
use pf_smtp::reply::Reply;

/// How much of the envelope goes out before answers are read: both sides must not wait for each other with full buffers.
const AHEAD: usize = 16 * 1024;

const MAIL: &str = "sending MAIL FROM";
const RCPT: &str = "sending RCPT TO";
const DATA: &str = "sending DATA command";
const BODY: &str = "sending message body";
const DOT: &str = "sending end of data -- message may be sent more than once";

/// What a session is good for after a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Another message, or a QUIT.
    Ready,
    /// Nothing: a QUIT was sent, or the server waits for something that does not come.
    Gone,
}

/// Recipients, in the order in which the server hears of them, and what became of them.
pub struct Batch<'a> {
    /// Positions in the request.
    pub recipients: &'a [usize],
    /// Those that have an outcome.
    pub done: Vec<(usize, Outcome)>,
    accepted: Vec<usize>,
    answered: usize,
    sender_refused: bool,
    /// The transaction is over without a reset.
    ended: bool,
}

impl<'a> Batch<'a> {
    /// Nothing was sent yet.
    pub fn new(recipients: &'a [usize]) -> Self {
        Self {
            recipients,
            done: Vec::new(),
            accepted: Vec::new(),
            answered: 0,
            sender_refused: false,
            ended: false,
        }
    }

    /// Gives all that have no outcome this one.
    fn settle(&mut self, outcome: &Outcome) {
        for at in self.recipients {
            if !self.done.iter().any(|(other, _)| other == at) {
                self.done.push((*at, outcome.clone()));
            }
        }
        self.accepted.clear();
    }
}

impl Session {
    /// Sends the message.
    ///
    /// # Errors
    /// The session broke; recipients without an outcome have that of the failure.
    pub async fn send(
        &mut self,
        params: &Params,
        job: &Job,
        batch: &mut Batch<'_>,
    ) -> Result<After, Failure> {
        let keep = self.cacheable;
        if let Some(failure) = self.too_large(job) {
            batch.settle(&failure.outcome());
            // Nothing was begun: the server is left without a word.
            return Ok(if keep { After::Ready } else { After::Gone });
        }
        if let Some(failure) = self.check_utf8(&job.request) {
            return Err(failure);
        }
        if self.unproved {
            self.connection.command("RSET");
            // What this process has kept is good as a rule: then the answer is not waited for.
            if self.revived || params.send_xforward || !self.features.pipelining {
                self.flush(params.rset_timeout, MAIL).await?;
                self.proof(params).await?;
            }
        }
        if params.send_xforward {
            self.xforward(params, job).await?;
        }
        let verify = (job.request.flags & flags::PROBE != 0).then_some(params.verify_target);
        self.envelope(params, job, batch, verify).await?;
        if batch.ended {
            return Ok(After::Ready);
        }
        if batch.sender_refused
            || (verify == Some(VerifyTarget::Rcpt))
            || batch.accepted.is_empty() && !self.features.pipelining
        {
            return self.reset(params).await;
        }
        if !self.features.pipelining {
            self.connection.command("DATA");
            self.flush(params.data_init_timeout, DATA).await?;
        }
        let reply = self.reply(params, params.data_init_timeout, DATA).await?;
        if reply.class() != 3 {
            if !batch.accepted.is_empty() {
                let failure = self.said(&reply, "DATA command");
                batch.settle(&failure.outcome());
            }
            return self.reset(params).await;
        }
        if verify.is_some() && !batch.accepted.is_empty() {
            let mut status = self.taken(params, &reply);
            status.dsn = Dsn::new(2, 0, 0);
            batch.settle(&Outcome::Sent(status));
            // There is no way out of DATA but the end of the connection.
            self.spoilt = true;
            return Ok(After::Gone);
        }
        self.message(params, job, batch, keep).await
    }

    /// The content, and the answer to it.
    async fn message(
        &mut self,
        params: &Params,
        job: &Job,
        batch: &mut Batch<'_>,
        keep: bool,
    ) -> Result<After, Failure> {
        if !batch.accepted.is_empty() {
            match self.content(params, job).await {
                Ok(()) => {}
                Err(Stopped::Unsendable(failure)) => {
                    // The server must not take what it has for the whole.
                    self.spoilt = true;
                    batch.settle(&failure.outcome());
                    return Ok(After::Gone);
                }
                Err(Stopped::Broken(Broken::Lost)) => {
                    // The server may have told why before it hung up.
                    let reply = self.listen(params, params.data_done_timeout).await;
                    self.spoilt = true;
                    let reply = reply.map_err(|why| self.lost(why, BODY))?;
                    let failure = self.said(&reply, "end of DATA command");
                    batch.settle(&failure.outcome());
                    return Ok(After::Gone);
                }
                Err(Stopped::Broken(why)) => return Err(self.lost(why, BODY)),
            }
        }
        self.connection.command(".");
        // The last message of a session saves a round trip.
        let leaving = (!keep || self.spoilt) && self.features.pipelining;
        if leaving {
            self.connection.command("QUIT");
        }
        self.flush(params.data_done_timeout, DOT).await?;
        let accepted = std::mem::take(&mut batch.accepted);
        if accepted.is_empty() {
            let _ = self.reply(params, params.data_done_timeout, DOT).await?;
        } else if params.lmtp {
            for at in &accepted {
                let reply = self.reply(params, params.data_done_timeout, DOT).await?;
                let outcome = self.end(params, &reply);
                batch.done.push((*at, outcome));
            }
        } else {
            let reply = self.reply(params, params.data_done_timeout, DOT).await?;
            let outcome = self.end(params, &reply);
            batch
                .done
                .extend(accepted.iter().map(|at| (*at, outcome.clone())));
        }
        if leaving && !params.skip_quit_response {
            let _ = self.listen(params, params.quit_timeout).await;
        }
        Ok(if leaving { After::Gone } else { After::Ready })
    }

    /// MAIL and RCPT, with pipelining also DATA; the answers to MAIL and RCPT.
    async fn envelope(
        &mut self,
        params: &Params,
        job: &Job,
        batch: &mut Batch<'_>,
        verify: Option<VerifyTarget>,
    ) -> Result<(), Failure> {
        let request = &job.request;
        let downgrade = self.downgrades(params, job);
        let sender = self.address(params, &request.sender).await?;
        let mail = envelope::mail(&self.features, request, &sender, downgrade);
        self.connection.command(&mail);
        let pipelined = self.features.pipelining;
        if !pipelined {
            self.flush(params.mail_timeout, MAIL).await?;
            self.sender_answer(params, batch).await?;
        }
        let mut sender_answered = !pipelined;
        let recipients = batch.recipients;
        for (number, at) in recipients.iter().enumerate() {
            if !pipelined && batch.sender_refused {
                return Ok(());
            }
            let Some(recipient) = request.recipients.get(*at) else {
                continue;
            };
            let address = self.address(params, &recipient.address).await?;
            let rcpt = envelope::rcpt(&self.features, request, recipient, &address);
            self.connection.command(&rcpt);
            if pipelined && self.connection.output().len() < AHEAD {
                continue;
            }
            self.flush(params.rcpt_timeout, RCPT).await?;
            if !sender_answered {
                sender_answered = true;
                self.sender_answer(params, batch).await?;
                if batch.sender_refused {
                    // The answers to what is on its way are of no interest, but they come first.
                    while batch.answered <= number {
                        self.recipient_answer(params, verify, batch).await?;
                    }
                    return Ok(());
                }
            }
            while batch.answered <= number {
                self.recipient_answer(params, verify, batch).await?;
            }
        }
        if !pipelined {
            return Ok(());
        }
        let ask = verify != Some(VerifyTarget::Rcpt);
        if ask {
            self.connection.command("DATA");
        }
        self.flush(params.data_init_timeout, if ask { DATA } else { RCPT })
            .await?;
        if !sender_answered {
            self.sender_answer(params, batch).await?;
        }
        while batch.answered < recipients.len() {
            self.recipient_answer(params, verify, batch).await?;
        }
        if ask && batch.sender_refused {
            let reply = self.reply(params, params.data_init_timeout, DATA).await?;
            if reply.class() == 3 {
                batch.ended = true;
                // The server waits for content that nobody would get.
                self.connection.command(".");
                self.flush(params.data_done_timeout, DOT).await?;
                let _ = self.reply(params, params.data_done_timeout, DOT).await?;
            }
        }
        Ok(())
    }

    async fn sender_answer(
        &mut self,
        params: &Params,
        batch: &mut Batch<'_>,
    ) -> Result<(), Failure> {
        if self.unproved {
            self.proof(params).await?;
        }
        let reply = self.reply(params, params.mail_timeout, MAIL).await?;
        if reply.class() != 2 {
            let failure = self.said(&reply, "MAIL FROM command");
            batch.settle(&failure.outcome());
            batch.sender_refused = true;
        }
        Ok(())
    }

    async fn recipient_answer(
        &mut self,
        params: &Params,
        verify: Option<VerifyTarget>,
        batch: &mut Batch<'_>,
    ) -> Result<(), Failure> {
        let reply = self.reply(params, params.rcpt_timeout, RCPT).await?;
        let at = batch.recipients.get(batch.answered).copied();
        batch.answered += 1;
        let Some(at) = at.filter(|_| !batch.sender_refused) else {
            return Ok(());
        };
        if reply.class() != 2 {
            let failure = self.said(&reply, "RCPT TO command");
            batch.done.push((at, failure.outcome()));
        } else if verify == Some(VerifyTarget::Rcpt) {
            let status = self.taken(params, &reply);
            batch.done.push((at, Outcome::Sent(status)));
        } else {
            batch.accepted.push(at);
        }
        Ok(())
    }

    /// What the server said to a command, for all recipients that it concerns.
    fn said(&mut self, reply: &Reply, command: &str) -> Failure {
        self.note_code(reply);
        let text = format!(
            "host {} said: {} (in reply to {command})",
            self.title, reply.text
        );
        let failure = Failure::said(&self.host, reply, reply.dsn, &text);
        Failure {
            throttle: false,
            ..failure
        }
    }

    fn end(&mut self, params: &Params, reply: &Reply) -> Outcome {
        if reply.class() == 2 {
            Outcome::Sent(self.taken(params, reply))
        } else {
            outcome(self.said(reply, "end of DATA command").status)
        }
    }

    fn taken(&self, params: &Params, reply: &Reply) -> Status {
        let mut status = Status::new(reply.dsn, reply.text.clone());
        status.diagnostic = Some(("smtp".to_owned(), reply.text.clone().into_bytes()));
        status.remote = Some(("dns".to_owned(), self.host.clone()));
        let last_station = params.lmtp && params.final_delivery && !self.features.dsn;
        status.action = Some(if last_station { "delivered" } else { "relayed" }.to_owned());
        status
    }

    fn too_large(&self, job: &Job) -> Option<Failure> {
        let limit = self.features.size_limit;
        let size = u64::try_from(job.request.data_size).unwrap_or(0);
        (limit > 0 && size > limit).then(|| {
            Failure::message(
                Dsn::new(5, 3, 4),
                format!(
                    "message size {size} exceeds size limit {limit} of server {}",
                    self.title
                ),
            )
        })
    }

    pub(crate) fn downgrades(&self, params: &Params, job: &Job) -> bool {
        !params.disable_conversion && !self.features.eightbit && job.request.encoding != b"7bit"
    }

    /// An address as it stands between angle brackets.
    async fn address(&mut self, params: &Params, internal: &[u8]) -> Result<String, Failure> {
        let mapped = match params.generic.map(internal).await {
            Ok(mapped) => mapped,
            Err(_) => {
                warning!("{}generic_maps map lookup problem", params.name(""));
                return Err(self.lost(Broken::Local, MAIL));
            }
        };
        // The null sender is no empty local part.
        let shown = if params.quote_envelope && !mapped.is_empty() {
            pf_address::quote_821(&mapped).into_owned()
        } else {
            mapped
        };
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    async fn xforward(&mut self, params: &Params, job: &Job) -> Result<(), Failure> {
        for line in envelope::xforward(&self.features, &job.request) {
            let first = ["NAME", "ADDR", "PORT"]
                .iter()
                .any(|name| line.contains(&format!(" {name}=")));
            let (state, request) = if first {
                (
                    "sending XFORWARD name/address",
                    "XFORWARD name/address command",
                )
            } else {
                (
                    "sending XFORWARD protocol/helo_name",
                    "XFORWARD helo/protocol command",
                )
            };
            self.connection.command(&line);
            self.flush(params.xforward_timeout, state).await?;
            let reply = self.reply(params, params.xforward_timeout, state).await?;
            if reply.class() != 2 {
                warning!(
                    "host {} said: {} (in reply to {request})",
                    self.relay,
                    reply.text
                );
            }
        }
        Ok(())
    }

    /// Makes the session ready for another message after one that was refused.
    async fn reset(&mut self, params: &Params) -> Result<After, Failure> {
        self.connection.command("RSET");
        let state = "sending final RSET";
        // All recipients have their outcome: a server that goes now does no harm.
        if self.flush(params.rset_timeout, state).await.is_err() {
            return Ok(After::Gone);
        }
        match self.reply(params, params.rset_timeout, state).await {
            Ok(_) => Ok(After::Ready),
            Err(_) => Ok(After::Gone),
        }
    }
}
