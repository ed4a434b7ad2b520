//! The LMTP client.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// As smtp_address_preference, for the LMTP client.
    LMTP_ADDRESS_PREFERENCE: String = Text "lmtp_address_preference", "any", (1, 0), "smtp", true;
    /// As smtp_address_verify_target, for the LMTP client.
    LMTP_ADDRESS_VERIFY_TARGET: String = Text "lmtp_address_verify_target", "rcpt", (1, 0), "smtp", true;
    /// Whether an LMTP server without DSN counts as the end of delivery.
    LMTP_ASSUME_FINAL: bool = Bool "lmtp_assume_final", "no", (0, 0), "smtp", true;
    /// As smtp_balance_inet_protocols, for the LMTP client.
    LMTP_BALANCE_INET_PROTOCOLS: bool = Bool "lmtp_balance_inet_protocols", "yes", (0, 0), "smtp", true;
    /// As smtp_bind_address, for the LMTP client.
    LMTP_BIND_ADDRESS: String = Text "lmtp_bind_address", "", (0, 0), "smtp", true;
    /// As smtp_bind_address6, for the LMTP client.
    LMTP_BIND_ADDRESS6: String = Text "lmtp_bind_address6", "", (0, 0), "smtp", true;
    /// As smtp_bind_address_enforce, for the LMTP client.
    LMTP_BIND_ADDRESS_ENFORCE: bool = Bool "lmtp_bind_address_enforce", "no", (0, 0), "smtp", true;
    /// As smtp_body_checks, for the LMTP client.
    LMTP_BODY_CHECKS: String = Text "lmtp_body_checks", "", (0, 0), "smtp", true;
    /// As smtp_cname_overrides_servername, for the LMTP client.
    LMTP_CNAME_OVERRIDES_SERVERNAME: bool = Bool "lmtp_cname_overrides_servername", "no", (0, 0), "smtp", true;
    /// As smtp_connect_timeout, for the LMTP client.
    LMTP_CONNECT_TIMEOUT: Duration = Time "lmtp_connect_timeout", "0s", (0, 0), "smtp", true;
    /// As smtp_connection_cache_destinations, for the LMTP client.
    LMTP_CONNECTION_CACHE_DESTINATIONS: String = Text "lmtp_connection_cache_destinations", "", (0, 0), "smtp", true;
    /// As smtp_connection_cache_on_demand, for the LMTP client.
    LMTP_CONNECTION_CACHE_ON_DEMAND: bool = Bool "lmtp_connection_cache_on_demand", "yes", (0, 0), "smtp", true;
    /// As smtp_connection_cache_time_limit, for the LMTP client.
    LMTP_CONNECTION_CACHE_TIME_LIMIT: Duration = Time "lmtp_connection_cache_time_limit", "2s", (1, 0), "smtp", true;
    /// As smtp_connection_reuse_count_limit, for the LMTP client.
    LMTP_CONNECTION_REUSE_COUNT_LIMIT: i64 = Int "lmtp_connection_reuse_count_limit", "0", (0, 0), "smtp", true;
    /// As smtp_connection_reuse_time_limit, for the LMTP client.
    LMTP_CONNECTION_REUSE_TIME_LIMIT: Duration = Time "lmtp_connection_reuse_time_limit", "300s", (1, 0), "smtp", true;
    /// As smtp_data_done_timeout, for the LMTP client.
    LMTP_DATA_DONE_TIMEOUT: Duration = Time "lmtp_data_done_timeout", "600s", (1, 0), "smtp", true;
    /// As smtp_data_init_timeout, for the LMTP client.
    LMTP_DATA_INIT_TIMEOUT: Duration = Time "lmtp_data_init_timeout", "120s", (1, 0), "smtp", true;
    /// As smtp_data_xfer_timeout, for the LMTP client.
    LMTP_DATA_XFER_TIMEOUT: Duration = Time "lmtp_data_xfer_timeout", "180s", (1, 0), "smtp", true;
    /// As smtp_defer_if_no_mx_address_found, for the LMTP client.
    LMTP_DEFER_IF_NO_MX_ADDRESS_FOUND: bool = Bool "lmtp_defer_if_no_mx_address_found", "no", (0, 0), "smtp", true;
    /// As smtp_delivery_status_filter, for the LMTP client.
    LMTP_DELIVERY_STATUS_FILTER: String = Text "lmtp_delivery_status_filter", "$default_delivery_status_filter", (0, 0), "smtp", true;
    /// LHLO keywords that are ignored, by server address.
    LMTP_DISCARD_LHLO_KEYWORD_ADDRESS_MAPS: String = Text "lmtp_discard_lhlo_keyword_address_maps", "", (0, 0), "smtp", true;
    /// LHLO keywords that are ignored.
    LMTP_DISCARD_LHLO_KEYWORDS: String = Text "lmtp_discard_lhlo_keywords", "", (0, 0), "smtp", true;
    /// As smtp_dns_reply_filter, for the LMTP client.
    LMTP_DNS_REPLY_FILTER: String = Text "lmtp_dns_reply_filter", "", (0, 0), "smtp", true;
    /// As smtp_dns_resolver_options, for the LMTP client.
    LMTP_DNS_RESOLVER_OPTIONS: String = Text "lmtp_dns_resolver_options", "", (0, 0), "smtp", true;
    /// As smtp_dns_support_level, for the LMTP client.
    LMTP_DNS_SUPPORT_LEVEL: String = Text "lmtp_dns_support_level", "", (0, 0), "smtp", true;
    /// As smtp_fallback_relay, for the LMTP client.
    LMTP_FALLBACK_RELAY: String = Text "lmtp_fallback_relay", "", (0, 0), "smtp", true;
    /// As smtp_generic_maps, for the LMTP client.
    LMTP_GENERIC_MAPS: String = Text "lmtp_generic_maps", "", (0, 0), "smtp", true;
    /// As smtp_header_checks, for the LMTP client.
    LMTP_HEADER_CHECKS: String = Text "lmtp_header_checks", "", (0, 0), "smtp", true;
    /// As smtp_host_lookup, for the LMTP client.
    LMTP_HOST_LOOKUP: String = Text "lmtp_host_lookup", "dns", (1, 0), "smtp", true;
    /// The name sent with LHLO.
    LMTP_LHLO_NAME: String = Text "lmtp_lhlo_name", "$myhostname", (1, 0), "smtp", true;
    /// How long to wait for the reply to LHLO, and for the greeting.
    LMTP_LHLO_TIMEOUT: Duration = Time "lmtp_lhlo_timeout", "300s", (1, 0), "smtp", true;
    /// As smtp_line_length_limit, for the LMTP client.
    LMTP_LINE_LENGTH_LIMIT: i64 = Int "lmtp_line_length_limit", "998", (0, 0), "smtp", true;
    /// As smtp_log_tls_feature_status, for the LMTP client.
    LMTP_LOG_TLS_FEATURE_STATUS: bool = BoolExpr "lmtp_log_tls_feature_status", "yes", (0, 0), "smtp", true;
    /// As smtp_mail_timeout, for the LMTP client.
    LMTP_MAIL_TIMEOUT: Duration = Time "lmtp_mail_timeout", "300s", (1, 0), "smtp", true;
    /// As smtp_mime_header_checks, for the LMTP client.
    LMTP_MIME_HEADER_CHECKS: String = Text "lmtp_mime_header_checks", "", (0, 0), "smtp", true;
    /// As smtp_min_data_rate, for the LMTP client.
    LMTP_MIN_DATA_RATE: i64 = Int "lmtp_min_data_rate", "500", (1, 0), "smtp", true;
    /// As smtp_mx_address_limit, for the LMTP client.
    LMTP_MX_ADDRESS_LIMIT: i64 = Int "lmtp_mx_address_limit", "5", (0, 0), "smtp", true;
    /// As smtp_mx_session_limit, for the LMTP client.
    LMTP_MX_SESSION_LIMIT: i64 = Int "lmtp_mx_session_limit", "2", (0, 0), "smtp", true;
    /// As smtp_nested_header_checks, for the LMTP client.
    LMTP_NESTED_HEADER_CHECKS: String = Text "lmtp_nested_header_checks", "", (0, 0), "smtp", true;
    /// As smtp_per_request_deadline, for the LMTP client.
    LMTP_PER_REQUEST_DEADLINE: bool = BoolExpr "lmtp_per_request_deadline", "${lmtp_per_record_deadline?{$lmtp_per_record_deadline}:{no}}", (0, 0), "smtp", true;
    /// As smtp_pix_workaround_delay_time, for the LMTP client.
    LMTP_PIX_WORKAROUND_DELAY_TIME: Duration = Time "lmtp_pix_workaround_delay_time", "10s", (1, 0), "smtp", true;
    /// As smtp_pix_workaround_maps, for the LMTP client.
    LMTP_PIX_WORKAROUND_MAPS: String = Text "lmtp_pix_workaround_maps", "", (0, 0), "smtp", true;
    /// As smtp_pix_workaround_threshold_time, for the LMTP client.
    LMTP_PIX_WORKAROUND_THRESHOLD_TIME: Duration = Time "lmtp_pix_workaround_threshold_time", "500s", (0, 0), "smtp", true;
    /// As smtp_pix_workarounds, for the LMTP client.
    LMTP_PIX_WORKAROUNDS: String = Text "lmtp_pix_workarounds", "disable_esmtp,delay_dotcrlf", (0, 0), "smtp", true;
    /// As smtp_quit_timeout, for the LMTP client.
    LMTP_QUIT_TIMEOUT: Duration = Time "lmtp_quit_timeout", "300s", (1, 0), "smtp", true;
    /// As smtp_quote_rfc821_envelope, for the LMTP client.
    LMTP_QUOTE_RFC821_ENVELOPE: bool = Bool "lmtp_quote_rfc821_envelope", "yes", (0, 0), "smtp", true;
    /// As smtp_randomize_addresses, for the LMTP client.
    LMTP_RANDOMIZE_ADDRESSES: bool = Bool "lmtp_randomize_addresses", "yes", (0, 0), "smtp", true;
    /// As smtp_rcpt_timeout, for the LMTP client.
    LMTP_RCPT_TIMEOUT: Duration = Time "lmtp_rcpt_timeout", "300s", (1, 0), "smtp", true;
    /// As smtp_reply_filter, for the LMTP client.
    LMTP_REPLY_FILTER: String = Text "lmtp_reply_filter", "", (0, 0), "smtp", true;
    /// As smtp_rset_timeout, for the LMTP client.
    LMTP_RSET_TIMEOUT: Duration = Time "lmtp_rset_timeout", "20s", (1, 0), "smtp", true;
    /// As smtp_send_dummy_mail_auth, for the LMTP client.
    LMTP_SEND_DUMMY_MAIL_AUTH: bool = Bool "lmtp_send_dummy_mail_auth", "no", (0, 0), "smtp", false;
    /// As smtp_send_xforward_command, for the LMTP client.
    LMTP_SEND_XFORWARD_COMMAND: bool = Bool "lmtp_send_xforward_command", "no", (0, 0), "smtp", true;
    /// As smtp_sender_dependent_authentication, for the LMTP client.
    LMTP_SENDER_DEPENDENT_AUTHENTICATION: bool = Bool "lmtp_sender_dependent_authentication", "no", (0, 0), "smtp", true;
    /// As smtp_skip_5xx_greeting, for the LMTP client.
    LMTP_SKIP_5XX_GREETING: bool = Bool "lmtp_skip_5xx_greeting", "yes", (0, 0), "smtp", true;
    /// As smtp_skip_quit_response, for the LMTP client.
    LMTP_SKIP_QUIT_RESPONSE: bool = Bool "lmtp_skip_quit_response", "no", (0, 0), "smtp", true;
    /// As smtp_tcp_port, for the LMTP client.
    LMTP_TCP_PORT: String = Text "lmtp_tcp_port", "24", (0, 0), "smtp", true;
    /// As smtp_xforward_timeout, for the LMTP client.
    LMTP_XFORWARD_TIMEOUT: Duration = Time "lmtp_xforward_timeout", "300s", (1, 0), "smtp", true;
}
