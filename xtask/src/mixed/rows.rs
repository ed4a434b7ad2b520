//! Which tests touch which program.

/// A program, the files of compliance tests that touch it, and the one test that a quick look takes.
pub struct Row {
    pub program: &'static str,
    pub files: &'static [&'static str],
    pub quick: (&'static str, &'static str),
}

const fn row(
    program: &'static str,
    files: &'static [&'static str],
    quick: (&'static str, &'static str),
) -> Row {
    Row {
        program,
        files,
        quick,
    }
}

const REBOUND: (&str, &str) = ("journey", "a_refused_recipient_comes_back_as_a_bounce");
const DEFERRED: (&str, &str) = (
    "journey",
    "an_unreachable_server_defers_and_a_flush_delivers",
);
const DELIVERED: (&str, &str) = ("journey", "sendmail_to_a_local_mailbox");
const RELAYED: (&str, &str) = ("journey", "smtp_in_and_smtp_out_through_a_relay");

/// Daemons first, then commands.
pub const ROWS: &[Row] = &[
    row(
        "anvil",
        &["journey", "master", "scenarios", "smtpd"],
        ("master", "anvil_counts"),
    ),
    row(
        "bounce",
        &["bounce", "journey", "local", "qmgr", "qmgr_ages", "smtp"],
        REBOUND,
    ),
    row(
        "cleanup",
        &[
            "cleaning",
            "journey",
            "maildrop",
            "queueing",
            "scenarios",
            "submission",
        ],
        ("cleaning", "each_parameter"),
    ),
    row(
        "discard",
        &["journey", "qmgr_routes", "scenarios"],
        ("qmgr_routes", "routes_groups_and_senders"),
    ),
    row(
        "error",
        &["journey", "qmgr", "qmgr_routes", "scenarios"],
        ("qmgr", "what_cannot_be_delivered_now_waits_for_its_reason"),
    ),
    row(
        "flush",
        &["administering", "flush", "journey"],
        ("flush", "the_protocol"),
    ),
    row(
        "local",
        &["journey", "local", "local_more", "local_parameters"],
        DELIVERED,
    ),
    row(
        "master",
        &["journey", "master", "small_commands"],
        ("master", "never_more_clients_than_the_process_limit"),
    ),
    row(
        "nbdb_reindexd",
        &["journey", "non_bdb"],
        ("non_bdb", "requests"),
    ),
    row(
        "pickup",
        &["administering", "journey", "maildrop", "submission"],
        DELIVERED,
    ),
    row(
        "pipe",
        &["journey", "pipe"],
        ("pipe", "commands_of_master_cf"),
    ),
    row(
        "postlogd",
        &["journey", "master", "small_commands"],
        ("small_commands", "postlogd"),
    ),
    row(
        "proxymap",
        &["journey", "queueing", "scenarios"],
        ("scenarios", "daemons_in_a_chroot_jail"),
    ),
    row(
        "qmgr",
        &[
            "administering",
            "journey",
            "qmgr",
            "qmgr_ages",
            "qmgr_files",
            "qmgr_routes",
            "queueing",
        ],
        DEFERRED,
    ),
    row(
        "scache",
        &["scache", "smtp_reuse"],
        ("scache", "connections_are_kept_and_given"),
    ),
    row(
        "showq",
        &["administering", "journey", "postqueue", "postsuper"],
        ("postqueue", "listings"),
    ),
    row("smtp", &["journey", "scenarios", "smtp"], RELAYED),
    row("smtpd", &["journey", "scenarios", "smtpd"], RELAYED),
    row(
        "spawn",
        &["journey", "master"],
        ("master", "spawn_runs_a_command_as_somebody_else"),
    ),
    row(
        "trivial-rewrite",
        &[
            "journey",
            "queueing",
            "qmgr_routes",
            "rewriting",
            "scenarios",
        ],
        ("rewriting", "each_parameter"),
    ),
    row(
        "verify",
        &["journey", "queueing", "smtpd"],
        ("queueing", "probes"),
    ),
    row(
        "virtual",
        &["journey", "virtual_mailboxes"],
        ("virtual_mailboxes", "mailboxes_and_maildirs"),
    ),
    row(
        "postalias",
        &["local", "tables"],
        ("tables", "command_lines"),
    ),
    row(
        "postcat",
        &["postcat"],
        ("postcat", "files_of_real_messages"),
    ),
    row("postconf", &["journey", "postconf"], ("postconf", "values")),
    row(
        "postdrop",
        &["journey", "maildrop", "submission"],
        DELIVERED,
    ),
    row(
        "postfix",
        &["journey", "master"],
        ("master", "reload_changes_services_and_status_tells"),
    ),
    row(
        "postkick",
        &["small_commands"],
        ("small_commands", "postkick"),
    ),
    row(
        "postlock",
        &["small_commands"],
        ("small_commands", "postlock"),
    ),
    row(
        "postlog",
        &["small_commands"],
        ("small_commands", "postlog"),
    ),
    row("postmap", &["tables"], ("tables", "proxied")),
    row(
        "postmulti",
        &["postmulti"],
        ("postmulti", "what_does_not_go_together"),
    ),
    row(
        "postqueue",
        &["administering", "flush", "journey", "postqueue"],
        DEFERRED,
    ),
    row(
        "postsuper",
        &["administering", "postsuper"],
        ("postsuper", "named_messages"),
    ),
    row(
        "posttls-finger",
        &["posttls_finger"],
        ("posttls_finger", "names::exchangers_services_and_hosts"),
    ),
    row("sendmail", &["journey", "submission"], DELIVERED),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{COMMANDS, DAEMONS, SENDMAIL};

    #[test]
    fn each_program_has_a_row() {
        // No other program talks to qshape, and the original's is a script for another interpreter.
        let programs = COMMANDS.into_iter().filter(|name| *name != "qshape");
        for name in DAEMONS.into_iter().chain(programs).chain([SENDMAIL]) {
            assert!(ROWS.iter().any(|row| row.program == name), "{name}");
        }
    }
}
