//! Parameters of database clients: `ldap:name` makes `name_server_host` and its kin valid, `ldap:/file` has them in the file.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use pf_config::main_cf;
use pf_config::master_cf::{inside_braces, split_outside_braces, strip_braces};
use pf_config::system::reason;

use crate::lines::{close, open};
use crate::unused::Report;

/// Parameters that every SQL client has besides its own.
const SQL: &[&str] = &[
    "additional_conditions",
    "domain",
    "expansion_limit",
    "select_field",
    "table",
    "where_field",
];

/// Clients, and their parameters.
const CLIENTS: &[(&str, &[&str], &[&str])] = &[
    (
        "ldap",
        &[
            "bind",
            "bind_dn",
            "bind_pw",
            "cache",
            "cache_expiry",
            "cache_size",
            "chase_referrals",
            "debuglevel",
            "dereference",
            "domain",
            "expansion_limit",
            "leaf_result_attribute",
            "query_filter",
            "recursion_limit",
            "result_attribute",
            "result_filter",
            "result_format",
            "sasl_authz_id",
            "sasl_mechs",
            "sasl_minssf",
            "sasl_realm",
            "scope",
            "search_base",
            "server_host",
            "server_port",
            "size_limit",
            "special_result_attribute",
            "start_tls",
            "terminal_result_attribute",
            "timeout",
            "tls_ca_cert_dir",
            "tls_ca_cert_file",
            "tls_cert",
            "tls_cipher_suite",
            "tls_key",
            "tls_random_file",
            "tls_require_cert",
            "version",
        ],
        &[],
    ),
    (
        "mysql",
        &[
            "charset",
            "dbname",
            "hosts",
            "idle_interval",
            "option_file",
            "option_group",
            "password",
            "query",
            "require_result_set",
            "result_format",
            "retry_interval",
            "tls_CAfile",
            "tls_CApath",
            "tls_cert_file",
            "tls_ciphers",
            "tls_key_file",
            "tls_verify_cert",
            "user",
        ],
        SQL,
    ),
    (
        "pgsql",
        &[
            "dbname",
            "encoding",
            "hosts",
            "idle_interval",
            "password",
            "query",
            "result_format",
            "retry_interval",
            "select_function",
            "user",
        ],
        SQL,
    ),
    ("sqlite", &["dbpath", "query", "result_format"], SQL),
    (
        "memcache",
        &[
            "backup",
            "data_size_limit",
            "domain",
            "flags",
            "key_digest",
            "key_format",
            "line_size_limit",
            "max_try",
            "memcache",
            "retry_pause",
            "timeout",
            "ttl",
        ],
        &[],
    ),
    (
        "mongodb",
        &[
            "collection",
            "dbname",
            "domain",
            "expansion_limit",
            "projection",
            "query_filter",
            "result_attribute",
            "result_format",
            "uri",
        ],
        &[],
    ),
];

fn suffixes(kind: &str) -> Option<impl Iterator<Item = &'static str>> {
    CLIENTS
        .iter()
        .find(|(name, _, _)| *name == kind)
        .map(|(_, own, shared)| own.iter().chain(*shared).copied())
}

/// The parameter names that the tables in this value make valid. `place` is for complaints.
///
/// # Errors
/// The configuration file of a database client is malformed.
pub fn names(value: &str, place: &str, report: &mut Report) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    walk(value, place, true, report, &mut found)?;
    Ok(found)
}

fn walk(
    value: &str,
    place: &str,
    recurse: bool,
    report: &mut Report,
    found: &mut Vec<String>,
) -> anyhow::Result<()> {
    for word in words(value) {
        if word.starts_with('#') {
            let rest = value.split_once(word).map_or("", |(_, rest)| rest);
            let rest: String = rest.chars().skip(1).take(20).collect();
            pf_log::warning!("{place}: #comment after other text is not allowed: {word} {rest}...");
            return Ok(());
        }
        if word.starts_with('{') {
            let inner = inside(word, place);
            if recurse {
                walk(inner, place, recurse, report, found)?;
            }
            continue;
        }
        let mut rest = word;
        let (kind, table) = loop {
            match rest.split_once(':') {
                None => break (rest, None),
                Some(("proxy" | "debug", inner)) => rest = inner,
                Some((kind, table)) => break (kind, Some(table)),
            }
        };
        let Some(table) = table else {
            continue;
        };
        if table.starts_with('/') {
            check_file(kind, table, report)?;
        } else if table.starts_with('{') {
            let recurse = recurse && !matches!(kind, "regexp" | "pcre");
            walk(inside(table, place), place, recurse, report, found)?;
        } else if !table.starts_with('.')
            && let Some(suffixes) = suffixes(kind)
        {
            found.extend(suffixes.map(|suffix| format!("{table}_{suffix}")));
        }
    }
    Ok(())
}

fn inside<'a>(word: &'a str, place: &str) -> &'a str {
    match strip_braces(word) {
        Ok(inner) => inner,
        Err(why) => {
            pf_log::warning!("{place}: {why}");
            inside_braces(word)
        }
    }
}

/// Words between commas and blanks, except inside braces.
fn words(text: &str) -> Vec<&str> {
    split_outside_braces(text, |c| matches!(c, ',' | ' ' | '\t' | '\r' | '\n'))
}

/// Warns about parameters in the file of a database client that it does not have.
fn check_file(kind: &str, path: &str, report: &mut Report) -> anyhow::Result<()> {
    let Some(suffixes) = suffixes(kind) else {
        return Ok(());
    };
    if !report.first(&format!("{kind}:{path}")) {
        return Ok(());
    }
    let file = Path::new(OsStr::from_bytes(&close(path))).to_owned();
    match std::fs::metadata(&file) {
        Ok(found) if !found.is_file() => {
            pf_log::warning!("open \"{kind}\" configuration \"{path}\": not a regular file");
            return Ok(());
        }
        _ => {}
    }
    let text = match std::fs::read(&file) {
        Ok(text) => text,
        Err(err) => {
            if err.kind() != std::io::ErrorKind::PermissionDenied {
                pf_log::warning!("open \"{kind}\" configuration \"{path}\": {}", reason(&err));
            }
            return Ok(());
        }
    };
    let known: Vec<&str> = suffixes.collect();
    let mut settings = BTreeMap::new();
    main_cf::parse_as(open, path, &text, &mut settings, |warning| {
        pf_log::warning!("{warning}");
    })?;
    settings.retain(|name, _| !known.contains(&name.as_str()));
    if report.unused {
        for (name, value) in settings {
            pf_log::warning!("{kind}:{path}: unused parameter: {name}={value}");
            pf_cli::suggest(&report.called, &name, known.iter().copied());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_make_names() {
        let mut report = Report::default();
        let found = names(
            "proxy:ldap:foo, {hash:x sqlite:bar} regexp:{{ldap:no}}",
            "x",
            &mut report,
        )
        .unwrap();
        assert!(found.contains(&"foo_server_host".to_owned()));
        assert!(found.contains(&"bar_where_field".to_owned()));
        assert!(!found.iter().any(|name| name.starts_with("no_")));
    }
}
