//! The SMTP client.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Which address family is tried first.
    SMTP_ADDRESS_PREFERENCE: String = Text "smtp_address_preference", "any", (1, 0), "smtp", true;
    /// At which command the answer to a probe counts.
    SMTP_ADDRESS_VERIFY_TARGET: String = Text "smtp_address_verify_target", "rcpt", (1, 0), "smtp", true;
    /// Whether EHLO is sent to servers that do not announce ESMTP.
    SMTP_ALWAYS_SEND_EHLO: bool = Bool "smtp_always_send_ehlo", "yes", (0, 0), "smtp", true;
    /// Whether both address families get their share of tries.
    SMTP_BALANCE_INET_PROTOCOLS: bool = Bool "smtp_balance_inet_protocols", "yes", (0, 0), "smtp", true;
    /// The local IPv4 address of connections.
    SMTP_BIND_ADDRESS: String = Text "smtp_bind_address", "", (0, 0), "smtp", true;
    /// The local IPv6 address of connections.
    SMTP_BIND_ADDRESS6: String = Text "smtp_bind_address6", "", (0, 0), "smtp", true;
    /// Whether delivery waits when the local address cannot be used.
    SMTP_BIND_ADDRESS_ENFORCE: bool = Bool "smtp_bind_address_enforce", "no", (0, 0), "smtp", true;
    /// As body_checks, for mail that goes out.
    SMTP_BODY_CHECKS: String = Text "smtp_body_checks", "", (0, 0), "smtp", true;
    /// Whether a CNAME decides on the server's name (outdated).
    SMTP_CNAME_OVERRIDES_SERVERNAME: bool = Bool "smtp_cname_overrides_servername", "no", (0, 0), "smtp", true;
    /// How long to wait for a connection; 0 for as long as the system does.
    SMTP_CONNECT_TIMEOUT: Duration = Time "smtp_connect_timeout", "30s", (0, 0), "smtp", true;
    /// Destinations whose connections are kept.
    SMTP_CONNECTION_CACHE_DESTINATIONS: String = Text "smtp_connection_cache_destinations", "", (0, 0), "smtp", true;
    /// Whether connections are kept while there is much mail for a destination.
    SMTP_CONNECTION_CACHE_ON_DEMAND: bool = Bool "smtp_connection_cache_on_demand", "yes", (0, 0), "smtp", true;
    /// How long an idle connection is kept.
    SMTP_CONNECTION_CACHE_TIME_LIMIT: Duration = Time "smtp_connection_cache_time_limit", "2s", (1, 0), "smtp", true;
    /// How often a connection is used again; 0 for no limit.
    SMTP_CONNECTION_REUSE_COUNT_LIMIT: i64 = Int "smtp_connection_reuse_count_limit", "0", (0, 0), "smtp", true;
    /// How long a connection is used again.
    SMTP_CONNECTION_REUSE_TIME_LIMIT: Duration = Time "smtp_connection_reuse_time_limit", "300s", (1, 0), "smtp", true;
    /// How long to wait for the reply to the message.
    SMTP_DATA_DONE_TIMEOUT: Duration = Time "smtp_data_done_timeout", "600s", (1, 0), "smtp", true;
    /// How long to wait for the reply to DATA.
    SMTP_DATA_INIT_TIMEOUT: Duration = Time "smtp_data_init_timeout", "120s", (1, 0), "smtp", true;
    /// How long sending a piece of the message may take.
    SMTP_DATA_XFER_TIMEOUT: Duration = Time "smtp_data_xfer_timeout", "180s", (1, 0), "smtp", true;
    /// Whether mail waits when no MX host has an address.
    SMTP_DEFER_IF_NO_MX_ADDRESS_FOUND: bool = Bool "smtp_defer_if_no_mx_address_found", "no", (0, 0), "smtp", true;
    /// As default_delivery_status_filter, for the SMTP client.
    SMTP_DELIVERY_STATUS_FILTER: String = Text "smtp_delivery_status_filter", "$default_delivery_status_filter", (0, 0), "smtp", true;
    /// EHLO keywords that are ignored, by server address.
    SMTP_DISCARD_EHLO_KEYWORD_ADDRESS_MAPS: String = Text "smtp_discard_ehlo_keyword_address_maps", "", (0, 0), "smtp", true;
    /// EHLO keywords that are ignored.
    SMTP_DISCARD_EHLO_KEYWORDS: String = Text "smtp_discard_ehlo_keywords", "", (0, 0), "smtp", true;
    /// A table that changes or drops DNS records.
    SMTP_DNS_REPLY_FILTER: String = Text "smtp_dns_reply_filter", "", (0, 0), "smtp", true;
    /// Options of the resolver: res_defnames, res_dnsrch.
    SMTP_DNS_RESOLVER_OPTIONS: String = Text "smtp_dns_resolver_options", "", (0, 0), "smtp", true;
    /// Whether DNS is used: disabled, enabled or dnssec.
    SMTP_DNS_SUPPORT_LEVEL: String = Text "smtp_dns_support_level", "", (0, 0), "smtp", true;
    /// Where mail goes when a destination cannot be reached.
    SMTP_FALLBACK_RELAY: String = Text "smtp_fallback_relay", "$fallback_relay", (0, 0), "smtp", true;
    /// Tables that rewrite addresses of mail that goes out.
    SMTP_GENERIC_MAPS: String = Text "smtp_generic_maps", "", (0, 0), "smtp", true;
    /// As header_checks, for mail that goes out.
    SMTP_HEADER_CHECKS: String = Text "smtp_header_checks", "", (0, 0), "smtp", true;
    /// The name sent with EHLO.
    SMTP_HELO_NAME: String = Text "smtp_helo_name", "$myhostname", (1, 0), "smtp", true;
    /// How long to wait for the reply to EHLO, and for the greeting.
    SMTP_HELO_TIMEOUT: Duration = Time "smtp_helo_timeout", "300s", (1, 0), "smtp", true;
    /// How host names are looked up: dns, native or both.
    SMTP_HOST_LOOKUP: String = Text "smtp_host_lookup", "dns", (1, 0), "smtp", true;
    /// The longest line sent, in bytes; longer ones are broken.
    SMTP_LINE_LENGTH_LIMIT: i64 = Int "smtp_line_length_limit", "998", (0, 0), "smtp", true;
    /// Whether delivery lines tell about TLS.
    SMTP_LOG_TLS_FEATURE_STATUS: bool = BoolExpr "smtp_log_tls_feature_status", "yes", (0, 0), "smtp", true;
    /// How long to wait for the reply to MAIL.
    SMTP_MAIL_TIMEOUT: Duration = Time "smtp_mail_timeout", "300s", (1, 0), "smtp", true;
    /// As mime_header_checks, for mail that goes out.
    SMTP_MIME_HEADER_CHECKS: String = Text "smtp_mime_header_checks", "", (0, 0), "smtp", true;
    /// The least bytes a second when a deadline holds for whole requests.
    SMTP_MIN_DATA_RATE: i64 = Int "smtp_min_data_rate", "500", (1, 0), "smtp", true;
    /// The most addresses of one delivery; 0 for no limit.
    SMTP_MX_ADDRESS_LIMIT: i64 = Int "smtp_mx_address_limit", "5", (0, 0), "smtp", true;
    /// The most sessions of one delivery; 0 for no limit.
    SMTP_MX_SESSION_LIMIT: i64 = Int "smtp_mx_session_limit", "2", (0, 0), "smtp", true;
    /// As nested_header_checks, for mail that goes out.
    SMTP_NESTED_HEADER_CHECKS: String = Text "smtp_nested_header_checks", "", (0, 0), "smtp", true;
    /// Whether only HELO is sent.
    SMTP_NEVER_SEND_EHLO: bool = Bool "smtp_never_send_ehlo", "no", (0, 0), "smtp", true;
    /// Whether time limits hold for whole requests instead of each read and write.
    SMTP_PER_REQUEST_DEADLINE: bool = BoolExpr "smtp_per_request_deadline", "${smtp_per_record_deadline?{$smtp_per_record_deadline}:{no}}", (0, 0), "smtp", true;
    /// How long to wait before the final dot for broken firewalls.
    SMTP_PIX_WORKAROUND_DELAY_TIME: Duration = Time "smtp_pix_workaround_delay_time", "10s", (1, 0), "smtp", true;
    /// Workarounds for broken firewalls, by server address.
    SMTP_PIX_WORKAROUND_MAPS: String = Text "smtp_pix_workaround_maps", "", (0, 0), "smtp", true;
    /// How old a message must be for the delay before the final dot.
    SMTP_PIX_WORKAROUND_THRESHOLD_TIME: Duration = Time "smtp_pix_workaround_threshold_time", "500s", (0, 0), "smtp", true;
    /// Workarounds for broken firewalls.
    SMTP_PIX_WORKAROUNDS: String = Text "smtp_pix_workarounds", "disable_esmtp,delay_dotcrlf", (0, 0), "smtp", true;
    /// How long to wait for the reply to QUIT.
    SMTP_QUIT_TIMEOUT: Duration = Time "smtp_quit_timeout", "300s", (1, 0), "smtp", true;
    /// Whether envelope addresses are quoted as the RFC says.
    SMTP_QUOTE_RFC821_ENVELOPE: bool = Bool "smtp_quote_rfc821_envelope", "yes", (0, 0), "smtp", true;
    /// Whether servers of equal preference are tried in random order.
    SMTP_RANDOMIZE_ADDRESSES: bool = Bool "smtp_randomize_addresses", "yes", (0, 0), "smtp", true;
    /// How long to wait for the reply to RCPT.
    SMTP_RCPT_TIMEOUT: Duration = Time "smtp_rcpt_timeout", "300s", (1, 0), "smtp", true;
    /// A table that rewrites server replies.
    SMTP_REPLY_FILTER: String = Text "smtp_reply_filter", "", (0, 0), "smtp", true;
    /// How long to wait for the reply to RSET.
    SMTP_RSET_TIMEOUT: Duration = Time "smtp_rset_timeout", "20s", (1, 0), "smtp", true;
    /// Whether AUTH=<> is sent with MAIL.
    SMTP_SEND_DUMMY_MAIL_AUTH: bool = Bool "smtp_send_dummy_mail_auth", "no", (0, 0), "smtp", false;
    /// Whether the original client is told to servers with XFORWARD.
    SMTP_SEND_XFORWARD_COMMAND: bool = Bool "smtp_send_xforward_command", "no", (0, 0), "smtp", true;
    /// Whether logins depend on the sender.
    SMTP_SENDER_DEPENDENT_AUTHENTICATION: bool = Bool "smtp_sender_dependent_authentication", "no", (0, 0), "smtp", true;
    /// Whether a server that greets with 5xx is passed over.
    SMTP_SKIP_5XX_GREETING: bool = Bool "smtp_skip_5xx_greeting", "yes", (0, 0), "smtp", true;
    /// Whether the reply to QUIT is not waited for.
    SMTP_SKIP_QUIT_RESPONSE: bool = Bool "smtp_skip_quit_response", "yes", (0, 0), "smtp", true;
    /// The port of servers.
    SMTP_TCP_PORT: String = Text "smtp_tcp_port", "smtp", (0, 0), "smtp", true;
    /// How long to wait for the reply to XFORWARD.
    SMTP_XFORWARD_TIMEOUT: Duration = Time "smtp_xforward_timeout", "300s", (1, 0), "smtp", true;
}
