//! One delivery request: servers are tried in order until each recipient has an outcome.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use pf_delivery::Job;
use pf_dsn::{Dsn, Outcome, Status};
use pf_log::{info, warning};
use pf_proto::deliver::{Moment, flags};
use tokio::net::{TcpSocket, UnixStream};
use tokio::time::timeout;

use crate::Smtp;
use crate::connection::Link;
use crate::exchange::{After, Batch};
use crate::hosts::{self, Found};
use crate::notify;
use crate::params::Params;
use crate::server::{Place, Server};
use crate::session::Session;
use crate::trouble::{Failure, outcome};

/// One request on its way.
struct Delivery<'a> {
    smtp: &'a Smtp,
    job: &'a mut Job,
    /// Recipients that have no outcome yet.
    left: Vec<usize>,
    deferred: bool,
    /// A server heard the whole message: trouble with another one is no trouble with the destination.
    completed: bool,
    /// What went wrong last.
    trouble: Option<Status>,
    /// The session in hand is with the last server that there is.
    last_server: bool,
    /// What the log says of TLS: nothing before a server was tried, more once its handshake was done.
    handshake: Option<bool>,
    /// Under which name sessions are kept, and whether they may be taken and kept.
    key: String,
    may_load: bool,
    may_store: bool,
}

/// Delivers the message; whether recipients are left for later.
pub async fn deliver(smtp: &Smtp, job: &mut Job) -> bool {
    smtp.cache.close_expired(&smtp.params).await;
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
        key: nexthop.to_ascii_lowercase(),
        may_load: false,
        may_store: false,
    };
    delivery.cache_policy(&nexthop).await;
    delivery.by_kept_session().await;
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

    fn tls_note(&self) -> Option<String> {
        self.smtp.params.tls_note(self.handshake?)
    }

    /// Whether sessions are taken from the cache, and kept in it: as configured for the destination, or as the queue manager
    /// asks.
    async fn cache_policy(&mut self, nexthop: &str) {
        let plain = nexthop.trim_start_matches('[');
        let bare = plain.split([']', ':']).next().unwrap_or(plain);
        let params = &self.smtp.params;
        // In a list, what looks like an address is one.
        let address = bare.parse::<IpAddr>().is_ok().then_some(bare);
        let listed = params
            .cache_destinations
            .matches_host(Some(bare.as_bytes()), address)
            .await
            .unwrap_or(false);
        let asked = |flag: i32| params.cache_on_demand && self.job.request.flags & flag != 0;
        self.may_load = listed || asked(flags::CONNECTION_LOAD);
        self.may_store = listed || asked(flags::CONNECTION_STORE);
    }

    async fn by_kept_session(&mut self) {
        while self.may_load
            && !self.left.is_empty()
            && let Some(session) = self.smtp.cache.take(&self.key)
        {
            self.job.request.times.reused = i32::try_from(session.used).unwrap_or(i32::MAX);
            // What a session of old does not do, a new one may: this is never the last server.
            self.last_server = false;
            self.carry(session).await;
            self.job.request.times.reused = 0;
        }
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
            if self.by_site(site, last_site).await {
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
    async fn by_site(&mut self, site: &str, last_site: bool) -> bool {
        let params = &self.smtp.params;
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
            servers,
            trouble,
            myself,
        } = hosts::find(params, &self.smtp.naming, &destination).await;
        let looped = servers.is_empty() && trouble.as_ref().is_some_and(hosts::is_loop);
        let last_site = last_site || myself || looped;
        if servers.is_empty() {
            self.trouble = trouble;
        }
        let (mut tried, mut sessions) = (0, 0);
        let count = servers.len();
        for server in servers {
            tried += 1;
            let out_of_servers =
                tried == count || (params.mx_address_limit > 0 && tried == params.mx_address_limit);
            self.handshake = Some(false);
            match connect(params, &server).await {
                Ok(link) => {
                    self.last_server = last_site && out_of_servers;
                    if let Some(session) = self.open(link, &server).await {
                        sessions += 1;
                        let enough =
                            params.mx_session_limit > 0 && sessions >= params.mx_session_limit;
                        self.last_server = last_site && (out_of_servers || enough);
                        self.carry(session).await;
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
        let params = &self.smtp.params;
        if !params.fallback.is_empty() {
            warning!(
                "ignoring \"lmtp_fallback_relay = {}\" setting for non-TCP connections",
                params.fallback_text
            );
        }
        let server = Server::local(&params.myhostname, path);
        self.last_server = true;
        self.handshake = Some(false);
        match connect(params, &server).await {
            Ok(link) => {
                if let Some(session) = self.open(link, &server).await {
                    self.carry(session).await;
                }
            }
            Err(status) => self.trouble = Some(status),
        }
    }

    /// The handshake; without a session, recipients may have their outcome.
    async fn open(&mut self, link: Link, server: &Server) -> Option<Session> {
        let params = &self.smtp.params;
        let mut session = Session::new(params, link, server);
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

    /// Sends the message over a session, reports, and keeps the session or takes leave.
    async fn carry(&mut self, mut session: Session) {
        let smtp = self.smtp;
        let params = &smtp.params;
        let worn = session.made.elapsed() > params.reuse_time
            || (params.reuse_count > 0 && session.used + 1 >= params.reuse_count);
        let keep = self.may_store && !worn;
        self.job.request.times.connected = Moment::now();
        session.id = self.job.queue_id().to_owned();
        let recipients = self.left.clone();
        let mut batch = Batch::new(&recipients);
        self.handshake = Some(true);
        let sent = session.send(params, self.job, &mut batch, keep).await;
        self.job.request.times.delivered = Moment::now();
        let relay = session.relay.clone();
        for (at, outcome) in batch.done {
            self.settle(at, outcome, &relay, session.features.dsn).await;
        }
        match sent {
            Ok(after) => {
                self.completed = true;
                if after == After::Ready && keep && !session.spoilt {
                    let until = Instant::now() + params.cache_time;
                    smtp.cache.put(self.key.clone(), session, until);
                } else {
                    if after == After::Ready {
                        session.quit(params).await;
                    }
                    notify::postmaster(params, &mut session, &self.job.request.sender).await;
                }
            }
            Err(failure) => {
                self.fail(&failure, &relay, true).await;
                notify::postmaster(params, &mut session, &self.job.request.sender).await;
            }
        }
        self.handshake = Some(false);
        let times = &mut self.job.request.times;
        (times.connected, times.delivered) = (Moment::default(), Moment::default());
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

/// Connects to one server.
async fn connect(params: &Params, server: &Server) -> Result<Link, Status> {
    let failed = |why: &str| {
        Status::new(
            Dsn::new(4, 4, 1),
            format!("connect to {}: {why}", server.relay()),
        )
    };
    let reason = |err: std::io::Error| failed(&pf_config::system::reason(&err));
    let limit = if params.connect_timeout.is_zero() {
        Duration::from_secs(3600)
    } else {
        params.connect_timeout
    };
    let too_slow = || failed("Connection timed out");
    let (address, port) = match &server.at {
        Place::Net(address, port) => (*address, *port),
        Place::Socket(path) => {
            let stream = timeout(limit, UnixStream::connect(Path::new(path))).await;
            return stream
                .map_err(|_| too_slow())?
                .map(Link::Unix)
                .map_err(reason);
        }
    };
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
    .map_err(reason)?;
    let configured = if address.is_ipv4() {
        params.bind_address
    } else {
        params.bind_address6
    };
    if let Some(source) = configured.or_else(|| only_address(params, address))
        && let Err(err) = socket.bind(SocketAddr::new(source, 0))
    {
        warning!(
            "smtp_connect_addr: bind {source}: {}",
            pf_config::system::reason(&err)
        );
        if configured.is_some() && params.bind_enforce {
            return Err(Status::new(Dsn::new(4, 4, 0), "server configuration error"));
        }
    }
    let stream = timeout(limit, socket.connect(SocketAddr::new(address, port))).await;
    let stream = stream.map_err(|_| too_slow())?.map_err(reason)?;
    // Commands go out in one piece each; waiting for more would only cost time.
    let _ = stream.set_nodelay(true);
    Ok(Link::Tcp(stream))
}

/// A system that listens on one address of a family only also speaks from it.
fn only_address(params: &Params, server: IpAddr) -> Option<IpAddr> {
    let mut own = params
        .own_addresses
        .iter()
        .filter(|address| address.is_ipv4() == server.is_ipv4());
    let first = own.next()?;
    (own.next().is_none() && !first.is_loopback()).then_some(*first)
}
