//! Warnings about settings that nothing uses, or that will go away.

use std::collections::BTreeSet;

use crate::names::{Names, Scope};

impl Names {
    /// Warns about settings that nothing uses, and about those that will go away.
    pub fn warn_unused(&self, scope: Scope, report: &mut Report) {
        let file = Self::source(scope);
        for (name, value) in self.settings(scope) {
            let known = self.nodes.contains_key(&name)
                || scope
                    .and_then(|at| self.local.get(at))
                    .is_some_and(|local| local.contains(&name));
            let instead = DEPRECATED.iter().find(|(old, _)| *old == name);
            match (known, instead) {
                (true, None) => {}
                (true, Some((_, instead))) => {
                    report.deprecated = true;
                    pf_log::warning!(
                        "{}/{file}: support for parameter \"{name}\" will be removed; instead, {instead}",
                        self.directory
                    );
                }
                (false, Some((_, instead))) => {
                    report.deprecated = true;
                    pf_log::warning!(
                        "{}/{file}: support for parameter {name} has been removed; instead, {instead}",
                        self.directory
                    );
                }
                (false, None) => {
                    pf_log::warning!(
                        "{}/{file}: unused parameter: {name}={value}",
                        self.directory
                    );
                    pf_cli::suggest(&report.called, &name, self.current());
                }
            }
        }
    }
}

/// What was complained about.
#[derive(Debug, Default)]
pub struct Report {
    /// Whether a deprecated parameter was found.
    pub deprecated: bool,
    /// Whether unused parameters of database files are reported.
    pub unused: bool,
    /// The name for complaints.
    pub called: String,
    seen: BTreeSet<String>,
}

impl Report {
    /// Nothing so far; the arguments as the fields of their names.
    pub fn new(unused: bool, called: &str) -> Self {
        Self {
            unused,
            called: called.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn undefined(&mut self, text: &str) {
        pf_log::warning!("{text}");
    }

    /// Whether this database file was not looked at before.
    pub fn first(&mut self, file: &str) -> bool {
        self.seen.insert(file.to_owned())
    }
}

/// Old parameters, and what to do instead.
const DEPRECATED: &[(&str, &str)] = &[
    ("disable_dns_lookups", "specify \"smtp_dns_support_level\""),
    ("lmtp_use_tls", "specify \"lmtp_tls_security_level\""),
    (
        "postscreen_use_tls",
        "specify \"postscreen_tls_security_level\"",
    ),
    ("smtp_use_tls", "specify \"smtp_tls_security_level\""),
    ("smtpd_use_tls", "specify \"smtpd_tls_security_level\""),
    (
        "tlsproxy_client_use_tls",
        "specify \"tlsproxy_client_security_level\"",
    ),
    (
        "tlsproxy_use_tls",
        "specify \"tlsproxy_tls_security_level\"",
    ),
    ("lmtp_enforce_tls", "lmtp_tls_security_level"),
    (
        "postscreen_enforce_tls",
        "specify \"postscreen_tls_security_level\"",
    ),
    ("smtp_enforce_tls", "specify \"smtp_tls_security_level\""),
    ("smtpd_enforce_tls", "specify \"smtpd_tls_security_level\""),
    (
        "tlsproxy_client_enforce_tls",
        "specify \"tlsproxy_client_security_level\"",
    ),
    (
        "tlsproxy_enforce_tls",
        "specify \"tlsproxy_tls_security_level\"",
    ),
    ("lmtp_tls_per_site", "specify \"lmtp_tls_policy_maps\""),
    ("smtp_tls_per_site", "specify \"smtp_tls_policy_maps\""),
    (
        "tlsproxy_client_per_site",
        "specify \"tlsproxy_client_policy_maps\"",
    ),
    (
        "smtpd_tls_dh1024_param_file",
        "do not specify (leave at default)",
    ),
    ("smtpd_tls_eecdh_grade", "do not specify (leave at default)"),
    (
        "authorized_verp_clients",
        "specify \"smtpd_authorized_verp_clients\"",
    ),
    ("fallback_relay", "specify \"smtp_fallback_relay\""),
    (
        "lmtp_per_record_deadline",
        "specify \"lmtp_per_request_deadline\"",
    ),
    (
        "lmtp_tls_enforce_peername",
        "specify \"lmtp_tls_security_level\"",
    ),
    (
        "postscreen_blacklist_action",
        "specify \"postscreen_denylist_action\"",
    ),
    (
        "postscreen_dnsbl_ttl",
        "specify \"postscreen_dnsbl_max_ttl\"",
    ),
    (
        "postscreen_dnsbl_whitelist_threshold",
        "specify \"postscreen_dnsbl_allowlist_threshold\"",
    ),
    (
        "postscreen_whitelist_interfaces",
        "specify \"postscreen_allowlist_interfaces\"",
    ),
    (
        "smtpd_client_connection_limit_exceptions",
        "specify \"smtpd_client_event_limit_exceptions\"",
    ),
    (
        "smtpd_per_record_deadline",
        "specify \"smtpd_per_request_deadline\"",
    ),
    (
        "smtp_per_record_deadline",
        "specify \"smtp_per_request_deadline\"",
    ),
    (
        "smtp_tls_enforce_peername",
        "specify \"smtp_tls_security_level\"",
    ),
    (
        "tlsproxy_client_level",
        "specify \"tlsproxy_client_security_level\"",
    ),
    (
        "tlsproxy_client_policy",
        "specify \"tlsproxy_client_policy_maps\"",
    ),
    ("virtual_maps", "specify \"virtual_alias_maps\""),
    ("lmtp_cname_overrides_servername", "do not specify"),
    ("smtp_cname_overrides_servername", "do not specify"),
    ("tlsproxy_client_loglevel_parameter", "do not specify"),
];
