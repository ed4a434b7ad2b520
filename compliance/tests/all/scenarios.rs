//! Whole scenarios, each a text file: dialogues with the SMTP server, and mail that is rewritten and filtered on its way to a server.

use compliance::scenario::check;

#[test]
fn smtpd_addresses_and_parameters() {
    check(
        "scenarios/smtpd-syntax",
        include_str!("../../scenarios/smtpd-syntax.txt"),
    );
}

#[test]
fn smtpd_access_actions_at_each_stage() {
    check(
        "scenarios/smtpd-access",
        include_str!("../../scenarios/smtpd-access.txt"),
    );
}

#[test]
fn smtpd_block_lists_and_names() {
    check(
        "scenarios/smtpd-dnsbl",
        include_str!("../../scenarios/smtpd-dnsbl.txt"),
    );
}

#[test]
fn smtpd_limits_newlines_chunks_and_proxies() {
    check(
        "scenarios/smtpd-session",
        include_str!("../../scenarios/smtpd-session.txt"),
    );
}

#[test]
fn smtpd_filters_before_and_after_the_queue() {
    check(
        "scenarios/smtpd-proxy",
        include_str!("../../scenarios/smtpd-proxy.txt"),
    );
}

#[test]
fn smtpd_clients_proxies_and_rates() {
    check(
        "scenarios/smtpd-clients",
        include_str!("../../scenarios/smtpd-clients.txt"),
    );
}

#[test]
fn smtpd_odd_restrictions_and_broken_chunks() {
    check(
        "scenarios/smtpd-words",
        include_str!("../../scenarios/smtpd-words.txt"),
    );
}

#[test]
fn smtpd_codes_filters_and_footers() {
    check(
        "scenarios/smtpd-parameters",
        include_str!("../../scenarios/smtpd-parameters.txt"),
    );
}

#[test]
fn smtpd_keys_classes_and_notices() {
    check(
        "scenarios/smtpd-keys",
        include_str!("../../scenarios/smtpd-keys.txt"),
    );
}

#[test]
fn smtpd_on_the_standard_input() {
    check(
        "scenarios/smtpd-stdin",
        include_str!("../../scenarios/smtpd-stdin.txt"),
    );
}

#[test]
fn cleanup_checks_maps_and_headers() {
    check(
        "scenarios/cleanup",
        include_str!("../../scenarios/cleanup.txt"),
    );
}

#[test]
fn rewriting_and_routes() {
    check(
        "scenarios/rewrite",
        include_str!("../../scenarios/rewrite.txt"),
    );
}

#[test]
fn smtp_servers_of_all_kinds() {
    check("scenarios/smtp", include_str!("../../scenarios/smtp.txt"));
}

#[test]
fn daemons_in_a_chroot_jail() {
    check(
        "scenarios/chroot",
        include_str!("../../scenarios/chroot.txt"),
    );
}

#[test]
fn address_literals() {
    check(
        "scenarios/literals",
        include_str!("../../scenarios/literals.txt"),
    );
}

#[test]
fn sendmail_options_and_messages() {
    check(
        "scenarios/sendmail",
        include_str!("../../scenarios/sendmail.txt"),
    );
}

#[test]
fn delivery_agents_that_fail() {
    check(
        "scenarios/qmgr-agents",
        include_str!("../../scenarios/qmgr-agents.txt"),
    );
}

#[test]
fn one_destination_fills_the_queue() {
    check(
        "scenarios/qmgr-clog",
        include_str!("../../scenarios/qmgr-clog.txt"),
    );
}

#[test]
fn postsuper_and_unknown_queues() {
    check(
        "scenarios/postsuper-queues",
        include_str!("../../scenarios/postsuper-queues.txt"),
    );
}

#[test]
fn messages_that_expire() {
    check(
        "scenarios/qmgr-expiry",
        include_str!("../../scenarios/qmgr-expiry.txt"),
    );
}

#[test]
fn addresses_that_are_probed() {
    check(
        "scenarios/verify",
        include_str!("../../scenarios/verify.txt"),
    );
}

#[test]
fn agents_that_deliver_nothing() {
    check(
        "scenarios/agents",
        include_str!("../../scenarios/agents.txt"),
    );
}
