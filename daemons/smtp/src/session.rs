//! One session with one server: the handshake, and messages one after another.

use std::time::{Duration, Instant};

use pf_delivery::{Content, Job};
use pf_dsn::{Dsn, Notify, Outcome, Ret, Status};
use pf_record::sendopts;

use crate::body::{Body, Source};
use crate::connection::{Broken, Connection, Link};
use crate::dialogue::{Features, Reply};
use crate::params::Params;

/// How much content is sent with one write.
const CHUNK: usize = 64 * 1024;

/// A session whose handshake is done.
pub struct Session {
    connection: Connection,
    /// What the server can do.
    pub features: Features,
    /// `host[address]`, or the path of a local socket.
    pub title: String,
    /// What the log calls the server.
    pub relay: String,
    /// The server's name alone, for reports.
    pub host: String,
    /// How many messages it has carried.
    pub used: u32,
    /// When it was made.
    pub made: Instant,
    quit_timeout: Duration,
}

/// Why there is no session, or no more.
pub struct Failure {
    /// What the sender is told, if nobody else takes the mail.
    pub outcome: Outcome,
}

fn broken(why: Broken, title: &str, state: &str) -> Failure {
    let text = match why {
        Broken::Lost => format!("lost connection with {title} while {state}"),
        Broken::TimedOut => format!("conversation with {title} timed out while {state}"),
    };
    Failure {
        outcome: Outcome::Defer(Status::new(Dsn::new(4, 4, 2), text)),
    }
}

impl Session {
    /// Does the handshake on a fresh connection. `discard`: the features that are passed over.
    ///
    /// # Errors
    /// The server does not want us, or is none.
    pub async fn open(
        params: &Params,
        link: Link,
        title: String,
        relay: String,
        host: String,
        discard: &str,
    ) -> Result<Self, Failure> {
        let mut connection = Connection::new(link);
        let greeting = connection
            .reply(params.helo_timeout)
            .await
            .map_err(|why| broken(why, &title, "receiving the initial server greeting"))?;
        if greeting.class() != 2 {
            return Err(refused(params, &greeting, &title));
        }
        let verb = if params.lmtp { "LHLO" } else { "EHLO" };
        let announces = greeting
            .text
            .split_ascii_whitespace()
            .any(|word| word == "ESMTP");
        let extended = params.lmtp || ((params.always_ehlo || announces) && !params.never_ehlo);
        let mut features = Features::default();
        let mut greeted = false;
        if extended {
            let reply = hello(params, &mut connection, &title, verb).await?;
            if reply.class() == 2 {
                features = Features::parse(&reply, discard, &params.myhostname);
                greeted = true;
            } else if params.lmtp || reply.class() != 5 {
                return Err(refused(params, &reply, &title));
            }
        }
        if !greeted {
            let reply = hello(params, &mut connection, &title, "HELO").await?;
            if reply.class() != 2 {
                return Err(refused(params, &reply, &title));
            }
        }
        if features.loops && !params.lmtp {
            let text = format!("mail for {host} loops back to myself");
            return Err(Failure {
                outcome: Outcome::Bounce(Status::new(Dsn::new(5, 4, 6), text)),
            });
        }
        if params.tls_mandatory() {
            let text = format!("TLS is required, but was not offered by host {title}");
            return Err(Failure {
                outcome: Outcome::Defer(Status::new(Dsn::new(4, 7, 4), text)),
            });
        }
        Ok(Self {
            connection,
            features,
            title,
            relay,
            host,
            used: 0,
            made: Instant::now(),
            quit_timeout: params.quit_timeout,
        })
    }

    /// Whether the server has gone, or spoke unasked.
    pub fn is_stale(&self) -> bool {
        self.connection.is_stale()
    }

    /// Takes leave, without waiting for the answer.
    pub async fn quit(mut self) {
        self.connection.command("QUIT");
        // A server that does not take our leave is none of our worries.
        let _ = self.connection.flush(self.quit_timeout).await;
    }

    /// Sends the message to these recipients of the job.
    ///
    /// # Errors
    /// The session broke; the outcome is that of all recipients that have none yet, which `done` leaves out.
    pub async fn send(
        &mut self,
        params: &Params,
        job: &Job,
        recipients: &[usize],
        done: &mut Vec<(usize, Outcome)>,
        last_use: bool,
    ) -> Result<bool, Failure> {
        if let Some(outcome) = self.cannot_carry(job) {
            done.extend(recipients.iter().map(|at| (*at, outcome.clone())));
            return Ok(true);
        }
        self.used += 1;
        if params.send_xforward && !self.features.xforward.is_empty() {
            self.xforward(params, job).await?;
        }
        let pipelined = self.features.pipelining;
        let mail = self.mail_command(params, job);
        self.connection.command(&mail);
        if !pipelined {
            self.flush(params.mail_timeout, "sending MAIL FROM").await?;
            let reply = self.reply(params.mail_timeout, "sending MAIL FROM").await?;
            if reply.class() != 2 {
                self.refuse_all(recipients, done, &reply, "MAIL FROM command");
                return self.reset(params).await;
            }
        }
        let mut accepted = Vec::new();
        for at in recipients {
            let command = self.rcpt_command(params, job, *at);
            self.connection.command(&command);
            if !pipelined {
                self.flush(params.rcpt_timeout, "sending RCPT TO").await?;
                let reply = self.reply(params.rcpt_timeout, "sending RCPT TO").await?;
                self.note_recipient(*at, &reply, &mut accepted, done);
            }
        }
        if !pipelined && accepted.is_empty() {
            return self.reset(params).await;
        }
        self.connection.command("DATA");
        self.flush(params.data_init_timeout, "sending DATA command")
            .await?;
        let mut mail_refused = None;
        if pipelined {
            let reply = self.reply(params.mail_timeout, "sending MAIL FROM").await?;
            if reply.class() != 2 {
                mail_refused = Some(reply);
            }
            for at in recipients {
                let reply = self.reply(params.rcpt_timeout, "sending RCPT TO").await?;
                if mail_refused.is_none() {
                    self.note_recipient(*at, &reply, &mut accepted, done);
                }
            }
        }
        let reply = self
            .reply(params.data_init_timeout, "sending DATA command")
            .await?;
        if let Some(refusal) = mail_refused {
            self.refuse_all(recipients, done, &refusal, "MAIL FROM command");
        }
        if reply.class() != 3 {
            self.refuse_all(&accepted, done, &reply, "DATA command");
            return self.reset(params).await;
        }
        if accepted.is_empty() {
            // The server waits for content that nobody would get.
            self.connection.command(".");
            self.flush(
                params.data_done_timeout,
                "sending end of data -- message may be sent more than once",
            )
            .await?;
            self.reply(
                params.data_done_timeout,
                "sending end of data -- message may be sent more than once",
            )
            .await?;
            return Ok(true);
        }
        self.content(params, job).await?;
        self.connection.command(".");
        // The last message of a session saves a round trip.
        let leaving = last_use && pipelined;
        if leaving {
            self.connection.command("QUIT");
        }
        let state = "sending end of data -- message may be sent more than once";
        self.flush(params.data_done_timeout, state).await?;
        if params.lmtp {
            for at in &accepted {
                let reply = self.reply(params.data_done_timeout, state).await?;
                self.note_end(*at, &reply, done);
            }
        } else {
            let reply = self.reply(params.data_done_timeout, state).await?;
            for at in &accepted {
                self.note_end(*at, &reply, done);
            }
        }
        if leaving && !params.skip_quit_response {
            let _ = self.connection.reply(params.quit_timeout).await;
        }
        Ok(!leaving)
    }

    fn note_recipient(
        &self,
        at: usize,
        reply: &Reply,
        accepted: &mut Vec<usize>,
        done: &mut Vec<(usize, Outcome)>,
    ) {
        if reply.class() == 2 {
            accepted.push(at);
        } else {
            done.push((at, self.refusal(reply, "RCPT TO command")));
        }
    }

    fn note_end(&self, at: usize, reply: &Reply, done: &mut Vec<(usize, Outcome)>) {
        let outcome = if reply.class() == 2 {
            let mut status = Status::new(reply.dsn(), reply.text.clone());
            status.diagnostic = Some(("smtp".to_owned(), reply.text.clone().into_bytes()));
            status.remote = Some(("dns".to_owned(), self.host.clone()));
            // Who takes DSN requests reports success itself.
            status.action = (!self.features.dsn).then(|| "relayed".to_owned());
            Outcome::Sent(status)
        } else {
            self.refusal(reply, "end of DATA command")
        };
        done.push((at, outcome));
    }

    fn refuse_all(
        &self,
        recipients: &[usize],
        done: &mut Vec<(usize, Outcome)>,
        reply: &Reply,
        command: &str,
    ) {
        done.extend(
            recipients
                .iter()
                .map(|at| (*at, self.refusal(reply, command))),
        );
    }

    /// What a refusal means: a 5xx is final, everything else is tried again.
    fn refusal(&self, reply: &Reply, command: &str) -> Outcome {
        let mut status = reply.refusal(&self.title, command);
        status.remote = Some(("dns".to_owned(), self.host.clone()));
        if reply.class() == 5 {
            Outcome::Bounce(status)
        } else if reply.class() == 4 {
            Outcome::Defer(status)
        } else {
            Outcome::Defer(Status {
                dsn: Dsn::new(4, 5, 0),
                ..status
            })
        }
    }

    /// Why this server cannot get this message at all.
    fn cannot_carry(&self, job: &Job) -> Option<Outcome> {
        let request = &job.request;
        let needs = i64::from(request.sendopts);
        let utf8 = needs & sendopts::SMTPUTF8_DERIVED != 0;
        if utf8 && !self.features.smtputf8 {
            let text = format!(
                "SMTPUTF8 is required, but was not offered by host {}",
                self.title
            );
            return Some(Outcome::Bounce(Status::new(Dsn::new(5, 6, 7), text)));
        }
        let limit = self.features.size_limit;
        let size = u64::try_from(request.data_size).unwrap_or(0);
        if limit > 0 && size > limit {
            let text = format!(
                "message size {size} exceeds size limit {limit} of server {}",
                self.title
            );
            return Some(Outcome::Bounce(Status::new(Dsn::new(5, 3, 4), text)));
        }
        None
    }

    fn mail_command(&self, params: &Params, job: &Job) -> String {
        let request = &job.request;
        let mut line = format!("MAIL FROM:<{}>", path(params, &request.sender));
        if self.features.size {
            line.push_str(&format!(" SIZE={}", request.data_size));
        }
        if self.features.eightbit && request.encoding == b"8bit" {
            line.push_str(" BODY=8BITMIME");
        }
        if self.features.dsn {
            match Ret::from_bits(request.ret).unwrap_or_default() {
                Ret::Full => line.push_str(" RET=FULL"),
                Ret::Hdrs => line.push_str(" RET=HDRS"),
                Ret::None => {}
            }
            if !request.envid.is_empty() {
                let envid = pf_text::xtext::encode(&request.envid);
                line.push_str(&format!(" ENVID={}", String::from_utf8_lossy(&envid)));
            }
        }
        if self.features.smtputf8 && i64::from(request.sendopts) & sendopts::SMTPUTF8_ALL != 0 {
            line.push_str(" SMTPUTF8");
        }
        line
    }

    fn rcpt_command(&self, params: &Params, job: &Job, at: usize) -> String {
        let Some(recipient) = job.request.recipients.get(at) else {
            return "NOOP".to_owned();
        };
        let mut line = format!("RCPT TO:<{}>", path(params, &recipient.address));
        if self.features.dsn {
            let notify = Notify::from_bits(recipient.dsn_notify).unwrap_or_default();
            if !recipient.dsn_original.is_empty() {
                let (kind, address) =
                    match recipient.dsn_original.iter().position(|byte| *byte == b';') {
                        Some(semicolon) => recipient.dsn_original.split_at(semicolon + 1),
                        None => (&b"rfc822;"[..], recipient.dsn_original.as_slice()),
                    };
                let coded = pf_text::xtext::encode(address);
                line.push_str(&format!(
                    " ORCPT={}{}",
                    String::from_utf8_lossy(kind),
                    String::from_utf8_lossy(&coded)
                ));
            } else if !recipient.original.is_empty() {
                let coded = pf_text::xtext::encode(&pf_address::quote_822(&recipient.original));
                line.push_str(&format!(
                    " ORCPT=rfc822;{}",
                    String::from_utf8_lossy(&coded)
                ));
            }
            if !notify.is_none() {
                line.push_str(&format!(" NOTIFY={notify}"));
            }
        }
        line
    }

    async fn xforward(&mut self, params: &Params, job: &Job) -> Result<(), Failure> {
        let request = &job.request;
        let source: &[u8] = match request.rewrite_context.as_slice() {
            b"local" => b"LOCAL",
            _ => b"REMOTE",
        };
        let known: [(&str, &[u8]); 7] = [
            ("NAME", &request.client_name),
            ("ADDR", &request.client_address),
            ("PORT", &request.client_port),
            ("PROTO", &request.client_protocol),
            ("HELO", &request.client_helo),
            ("IDENT", &request.log_ident),
            ("SOURCE", source),
        ];
        let mut line = "XFORWARD".to_owned();
        for (name, value) in known {
            if !self.features.xforward.iter().any(|offered| offered == name) {
                continue;
            }
            let value = if value.is_empty() {
                b"[UNAVAILABLE]".to_vec()
            } else {
                pf_text::xtext::encode(value)
            };
            let word = format!(" {name}={}", String::from_utf8_lossy(&value));
            // The command line has a limit of 512 bytes.
            if line.len() + word.len() > 500 {
                self.connection
                    .command(&std::mem::replace(&mut line, "XFORWARD".to_owned()));
                self.flush(params.xforward_timeout, "sending XFORWARD command")
                    .await?;
                self.reply(params.xforward_timeout, "sending XFORWARD command")
                    .await?;
            }
            line.push_str(&word);
        }
        if line != "XFORWARD" {
            self.connection.command(&line);
            self.flush(params.xforward_timeout, "sending XFORWARD command")
                .await?;
            self.reply(params.xforward_timeout, "sending XFORWARD command")
                .await?;
        }
        Ok(())
    }

    async fn content(&mut self, params: &Params, job: &Job) -> Result<(), Failure> {
        let damaged = |err: &dyn std::fmt::Display| {
            pf_log::warning!("{}: {err}", job.queue_id());
            Failure {
                outcome: Outcome::Defer(Status::new(Dsn::new(4, 3, 0), "unreadable queue file")),
            }
        };
        let content =
            Content::new(&job.file, job.request.data_offset).map_err(|err| damaged(&err))?;
        let downgrade = !self.features.eightbit
            && job.request.encoding == b"8bit"
            && !params.disable_conversion;
        let mut source = if downgrade {
            Source::downgraded(content)
        } else {
            Source::plain(content)
        };
        let mut body = Body::new(params.line_length_limit);
        loop {
            let more = source
                .fill(&mut body, self.connection.output(), CHUNK)
                .map_err(|err| damaged(&err))?;
            if !more {
                // The end goes out together with the final dot.
                body.end(self.connection.output());
                return Ok(());
            }
            self.flush(params.data_xfer_timeout, "sending message body")
                .await?;
        }
    }

    /// Makes the session ready for another message after one that was refused.
    async fn reset(&mut self, params: &Params) -> Result<bool, Failure> {
        self.connection.command("RSET");
        let state = "sending RSET";
        if self.flush(params.rset_timeout, state).await.is_err() {
            return Ok(false);
        }
        Ok(matches!(self.reply(params.rset_timeout, state).await, Ok(reply) if reply.class() == 2))
    }

    async fn flush(&mut self, limit: Duration, state: &str) -> Result<(), Failure> {
        self.connection
            .flush(limit)
            .await
            .map_err(|why| broken(why, &self.title, state))
    }

    async fn reply(&mut self, limit: Duration, state: &str) -> Result<Reply, Failure> {
        let reply = self
            .connection
            .reply(limit)
            .await
            .map_err(|why| broken(why, &self.title, state))?;
        // The server is about to hang up, whatever it was asked.
        if reply.code == 421 {
            let mut status = Status::new(
                reply.dsn(),
                format!("host {} said: {}", self.title, reply.text),
            );
            status.diagnostic = Some(("smtp".to_owned(), reply.text.into_bytes()));
            return Err(Failure {
                outcome: Outcome::Defer(status),
            });
        }
        Ok(reply)
    }
}

/// An address between angle brackets.
fn path(params: &Params, address: &[u8]) -> String {
    if params.quote_envelope {
        String::from_utf8_lossy(&pf_address::quote_821(address)).into_owned()
    } else {
        String::from_utf8_lossy(address).into_owned()
    }
}

async fn hello(
    params: &Params,
    connection: &mut Connection,
    title: &str,
    verb: &str,
) -> Result<Reply, Failure> {
    let state = format!("performing the {verb} handshake");
    connection.command(&format!("{verb} {}", params.helo_name));
    connection
        .flush(params.helo_timeout)
        .await
        .map_err(|why| broken(why, title, &state))?;
    connection
        .reply(params.helo_timeout)
        .await
        .map_err(|why| broken(why, title, &state))
}

fn refused(params: &Params, reply: &Reply, title: &str) -> Failure {
    let text = format!("host {title} refused to talk to me: {}", reply.text);
    let mut status = Status::new(reply.dsn(), text);
    status.diagnostic = Some(("smtp".to_owned(), reply.text.clone().into_bytes()));
    // A server that refuses everybody says nothing of these recipients.
    let outcome = if reply.class() == 5 && !params.skip_5xx_greeting {
        Outcome::Bounce(status)
    } else {
        Outcome::Defer(Status {
            dsn: status.dsn.with_class(4),
            ..status
        })
    };
    Failure { outcome }
}
