//! Looks keys up for other daemons: in tables that they cannot reach from a chroot, or over connections that all of them share
//! (proxymap(8)). Only tables that `proxy_read_maps` lists are
//! served. As `proxywrite` it also changes tables, those that `proxy_write_maps` lists.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use pf_attr::{aio, announcement};
use pf_config::param;
use pf_log::warning;
use pf_maps::build::Format;
use pf_maps::non_bdb::{self, Access};
use pf_maps::{Entry, LmdbWriter, Lookup, Options, Table};
use pf_proto::proxymap::{
    LookupReply, LookupRequest, PROTOCOL, ServerRequest, Status, flags, sequence_reply,
    status_reply,
};
use pf_service::event::EventService;
use pf_service::{Client, Context, Share};

/// The service.
pub struct Proxymap {
    approved: HashSet<String>,
    parameter: &'static str,
    service: String,
    options: Options,
    tables: RefCell<HashMap<(String, i32), Rc<Table>>>,
    /// Indexed tables that are open for changes; those are not open as tables at the same time.
    writers: RefCell<HashMap<String, LmdbWriter>>,
    /// What is left of the listing of a table.
    listings: RefCell<HashMap<String, std::vec::IntoIter<Entry>>>,
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
        let mut approved_tables = approved(&list, 0);
        if !write {
            let classes = config.get(param::SMTPD_RESTRICTION_CLASSES)?;
            for class in pf_text::split::list(&classes) {
                if let Some(value) = config.string(class)? {
                    approved_tables.extend(approved(&value, 0));
                }
            }
        }
        Ok(Self {
            approved: approved_tables,
            parameter,
            service: context.service.clone(),
            options: Options {
                no_proxy: true,
                ..Options::from_config(config)?
            },
            tables: RefCell::default(),
            writers: RefCell::default(),
            listings: RefCell::default(),
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

/// How deep files may name files.
const MAX_DEPTH: usize = 10;

/// The tables that a list approves: each `proxy:type:name` in it; what tables are composed of, and files, are looked into, and of
/// `{ table setting... }` the table.
fn approved(list: &str, depth: usize) -> HashSet<String> {
    let mut found = HashSet::new();
    for word in pf_text::split::list_braces(list) {
        let inside = word
            .starts_with('{')
            .then(|| pf_text::split::strip_braces(word).ok())
            .flatten();
        let bare = match inside {
            Some(inside) => pf_text::split::list_braces(inside)
                .next()
                .unwrap_or_default(),
            None => word,
        };
        if bare.starts_with('/') {
            if depth >= MAX_DEPTH {
                continue;
            }
            match std::fs::read(bare) {
                Ok(text) => {
                    for line in pf_config::lines::Lines::new(&text) {
                        found.extend(approved(&pf_config::lines::text(&line.text), depth + 1));
                    }
                }
                Err(err) => warning!("open {bare}: {}", pf_config::system::reason(&err)),
            }
            continue;
        }
        match bare.strip_prefix("proxy:") {
            Some(table) => {
                found.insert(table.trim_start_matches("proxy:").to_owned());
            }
            None => {
                if let Some(inner) = bare
                    .strip_prefix("pipemap:")
                    .or_else(|| bare.strip_prefix("unionmap:"))
                    && let Ok(inner) = pf_text::split::strip_braces(inner)
                {
                    found.extend(approved(inner, depth));
                }
            }
        }
    }
    found
}

impl Proxymap {
    async fn answer(&self, request: ServerRequest) -> Vec<u8> {
        match request {
            ServerRequest::Open { table, .. } if !table.contains(':') => {
                status_reply(Status::Bad, Some(0))
            }
            ServerRequest::Open {
                table,
                instance_flags,
            } if self.writable(&table) => {
                status_reply(Status::Ok, Some(instance_flags | flags::FIXED))
            }
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
                    status_reply(Status::Ok, Some(instance_flags | nature))
                }
                None => status_reply(Status::Deny, Some(0)),
            },
            ServerRequest::Lookup(request) if self.writable(&request.table) => {
                let (status, value) = self.with_writer(&request, |writer, key| {
                    writer.get(key).map(|value| match value {
                        Some(value) => (Status::Ok, value),
                        None => (Status::NoKey, Vec::new()),
                    })
                });
                LookupReply {
                    status,
                    flags: request.flags,
                    value,
                }
                .encode()
            }
            ServerRequest::Update(request, value) => {
                self.change(&request, "update", |writer, key| {
                    writer.put(&[(key.to_vec(), value)])?;
                    Ok(true)
                })
            }
            ServerRequest::Delete(request) => self.change(&request, "delete", LmdbWriter::delete),
            ServerRequest::Sequence(request, first) => self.sequence(&request, first),
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
                status_reply(Status::Bad, Some(0))
            }
        }
    }

    fn is_writer(&self) -> bool {
        self.parameter == "proxy_write_maps"
    }

    /// Whether a table is served from a file that is open for changes.
    fn writable(&self, name: &str) -> bool {
        let format = || {
            let (kind, name) = name.split_once(':').unwrap_or((name, ""));
            Format::of(&non_bdb::type_in_use(kind, name, &self.options))
        };
        self.is_writer()
            && self.approved.contains(name)
            && (self.writers.borrow().contains_key(name) || format() == Some(Format::Lmdb))
    }

    /// Works on a file that is open for changes. Trouble is logged.
    fn with_writer(
        &self,
        request: &LookupRequest,
        work: impl FnOnce(&mut LmdbWriter, &[u8]) -> Result<(Status, Vec<u8>), String>,
    ) -> (Status, Vec<u8>) {
        let key = if request.flags.unwrap_or(request.instance_flags) & flags::FOLD_FIX != 0 {
            pf_text::case::fold(&request.key, self.options.utf8)
        } else {
            request.key.clone()
        };
        let (kind, name) = request.table.split_once(':').unwrap_or_default();
        let mut writers = self.writers.borrow_mut();
        let done = match writers.get_mut(&request.table) {
            Some(writer) => work(writer, &key),
            None => {
                let path = Format::Lmdb.path(name);
                non_bdb::redirect(kind, name, &self.options, Access::Creating)
                    .and_then(|_| LmdbWriter::open(&path, 0o644, self.options.lmdb_map_size, None))
                    .map_err(|err| err.to_string())
                    .and_then(|fresh| {
                        fresh.unlock();
                        work(writers.entry(request.table.clone()).or_insert(fresh), &key)
                    })
            }
        };
        done.unwrap_or_else(|why| {
            warning!("table {}: {why}", request.table);
            (Status::Retry, Vec::new())
        })
    }

    /// Changes a table, and says whether there was something to change.
    fn change(
        &self,
        request: &LookupRequest,
        what: &str,
        work: impl FnOnce(&mut LmdbWriter, &[u8]) -> Result<bool, String>,
    ) -> Vec<u8> {
        if !self.is_writer() {
            warning!(
                "refusing {} {what} request on non-proxywrite service",
                request.table
            );
            return status_reply(Status::Deny, request.flags.map(|_| 0));
        }
        if !self.writable(&request.table) {
            // Not listed, which is logged, or of a type that cannot be changed.
            let status = match self.table(&request.table, request.instance_flags) {
                Some(_) => Status::Config,
                None => Status::Deny,
            };
            return status_reply(status, request.flags.map(|_| 0));
        }
        let (status, _) = self.with_writer(request, |writer, key| {
            let found = work(writer, key)?;
            let status = if found { Status::Ok } else { Status::NoKey };
            Ok((status, Vec::new()))
        });
        status_reply(status, request.flags)
    }

    /// The first or the next entry of a table, as it was when the first one was asked for.
    fn sequence(&self, request: &LookupRequest, first: bool) -> Vec<u8> {
        let reply = |status| sequence_reply(status, request.flags, b"", b"");
        if first {
            let entries = if self.writable(&request.table) {
                let mut entries = Vec::new();
                let (status, _) = self.with_writer(request, |writer, _| {
                    entries = writer.entries()?;
                    Ok((Status::Ok, Vec::new()))
                });
                if status != Status::Ok {
                    return reply(status);
                }
                entries
            } else {
                match self.table(&request.table, request.instance_flags) {
                    None => return reply(Status::Deny),
                    Some(table) => match table.entries() {
                        Some(Ok(entries)) => entries,
                        Some(Err(_)) => return reply(Status::Retry),
                        None => return reply(Status::Config),
                    },
                }
            };
            self.listings
                .borrow_mut()
                .insert(request.table.clone(), entries.into_iter());
        }
        let mut listings = self.listings.borrow_mut();
        match listings.get_mut(&request.table).and_then(Iterator::next) {
            Some((key, value)) => sequence_reply(Status::Ok, request.flags, &key, &value),
            None => {
                listings.remove(&request.table);
                reply(Status::NoKey)
            }
        }
    }

    /// The open table; `None` when it may not be served.
    fn table(&self, name: &str, bits: i32) -> Option<Rc<Table>> {
        if !self.approved.contains(name) {
            warning!("request for unapproved table: \"{name}\"");
            warning!(
                "to approve this table for {} access, list proxy:{name} in main.cf:{}",
                if self.is_writer() {
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
        let mut tables: Vec<String> = approved(list, 0).into_iter().collect();
        tables.sort();
        assert_eq!(tables, ["inline:{a=b}", "lmdb:/x", "unix:passwd.byname"]);
    }

    #[test]
    fn only_the_writer_changes_tables() {
        let dir = tempfile::tempdir().unwrap();
        let table = format!("lmdb:{}/t", dir.path().display());
        let service = |parameter| Proxymap {
            approved: HashSet::from([table.clone()]),
            parameter,
            service: "test".into(),
            options: Options::default(),
            tables: RefCell::default(),
            writers: RefCell::default(),
            listings: RefCell::default(),
            timeout: Duration::ZERO,
        };
        let request = |key: &str| LookupRequest {
            table: table.clone(),
            instance_flags: flags::FOLD_FIX,
            flags: Some(flags::FOLD_FIX),
            key: key.into(),
        };
        let ask = |service: &Proxymap, request| {
            tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap()
                .block_on(service.answer(request))
        };
        let update = || ServerRequest::Update(request("Key"), b"value".to_vec());
        let bits = Some(flags::FOLD_FIX);
        let writer = service("proxy_write_maps");
        assert_eq!(ask(&writer, update()), status_reply(Status::Ok, bits));
        let found = |value: &[u8], status| {
            LookupReply {
                status,
                flags: bits,
                value: value.to_vec(),
            }
            .encode()
        };
        let lookup = || ServerRequest::Lookup(request("KEY"));
        assert_eq!(ask(&writer, lookup()), found(b"value", Status::Ok));
        assert_eq!(
            ask(&writer, ServerRequest::Sequence(request(""), true)),
            sequence_reply(Status::Ok, bits, b"key", b"value")
        );
        assert_eq!(
            ask(&writer, ServerRequest::Sequence(request(""), false)),
            sequence_reply(Status::NoKey, bits, b"", b"")
        );
        let delete = || ServerRequest::Delete(request("key"));
        assert_eq!(ask(&writer, delete()), status_reply(Status::Ok, bits));
        assert_eq!(ask(&writer, delete()), status_reply(Status::NoKey, bits));
        assert_eq!(ask(&writer, lookup()), found(b"", Status::NoKey));
        drop(writer);
        let reader = service("proxy_read_maps");
        assert_eq!(ask(&reader, update()), status_reply(Status::Deny, Some(0)));
        assert_eq!(ask(&reader, lookup()), found(b"", Status::NoKey));
    }
}
