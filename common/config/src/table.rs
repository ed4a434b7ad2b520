//! What one row of the parameter table says, and the typed keys by which programs ask for values.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::LazyLock;

use crate::param;

/// How the text of a parameter is read, and which complaint a bad one causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text with `$name` expansion; the range bounds its length.
    Text,
    /// Text that is kept as written: `$name` is expanded later, by the program that uses it.
    Raw,
    /// `yes` or `no`; the default is a constant.
    Bool,
    /// `yes` or `no`; the default is an expression.
    BoolExpr,
    /// A 32-bit number; the default is a constant.
    Int,
    /// A 32-bit number; the default is an expression.
    IntExpr,
    /// A 64-bit number.
    Long,
    /// A time; without a unit letter it has the unit of the default.
    Time,
}

/// What the table knows about one parameter.
#[derive(Debug)]
pub struct Row {
    /// The name in `main.cf`.
    pub name: &'static str,
    /// How a value is read.
    pub kind: Kind,
    /// The default, before `$name` expansion. Empty for the few that are computed (see [`computed`](Self::computed)).
    pub default: &'static str,
    /// Least value (number, seconds, or length of text); 0 means no bound.
    pub min: i64,
    /// Greatest value; 0 means no bound.
    pub max: i64,
    /// Programs that read it, separated by spaces; `all` for what every program reads.
    pub used_by: &'static str,
    /// Whether our programs act on it already, or only accept it.
    pub honoured: bool,
    /// One line of explanation.
    pub summary: &'static str,
}

impl Row {
    /// Whether the default is found out at run time (host name, networks, process id).
    pub fn computed(&self) -> bool {
        matches!(
            self.name,
            "myhostname"
                | "mydomain"
                | "mynetworks"
                | "process_id"
                | "process_name"
                | "service_name"
                | "config_directory"
        )
    }

    /// Whether `main.cf` cannot set it.
    pub fn read_only(&self) -> bool {
        matches!(self.name, "process_id" | "process_name" | "service_name")
    }

    /// Whether the default is a plain number (as opposed to text, or an expression that yields a number).
    pub fn number(&self) -> bool {
        matches!(self.kind, Kind::Int | Kind::Long)
    }
}

/// The key of a parameter whose value is a `T`.
pub struct Param<T> {
    row: &'static Row,
    value: PhantomData<fn() -> T>,
}

impl<T> Param<T> {
    pub(crate) const fn new(row: &'static Row) -> Self {
        Self {
            row,
            value: PhantomData,
        }
    }

    /// What the table says about the parameter.
    pub const fn row(&self) -> &'static Row {
        self.row
    }

    /// The name in `main.cf`.
    pub const fn name(&self) -> &'static str {
        self.row.name
    }
}

impl<T> Clone for Param<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Param<T> {}

/// Rows of one topic: `/// summary`, then `CONSTANT: Type = Kind "name", "default", (min, max), "programs", honoured;`.
macro_rules! rows {
    ($($(#[doc = $summary:literal])+ $constant:ident: $type:ty = $kind:ident $name:literal, $default:literal,
        ($min:literal, $max:literal), $used_by:literal, $honoured:literal;)+) => {
        $(
            $(#[doc = $summary])+
            pub const $constant: $crate::table::Param<$type> = $crate::table::Param::new(&$crate::table::Row {
                name: $name,
                kind: $crate::table::Kind::$kind,
                default: $default,
                min: $min,
                max: $max,
                used_by: $used_by,
                honoured: $honoured,
                summary: concat!($($summary),+),
            });
        )+
        pub(crate) const ROWS: &[&$crate::table::Row] = &[$($constant.row()),+];
    };
}
pub(crate) use rows;

static INDEX: LazyLock<HashMap<&'static str, &'static Row>> =
    LazyLock::new(|| all().map(|row| (row.name, row)).collect());

/// Every parameter, topic by topic.
pub fn all() -> impl Iterator<Item = &'static Row> {
    param::TOPICS.iter().flat_map(|topic| topic.iter().copied())
}

/// The row of this name.
pub fn find(name: &str) -> Option<&'static Row> {
    INDEX.get(name).copied()
}

/// Old names that are still looked at as a fallback for newer ones; their default is empty.
pub const LEGACY: &[&str] = &[
    "virtual_maps",
    "fallback_relay",
    "authorized_verp_clients",
    "smtpd_client_connection_limit_exceptions",
    "postscreen_dnsbl_ttl",
    "postscreen_blacklist_action",
    "postscreen_dnsbl_whitelist_threshold",
    "postscreen_whitelist_interfaces",
    "lmtp_per_record_deadline",
    "smtp_per_record_deadline",
    "smtpd_per_record_deadline",
    "tlsproxy_client_level",
    "tlsproxy_client_policy",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_constants_follow_them() {
        let mut names: Vec<_> = all().map(|row| row.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(count, INDEX.len());
    }

    #[test]
    fn time_defaults_name_their_unit() {
        for row in all().filter(|row| row.kind == Kind::Time) {
            assert!(
                row.default.contains(|c: char| c.is_ascii_alphabetic()),
                "{}",
                row.name
            );
        }
    }
}
