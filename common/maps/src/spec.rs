//! From `type:name` to an open table.

use std::path::PathBuf;

use crate::non_bdb::{Access, redirect};
use crate::table::{Nature, OpenError, Opener, Table};
use crate::{
    Options, cdb_file, cidr, compose, hashed, lmdb, net_client, passwd, pcre, proxy, regexp,
};

/// The type and the name of a table.
///
/// # Errors
/// One of them is missing.
pub(crate) fn split_form(spec: &str) -> Result<(&str, &str), OpenError> {
    spec.split_once(':')
        .filter(|(kind, name)| !kind.is_empty() && !name.is_empty())
        .ok_or_else(|| {
            OpenError(format!(
                "open dictionary: expecting \"type:name\" form instead of \"{spec}\""
            ))
        })
}

/// The complaint about a type that there is not, which is logged with a hint.
pub(crate) fn unsupported(kind: &str) -> OpenError {
    let why = format!("unsupported dictionary type: {kind}");
    pf_log::warning!("{why}. Is the postfix-{kind} package installed?");
    OpenError(why)
}

/// Opens the table `type:name`.
///
/// # Errors
/// There is no such type, or the table cannot be opened; the text is Postfix's.
pub fn open(spec: &str, options: &Options) -> Result<Table, OpenError> {
    match Table::shared(spec, options) {
        Some(table) => Ok(table),
        None => open_new(spec, options).map(|table| table.share(spec, options)),
    }
}

fn open_new(spec: &str, options: &Options) -> Result<Table, OpenError> {
    let (kind, name) = split_form(spec)?;
    // Not so: the caller asked for no help of the proxy server.
    if kind == "proxy" && options.no_proxy {
        return open(name, options);
    }
    let instead = redirect(kind, name, options, Access::Existing)?;
    let kind = instead.as_deref().unwrap_or(kind);
    let file = |suffix: &str| Some(PathBuf::from(format!("{name}{suffix}")));
    let plain = |name: &str| (!name.starts_with('{')).then(|| PathBuf::from(name));
    let (nature, file, opener): (Nature, Option<PathBuf>, Opener) = match kind {
        "lmdb" | "hash" | "btree" => (Nature::Fixed, None, lmdb::open),
        "cdb" => (Nature::Fixed, file(".cdb"), cdb_file::open),
        "texthash" => (Nature::Fixed, plain(name), hashed::text),
        "inline" => (Nature::Fixed, None, hashed::inline),
        "internal" => (Nature::Fixed, None, hashed::internal),
        "environ" => (Nature::Fixed, None, hashed::environ),
        "static" => (Nature::Fixed, None, hashed::constant),
        "fail" => (Nature::Fixed, None, hashed::fail),
        "unix" => (Nature::Fixed, None, passwd::open),
        "regexp" => (Nature::Pattern, plain(name), regexp::open),
        "pcre" => (Nature::Pattern, plain(name), pcre::open),
        "cidr" => (Nature::Pattern, plain(name), cidr::open),
        "randmap" => (Nature::Pattern, None, compose::random),
        "unionmap" => (compose::nature(name, options), None, compose::union),
        "pipemap" => (compose::nature(name, options), None, compose::pipe),
        "debug" => (compose::nature_of(name), None, compose::debug),
        "proxy" => (compose::nature_of(name), None, proxy::open),
        "tcp" => (Nature::Fixed, None, net_client::tcp),
        "socketmap" => (Nature::Fixed, None, net_client::socketmap),
        _ => return Err(unsupported(kind)),
    };
    Table::new(kind, name, nature, file, opener, options)
}

impl Table {
    /// As [`open`], but a table that cannot be opened is logged as an error and stands in the way of all lookups: a daemon goes
    /// on, and mail that needs the table is tried again later.
    pub fn open(spec: &str, options: &Options) -> Self {
        open(spec, options).unwrap_or_else(|err| {
            pf_log::error!("{err}");
            Table::broken(spec, &err).share(spec, options)
        })
    }
}
