//! One session with one server: the greeting and what it can do.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use pf_dsn::Dsn;
use pf_log::{info, warning};
use pf_maps::Lookup;
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

    /// Does the handshake.
    ///
    /// # Errors
    /// The server does not want us, or is none.
    pub async fn greet(
        &mut self,
        params: &Params,
        server: &Server,
        id: &str,
        request: &DeliveryRequest,
    ) -> Result<(), Failure> {
        let greeting = self
            .reply(
                params,
                params.helo_timeout,
                "receiving the initial server greeting",
            )
            .await?;
        if greeting.class() != 2 {
            let dsn = if greeting.class() == 5 && params.skip_5xx_greeting {
                greeting.dsn.with_class(4)
            } else {
                greeting.dsn
            };
            return Err(self.refused(&greeting, dsn));
        }
        let no_esmtp = self
            .pix_workarounds(params, server, id, request, &greeting)
            .await;
        let mut words = greeting
            .text
            .split([' ', '-'])
            .skip(1)
            .filter(|word| !word.is_empty());
        let announces = {
            let first = words.next();
            if first.is_some_and(|word| word.eq_ignore_ascii_case(&params.myhostname))
                && server.loop_detection
            {
                warning!(
                    "host {} greeted me with my own hostname {}",
                    self.relay,
                    params.myhostname
                );
            }
            first
                .into_iter()
                .chain(words)
                .any(|word| word.eq_ignore_ascii_case("ESMTP"))
        };
        let extended =
            params.lmtp || ((params.always_ehlo || announces) && !params.never_ehlo && !no_esmtp);
        let mut hello = None;
        if extended {
            let verb = if params.lmtp { "LHLO" } else { "EHLO" };
            let reply = self.hello(params, verb).await?;
            if reply.class() == 2 {
                hello = Some(reply);
            } else if params.lmtp || reply.code == 421 {
                return Err(self.refused(&reply, reply.dsn));
            }
        }
        match hello {
            Some(reply) => {
                self.note_features(params, server, &reply, request, id)
                    .await?
            }
            None => {
                let reply = self.hello(params, "HELO").await?;
                if reply.class() != 2 {
                    return Err(self.refused(&reply, reply.dsn));
                }
            }
        }
        if let Some(failure) = self.check_utf8(request) {
            return Err(failure);
        }
        if params.tls_mandatory() {
            return Err(Failure::local(
                Dsn::new(4, 7, 4),
                format!(
                    "TLS is required, but was not offered by host {}",
                    self.title
                ),
            ));
        }
        Ok(())
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

    async fn note_features(
        &mut self,
        params: &Params,
        server: &Server,
        reply: &Reply,
        request: &DeliveryRequest,
        id: &str,
    ) -> Result<(), Failure> {
        let words = match params
            .discard_maps
            .find(server.address_text().as_bytes())
            .await
        {
            Lookup::Found(value) => String::from_utf8_lossy(&value).into_owned(),
            Lookup::Missing => params.discard_keywords.clone(),
            Lookup::Unavailable(_) => {
                let address = server.address_text();
                warning!(
                    "{id}: {} map lookup error for {address}",
                    params.discard_maps.title()
                );
                return Err(broken(Broken::Local, &self.title, ""));
            }
        };
        let (discard, silent) = discarded(&words);
        if !discard.is_empty() && !silent {
            info!("discarding EHLO keywords: {}", shown(&discard));
        }
        self.features = Features::parse(reply, &discard, &params.myhostname);
        if let Some(limit) = &self.features.bad_size {
            warning!("bad EHLO SIZE limit \"{limit}\" from {}", self.relay);
        }
        if self.features.loops && server.loop_detection {
            warning!(
                "host {} replied to HELO/EHLO with my own hostname {}",
                self.relay,
                params.myhostname
            );
            let class = if server.best { 5 } else { 4 };
            let nexthop = String::from_utf8_lossy(&request.nexthop);
            return Err(Failure::local(
                Dsn::new(class, 4, 6),
                format!("mail for {nexthop} loops back to myself"),
            ));
        }
        Ok(())
    }

    /// A greeting of nothing but stars comes from a firewall that rewrites it. Whether ESMTP is out of the question.
    async fn pix_workarounds(
        &mut self,
        params: &Params,
        server: &Server,
        id: &str,
        request: &DeliveryRequest,
        greeting: &Reply,
    ) -> bool {
        if !greeting.text.bytes().all(|byte| b"20 *\t".contains(&byte)) {
            return false;
        }
        let words = match params.pix_maps.find(server.address_text().as_bytes()).await {
            Lookup::Found(value) => String::from_utf8_lossy(&value).into_owned(),
            _ => params.pix_workarounds.clone(),
        };
        if words.is_empty() {
            return false;
        }
        let has = |name: &str| {
            words
                .split([' ', ',', '\t', '|'])
                .any(|word| word.eq_ignore_ascii_case(name))
        };
        let no_esmtp = has("disable_esmtp");
        let age = pf_proto::deliver::Moment::now().since(request.times.arrived);
        self.delay_dot = has("delay_dotcrlf") && age >= params.pix_threshold;
        let enabled: Vec<&str> = [
            ("disable_esmtp", no_esmtp),
            ("delay_dotcrlf", self.delay_dot),
        ]
        .into_iter()
        .filter_map(|(name, on)| on.then_some(name))
        .collect();
        info!(
            "{id}: enabling PIX workarounds: {} for {}",
            enabled.join(" "),
            self.relay
        );
        no_esmtp
    }

    async fn hello(&mut self, params: &Params, verb: &str) -> Result<Reply, Failure> {
        let state = format!("performing the {verb} handshake");
        self.connection
            .command(&format!("{verb} {}", params.helo_name));
        self.flush(params.helo_timeout, &state).await?;
        self.reply(params, params.helo_timeout, &state).await
    }

    fn refused(&mut self, reply: &Reply, dsn: Dsn) -> Failure {
        self.note_code(reply);
        let text = format!("host {} refused to talk to me: {}", self.title, reply.text);
        Failure::said(&self.host, reply, dsn, &text)
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

/// The keywords of a list such as `smtp_discard_ehlo_keywords`, and whether they are passed over silently.
fn discarded(words: &str) -> (Vec<&str>, bool) {
    let mut silent = false;
    let words = pf_text::split::list(words)
        .filter(|word| {
            let is_silent = word.eq_ignore_ascii_case("silent-discard");
            silent |= is_silent;
            !is_silent
        })
        .collect();
    (words, silent)
}

/// The keywords that are known, as a log line names them.
fn shown(keywords: &[&str]) -> String {
    const ORDER: [&str; 15] = [
        "8BITMIME",
        "AUTH",
        "ETRN",
        "PIPELINING",
        "SIZE",
        "VERP",
        "VRFY",
        "XCLIENT",
        "XFORWARD",
        "STARTTLS",
        "ENHANCEDSTATUSCODES",
        "DSN",
        "SMTPUTF8",
        "CHUNKING",
        "REQUIRETLS",
    ];
    let has = |name: &&str| keywords.iter().any(|word| word.eq_ignore_ascii_case(name));
    let named: Vec<&str> = ORDER.into_iter().filter(has).collect();
    named.join(", ")
}
