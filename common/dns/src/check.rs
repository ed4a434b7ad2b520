//! Names that are none, in questions and in answers.

use pf_text::hostaddr::valid_hostaddr;
use pf_text::hostname::check_hostname;

use crate::{Data, Kind, Record};

/// A name in an answer that is no domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Why this is no domain name; a wildcard is one, too.
fn check(name: &str) -> Result<(), String> {
    check_hostname(name.strip_prefix("*.").unwrap_or(name).as_bytes())
}

/// Whether a server may be asked for this: some answer strangely to addresses, and some libraries to malformed names.
pub(crate) fn may_be_asked(name: &str) -> bool {
    name == "." || check(name).is_ok() && !valid_hostaddr(name.as_bytes())
}

/// Complains about a name in a record; a numeric one is used all the same.
fn name(name: &str, place: &str, kind: Kind, asked: &str) -> Result<(), Malformed> {
    let (complaint, verdict) = if valid_hostaddr(name.as_bytes()) {
        ("numeric", Ok(()))
    } else if let Err(why) = check(name) {
        pf_log::warning!("valid_hostname: {why}");
        ("malformed", Err(Malformed))
    } else {
        return Ok(());
    };
    let kind = kind.name();
    pf_log::warning!(
        "{complaint} domain name in {place} of {kind} record for {asked}: {name:.100}"
    );
    verdict
}

/// The names that records belong to, and those that aliases lead to: one that is malformed spoils the whole answer.
pub(crate) fn owners(records: &[Record], asked: &str, kind: Kind) -> Result<(), Malformed> {
    // The names of addresses follow rules of their own.
    if kind == Kind::Ptr {
        return Ok(());
    }
    for record in records {
        if asked != "." || !record.name.is_empty() {
            name(&record.name, "resource name", record.kind, asked)?;
        }
        if record.kind == Kind::Cname && kind != Kind::Cname {
            target(record, asked)?;
        }
    }
    Ok(())
}

/// The host or name that a record leads to.
pub(crate) fn target(record: &Record, asked: &str) -> Result<(), Malformed> {
    match &record.data {
        Data::Mx { host, .. } | Data::Srv { host, .. } | Data::Name(host)
            if record.kind != Kind::Ptr =>
        {
            name(host, "resource data", record.kind, asked)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_asked() {
        for good in [".", "a.example", "_smtp._tcp.example", "*.example"] {
            assert!(may_be_asked(good), "{good}");
        }
        for bad in ["", "1.2.3.4", "::1", "a..b", "-a", "a.example."] {
            assert!(!may_be_asked(bad), "{bad}");
        }
    }
}
