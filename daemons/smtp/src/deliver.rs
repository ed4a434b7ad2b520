//! One delivery request: servers are tried in order until each recipient has an outcome.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use pf_delivery::Job;
use pf_dsn::{Dsn, Outcome, Status};
use pf_log::info;
use pf_proto::deliver::{Moment, flags};
use tokio::net::{TcpSocket, UnixStream};
use tokio::time::timeout;

use crate::Smtp;
use crate::connection::Link;
use crate::hosts::{self, Found, Server};
use crate::params::Params;
use crate::session::{Failure, Session};

/// The recipients of a job that have no outcome yet.
struct Pending {
    left: Vec<usize>,
    deferred: bool,
}

/// Delivers the message; whether recipients are left for later.
pub async fn deliver(smtp: &Smtp, job: &mut Job) -> bool {
    smtp.cache.close_expired().await;
    let nexthop = String::from_utf8_lossy(&job.request.nexthop).into_owned();
    let mut pending = Pending {
        left: (0..job.request.recipients.len()).collect(),
        deferred: false,
    };
    let key = nexthop.to_ascii_lowercase();
    let may_load = job.request.flags & flags::CONNECTION_LOAD != 0 && smtp.params.cache_on_demand
        || smtp
            .params
            .cache_destinations
            .matches(nexthop.as_bytes())
            .await
            .unwrap_or(false);
    if may_load && let Some(session) = smtp.cache.take(&key) {
        job.request.times.connected = Moment::now();
        job.request.times.reused = i32::try_from(session.used).unwrap_or(i32::MAX);
        // A cached session that breaks before it took anything says nothing of the server: a fresh one is tried.
        let _ = carry(smtp, job, session, &mut pending, false, &key).await;
    }
    if pending.left.is_empty() {
        return pending.deferred;
    }
    job.request.times.reused = 0;
    if let Some(path) = nexthop.strip_prefix("unix:").filter(|_| smtp.params.lmtp) {
        local_socket(smtp, job, path, &mut pending, &key).await;
        return pending.deferred;
    }
    let plain = nexthop
        .strip_prefix("inet:")
        .filter(|_| smtp.params.lmtp)
        .unwrap_or(&nexthop)
        .to_owned();
    let sites: Vec<String> = std::iter::once(plain)
        .chain(smtp.params.fallback.iter().cloned())
        .collect();
    let count = sites.len();
    for (number, site) in sites.iter().enumerate() {
        let last_site = number + 1 == count;
        site_servers(smtp, job, site, &mut pending, last_site, &key).await;
        if pending.left.is_empty() {
            break;
        }
    }
    pending.deferred
}

/// Tries the servers of one site.
async fn site_servers(
    smtp: &Smtp,
    job: &mut Job,
    site: &str,
    pending: &mut Pending,
    last_site: bool,
    key: &str,
) {
    let params = &smtp.params;
    let destination = match hosts::parse(site, &params.port) {
        Ok(destination) => destination,
        Err(why) => {
            pf_log::warning!("{why}");
            let status = Status::new(Dsn::new(4, 3, 5), "Server configuration error");
            settle(
                smtp,
                job,
                pending,
                "none",
                Outcome::Defer(status),
                last_site,
            )
            .await;
            return;
        }
    };
    let servers = match hosts::find(params, &smtp.resolver, &destination).await {
        Found::Servers(servers) => servers,
        Found::None(outcome) => {
            settle(smtp, job, pending, "none", outcome, last_site).await;
            return;
        }
        Found::Loop => {
            let text = format!("mail for {} loops back to myself", destination.name);
            let status = Status::new(Dsn::new(5, 4, 6), text);
            settle(
                smtp,
                job,
                pending,
                "none",
                Outcome::Bounce(status),
                last_site,
            )
            .await;
            return;
        }
    };
    let count = servers.len();
    let mut sessions = 0;
    let mut trouble: Option<(String, Outcome)> = None;
    for (number, server) in servers.into_iter().enumerate() {
        let last = last_site && number + 1 == count;
        let link = match connect(params, &server).await {
            Ok(link) => link,
            Err(why) => {
                let text = format!("connect to {}: {why}", server.relay());
                info!("{text}");
                let status = Status::new(Dsn::new(4, 4, 1), text);
                trouble = Some(("none".to_owned(), Outcome::Defer(status)));
                continue;
            }
        };
        let relay = server.relay();
        let discard = discarded(params, &server).await;
        match Session::open(
            params,
            link,
            server.title(),
            relay.clone(),
            server.host.clone(),
            &discard,
        )
        .await
        {
            Ok(session) => {
                sessions += 1;
                job.request.times.connected = Moment::now();
                let last =
                    last || (params.mx_session_limit > 0 && sessions >= params.mx_session_limit);
                if let Err(failure) = carry(smtp, job, session, pending, last, key).await {
                    log_unless_last(job, &failure, last);
                    trouble = Some((relay, failure.outcome));
                } else {
                    trouble = None;
                }
                if pending.left.is_empty()
                    || (params.mx_session_limit > 0 && sessions >= params.mx_session_limit)
                {
                    break;
                }
            }
            Err(failure) => {
                log_unless_last(job, &failure, last);
                let refused = matches!(failure.outcome, Outcome::Bounce(_));
                trouble = Some((relay, failure.outcome));
                if refused {
                    break;
                }
            }
        }
    }
    if let (Some((relay, outcome)), false) = (trouble, pending.left.is_empty()) {
        if let (Outcome::Defer(status), true) = (&outcome, last_site) {
            // The destination as a whole is in trouble: the queue manager spares it for a while.
            job.hop = Some(hop_status(status));
        }
        settle(smtp, job, pending, &relay, outcome, last_site).await;
    }
}

/// A local server of the LMTP client.
async fn local_socket(smtp: &Smtp, job: &mut Job, path: &str, pending: &mut Pending, key: &str) {
    let params = &smtp.params;
    let title = format!("{}[{path}]", params.myhostname);
    let link = timeout(params.connect_timeout, UnixStream::connect(Path::new(path))).await;
    let failure = match link {
        Ok(Ok(stream)) => {
            let opened = Session::open(
                params,
                Link::Unix(stream),
                title.clone(),
                title.clone(),
                params.myhostname.clone(),
                &params.discard_keywords,
            )
            .await;
            match opened {
                Ok(session) => {
                    job.request.times.connected = Moment::now();
                    match carry(smtp, job, session, pending, true, key).await {
                        Ok(()) => return,
                        Err(failure) => failure.outcome,
                    }
                }
                Err(failure) => failure.outcome,
            }
        }
        Ok(Err(err)) => unreachable_socket(&title, &pf_config::system::reason(&err)),
        Err(_) => unreachable_socket(&title, "Connection timed out"),
    };
    if let Outcome::Defer(status) = &failure {
        job.hop = Some(hop_status(status));
    }
    settle(smtp, job, pending, "none", failure, true).await;
}

fn unreachable_socket(title: &str, why: &str) -> Outcome {
    let text = format!("connect to {title}: {why}");
    info!("{text}");
    Outcome::Defer(Status::new(Dsn::new(4, 4, 1), text))
}

fn hop_status(status: &Status) -> pf_proto::bounce::Status {
    pf_proto::bounce::Status {
        status: status.dsn.to_string().into_bytes(),
        reason: status.reason.clone(),
        action: b"delayed".to_vec(),
        ..pf_proto::bounce::Status::default()
    }
}

fn log_unless_last(job: &Job, failure: &Failure, last: bool) {
    if !last {
        info!(
            "{}: {}",
            job.queue_id(),
            String::from_utf8_lossy(&failure.outcome.status().reason)
        );
    }
}

/// Sends the message over a session and reports; recipients that may be tried elsewhere stay pending unless this is the last
/// server.
async fn carry(
    smtp: &Smtp,
    job: &mut Job,
    mut session: Session,
    pending: &mut Pending,
    last: bool,
    key: &str,
) -> Result<(), Failure> {
    let params = &smtp.params;
    let store = job.request.flags & flags::CONNECTION_STORE != 0 && params.cache_on_demand
        || params
            .cache_destinations
            .matches(&job.request.nexthop)
            .await
            .unwrap_or(false);
    let worn = session.made.elapsed() > params.reuse_time
        || (params.reuse_count > 0 && session.used + 1 >= params.reuse_count);
    let keep = store && !worn;
    let relay = session.relay.clone();
    let mut done = Vec::new();
    let recipients = pending.left.clone();
    let sent = session
        .send(params, job, &recipients, &mut done, !keep)
        .await;
    job.request.times.delivered = Moment::now();
    for (at, outcome) in done {
        // Another server may take what this one only puts off.
        if matches!(outcome, Outcome::Defer(_)) && !last {
            info!(
                "{}: {}",
                job.queue_id(),
                String::from_utf8_lossy(&outcome.status().reason)
            );
            continue;
        }
        pending.left.retain(|other| *other != at);
        let tls = params.tls_note(true);
        pending.deferred |= smtp
            .agent
            .report(job, at, &relay, tls.as_deref(), outcome)
            .await
            .is_later();
    }
    job.request.times.delivered = Moment::default();
    match sent {
        Ok(true) if keep => {
            let until = Instant::now() + params.cache_time;
            smtp.cache.put(key.to_owned(), session, until);
            Ok(())
        }
        Ok(true) => {
            session.quit().await;
            Ok(())
        }
        Ok(false) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Gives all recipients that are left this outcome, unless another site is to be tried and the outcome is not final.
async fn settle(
    smtp: &Smtp,
    job: &mut Job,
    pending: &mut Pending,
    relay: &str,
    outcome: Outcome,
    last_site: bool,
) {
    if !last_site && matches!(outcome, Outcome::Defer(_)) {
        return;
    }
    let tls = smtp.params.tls_note(relay != "none");
    for at in std::mem::take(&mut pending.left) {
        pending.deferred |= smtp
            .agent
            .report(job, at, relay, tls.as_deref(), outcome.clone())
            .await
            .is_later();
    }
}

/// The features of this server that are passed over.
async fn discarded(params: &Params, server: &Server) -> String {
    let by_address = params
        .discard_maps
        .find(server.address.to_string().as_bytes())
        .await;
    match by_address {
        pf_maps::Lookup::Found(value) => String::from_utf8_lossy(&value).into_owned(),
        _ => params.discard_keywords.clone(),
    }
}

/// Connects to one server; the error is fit for `connect to host: error`.
async fn connect(params: &Params, server: &Server) -> Result<Link, String> {
    let reason = |err: std::io::Error| pf_config::system::reason(&err);
    let socket = if server.address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
    .map_err(reason)?;
    let bind: Option<IpAddr> = if server.address.is_ipv4() {
        params.bind_address
    } else {
        params.bind_address6
    };
    if let Some(address) = bind
        && let Err(err) = socket.bind(SocketAddr::new(address, 0))
    {
        pf_log::warning!("bind {address}: {err}");
        if params.bind_enforce {
            return Err(reason(err));
        }
    }
    let address = SocketAddr::new(server.address, server.port);
    let limit = if params.connect_timeout.is_zero() {
        Duration::from_secs(3600)
    } else {
        params.connect_timeout
    };
    match timeout(limit, socket.connect(address)).await {
        Ok(Ok(stream)) => {
            // Commands go out in one piece each; waiting for more would only cost time.
            let _ = stream.set_nodelay(true);
            Ok(Link::Tcp(stream))
        }
        Ok(Err(err)) => Err(reason(err)),
        Err(_) => Err("Connection timed out".to_owned()),
    }
}
