//! Sessions that are kept for the next message: in this process, or, for destinations that are configured so, in the cache that all
//! processes share (scache(8)).

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use pf_proto::deliver::DeliveryRequest;
use pf_proto::scache::{Request, Scache};
use pf_record::sendopts;
use pf_smtp::idle::Idle;

use crate::Smtp;
use crate::params::Params;
use crate::passive;
use crate::server::{Place, Server};
use crate::session::Session;

/// Where sessions are kept.
pub struct Store {
    local: RefCell<Idle<Session>>,
    shared: Scache,
}

/// Under which names the sessions of one delivery request are kept: of equal names, one session is as good as the other. What the
/// credentials could depend on belongs to a name as soon as there are credentials.
pub struct Names<'a> {
    pub params: &'a Params,
    pub request: &'a DeliveryRequest,
    /// The destination in hand, as it was written.
    pub destination: &'a str,
}

/// Behind each field of a name, and instead of one that does not apply.
const END: &str = "\n";
const ABSENT: &str = "*\n";

impl Names<'_> {
    fn start(&self) -> String {
        let mut name = self.params.service.clone() + END;
        if self.params.sender_credentials {
            match self.request.sender.as_slice() {
                b"" => name.push_str(ABSENT),
                sender => name.push_str(&(String::from_utf8_lossy(sender).into_owned() + END)),
            }
        }
        name
    }

    /// What the session must be able to do: no TLS level but one, no REQUIRETLS, and perhaps SMTPUTF8.
    fn needs(&self) -> String {
        let asked = |what: i64| i64::from(self.request.sendopts) & what != 0;
        let utf8 = asked(sendopts::SMTPUTF8_REQUESTED) && asked(sendopts::SMTPUTF8_DERIVED);
        format!("0{END}0{END}{}{END}", u8::from(utf8))
    }

    /// The name of the destination.
    fn destination(&self, nexthop: &str) -> Vec<u8> {
        format!("{}{nexthop}{END}{}", self.start(), self.needs()).into_bytes()
    }

    /// The name of a server.
    fn endpoint(&self, host: &str, place: &Place) -> Vec<u8> {
        let mut name = self.start();
        if self.params.credentials {
            name.push_str(&format!("{}{END}{host}{END}", self.destination));
        }
        let (address, port) = match place {
            Place::Net(address, port) => (address.to_string(), *port),
            Place::Socket(path) => (path.clone(), 0),
        };
        name.push_str(&format!("{address}{END}{port}{END}{}", self.needs()));
        name.into_bytes()
    }
}

impl Store {
    /// Nothing is kept yet.
    pub fn new(shared: Scache) -> Self {
        Self {
            local: RefCell::new(Idle::default()),
            shared,
        }
    }

    /// A session to the destination; `share`: it may be one that another process has left.
    pub async fn to_destination(
        &self,
        names: &Names<'_>,
        nexthop: &str,
        share: bool,
    ) -> Option<Session> {
        let label = names.destination(nexthop);
        if share && !self.shared.is_disabled() {
            let kept = self
                .shared
                .find(&Request::FindDestination { label })
                .await?;
            return passive::revive(names.params, kept, None).map(Session::again);
        }
        loop {
            let found = self.local.borrow_mut().find_bound(&label)?;
            if !found.connection.is_stale() {
                return Some(found.connection.again());
            }
        }
    }

    /// A session with the server.
    pub async fn to_server(
        &self,
        names: &Names<'_>,
        server: &Server,
        share: bool,
    ) -> Option<Session> {
        let label = names.endpoint(&server.host, &server.at);
        if share && !self.shared.is_disabled() {
            let kept = self.shared.find(&Request::FindEndpoint { label }).await?;
            return passive::revive(names.params, kept, Some(server)).map(Session::again);
        }
        loop {
            let found = self.local.borrow_mut().find(&label)?;
            if !found.connection.is_stale() {
                return Some(found.connection.again());
            }
        }
    }

    async fn take_leave(sessions: Vec<Session>, params: &Params) {
        for mut session in sessions {
            session.quit(params).await;
        }
    }

    /// Takes leave of all sessions of this process.
    pub async fn close_all(&self, params: &Params) {
        let all = self.local.borrow_mut().clear();
        Self::take_leave(all, params).await;
    }
}

/// Keeps a session, under the name of its server, and with `nexthop` also under the name of the destination.
pub async fn keep(
    smtp: &Rc<Smtp>,
    names: &Names<'_>,
    session: Session,
    nexthop: Option<&str>,
    share: bool,
) {
    let params = names.params;
    let endpoint = names.endpoint(&session.host, &session.place);
    let store = &smtp.store;
    if share && !store.shared.is_disabled() {
        let ttl = i32::try_from(params.cache_time.as_secs()).unwrap_or(i32::MAX);
        if let Some(nexthop) = nexthop {
            let request = Request::SaveDestination {
                ttl,
                label: names.destination(nexthop),
                property: passive::destination(&session, names.destination),
                endpoint: endpoint.clone(),
            };
            store.shared.bind(&request).await;
        }
        let request = Request::SaveEndpoint {
            ttl,
            label: endpoint,
            property: passive::endpoint(params, &session),
        };
        if let Some(fd) = session.into_fd() {
            store.shared.save(&request, fd).await;
        }
        return;
    }
    let until = Instant::now() + params.cache_time;
    {
        let mut idle = store.local.borrow_mut();
        if let Some(nexthop) = nexthop {
            let label = names.destination(nexthop);
            idle.bind(label, Vec::new(), endpoint.clone(), until);
        }
        idle.save(endpoint, Vec::new(), session, until);
    }
    let later = Rc::downgrade(smtp);
    tokio::task::spawn_local(async move {
        tokio::time::sleep_until(until.into()).await;
        if let Some(smtp) = later.upgrade() {
            let old = smtp.store.local.borrow_mut().expire(Instant::now());
            Store::take_leave(old, &smtp.params).await;
        }
    });
}
