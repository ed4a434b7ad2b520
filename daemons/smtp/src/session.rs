//! One session with one server: the greeting and what it can do.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use pf_dsn::Dsn;
use pf_log::{info, warning};
use pf_proto::deliver::DeliveryRequest;
use pf_record::sendopts;

use crate::connection::{Broken, Connection, Link, Listening};
use crate::features::Features;
use crate::params::Params;
use crate::server::{Place, Server};
use crate::trouble::Failure;
use pf_smtp::reply::Reply;

/// A session whose handshake is done.
pub struct Session {
    pub(crate) connection: Connection,
    /// What the server can do.
    pub features: Features,
    /// `host[address]`, or the path of a local socket.
    pub title: String,
    /// What the log calls the server.
    pub relay: String,
    /// The server's name alone, for reports.
    pub host: String,
    /// The queue id of the message in hand.
    pub(crate) id: String,
    /// Where the server is.
    pub place: Place,
    /// The server is among the best ones of its destination.
    pub best: bool,
    /// How often it was used again.
    pub reuses: u32,
    /// It may be kept for another message.
    pub cacheable: bool,
    /// It was kept, and whether the server still is there was not heard yet.
    pub(crate) unproved: bool,
    /// It comes from another process.
    pub revived: bool,
    dead: bool,
    /// When it was made.
    pub made: Instant,
    /// The server, or what it said, is no good for another message.
    pub spoilt: bool,
    /// The postmaster may want to know what was said (`notify_classes` with `protocol`, and with `data`).
    pub protocol_trouble: bool,
    pub data_trouble: bool,
    /// A firewall that cannot cope with a dot at the start of a packet.
    pub delay_dot: bool,
    /// The log has a line already about lines that were broken.
    pub(crate) line_broken: bool,
}

/// What is broken, in the words of the log.
pub(crate) fn broken(why: Broken, title: &str, state: &str) -> Failure {
    match why {
        Broken::Lost => Failure::local(
            Dsn::new(4, 4, 2),
            format!("lost connection with {title} while {state}"),
        ),
        Broken::TimedOut => Failure::local(
            Dsn::new(4, 4, 2),
            format!("conversation with {title} timed out while {state}"),
        ),
        Broken::Local => Failure::local(
            Dsn::new(4, 3, 0),
            format!("local data error while talking to {title}"),
        ),
    }
}

impl Session {
    /// A session on a fresh connection; [`greet`](Self::greet) does the handshake.
    pub fn new(params: &Params, link: Link, server: &Server) -> Self {
        let connection = Connection::new(link);
        let (host, place) = (server.host.clone(), server.at.clone());
        Self::with(params, connection, host, place, server.best)
    }

    /// A session on a connection to this server.
    pub fn with(
        params: &Params,
        mut connection: Connection,
        host: String,
        place: Place,
        best: bool,
    ) -> Self {
        connection.history = params.keeps_history().then(Vec::new);
        Self {
            connection,
            features: Features::default(),
            title: place.title(&host),
            relay: place.relay(&host),
            host,
            place,
            best,
            id: String::new(),
            reuses: 0,
            cacheable: false,
            unproved: false,
            revived: false,
            dead: false,
            made: Instant::now(),
            spoilt: false,
            protocol_trouble: false,
            data_trouble: false,
            delay_dot: false,
            line_broken: false,
        }
    }

    /// A kept session, for another message.
    pub fn again(mut self) -> Self {
        self.reuses = self.reuses.saturating_add(1);
        self.unproved = true;
        self.line_broken = false;
        if let Some(history) = &mut self.connection.history {
            history.clear();
        }
        self
    }

    /// The address alone.
    pub fn address_text(&self) -> String {
        self.place.text()
    }

    /// Whether it was used for long enough, or often enough.
    pub fn is_worn(&self, params: &Params) -> bool {
        self.made.elapsed() > params.reuse_time
            || (params.reuse_count > 0 && self.reuses >= params.reuse_count)
    }

    /// Whether a kept session had ended before anything could be done with it.
    pub fn is_dead(&self) -> bool {
        self.dead
    }

    /// The answer to the command that tells whether a kept session still is good.
    pub(crate) async fn proof(&mut self, params: &Params) -> Result<(), Failure> {
        let reply = self.listen(params, params.rset_timeout).await;
        let good = reply.is_ok_and(|reply| reply.class() == 2);
        self.unproved = false;
        self.dead = !good;
        if good {
            Ok(())
        } else {
            Err(broken(Broken::Lost, &self.title, "sending RSET probe"))
        }
    }

    /// The descriptor, unless the server said something unasked.
    pub fn into_fd(self) -> Option<OwnedFd> {
        self.connection.into_fd()
    }

    /// Why the message cannot be sent to this server as far as its addresses are concerned: it needs SMTPUTF8, which the server
    /// has not.
    pub fn check_utf8(&mut self, request: &DeliveryRequest) -> Option<Failure> {
        let needs = i64::from(request.sendopts);
        let required =
            needs & sendopts::SMTPUTF8_REQUESTED != 0 && needs & sendopts::SMTPUTF8_DERIVED != 0;
        if required && !self.features.smtputf8 {
            self.spoilt = true;
            let text = format!(
                "message requires SMTPUTF8, but no server was found that supports SMTPUTF8. The last attempted server was {}",
                self.title
            );
            return Some(Failure {
                next_server: true,
                ..Failure::message(Dsn::new(5, 6, 7), text)
            });
        }
        if self.features.smtputf8 && !self.features.eightbit {
            info!(
                "host {} offers SMTPUTF8 support, but not 8BITMIME",
                self.title
            );
            self.features.eightbit = true;
        }
        None
    }

    /// Remembers a reply that the postmaster may want to know of.
    pub(crate) fn note_code(&mut self, reply: &Reply) {
        if reply.is_protocol_trouble() {
            self.protocol_trouble = true;
            self.spoilt = true;
        }
    }

    /// Whether the server has gone, or spoke unasked.
    pub fn is_stale(&self) -> bool {
        self.connection.is_stale()
    }

    /// Takes leave.
    pub async fn quit(&mut self, params: &Params) {
        self.connection.command("QUIT");
        // A server that does not take our leave is none of our worries.
        if self.connection.flush(params.quit_timeout).await.is_ok() && !params.skip_quit_response {
            let _ = self
                .reply(params, params.quit_timeout, "sending QUIT")
                .await;
        }
    }

    pub(crate) async fn flush(&mut self, limit: Duration, state: &str) -> Result<(), Failure> {
        let sent = self.connection.flush(limit).await;
        sent.map_err(|why| self.lost(why, state))
    }

    pub(crate) async fn reply(
        &mut self,
        params: &Params,
        limit: Duration,
        state: &str,
    ) -> Result<Reply, Failure> {
        let reply = self.listen(params, limit).await;
        reply.map_err(|why| self.lost(why, state))
    }

    /// The next reply.
    pub(crate) async fn listen(
        &mut self,
        params: &Params,
        limit: Duration,
    ) -> Result<Reply, Broken> {
        let how = Listening {
            filter: &params.reply_filter,
            line_limit: params.reply_line_limit,
            relay: &self.relay,
            id: &self.id,
            per_request: params.per_request_deadline,
        };
        let reply = self.connection.reply(limit, &how).await?;
        if !reply.garbage.is_empty() {
            self.protocol_trouble = true;
            self.spoilt = true;
            self.warn_of_garbage(params, &reply);
        }
        Ok(reply)
    }

    /// With pipelining, an answer too many could be taken for another one.
    fn warn_of_garbage(&self, params: &Params, reply: &Reply) {
        if !self.features.pipelining {
            return;
        }
        let (kind, parameter) = if params.lmtp {
            ("LMTP", "lmtp_discard_lhlo_keyword_address_maps")
        } else {
            ("ESMTP", "smtp_discard_ehlo_keyword_address_maps")
        };
        for line in &reply.garbage {
            warning!(
                "{}: non-{kind} response from {}: {line:.100}",
                self.id,
                self.relay
            );
            if params.helpful_warnings {
                let address = self.title.rsplit_once('[').map_or("", |(_, tail)| tail);
                warning!(
                    "to prevent loss of mail, turn off command pipelining for {} with the {parameter} parameter",
                    address.trim_end_matches(']')
                );
            }
        }
    }

    pub(crate) fn lost(&mut self, why: Broken, state: &str) -> Failure {
        self.spoilt = true;
        // Nothing was heard of the server since the session was kept.
        self.dead |= self.unproved;
        self.data_trouble |= why == Broken::Local;
        broken(why, &self.title, state)
    }
}
