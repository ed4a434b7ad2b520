//! Looks keys up for other daemons: in tables that they cannot reach from a chroot, or over connections that all of them share
//! (proxymap(8)). Only tables that `proxy_read_maps` lists are served.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use pf_attr::{aio, announcement};
use pf_config::param;
use pf_log::warning;
use pf_maps::{Lookup, Options, Table};
use pf_proto::proxymap::{LookupReply, PROTOCOL, ServerRequest, Status, flags, status_reply};
use pf_service::event::EventService;
use pf_service::{Client, Context, Share};

/// The service.
pub struct Proxymap {
    approved: HashSet<String>,
    parameter: &'static str,
    service: String,
    options: Options,
    tables: RefCell<HashMap<(String, i32), Rc<Table>>>,
    timeout: Duration,
}

/// The most tables that are kept open; more differ only in flags that no program of ours sends.
const MAX_TABLES: usize = 1000;

impl EventService for Proxymap {
    const SHARE: Share = Share::Many;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        let config = &context.config;
        let write = context.service == config.get(param::PROXYWRITE_SERVICE_NAME)?;
        let (parameter, list) = if write {
            ("proxy_write_maps", config.get(param::PROXY_WRITE_MAPS)?)
        } else {
            ("proxy_read_maps", config.get(param::PROXY_READ_MAPS)?)
        };
        Ok(Self {
            approved: approved(&list),
            parameter,
            service: context.service.clone(),
            options: Options {
                no_proxy: true,
                ..Options::from_config(config)?
            },
            tables: RefCell::default(),
            timeout: config.get(param::IPC_TIMEOUT)?,
        })
    }

    async fn serve(self: Rc<Self>, client: Client) {
        let mut stream = aio::Stream::new(client.stream, self.timeout);
        if stream.send(&announcement(PROTOCOL)).await.is_err() {
            return;
        }
        while let Ok(message) = stream.recv_unbounded().await {
            let reply = match ServerRequest::decode(&mut message.decoder()) {
                Ok(request) => self.answer(request).await,
                Err(err) => {
                    warning!("{}: malformed request: {err}", self.service);
                    return;
                }
            };
            if stream.send(&reply).await.is_err() {
                return;
            }
        }
    }
}

/// The tables that a list approves: each `proxy:type:name` in it, the braces of composed tables looked into.
fn approved(list: &str) -> HashSet<String> {
    let mut found = HashSet::new();
    for word in pf_text::split::list_braces(list) {
        let bare = word.trim_start_matches('!');
        match bare.strip_prefix("proxy:") {
            Some(table) => {
                found.insert(table.to_owned());
            }
            None => {
                if let Some(inner) = bare.find('{').and_then(|at| bare.get(at..))
                    && let Ok(inner) = pf_text::split::strip_braces(inner)
                {
                    found.extend(approved(inner));
                }
            }
        }
    }
    found
}

impl Proxymap {
    async fn answer(&self, request: ServerRequest) -> Vec<u8> {
        match request {
            ServerRequest::Open {
                table,
                instance_flags,
            } => match self.table(&table, instance_flags) {
                Some(open) => {
                    let nature = if open.is_pattern() {
                        flags::PATTERN
                    } else {
                        flags::FIXED
                    };
                    status_reply(Status::Ok, instance_flags | nature)
                }
                None => status_reply(Status::Deny, 0),
            },
            ServerRequest::Lookup(request) => {
                let Some(table) = self.table(&request.table, request.instance_flags) else {
                    return LookupReply {
                        status: Status::Deny,
                        flags: request.flags,
                        value: Vec::new(),
                    }
                    .encode();
                };
                let (status, value) = match table.lookup(&request.key).await {
                    Lookup::Found(value) => (Status::Ok, value),
                    Lookup::Missing => (Status::NoKey, Vec::new()),
                    Lookup::Unavailable(_) => (Status::Retry, Vec::new()),
                };
                LookupReply {
                    status,
                    flags: request.flags,
                    value,
                }
                .encode()
            }
            ServerRequest::Other(name) => {
                warning!("unrecognized request: \"{name}\", ignored");
                status_reply(Status::Bad, 0)
            }
        }
    }

    /// The open table; `None` when it may not be served.
    fn table(&self, name: &str, bits: i32) -> Option<Rc<Table>> {
        if !self.approved.contains(name) {
            warning!("request for unapproved table: \"{name}\"");
            warning!(
                "to approve this table for {} access, list proxy:{name} in main.cf:{}",
                if self.parameter == "proxy_write_maps" {
                    "read-write"
                } else {
                    "read-only"
                },
                self.parameter
            );
            return None;
        }
        let key = (name.to_owned(), bits);
        if let Some(open) = self.tables.borrow().get(&key) {
            return Some(open.clone());
        }
        let options = Options {
            fold: bits & flags::FOLD_FIX != 0,
            no_substitution: bits & flags::NO_REGSUB != 0,
            utf8: self.options.utf8 && bits & flags::UTF8_REQUEST != 0,
            ..self.options.clone()
        };
        let open = Rc::new(Table::open(name, &options));
        let mut tables = self.tables.borrow_mut();
        if tables.len() < MAX_TABLES {
            tables.insert(key, open.clone());
        }
        Some(open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_approved() {
        let list = "hash:/a proxy:unix:passwd.byname, check_client_access proxy:inline:{a=b} unionmap:{proxy:lmdb:/x, cdb:/y}";
        let mut tables: Vec<String> = approved(list).into_iter().collect();
        tables.sort();
        assert_eq!(tables, ["inline:{a=b}", "lmdb:/x", "unix:passwd.byname"]);
    }
}
