//! Tables of the types `hash:` and `btree:`, which need Berkeley DB: the type that takes the place of each, and the service that
//! makes the index of the new type where there is only one of the old.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use pf_attr::{Encoder, check_announcement, sync};
use pf_config::system::reason;
use pf_config::{Config, Error, MigrationLevel, TABLE_TYPES, param};
use pf_proto::nbdb::{self, PROTOCOL, Reindex};
use pf_proto::{Address, Class, Request as _};

use crate::spec::unsupported;
use crate::table::OpenError;
use crate::{Lookup, LookupError, Options, Table};

/// How often the service is asked for an index.
const TRIES: u32 = 2;
/// The pause between tries.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the service may take for each answer.
const LIMIT: Duration = Duration::from_secs(30);

/// What is done about tables of types that need Berkeley DB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NonBdb {
    /// `non_bdb_migration_level`.
    pub level: MigrationLevel,
    /// `non_bdb_custom_mapping`: a table from `type:name` or `type` to the type that takes its place; may be empty.
    pub mapping: String,
    /// `non_bdb_migration_log_redirect`.
    pub log: bool,
    /// What else takes the place of `hash` (`default_database_type`).
    pub hash: String,
    /// What else takes the place of `btree` (`default_cache_db_type`).
    pub btree: String,
    /// `non_bdb_migration_service_name`.
    pub service: String,
}

impl Default for NonBdb {
    fn default() -> Self {
        Self {
            level: MigrationLevel::Disable,
            mapping: String::new(),
            log: true,
            hash: "lmdb".into(),
            btree: "lmdb".into(),
            service: "nbdb_reindex".into(),
        }
    }
}

impl NonBdb {
    /// What the configuration says.
    ///
    /// # Errors
    /// A parameter has a bad value.
    pub fn from_config(config: &Config) -> Result<Self, Error> {
        let caches = config.get(param::DEFAULT_CACHE_DB_TYPE)?;
        Ok(Self {
            level: config.migration_level()?,
            mapping: config.get(param::NON_BDB_CUSTOM_MAPPING)?,
            log: config.get(param::NON_BDB_MIGRATION_LOG_REDIRECT)?,
            hash: config.get(param::DEFAULT_DATABASE_TYPE)?,
            // A type for caches of one process only; tables that many read are of the one that is next to it.
            btree: if caches == "sled" {
                "lmdb".into()
            } else {
                caches
            },
            service: config.get(param::NON_BDB_MIGRATION_SERVICE_NAME)?,
        })
    }
}

/// Whether a type needs Berkeley DB.
pub fn is_legacy(kind: &str) -> bool {
    matches!(kind, "hash" | "btree")
}

/// What the names of a type's indexes end in; `None` for a type without an index.
pub fn suffix(kind: &str) -> Option<&'static str> {
    match kind {
        "lmdb" => Some(".lmdb"),
        "cdb" => Some(".cdb"),
        _ => None,
    }
}

/// The type that takes the place of `kind` for the table `name`.
///
/// # Errors
/// There is none: why, in Postfix's words.
pub fn replacement(kind: &str, name: &str, options: &Options) -> Result<String, String> {
    let settings = &options.non_bdb;
    let default = match kind {
        "hash" => &settings.hash,
        "btree" => &settings.btree,
        _ => {
            return Err(format!(
                "request to map from non-Berkeley-DB type: '{kind}'"
            ));
        }
    };
    let found = if settings.mapping.is_empty() {
        None
    } else {
        mapped(kind, name, options)?
    };
    let new = found.unwrap_or_else(|| default.clone());
    if new.is_empty() || !new.chars().all(char::is_alphanumeric) {
        Err(format!("bad non-legacy database type syntax: '{new}'"))
    } else if is_legacy(&new) {
        Err(format!("mapping from '{kind}' to legacy type '{new}'"))
    } else if !TABLE_TYPES.contains(&new.as_str()) {
        let _hint = unsupported(&new);
        Err(format!("mapping to unsupported database type: '{new}'"))
    } else {
        Ok(new)
    }
}

/// The type that a table named `kind:name` is of, be it in the place of Berkeley DB or not. Nothing is said of it in the log.
pub fn type_in_use(kind: &str, name: &str, options: &Options) -> String {
    let redirected = is_legacy(kind) && options.non_bdb.level >= MigrationLevel::Redirect;
    // A table that nothing takes the place of is told of where it is opened.
    redirected
        .then(|| replacement(kind, name, options).ok())
        .flatten()
        .unwrap_or_else(|| kind.to_owned())
}

/// What the administrator's own table says of one table, or else of its type.
fn mapped(kind: &str, name: &str, options: &Options) -> Result<Option<String>, String> {
    let spec = &options.non_bdb.mapping;
    if let Some((legacy, _)) = spec.split_once(':').filter(|(kind, _)| is_legacy(kind)) {
        let parameter = param::NON_BDB_CUSTOM_MAPPING.name();
        return Err(format!("{parameter} must not use legacy type: '{legacy}'"));
    }
    let full = format!("{kind}:{name}");
    for key in [full.as_str(), kind] {
        match lookup(spec, key, options) {
            Lookup::Found(value) => return Ok(Some(String::from_utf8_lossy(&value).into_owned())),
            Lookup::Missing => {}
            Lookup::Unavailable(_) => return Err(format!("{spec} lookup error for '{full}'")),
        }
    }
    Ok(None)
}

/// Looks a key up in a table that is opened for that alone.
fn lookup(spec: &str, key: &str, options: &Options) -> Lookup<Vec<u8>> {
    let own = Options {
        fold: true,
        value_is_file: false,
        no_substitution: false,
        non_bdb: NonBdb::default(),
        ..options.clone()
    };
    if let Some(answer) = Table::open(spec, &own).lookup_local(key.as_bytes()) {
        return answer;
    }
    // Tables are opened where nothing can be waited for but by a thread of its own.
    let waited = std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .ok()?;
            let table = Table::open(spec, &own);
            let answer = table.lookup(key.as_bytes());
            Some(tokio::task::LocalSet::new().block_on(&runtime, answer))
        });
        asked.join().ok().flatten()
    });
    waited.unwrap_or_else(|| Lookup::Unavailable(LookupError(String::new())))
}

/// How a table is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// As it is: an index must be there.
    Existing,
    /// The index may be made by whoever opens it.
    Creating,
}

/// The type that takes the place of `kind`, if tables of that type are led elsewhere; says so in the log. Where there is no
/// index of the new type, the service is asked to make one, unless the caller makes it.
///
/// # Errors
/// No type takes its place, or there is no index; what is wrong was logged.
pub fn redirect(
    kind: &str,
    name: &str,
    options: &Options,
    access: Access,
) -> Result<Option<String>, OpenError> {
    let settings = &options.non_bdb;
    if !is_legacy(kind) || settings.level < MigrationLevel::Redirect {
        return Ok(None);
    }
    let new = replacement(kind, name, options).map_err(|why| {
        pf_log::warning!("non-Berkeley-DB type mapping lookup error for '{kind}:{name}': {why}");
        OpenError(format!(
            "Berkeley DB type mapping lookup error for '{kind}:{name}': {why}"
        ))
    })?;
    announce(kind, name, &new, settings);
    if access == Access::Existing && settings.level >= MigrationLevel::Reindex {
        let Some(suffix) = suffix(&new) else {
            let why = format!("non-Berkeley-DB mapped type '{new}' has no known pathname suffix");
            pf_log::warning!("{why}");
            return Err(OpenError(why));
        };
        let index = std::fs::metadata(format!("{name}{suffix}"));
        if index.is_err_and(|err| err.kind() == ErrorKind::NotFound) {
            request(kind, name, options).map_err(|why| {
                let text = format!("Non-Berkeley-DB migration error: {why}");
                pf_log::warning!("{text}");
                OpenError(text)
            })?;
        }
    }
    Ok(Some(new))
}

/// The type that takes the place of `kind` when a whole index is made.
///
/// # Errors
/// There is none: why, in Postfix's words.
pub(crate) fn redirect_making(
    kind: &str,
    name: &str,
    options: &Options,
) -> Result<Option<String>, OpenError> {
    let settings = &options.non_bdb;
    if !is_legacy(kind) || settings.level < MigrationLevel::Redirect {
        return Ok(None);
    }
    let new = replacement(kind, name, options).map_err(|why| {
        OpenError(format!(
            "non_bdb migration mapping lookup error for '{kind}': {why}"
        ))
    })?;
    announce(kind, name, &new, settings);
    if suffix(&new).is_none() {
        return Err(OpenError(format!(
            "no 'map create' support for non_bdb mapped type: {new}"
        )));
    }
    Ok(Some(new))
}

fn announce(kind: &str, name: &str, new: &str, settings: &NonBdb) {
    if settings.log {
        pf_log::info!("redirecting {kind}:{name} to {new}:{name}");
    }
}

/// Has the service make an index, and waits for it.
fn request(kind: &str, name: &str, options: &Options) -> Result<(), String> {
    let service = &options.non_bdb.service;
    // A daemon works in the queue directory, which may be its root; others do not.
    let here = Address::new(Path::new(""), Class::Private, service);
    let address = if here.path().exists() {
        here
    } else {
        Address::new(&options.queue_directory, Class::Private, service)
    };
    let mut tries = 0;
    loop {
        tries += 1;
        match ask(&address, kind, name) {
            Ok(()) => return Ok(()),
            Err(why) if tries == TRIES => return Err(why),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// Asks once.
fn ask(address: &Address, kind: &str, name: &str) -> Result<(), String> {
    let shown = address.path().display();
    let mut stream = sync::Stream::connect(address.path(), LIMIT)
        .map_err(|err| format!("connection to {shown} service: {}", cause(&err)))?;
    stream
        .recv()
        .and_then(|first| check_announcement(&first, PROTOCOL))
        .map_err(|_| format!("error receiving {shown} service initial response"))?;
    let request = Reindex {
        kind: kind.as_bytes(),
        path: name.as_bytes(),
    };
    stream
        .send(&request.encode(Encoder::new()).end())
        .map_err(|err| format!("error sending request to {shown} service: {}", cause(&err)))?;
    let outcome = stream
        .recv()
        .and_then(|message| {
            let mut list = message.decoder();
            let outcome = request.decode_reply(&mut list)?;
            list.end()?;
            Ok(outcome)
        })
        .map_err(|err| {
            format!(
                "error receiving response from {shown} service: {}",
                cause(&err)
            )
        })?;
    match outcome.status {
        nbdb::OK => Ok(()),
        nbdb::ERROR => Err(String::from_utf8_lossy(&outcome.why).into_owned()),
        other => Err(format!("bad reindexing server status: {other}")),
    }
}

fn cause(err: &pf_attr::Error) -> String {
    match err {
        pf_attr::Error::Io(err) => reason(err),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(mapping: &str) -> Options {
        Options {
            non_bdb: NonBdb {
                mapping: mapping.into(),
                level: MigrationLevel::Redirect,
                log: false,
                btree: "cdb".into(),
                ..NonBdb::default()
            },
            ..Options::default()
        }
    }

    #[test]
    fn defaults_and_exceptions() {
        let of = |mapping: &str, kind: &str| replacement(kind, "/etc/T", &options(mapping));
        assert_eq!(of("", "hash"), Ok("lmdb".into()));
        assert_eq!(of("", "btree"), Ok("cdb".into()));
        let mapping = "inline:{ {hash:/etc/t=cdb} {hash=texthash} {btree=hash} }";
        assert_eq!(of(mapping, "hash"), Ok("cdb".into()));
        let other = replacement("hash", "/etc/other", &options(mapping));
        assert_eq!(other, Ok("texthash".into()));
        assert_eq!(
            of(mapping, "btree"),
            Err("mapping from 'btree' to legacy type 'hash'".into())
        );
        assert_eq!(
            of("", "lmdb"),
            Err("request to map from non-Berkeley-DB type: 'lmdb'".into())
        );
        assert_eq!(
            of("static:a-b", "hash"),
            Err("bad non-legacy database type syntax: 'a-b'".into())
        );
        assert_eq!(
            of("static:nosuch", "hash"),
            Err("mapping to unsupported database type: 'nosuch'".into())
        );
        assert_eq!(
            of("hash:/x", "hash"),
            Err("non_bdb_custom_mapping must not use legacy type: 'hash'".into())
        );
        assert_eq!(
            of("fail:x", "hash"),
            Err("fail:x lookup error for 'hash:/etc/T'".into())
        );
        // A table that has to be waited for.
        assert_eq!(of("unionmap:{static:cdb}", "hash"), Ok("cdb".into()));
    }

    #[test]
    fn only_what_is_asked_for_is_redirected() {
        let mut options = options("");
        let to = |kind: &str, options: &Options| {
            redirect(kind, "/nonexistent/t", options, Access::Existing).unwrap()
        };
        assert_eq!(to("hash", &options).as_deref(), Some("lmdb"));
        assert_eq!(to("lmdb", &options), None);
        options.non_bdb.level = MigrationLevel::Disable;
        assert_eq!(to("hash", &options), None);
        options.non_bdb.level = MigrationLevel::Reindex;
        options.non_bdb.service = "nobody".into();
        options.queue_directory = "/nonexistent".into();
        let trouble = redirect("hash", "/nonexistent/t", &options, Access::Existing);
        assert_eq!(
            trouble.unwrap_err().0,
            "Non-Berkeley-DB migration error: connection to /nonexistent/private/nobody service: No such file or directory"
        );
        let made = redirect("hash", "/nonexistent/t", &options, Access::Creating);
        assert_eq!(made.unwrap().as_deref(), Some("lmdb"));
    }
}
