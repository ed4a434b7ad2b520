//! The zombie blocker and its DNS blocklist helper.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// A delay of blocklist answers, for tests.
    DNSBLOG_REPLY_DELAY: Duration = Time "dnsblog_reply_delay", "0s", (0, 0), "dnsblog", false;
    /// The service that asks DNS blocklists for postscreen.
    DNSBLOG_SERVICE_NAME: String = Text "dnsblog_service_name", "dnsblog", (1, 0), "postscreen", false;
    /// Clients that are always or never let through.
    POSTSCREEN_ACCESS_LIST: String = Text "postscreen_access_list", "permit_mynetworks", (0, 0), "postscreen", false;
    /// Local addresses on which clients may earn their pass.
    POSTSCREEN_ALLOWLIST_INTERFACES: String = Text "postscreen_allowlist_interfaces", "${postscreen_whitelist_interfaces?{$postscreen_whitelist_interfaces}:{static:all}}", (0, 0), "postscreen", false;
    /// What happens to a client that sends a bare line feed.
    POSTSCREEN_BARE_NEWLINE_ACTION: String = Text "postscreen_bare_newline_action", "ignore", (1, 0), "postscreen", false;
    /// Whether bare line feeds are tested for.
    POSTSCREEN_BARE_NEWLINE_ENABLE: bool = Bool "postscreen_bare_newline_enable", "no", (0, 0), "postscreen", false;
    /// How long a passed bare line feed test counts.
    POSTSCREEN_BARE_NEWLINE_TTL: Duration = Time "postscreen_bare_newline_ttl", "30d", (1, 0), "postscreen", false;
    /// Pause between two searches for outdated entries in the cache.
    POSTSCREEN_CACHE_CLEANUP_INTERVAL: Duration = Time "postscreen_cache_cleanup_interval", "12h", (0, 0), "postscreen", false;
    /// Where test results are kept.
    POSTSCREEN_CACHE_MAP: String = Text "postscreen_cache_map", "$default_cache_db_type:$data_directory/postscreen_cache", (0, 0), "postscreen proxymap", false;
    /// How long outdated entries are kept.
    POSTSCREEN_CACHE_RETENTION_TIME: Duration = Time "postscreen_cache_retention_time", "7d", (1, 0), "postscreen", false;
    /// The most connections at a time of one client.
    POSTSCREEN_CLIENT_CONNECTION_COUNT_LIMIT: i64 = IntExpr "postscreen_client_connection_count_limit", "$smtpd_client_connection_count_limit", (0, 0), "postscreen", false;
    /// The most commands of a session with the built-in engine.
    POSTSCREEN_COMMAND_COUNT_LIMIT: i64 = Int "postscreen_command_count_limit", "20", (1, 0), "postscreen", false;
    /// A table that rewrites client commands.
    POSTSCREEN_COMMAND_FILTER: String = Text "postscreen_command_filter", "", (0, 0), "postscreen", false;
    /// How long a client may take for a command.
    POSTSCREEN_COMMAND_TIME_LIMIT: Duration = Time "postscreen_command_time_limit", "${stress?{10}:{300}}s", (1, 0), "postscreen", false;
    /// What happens to a client that the access list rejects.
    POSTSCREEN_DENYLIST_ACTION: String = Text "postscreen_denylist_action", "${postscreen_blacklist_action?{$postscreen_blacklist_action}:{ignore}}", (1, 0), "postscreen", false;
    /// As disable_vrfy_command, for the built-in engine.
    POSTSCREEN_DISABLE_VRFY_COMMAND: bool = BoolExpr "postscreen_disable_vrfy_command", "$disable_vrfy_command", (0, 0), "postscreen", false;
    /// EHLO keywords that are not announced, by client.
    POSTSCREEN_DISCARD_EHLO_KEYWORD_ADDRESS_MAPS: String = Text "postscreen_discard_ehlo_keyword_address_maps", "$smtpd_discard_ehlo_keyword_address_maps", (0, 0), "postscreen", false;
    /// EHLO keywords that are not announced.
    POSTSCREEN_DISCARD_EHLO_KEYWORDS: String = Text "postscreen_discard_ehlo_keywords", "$smtpd_discard_ehlo_keywords", (0, 0), "postscreen", false;
    /// What happens to a client above the blocklist threshold.
    POSTSCREEN_DNSBL_ACTION: String = Text "postscreen_dnsbl_action", "ignore", (1, 0), "postscreen", false;
    /// Below which blocklist score the other tests are skipped.
    POSTSCREEN_DNSBL_ALLOWLIST_THRESHOLD: i64 = IntExpr "postscreen_dnsbl_allowlist_threshold", "${postscreen_dnsbl_whitelist_threshold?{$postscreen_dnsbl_whitelist_threshold}:{0}}", (0, 0), "postscreen", false;
    /// The longest time that a passed blocklist test counts.
    POSTSCREEN_DNSBL_MAX_TTL: Duration = Time "postscreen_dnsbl_max_ttl", "${postscreen_dnsbl_ttl?{$postscreen_dnsbl_ttl}:{1}}h", (1, 0), "postscreen", false;
    /// The shortest time that a passed blocklist test counts.
    POSTSCREEN_DNSBL_MIN_TTL: Duration = Time "postscreen_dnsbl_min_ttl", "60s", (1, 0), "postscreen", false;
    /// How blocklists are named to clients.
    POSTSCREEN_DNSBL_REPLY_MAP: String = Text "postscreen_dnsbl_reply_map", "", (0, 0), "postscreen", false;
    /// Blocklists, with weights.
    POSTSCREEN_DNSBL_SITES: String = Text "postscreen_dnsbl_sites", "", (0, 0), "postscreen", false;
    /// From which blocklist score on a client fails.
    POSTSCREEN_DNSBL_THRESHOLD: i64 = Int "postscreen_dnsbl_threshold", "1", (1, 0), "postscreen", false;
    /// How long to wait for blocklists.
    POSTSCREEN_DNSBL_TIMEOUT: Duration = Time "postscreen_dnsbl_timeout", "10s", (1, 0), "postscreen", false;
    /// Whether clients must use STARTTLS (outdated).
    POSTSCREEN_ENFORCE_TLS: bool = BoolExpr "postscreen_enforce_tls", "$smtpd_enforce_tls", (0, 0), "postscreen", false;
    /// Which characters may come into replies from $name.
    POSTSCREEN_EXPANSION_FILTER: String = Raw "postscreen_expansion_filter", "$smtpd_expansion_filter", (1, 0), "postscreen", false;
    /// Commands that no mail client sends.
    POSTSCREEN_FORBIDDEN_COMMANDS: String = Text "postscreen_forbidden_commands", "$smtpd_forbidden_commands", (0, 0), "postscreen proxymap", false;
    /// What happens to a client that speaks first.
    POSTSCREEN_GREET_ACTION: String = Text "postscreen_greet_action", "ignore", (1, 0), "postscreen", false;
    /// The text that tempts clients to speak first.
    POSTSCREEN_GREET_BANNER: String = Text "postscreen_greet_banner", "$smtpd_banner", (0, 0), "postscreen", false;
    /// How long a passed greeting test counts.
    POSTSCREEN_GREET_TTL: Duration = Time "postscreen_greet_ttl", "1d", (1, 0), "postscreen", false;
    /// How long a client has to wait for the greeting.
    POSTSCREEN_GREET_WAIT: Duration = Time "postscreen_greet_wait", "${stress?{2}:{6}}s", (1, 0), "postscreen", false;
    /// As smtpd_helo_required, for the built-in engine.
    POSTSCREEN_HELO_REQUIRED: bool = BoolExpr "postscreen_helo_required", "$smtpd_helo_required", (0, 0), "postscreen", false;
    /// What happens to a client that sends a forbidden command.
    POSTSCREEN_NON_SMTP_COMMAND_ACTION: String = Text "postscreen_non_smtp_command_action", "drop", (1, 0), "postscreen", false;
    /// Whether forbidden commands are tested for.
    POSTSCREEN_NON_SMTP_COMMAND_ENABLE: bool = Bool "postscreen_non_smtp_command_enable", "no", (0, 0), "postscreen", false;
    /// How long a passed command test counts.
    POSTSCREEN_NON_SMTP_COMMAND_TTL: Duration = Time "postscreen_non_smtp_command_ttl", "30d", (1, 0), "postscreen", false;
    /// What happens to a client that does not wait for replies.
    POSTSCREEN_PIPELINING_ACTION: String = Text "postscreen_pipelining_action", "enforce", (1, 0), "postscreen", false;
    /// Whether clients are tested for not waiting.
    POSTSCREEN_PIPELINING_ENABLE: bool = Bool "postscreen_pipelining_enable", "no", (0, 0), "postscreen", false;
    /// How long a passed pipelining test counts.
    POSTSCREEN_PIPELINING_TTL: Duration = Time "postscreen_pipelining_ttl", "30d", (1, 0), "postscreen", false;
    /// The most clients that wait for an SMTP server.
    POSTSCREEN_POST_QUEUE_LIMIT: i64 = IntExpr "postscreen_post_queue_limit", "$default_process_limit", (5, 0), "postscreen", false;
    /// The most clients under test.
    POSTSCREEN_PRE_QUEUE_LIMIT: i64 = IntExpr "postscreen_pre_queue_limit", "$default_process_limit", (10, 0), "postscreen", false;
    /// Text after each rejection.
    POSTSCREEN_REJECT_FOOTER: String = Raw "postscreen_reject_footer", "$smtpd_reject_footer", (0, 0), "postscreen", false;
    /// As postscreen_reject_footer, by rejection.
    POSTSCREEN_REJECT_FOOTER_MAPS: String = Text "postscreen_reject_footer_maps", "$smtpd_reject_footer_maps", (0, 0), "postscreen", false;
    /// The TLS level of the built-in engine.
    POSTSCREEN_TLS_SECURITY_LEVEL: String = Text "postscreen_tls_security_level", "$smtpd_tls_security_level", (0, 0), "postscreen", false;
    /// The protocol of the load balancer in front.
    POSTSCREEN_UPSTREAM_PROXY_PROTOCOL: String = Text "postscreen_upstream_proxy_protocol", "", (0, 0), "postscreen", false;
    /// How long the load balancer may take.
    POSTSCREEN_UPSTREAM_PROXY_TIMEOUT: Duration = Time "postscreen_upstream_proxy_timeout", "5s", (1, 0), "postscreen", false;
    /// Whether STARTTLS is announced (outdated).
    POSTSCREEN_USE_TLS: bool = BoolExpr "postscreen_use_tls", "$smtpd_use_tls", (0, 0), "postscreen", false;
    /// How long an event may take.
    POSTSCREEN_WATCHDOG_TIMEOUT: Duration = Time "postscreen_watchdog_timeout", "10s", (10, 0), "postscreen", false;
}
