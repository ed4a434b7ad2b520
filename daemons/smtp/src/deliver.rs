//! One delivery request: servers are tried in order until each recipient has an outcome.

use std::rc::Rc;

use pf_delivery::{DeliveredTo, Job};
use pf_dsn::{Dsn, Outcome, Status};
use pf_log::{info, warning};
use pf_proto::deliver::Moment;

use crate::Smtp;
use crate::connect::connect;
use crate::connection::Link;
use crate::exchange::{After, Batch};
use crate::hosts::{self, Found};
use crate::notify;
use crate::params::Params;
use crate::reuse;
use crate::server::Server;
use crate::session::Session;
use crate::trouble::{Failure, outcome};

/// One request on its way.
pub(crate) struct Delivery<'a> {
    pub(crate) smtp: &'a Rc<Smtp>,
    pub(crate) job: &'a mut Job,
    /// Recipients that have no outcome yet.
    pub(crate) left: Vec<usize>,
    pub(crate) deferred: bool,
    /// A server heard the whole message: trouble with another one is no trouble with the destination.
    pub(crate) completed: bool,
    /// What went wrong last.
    pub(crate) trouble: Option<Status>,
    /// The session in hand is with the last server that there is.
    pub(crate) last_server: bool,
    /// What the log says of TLS: nothing before a server was tried, more once its handshake was done.
    pub(crate) handshake: Option<bool>,
    /// Whether kept sessions may be taken, and new ones kept; whether other processes share them.
    pub(crate) may_load: bool,
    pub(crate) may_store: bool,
    pub(crate) share: bool,
    /// The destination in hand.
    pub(crate) site: String,
    /// The destination under which the first good session is kept, and not a less preferred one after it.
    pub(crate) nexthop: Option<String>,
    /// Addresses of kept sessions that were used.
    pub(crate) visited: Vec<String>,
}

/// Delivers the message; whether recipients are left for later.
pub async fn deliver(smtp: &Rc<Smtp>, job: &mut Job) -> bool {
    let nexthop = String::from_utf8_lossy(&job.request.nexthop).into_owned();
    let mut delivery = Delivery {
        smtp,
        left: (0..job.request.recipients.len()).collect(),
        job,
        deferred: false,
        completed: false,
        trouble: None,
        last_server: false,
        handshake: None,
        may_load: false,
        may_store: false,
        share: false,
        site: String::new(),
        nexthop: None,
        visited: Vec::new(),
    };
    if let Some(failure) = delivery.objection().await {
        delivery.last_server = true;
        delivery.fail(&failure, &smtp.params.service, false).await;
    }
    if !delivery.left.is_empty() {
        match nexthop.strip_prefix("unix:") {
            Some(path) if smtp.params.lmtp => delivery.by_socket(path).await,
            _ => delivery.by_network(&nexthop).await,
        }
    }
    if !delivery.left.is_empty() {
        delivery.last_server = true;
        let status = delivery.trouble.take().unwrap_or_else(|| {
            Status::new(
                Dsn::new(4, 3, 0),
                "server unavailable or unable to receive mail",
            )
        });
        let failure = Failure {
            status,
            throttle: true,
            next_server: false,
        };
        delivery.fail(&failure, "none", false).await;
    }
    delivery.deferred
}

impl Delivery<'_> {
    fn params(&self) -> &Params {
        &self.smtp.params
    }

    /// Why the headers that `flags=` asks for cannot be added.
    async fn objection(&self) -> Option<Failure> {
        let params = &self.smtp.params;
        let request = &self.job.request;
        let wants = |flag: char| params.added_headers.contains(flag);
        for flag in ['D', 'O'] {
            if wants(flag) && request.recipients.len() > 1 {
                warning!(
                    "flag `{flag}' requires {}_destination_recipient_limit = 1",
                    params.service
                );
                let text = "mail system configuration error";
                return Some(Failure::message(Dsn::new(4, 3, 5), text));
            }
        }
        let first = request.recipients.first().filter(|_| wants('D'))?;
        let Ok(address) = params.generic.map(&first.address).await else {
            let text = "mail system configuration error";
            return Some(Failure::message(Dsn::new(4, 3, 5), text));
        };
        match DeliveredTo::read(self.job, true) {
            Ok(passed) if passed.contains(&address) => {
                let text = [b"mail forwarding loop for ", first.address.as_slice()].concat();
                Some(Failure::message(Dsn::new(5, 4, 6), text))
            }
            Ok(_) => None,
            Err(err) => {
                warning!("{}: {err}", self.job.queue_id());
                let text = "unreadable mail queue entry";
                Some(Failure::message(Dsn::new(4, 3, 0), text))
            }
        }
    }

    fn tls_note(&self) -> Option<String> {
        self.smtp.params.tls_note(self.handshake?)
    }

    async fn by_network(&mut self, nexthop: &str) {
        let params = &self.smtp.params;
        if !params.ipv4 && !params.ipv6 {
            let why = "all network protocols are disabled";
            self.trouble = Some(Status::new(Dsn::new(4, 4, 4), why));
            return;
        }
        let plain = nexthop
            .strip_prefix("inet:")
            .filter(|_| params.lmtp)
            .unwrap_or(nexthop);
        let primary: Vec<&str> = pf_text::split::list(plain).collect();
        let fallback = params.fallback.iter().map(String::as_str);
        let sites: Vec<&str> = primary.iter().copied().chain(fallback).collect();
        let mut stopped_at = sites.len();
        for (number, site) in sites.iter().enumerate() {
            let last_site = number + 1 == sites.len();
            if self.by_site(site, number == 0, last_site).await {
                stopped_at = number;
                break;
            }
            if self.left.is_empty() {
                return;
            }
            stopped_at = number;
        }
        if !self.left.is_empty() {
            let at_fallback = stopped_at >= primary.len();
            let relayed = primary.first() == Some(&params.relayhost.as_str());
            self.soften(at_fallback, relayed).await;
        }
    }

    /// What could be a mistake in the configuration bounces no mail.
    async fn soften(&mut self, at_fallback: bool, relayed: bool) {
        let params = &self.smtp.params;
        let Some(status) = &mut self.trouble else {
            return;
        };
        if status.dsn.class == 4 {
            return;
        }
        if at_fallback {
            warning!("{} configuration problem", params.name("fallback_relay"));
            status.dsn = Dsn::new(4, 3, 5);
        } else if !params.lmtp && relayed {
            warning!("relayhost configuration problem");
            status.dsn = Dsn::new(4, 3, 5);
        } else if !params.lmtp && hosts::is_loop(status) && !params.best_mx_transport.is_empty() {
            self.trouble = None;
            self.pass_on().await;
        }
    }

    /// Gives all recipients to `best_mx_transport`.
    async fn pass_on(&mut self) {
        let params = &self.smtp.params;
        for at in std::mem::take(&mut self.left) {
            let Some(recipient) = self.job.request.recipients.get(at) else {
                continue;
            };
            let service = params.best_mx_transport.as_bytes();
            let limit = params.ipc_timeout;
            let verdict =
                pf_delivery::pass(&self.smtp.agent, self.job, recipient, service, limit).await;
            if verdict.is_later() {
                self.deferred = true;
            } else if let Ok(offset) = u64::try_from(recipient.offset)
                && offset > 0
                && let Err(err) = pf_queue::edit::mark_done(&self.job.file, offset)
            {
                warning!("{}: mark recipient done: {err}", self.job.queue_id());
            }
        }
    }

    /// Tries the servers of one site; whether no other site is to be tried.
    async fn by_site(&mut self, site: &str, first_site: bool, last_site: bool) -> bool {
        let smtp = self.smtp.clone();
        let params = &smtp.params;
        site.clone_into(&mut self.site);
        let destination = match pf_net::parse_destination(site, &params.port, &params.known_ports) {
            Ok(destination) => destination,
            Err(why) => {
                warning!("{why}");
                let why = "Server configuration error";
                self.trouble = Some(Status::new(Dsn::new(4, 3, 5), why));
                return false;
            }
        };
        if params.helpful_warnings && destination.port == 465 {
            info!(
                "SMTPS wrappermode (TCP port 465) requires setting \"{} = yes\", and \"{} = encrypt\" (or stronger)",
                params.name("tls_wrappermode"),
                params.name("tls_security_level")
            );
        }
        let Found {
            mut servers,
            trouble,
            myself,
        } = hosts::find(params, &self.smtp.naming, &destination).await;
        let looped = servers.is_empty() && trouble.as_ref().is_some_and(hosts::is_loop);
        let last_site = last_site || myself || looped;
        if servers.is_empty() {
            self.trouble = trouble;
        }
        let best = servers.first().map_or(0, |server| server.preference);
        if first_site && !servers.is_empty() {
            self.cache_policy(&destination.name).await;
            self.nexthop = (self.may_load || self.may_store).then(|| site.to_owned());
        }
        let (mut tried, mut sessions) = (0, 0);
        if self.may_load && !servers.is_empty() {
            servers.retain(|server| !self.visited.contains(&server.address_text()));
            sessions = self.by_kept_sessions(&mut servers, best, last_site).await;
            tried = sessions;
        }
        let count = tried + servers.len();
        for server in servers {
            if self.left.is_empty() {
                break;
            }
            tried += 1;
            let out_of_servers =
                tried == count || (params.mx_address_limit > 0 && tried == params.mx_address_limit);
            self.handshake = Some(false);
            if self.may_load
                && server.preference != best
                && let Some(session) = smtp
                    .store
                    .to_server(&self.names(), &server, self.share)
                    .await
            {
                let enough = params.mx_session_limit > 0 && sessions + 1 >= params.mx_session_limit;
                self.last_server = last_site && (out_of_servers || enough);
                if self.carry_again(session).await {
                    sessions += 1;
                    if enough || out_of_servers {
                        break;
                    }
                    continue;
                }
            }
            match connect(params, &server).await {
                Ok(link) => {
                    self.last_server = last_site && out_of_servers;
                    if let Some(session) = self.open(link, &server).await {
                        sessions += 1;
                        let enough =
                            params.mx_session_limit > 0 && sessions >= params.mx_session_limit;
                        self.last_server = last_site && (out_of_servers || enough);
                        let _ = self.carry(session).await;
                        if enough {
                            break;
                        }
                    }
                }
                Err(status) => {
                    info!("{}", String::from_utf8_lossy(&status.reason));
                    self.trouble = Some(status);
                }
            }
            if self.left.is_empty() || out_of_servers {
                break;
            }
        }
        last_site
    }

    /// A local server of the LMTP client.
    async fn by_socket(&mut self, path: &str) {
        let smtp = self.smtp.clone();
        let params = &smtp.params;
        if !params.fallback.is_empty() {
            warning!(
                "ignoring \"lmtp_fallback_relay = {}\" setting for non-TCP connections",
                params.fallback_text
            );
        }
        let server = Server::local(&params.myhostname, path);
        path.clone_into(&mut self.site);
        self.cache_policy(path).await;
        self.nexthop = (self.may_load || self.may_store).then(|| path.to_owned());
        self.last_server = true;
        self.handshake = Some(false);
        if self.may_load
            && let Some(session) = smtp
                .store
                .to_destination(&self.names(), path, self.share)
                .await
            && self.carry_again(session).await
        {
            return;
        }
        match connect(params, &server).await {
            Ok(link) => {
                if let Some(session) = self.open(link, &server).await {
                    let _ = self.carry(session).await;
                }
            }
            Err(status) => self.trouble = Some(status),
        }
    }

    /// The handshake; without a session, recipients may have their outcome.
    async fn open(&mut self, link: Link, server: &Server) -> Option<Session> {
        let params = &self.smtp.params;
        let mut session = Session::new(params, link, server);
        session.cacheable = self.may_store;
        let id = self.job.queue_id().to_owned();
        session.id.clone_from(&id);
        match session.greet(params, server, &id, &self.job.request).await {
            Ok(()) => Some(session),
            Err(failure) => {
                let relay = session.relay.clone();
                self.fail(&failure, &relay, true).await;
                if failure.status.dsn != Dsn::new(4, 4, 2) {
                    session.quit(params).await;
                }
                notify::postmaster(params, &mut session, &self.job.request.sender).await;
                None
            }
        }
    }

    /// Sends the message over a session, reports, and keeps the session or takes leave; false when it was a kept session that had
    /// ended, and nothing was sent.
    pub(crate) async fn carry(&mut self, mut session: Session) -> bool {
        let smtp = self.smtp.clone();
        let params = &smtp.params;
        self.job.request.times.connected = Moment::now();
        session.id = self.job.queue_id().to_owned();
        let recipients = self.left.clone();
        let mut batch = Batch::new(&recipients);
        // With a kept session there was none.
        if session.reuses == 0 {
            self.handshake = Some(true);
        }
        let sent = session.send(params, self.job, &mut batch).await;
        if session.is_dead() {
            self.job.request.times.connected = Moment::default();
            return false;
        }
        self.job.request.times.delivered = Moment::now();
        let relay = session.relay.clone();
        for (at, outcome) in batch.done {
            self.settle(at, outcome, &relay, session.features.dsn).await;
        }
        let throttled = matches!(&sent, Err(failure) if failure.throttle);
        match sent {
            Ok(After::Ready)
                if session.cacheable && !session.spoilt && !session.is_worn(params) =>
            {
                self.completed = true;
                notify::postmaster(params, &mut session, &self.job.request.sender).await;
                let nexthop = self.nexthop.as_deref();
                reuse::keep(&smtp, &self.names(), session, nexthop, self.share).await;
            }
            Ok(after) => {
                self.completed = true;
                if after == After::Ready {
                    session.quit(params).await;
                }
                notify::postmaster(params, &mut session, &self.job.request.sender).await;
            }
            Err(failure) => {
                self.fail(&failure, &relay, true).await;
                notify::postmaster(params, &mut session, &self.job.request.sender).await;
            }
        }
        if !throttled {
            self.nexthop = None;
        }
        self.handshake = Some(false);
        let times = &mut self.job.request.times;
        (times.connected, times.delivered) = (Moment::default(), Moment::default());
        true
    }

    /// One recipient's outcome: told, unless another server may do better. `announces`: the server reports successes itself.
    async fn settle(&mut self, at: usize, outcome: Outcome, relay: &str, announces: bool) {
        let soft = match &outcome {
            Outcome::Sent(_) => false,
            Outcome::Defer(_) => true,
            Outcome::Bounce(_) => self.params().soft_bounce,
        };
        if soft && !self.last_server {
            info!("{}: {}", self.job.queue_id(), Shown(outcome.status()));
            self.trouble = Some(outcome.status().clone());
            return;
        }
        self.left.retain(|other| *other != at);
        if announces
            && matches!(outcome, Outcome::Sent(_))
            && let Some(recipient) = self.job.request.recipients.get_mut(at)
            && let Some(notify) = pf_dsn::Notify::from_bits(recipient.dsn_notify)
        {
            recipient.dsn_notify = notify.without(pf_dsn::Notify::SUCCESS).bits();
        }
        let tls = self.tls_note();
        self.deferred |= self
            .smtp
            .agent
            .report(self.job, at, relay, tls.as_deref(), outcome)
            .await
            .is_later();
    }

    /// A failure for all recipients that are left, unless another server is to be tried.
    async fn fail(&mut self, failure: &Failure, relay: &str, in_session: bool) {
        self.trouble = Some(failure.status.clone());
        let soft = failure.is_soft() || failure.next_server || self.params().soft_bounce;
        if in_session && soft && !self.last_server {
            info!("{}: {}", self.job.queue_id(), Shown(&failure.status));
            return;
        }
        let now = Moment::now();
        let times = &mut self.job.request.times;
        if !times.connected.is_set() {
            times.connected = now;
        }
        times.delivered = now;
        // Only a session whose handshake was done says something of TLS.
        let tls = self.tls_note();
        let mut deferred = false;
        for at in std::mem::take(&mut self.left) {
            let told = outcome(failure.status.clone());
            deferred |= self
                .smtp
                .agent
                .report(self.job, at, relay, tls.as_deref(), told)
                .await
                .is_later();
        }
        self.deferred |= deferred;
        if deferred && failure.throttle && !self.completed && self.job.hop.is_none() {
            self.job.hop = Some(hop_status(&failure.status));
        }
        let times = &mut self.job.request.times;
        (times.connected, times.delivered) = (Moment::default(), Moment::default());
    }
}

/// The reason of a status, for the log.
struct Shown<'a>(&'a Status);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0.reason))
    }
}

fn hop_status(status: &Status) -> pf_proto::bounce::Status {
    pf_proto::bounce::Status {
        status: status.dsn.to_string().into_bytes(),
        reason: status.reason.clone(),
        action: b"delayed".to_vec(),
        ..pf_proto::bounce::Status::default()
    }
}
