//! The SMTP client.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Smtp address preference.
    SMTP_ADDRESS_PREFERENCE: String = Text "smtp_address_preference", "any", (1, 0), "smtp", true;
    /// Smtp address verify target.
    SMTP_ADDRESS_VERIFY_TARGET: String = Text "smtp_address_verify_target", "rcpt", (1, 0), "smtp", true;
    /// Smtp always send ehlo.
    SMTP_ALWAYS_SEND_EHLO: bool = Bool "smtp_always_send_ehlo", "yes", (0, 0), "smtp", true;
    /// Smtp balance inet protocols.
    SMTP_BALANCE_INET_PROTOCOLS: bool = Bool "smtp_balance_inet_protocols", "yes", (0, 0), "smtp", true;
    /// Smtp bind address.
    SMTP_BIND_ADDRESS: String = Text "smtp_bind_address", "", (0, 0), "smtp", true;
    /// Smtp bind address6.
    SMTP_BIND_ADDRESS6: String = Text "smtp_bind_address6", "", (0, 0), "smtp", true;
    /// Smtp bind address enforce.
    SMTP_BIND_ADDRESS_ENFORCE: bool = Bool "smtp_bind_address_enforce", "no", (0, 0), "smtp", true;
    /// Smtp body checks.
    SMTP_BODY_CHECKS: String = Text "smtp_body_checks", "", (0, 0), "smtp", true;
    /// Smtp cname overrides servername.
    SMTP_CNAME_OVERRIDES_SERVERNAME: bool = Bool "smtp_cname_overrides_servername", "no", (0, 0), "smtp", true;
    /// Smtp connect timeout.
    SMTP_CONNECT_TIMEOUT: Duration = Time "smtp_connect_timeout", "30s", (0, 0), "smtp", true;
    /// Smtp connection cache destinations.
    SMTP_CONNECTION_CACHE_DESTINATIONS: String = Text "smtp_connection_cache_destinations", "", (0, 0), "smtp", true;
    /// Smtp connection cache on demand.
    SMTP_CONNECTION_CACHE_ON_DEMAND: bool = Bool "smtp_connection_cache_on_demand", "yes", (0, 0), "smtp", true;
    /// Smtp connection cache time limit.
    SMTP_CONNECTION_CACHE_TIME_LIMIT: Duration = Time "smtp_connection_cache_time_limit", "2s", (1, 0), "smtp", true;
    /// Smtp connection reuse count limit.
    SMTP_CONNECTION_REUSE_COUNT_LIMIT: i64 = Int "smtp_connection_reuse_count_limit", "0", (0, 0), "smtp", true;
    /// Smtp connection reuse time limit.
    SMTP_CONNECTION_REUSE_TIME_LIMIT: Duration = Time "smtp_connection_reuse_time_limit", "300s", (1, 0), "smtp", true;
    /// Smtp data done timeout.
    SMTP_DATA_DONE_TIMEOUT: Duration = Time "smtp_data_done_timeout", "600s", (1, 0), "smtp", true;
    /// Smtp data init timeout.
    SMTP_DATA_INIT_TIMEOUT: Duration = Time "smtp_data_init_timeout", "120s", (1, 0), "smtp", true;
    /// Smtp data xfer timeout.
    SMTP_DATA_XFER_TIMEOUT: Duration = Time "smtp_data_xfer_timeout", "180s", (1, 0), "smtp", true;
    /// Smtp defer if no mx address found.
    SMTP_DEFER_IF_NO_MX_ADDRESS_FOUND: bool = Bool "smtp_defer_if_no_mx_address_found", "no", (0, 0), "smtp", true;
    /// Smtp delivery status filter.
    SMTP_DELIVERY_STATUS_FILTER: String = Text "smtp_delivery_status_filter", "$default_delivery_status_filter", (0, 0), "smtp", true;
    /// Smtp discard ehlo keyword address maps.
    SMTP_DISCARD_EHLO_KEYWORD_ADDRESS_MAPS: String = Text "smtp_discard_ehlo_keyword_address_maps", "", (0, 0), "smtp", true;
    /// Smtp discard ehlo keywords.
    SMTP_DISCARD_EHLO_KEYWORDS: String = Text "smtp_discard_ehlo_keywords", "", (0, 0), "smtp", true;
    /// Smtp dns reply filter.
    SMTP_DNS_REPLY_FILTER: String = Text "smtp_dns_reply_filter", "", (0, 0), "smtp", true;
    /// Smtp dns resolver options.
    SMTP_DNS_RESOLVER_OPTIONS: String = Text "smtp_dns_resolver_options", "", (0, 0), "smtp", true;
    /// Smtp dns support level.
    SMTP_DNS_SUPPORT_LEVEL: String = Text "smtp_dns_support_level", "", (0, 0), "smtp", true;
    /// Smtp fallback relay.
    SMTP_FALLBACK_RELAY: String = Text "smtp_fallback_relay", "$fallback_relay", (0, 0), "smtp", true;
    /// Smtp generic maps.
    SMTP_GENERIC_MAPS: String = Text "smtp_generic_maps", "", (0, 0), "smtp", true;
    /// Smtp header checks.
    SMTP_HEADER_CHECKS: String = Text "smtp_header_checks", "", (0, 0), "smtp", true;
    /// Smtp helo name.
    SMTP_HELO_NAME: String = Text "smtp_helo_name", "$myhostname", (1, 0), "smtp", true;
    /// Smtp helo timeout.
    SMTP_HELO_TIMEOUT: Duration = Time "smtp_helo_timeout", "300s", (1, 0), "smtp", true;
    /// Smtp host lookup.
    SMTP_HOST_LOOKUP: String = Text "smtp_host_lookup", "dns", (1, 0), "smtp", true;
    /// Smtp line length limit.
    SMTP_LINE_LENGTH_LIMIT: i64 = Int "smtp_line_length_limit", "998", (0, 0), "smtp", true;
    /// Smtp log tls feature status.
    SMTP_LOG_TLS_FEATURE_STATUS: bool = BoolExpr "smtp_log_tls_feature_status", "yes", (0, 0), "smtp", true;
    /// Smtp mail timeout.
    SMTP_MAIL_TIMEOUT: Duration = Time "smtp_mail_timeout", "300s", (1, 0), "smtp", true;
    /// Smtp mime header checks.
    SMTP_MIME_HEADER_CHECKS: String = Text "smtp_mime_header_checks", "", (0, 0), "smtp", true;
    /// Smtp min data rate.
    SMTP_MIN_DATA_RATE: i64 = Int "smtp_min_data_rate", "500", (1, 0), "smtp", true;
    /// Smtp mx address limit.
    SMTP_MX_ADDRESS_LIMIT: i64 = Int "smtp_mx_address_limit", "5", (0, 0), "smtp", true;
    /// Smtp mx session limit.
    SMTP_MX_SESSION_LIMIT: i64 = Int "smtp_mx_session_limit", "2", (0, 0), "smtp", true;
    /// Smtp nested header checks.
    SMTP_NESTED_HEADER_CHECKS: String = Text "smtp_nested_header_checks", "", (0, 0), "smtp", true;
    /// Smtp never send ehlo.
    SMTP_NEVER_SEND_EHLO: bool = Bool "smtp_never_send_ehlo", "no", (0, 0), "smtp", true;
    /// Smtp per request deadline.
    SMTP_PER_REQUEST_DEADLINE: bool = BoolExpr "smtp_per_request_deadline", "${smtp_per_record_deadline?{$smtp_per_record_deadline}:{no}}", (0, 0), "smtp", true;
    /// Smtp pix workaround delay time.
    SMTP_PIX_WORKAROUND_DELAY_TIME: Duration = Time "smtp_pix_workaround_delay_time", "10s", (1, 0), "smtp", true;
    /// Smtp pix workaround maps.
    SMTP_PIX_WORKAROUND_MAPS: String = Text "smtp_pix_workaround_maps", "", (0, 0), "smtp", true;
    /// Smtp pix workaround threshold time.
    SMTP_PIX_WORKAROUND_THRESHOLD_TIME: Duration = Time "smtp_pix_workaround_threshold_time", "500s", (0, 0), "smtp", true;
    /// Smtp pix workarounds.
    SMTP_PIX_WORKAROUNDS: String = Text "smtp_pix_workarounds", "disable_esmtp,delay_dotcrlf", (0, 0), "smtp", true;
    /// Smtp quit timeout.
    SMTP_QUIT_TIMEOUT: Duration = Time "smtp_quit_timeout", "300s", (1, 0), "smtp", true;
    /// Smtp quote rfc821 envelope.
    SMTP_QUOTE_RFC821_ENVELOPE: bool = Bool "smtp_quote_rfc821_envelope", "yes", (0, 0), "smtp", true;
    /// Smtp randomize addresses.
    SMTP_RANDOMIZE_ADDRESSES: bool = Bool "smtp_randomize_addresses", "yes", (0, 0), "smtp", true;
    /// Smtp rcpt timeout.
    SMTP_RCPT_TIMEOUT: Duration = Time "smtp_rcpt_timeout", "300s", (1, 0), "smtp", true;
    /// Smtp reply filter.
    SMTP_REPLY_FILTER: String = Text "smtp_reply_filter", "", (0, 0), "smtp", true;
    /// Smtp rset timeout.
    SMTP_RSET_TIMEOUT: Duration = Time "smtp_rset_timeout", "20s", (1, 0), "smtp", true;
    /// Smtp send dummy mail auth.
    SMTP_SEND_DUMMY_MAIL_AUTH: bool = Bool "smtp_send_dummy_mail_auth", "no", (0, 0), "smtp", false;
    /// Smtp send xforward command.
    SMTP_SEND_XFORWARD_COMMAND: bool = Bool "smtp_send_xforward_command", "no", (0, 0), "smtp", true;
    /// Smtp sender dependent authentication.
    SMTP_SENDER_DEPENDENT_AUTHENTICATION: bool = Bool "smtp_sender_dependent_authentication", "no", (0, 0), "smtp", true;
    /// Smtp skip 5xx greeting.
    SMTP_SKIP_5XX_GREETING: bool = Bool "smtp_skip_5xx_greeting", "yes", (0, 0), "smtp", true;
    /// Smtp skip quit response.
    SMTP_SKIP_QUIT_RESPONSE: bool = Bool "smtp_skip_quit_response", "yes", (0, 0), "smtp", true;
    /// Smtp tcp port.
    SMTP_TCP_PORT: String = Text "smtp_tcp_port", "smtp", (0, 0), "smtp", true;
    /// Smtp xforward timeout.
    SMTP_XFORWARD_TIMEOUT: Duration = Time "smtp_xforward_timeout", "300s", (1, 0), "smtp", true;
}
