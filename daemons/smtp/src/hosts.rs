//! From a destination to the servers to try, in order.

use std::net::IpAddr;

use pf_address::idn;
use pf_dns::{Answer, Data, Kind, MAX_RECORDS, by_weight};
use pf_dsn::{Dsn, Status};
use pf_log::{info, warning};
use pf_net::Destination;

use crate::naming::Naming;
use crate::order::{balanced, ordered};
use crate::params::Params;
use crate::server::{Place, Server};

/// What came of looking for servers.
pub struct Found {
    /// Those to try, in order.
    pub servers: Vec<Server>,
    /// Why there are none, or some are missing.
    pub trouble: Option<Status>,
    /// This system is among the exchangers of the destination.
    pub myself: bool,
}

impl Found {
    fn nothing(status: Status) -> Self {
        Self {
            servers: Vec::new(),
            trouble: Some(status),
            myself: false,
        }
    }
}

/// Whether a status says that mail comes back to us.
pub fn is_loop(status: &Status) -> bool {
    status.dsn.subject == 4 && status.dsn.detail == 6
}

/// The status of a question that had no answer. A soft error that came before makes it soft, too.
fn status(answer: &Answer, soft: bool) -> Status {
    let class = if soft { 4 } else { 5 };
    let dsn = match answer {
        Answer::NullMx(_) | Answer::NullSrv(_) => Dsn::new(5, 1, 0),
        Answer::Policy(_) => Dsn::new(4, 7, 0),
        Answer::Retry(_) => Dsn::new(4, 4, 3),
        Answer::Fail(_) => Dsn::new(class, 4, 3),
        Answer::Invalid(_) | Answer::NoName(_) | Answer::NoData(_) | Answer::Found(_) => {
            Dsn::new(class, 4, 4)
        }
    };
    let text = answer.trouble().map(|trouble| trouble.text.clone());
    Status::new(dsn, text.unwrap_or_default())
}

/// One search for the servers of a destination.
struct Search<'a> {
    params: &'a Params,
    naming: &'a Naming,
    port: u16,
    loop_detection: bool,
    trouble: Option<Status>,
}

/// Finds the servers of a destination.
pub async fn find(params: &Params, naming: &Naming, destination: &Destination) -> Found {
    let mut search = Search {
        params,
        naming,
        port: destination.port,
        loop_detection: !params.lmtp && destination.port == 25,
        trouble: None,
    };
    let name = &destination.name;
    let in_dns = destination.exchangers && naming.dns_enabled;
    if in_dns && params.srv_services.contains(&destination.service) {
        return search
            .services(&destination.service, name, !params.lmtp)
            .await;
    }
    if in_dns && !params.lmtp {
        search.exchangers(name).await
    } else {
        search.one_host(name).await
    }
}

fn ascii(name: &str) -> String {
    if name.is_ascii() {
        name.to_owned()
    } else {
        idn::to_ascii(name.as_bytes()).unwrap_or_else(|| name.to_owned())
    }
}

impl Search<'_> {
    fn is_soft(&self) -> bool {
        self.trouble
            .as_ref()
            .is_some_and(|status| status.dsn.class == 4)
    }

    /// Adds the addresses of a host; no more than fit.
    async fn addresses(
        &mut self,
        servers: &mut Vec<Server>,
        host: &str,
        preference: u16,
        port: u16,
    ) {
        for (name, address) in self.of_host(host).await {
            if servers.len() == MAX_RECORDS {
                let kind = if address.is_ipv4() {
                    Kind::A
                } else {
                    Kind::Aaaa
                };
                warning!(
                    "DNS record count limit ({MAX_RECORDS}) exceeded -- dropping excess record(s) after qname={host} qtype={}",
                    kind.name()
                );
                return;
            }
            servers.push(Server {
                host: name,
                at: Place::Net(address, port),
                best: false,
                loop_detection: self.loop_detection,
                preference,
            });
        }
    }

    /// The addresses of a host, and what it is called there.
    async fn of_host(&mut self, host: &str) -> Vec<(String, IpAddr)> {
        let (params, naming) = (self.params, self.naming);
        if let Ok(address) = host.parse::<IpAddr>()
            && (address.is_ipv4() && params.ipv4 || address.is_ipv6() && params.ipv6)
        {
            return vec![(host.to_owned(), address)];
        }
        if naming.use_dns {
            match self.in_dns(host).await {
                Ok(found) => return found,
                Err(answer) => {
                    self.trouble = Some(status(&answer, self.is_soft()));
                    if !matches!(answer, Answer::NoName(_) | Answer::NoData(_)) {
                        return Vec::new();
                    }
                }
            }
        }
        if !naming.use_native {
            return Vec::new();
        }
        let found = naming.resolver.native(host, params.ipv4, params.ipv6).await;
        match found {
            Ok(found) => found
                .into_iter()
                .map(|address| (host.to_owned(), address))
                .collect(),
            Err(answer) => {
                let why = answer.native_reason();
                let retry = matches!(answer, Answer::Retry(_));
                let class = if retry || self.is_soft() { 4 } else { 5 };
                self.trouble = Some(Status::new(
                    Dsn::new(class, 4, 4),
                    format!("unable to look up host {host}: {why}"),
                ));
                Vec::new()
            }
        }
    }

    /// The addresses of a host in DNS; of several troubles the worst, and of equal ones the last.
    async fn in_dns(&self, host: &str) -> Result<Vec<(String, IpAddr)>, Answer> {
        let mut found = Vec::new();
        let mut trouble: Option<Answer> = None;
        for (wanted, kind) in [(self.params.ipv4, Kind::A), (self.params.ipv6, Kind::Aaaa)] {
            if !wanted {
                continue;
            }
            let answer = self.naming.host(host, kind).await;
            found.extend(answer.records().iter().filter_map(|record| {
                let name = if self.naming.cname_overrides {
                    &record.name
                } else {
                    host
                };
                Some((name.to_owned(), record.address()?))
            }));
            if answer.trouble().is_some()
                && trouble
                    .as_ref()
                    .is_none_or(|old| answer.badness() >= old.badness())
            {
                trouble = Some(answer);
            }
        }
        match trouble {
            Some(answer) if found.is_empty() => Err(answer),
            _ => Ok(found),
        }
    }

    /// A host that is its own destination.
    async fn one_host(&mut self, name: &str) -> Found {
        self.trouble = None;
        let mut servers = Vec::new();
        let host = ascii(name);
        self.addresses(&mut servers, &host, 0, self.port).await;
        if self.loop_detection && servers.iter().any(|server| server.is_own(self.params)) {
            return Found::nothing(Status::new(
                Dsn::new(5, 4, 6),
                format!("mail for {name} loops back to myself"),
            ));
        }
        self.found(ordered(self.params, servers), false)
    }

    fn found(&mut self, mut servers: Vec<Server>, myself: bool) -> Found {
        let best = servers.first().map(|server| server.preference);
        for server in &mut servers {
            server.best = Some(server.preference) == best;
        }
        Found {
            trouble: self.trouble.take().filter(|_| servers.is_empty()),
            servers,
            myself,
        }
    }

    async fn exchangers(&mut self, name: &str) -> Found {
        let domain = ascii(name);
        let answer = self.naming.record(&domain, Kind::Mx).await;
        let mut records = match &answer {
            Answer::Found(found) => found.records.clone(),
            // A domain without exchangers is its own.
            Answer::NoData(_) | Answer::NoName(_) => return self.one_host(&domain).await,
            Answer::NullMx(_) | Answer::Policy(_) => return Found::nothing(status(&answer, false)),
            _ if self.params.ignore_mx_error => return self.one_host(&domain).await,
            _ => return Found::nothing(status(&answer, false)),
        };
        records.sort_by_key(|record| match &record.data {
            Data::Mx { preference, .. } => *preference,
            _ => u16::MAX,
        });
        let mut servers = Vec::new();
        let mut best = None;
        for record in &records {
            if let Data::Mx { preference, host } = &record.data {
                best.get_or_insert(*preference);
                self.addresses(&mut servers, host, *preference, self.port)
                    .await;
            }
        }
        if servers.is_empty() {
            warning!("no MX host for {name} has a valid address record");
            if let Some(status) = &mut self.trouble
                && self.params.defer_no_mx_address
            {
                status.dsn = status.dsn.with_class(4);
            }
        }
        let (servers, myself) = self.without_myself(servers, best, name);
        let servers = ordered(self.params, servers);
        self.found(servers, myself)
    }

    /// Takes out this system, and what is as far away as we are or farther: it would only send mail back.
    fn without_myself(
        &mut self,
        mut servers: Vec<Server>,
        best: Option<u16>,
        name: &str,
    ) -> (Vec<Server>, bool) {
        let own = servers
            .iter()
            .filter(|server| self.loop_detection && server.is_own(self.params))
            .map(|server| server.preference)
            .min();
        let Some(own) = own else {
            return (servers, false);
        };
        let nearest = servers.iter().map(|server| server.preference).min();
        servers.retain(|server| server.preference < own);
        if servers.is_empty() {
            self.trouble = Some(if best == nearest {
                Status::new(
                    Dsn::new(5, 4, 6),
                    format!("mail for {name} loops back to myself"),
                )
            } else {
                Status::new(
                    Dsn::new(4, 4, 4),
                    format!("unable to find primary relay for {name}"),
                )
            });
        }
        (servers, true)
    }

    /// The servers that SRV records name (RFC 2782).
    async fn services(&mut self, service: &str, name: &str, to_mx: bool) -> Found {
        let question = format!("_{service}._tcp.{name}");
        let answer = self.naming.record(&ascii(&question), Kind::Srv).await;
        let mut fall_back = self.params.srv_fallback;
        let mut servers = Vec::new();
        let mut myself = false;
        if let Answer::Found(found) = &answer {
            let records = by_weight(&found.records);
            let best = records.first().map(|(priority, ..)| *priority);
            for (priority, port, host) in &records {
                self.addresses(&mut servers, host, *priority, *port).await;
            }
            if servers.is_empty() {
                warning!("no SRV host for {question} has a valid address record");
            }
            (servers, myself) = self.without_myself(servers, best, &question);
        } else {
            let faulty = matches!(
                answer,
                Answer::Retry(_) | Answer::Fail(_) | Answer::Invalid(_)
            );
            fall_back |= faulty && self.params.ignore_srv_error;
            self.trouble = Some(status(&answer, false));
        }
        if servers.is_empty() && fall_back {
            let why = self
                .trouble
                .take()
                .map(|status| status.reason)
                .unwrap_or_default();
            info!(
                "skipping SRV lookup for {question}: {}",
                String::from_utf8_lossy(&why)
            );
            return if to_mx {
                self.exchangers(name).await
            } else {
                self.one_host(name).await
            };
        }
        let servers = balanced(self.params, servers);
        self.found(servers, myself)
    }
}
