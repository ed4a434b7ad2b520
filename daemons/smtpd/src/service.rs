//! What the skeleton of a daemon needs to know about this one.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Result, bail};
use pf_proto::Class;
use pf_service::{Client, Context, Share, Stream};

use crate::conn::scratch;
use crate::haproxy;
use crate::params::Params;
use crate::peer;
use crate::serve::{Shared, Talk};
use crate::session::state::{Peer, Session};
use crate::world::World;

/// The SMTP server.
pub struct Smtpd {
    shared: Shared<World>,
    /// Not run by the mail system's own account: input from the standard input is a local program's.
    foreign_user: bool,
}

impl pf_service::event::EventService for Smtpd {
    const SHARE: Share = Share::One;

    async fn start(context: &Context) -> Result<Self> {
        if let Some(argument) = context.argv.first() {
            bail!("unexpected command-line argument: {argument}");
        }
        let name = context.config.get(pf_config::param::MAIL_OWNER)?;
        let owner = pf_sys::identity::user_by_name(&name)?.map(|owner| owner.uid);
        let started_as = pf_sys::identity::real_uid();
        let guarded = started_as == 0 || Some(started_as) == owner;
        let params = Params::read(&context.config, &context.service, guarded)?;
        if !params.families.v4 && !params.families.v6 && !context.options.stand_alone {
            let protocols = context.config.get(pf_config::param::INET_PROTOCOLS)?;
            bail!("all network protocols are disabled (inet_protocols = {protocols})");
        }
        if !matches!(params.upstream_proxy.as_str(), "" | "haproxy") {
            bail!(
                "unsupported smtpd_upstream_proxy_protocol value: {}",
                params.upstream_proxy
            );
        }
        warn(&params);
        let world = World::open(&context.config, &params, guarded)?;
        let runs_as = if context.options.unprivileged && started_as == 0 {
            owner
        } else {
            Some(started_as)
        };
        Ok(Self {
            foreign_user: runs_as != owner,
            shared: Shared {
                cleanup: pf_proto::Address::new(
                    Path::new("."),
                    Class::Public,
                    &params.cleanup_service,
                ),
                params,
                ask: world,
                scratch: scratch(),
            },
        })
    }

    async fn serve(self: Rc<Self>, client: Client) {
        let Client { mut stream, passed } = client;
        let stand_alone = matches!(stream, Stream::Stdio(..)) && self.foreign_user;
        let from_postscreen = passed.is_some();
        // On the heap, and gone before the dialogue begins.
        let (peer, hangup) = Box::pin(self.identify(&mut stream, passed)).await;
        let mut session = Session::new(peer, stand_alone);
        session.hangup = hangup;
        session.passed = from_postscreen;
        Talk::new(&self.shared, session, stream).run().await;
    }
}

/// Things that the administrator should know.
fn warn(params: &Params) {
    if params.sasl_enable {
        pf_log::warning!("smtpd_sasl_auth_enable is true, but SASL support is not compiled in");
    }
    if params.tls_wanted {
        pf_log::warning!("TLS has been selected, but TLS support is not compiled in");
    }
    let (free, limit) = (params.queue_minfree, params.message_size_limit);
    if free > 0 && limit > 0 && free / 3 * 2 < limit {
        pf_log::warning!(
            "queue_minfree({free}) should be at least 1.5*message_size_limit({limit})"
        );
    }
}

/// Both ends of a connection.
fn ends(stream: &Stream) -> std::io::Result<Option<(SocketAddr, SocketAddr)>> {
    match stream.tcp() {
        Some(tcp) => Ok(Some((tcp.peer_addr()?, tcp.local_addr()?))),
        None => Ok(None),
    }
}

impl Smtpd {
    /// Who the client is; true: nobody knows, and it must go.
    async fn identify(
        &self,
        stream: &mut Stream,
        passed: Option<Vec<(Vec<u8>, Vec<u8>)>>,
    ) -> (Peer, bool) {
        let params = &self.shared.params;
        let ask = &self.shared.ask;
        if let Some(attributes) = passed {
            if !params.upstream_proxy.is_empty() {
                pf_log::warning!(
                    "ignoring non-empty smtpd_upstream_proxy_protocol setting behind postscreen"
                );
            }
            return match peer::passed(&attributes) {
                Ok((client, server)) => (peer::network(params, ask, client, server).await, false),
                Err(why) => {
                    pf_log::warning!("{why}");
                    (peer::unknown(params), true)
                }
            };
        }
        if !params.upstream_proxy.is_empty()
            && let Stream::Tcp(tcp) = stream
        {
            match haproxy::receive(tcp, params.upstream_proxy_timeout, params.families).await {
                Ok(Some((client, server))) => {
                    return (peer::network(params, ask, client, server).await, false);
                }
                // The proxy itself: a health check.
                Ok(None) => {}
                Err(why) => {
                    pf_log::warning!("{why}");
                    return (peer::unknown(params), true);
                }
            }
        }
        match ends(stream) {
            Ok(Some((client, server))) => (peer::network(params, ask, client, server).await, false),
            Ok(None) => (peer::local(params), false),
            // It has left already.
            Err(_) => (peer::unknown(params), false),
        }
    }
}
