//! A delivery request and the sessions that are kept: which ones may be used, and in which order.

use std::net::IpAddr;

use pf_proto::deliver::flags;

use crate::deliver::Delivery;
use crate::reuse::Names;
use crate::server::Server;
use crate::session::Session;

impl Delivery<'_> {
    /// Whether sessions to this destination are taken from the cache, and kept in it: as configured, or as the queue manager asks.
    pub(crate) async fn cache_policy(&mut self, domain: &str) {
        let params = &self.smtp.params;
        // In a list, what looks like an address is one.
        let address = domain.parse::<IpAddr>().is_ok().then_some(domain);
        let listed = params
            .cache_destinations
            .matches_host(Some(domain.as_bytes()), address)
            .await
            .unwrap_or(false);
        let asked = |flag: i32| params.cache_on_demand && self.job.request.flags & flag != 0;
        self.may_load = listed || asked(flags::CONNECTION_LOAD);
        self.may_store = listed || asked(flags::CONNECTION_STORE);
        self.share = listed;
    }

    pub(crate) fn names(&self) -> Names<'_> {
        Names {
            params: &self.smtp.params,
            request: &self.job.request,
            destination: &self.site,
        }
    }

    /// Uses kept sessions: one to the destination, then those with its best servers. What was used is taken out of the list;
    /// how many that were.
    pub(crate) async fn by_kept_sessions(
        &mut self,
        servers: &mut Vec<Server>,
        best: u16,
        last_site: bool,
    ) -> usize {
        let smtp = self.smtp.clone();
        let mut used = 0;
        if let Some(nexthop) = self.nexthop.clone()
            && let Some(session) = smtp
                .store
                .to_destination(&self.names(), &nexthop, self.share)
                .await
        {
            let left = self.without(servers, &session.address_text(), 1);
            self.last_server = last_site && left.is_empty();
            self.handshake = None;
            if self.carry_again(session).await {
                used = 1;
                *servers = left;
            }
        }
        self.handshake = Some(false);
        for server in servers.clone() {
            if self.left.is_empty() || server.preference != best || servers.is_empty() {
                break;
            }
            let Some(session) = smtp
                .store
                .to_server(&self.names(), &server, self.share)
                .await
            else {
                continue;
            };
            let left = self.without(servers, &server.address_text(), used + 1);
            self.last_server = last_site && (left.is_empty() || servers.last() == Some(&server));
            if self.carry_again(session).await {
                used += 1;
                *servers = left;
            }
        }
        used
    }

    /// The servers without one that was used; none once there were enough sessions.
    fn without(&self, servers: &[Server], address: &str, sessions: usize) -> Vec<Server> {
        let params = &self.smtp.params;
        if sessions == params.mx_session_limit || sessions == params.mx_address_limit {
            return Vec::new();
        }
        let mut left = servers.to_vec();
        if let Some(at) = left
            .iter()
            .position(|server| server.address_text() == address)
        {
            left.remove(at);
        }
        left
    }

    /// Sends the message over a kept session; false when that had ended meanwhile.
    pub(crate) async fn carry_again(&mut self, session: Session) -> bool {
        let address = session.address_text();
        self.job.request.times.reused = i32::try_from(session.reuses).unwrap_or(i32::MAX);
        let usable = self.carry(session).await;
        self.job.request.times.reused = 0;
        if usable {
            self.visited.push(address);
        }
        usable
    }
}
