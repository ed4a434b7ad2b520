//! The SMTP and QMQP servers: limits, restrictions, reply codes.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Access map defer code.
    ACCESS_MAP_DEFER_CODE: i64 = Int "access_map_defer_code", "450", (0, 0), "smtpd", true;
    /// Access map reject code.
    ACCESS_MAP_REJECT_CODE: i64 = Int "access_map_reject_code", "554", (0, 0), "smtpd", true;
    /// Allow untrusted routing.
    ALLOW_UNTRUSTED_ROUTING: bool = Bool "allow_untrusted_routing", "no", (0, 0), "smtpd", true;
    /// Anvil rate time unit.
    ANVIL_RATE_TIME_UNIT: Duration = Time "anvil_rate_time_unit", "60s", (1, 0), "anvil", true;
    /// Anvil status update time.
    ANVIL_STATUS_UPDATE_TIME: Duration = Time "anvil_status_update_time", "600s", (1, 0), "anvil", true;
    /// Default rbl reply.
    DEFAULT_RBL_REPLY: String = Raw "default_rbl_reply", "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; $rbl_reason}", (1, 0), "smtpd", true;
    /// Defer code.
    DEFER_CODE: i64 = Int "defer_code", "450", (0, 0), "smtpd", true;
    /// Disable vrfy command.
    DISABLE_VRFY_COMMAND: bool = Bool "disable_vrfy_command", "no", (0, 0), "postscreen smtpd", true;
    /// Helpful warnings.
    HELPFUL_WARNINGS: bool = Bool "helpful_warnings", "yes", (0, 0), "all", true;
    /// Invalid hostname reject code.
    INVALID_HOSTNAME_REJECT_CODE: i64 = Int "invalid_hostname_reject_code", "501", (0, 0), "smtpd", true;
    /// Local header rewrite clients.
    LOCAL_HEADER_REWRITE_CLIENTS: String = Text "local_header_rewrite_clients", "permit_inet_interfaces", (0, 0), "smtpd", true;
    /// Local login sender maps.
    LOCAL_LOGIN_SENDER_MAPS: String = Text "local_login_sender_maps", "static:*", (0, 0), "postdrop", true;
    /// Maps rbl domains.
    MAPS_RBL_DOMAINS: String = Text "maps_rbl_domains", "", (0, 0), "smtpd", true;
    /// Maps rbl reject code.
    MAPS_RBL_REJECT_CODE: i64 = Int "maps_rbl_reject_code", "554", (0, 0), "smtpd", true;
    /// Multi recipient bounce reject code.
    MULTI_RECIPIENT_BOUNCE_REJECT_CODE: i64 = Int "multi_recipient_bounce_reject_code", "550", (0, 0), "smtpd", true;
    /// Non fqdn reject code.
    NON_FQDN_REJECT_CODE: i64 = Int "non_fqdn_reject_code", "504", (0, 0), "smtpd", true;
    /// Permit mx backup networks.
    PERMIT_MX_BACKUP_NETWORKS: String = Text "permit_mx_backup_networks", "", (0, 0), "smtpd", true;
    /// Plaintext reject code.
    PLAINTEXT_REJECT_CODE: i64 = Int "plaintext_reject_code", "450", (0, 0), "smtpd", true;
    /// Proxy interfaces.
    PROXY_INTERFACES: String = Text "proxy_interfaces", "", (0, 0), "all", true;
    /// Proxy read maps.
    PROXY_READ_MAPS: String = Text "proxy_read_maps", "$local_recipient_maps $mydestination $virtual_alias_maps $virtual_alias_domains $virtual_mailbox_maps $virtual_mailbox_domains $relay_recipient_maps $relay_domains $canonical_maps $sender_canonical_maps $recipient_canonical_maps $relocated_maps $transport_maps $mynetworks $smtpd_sender_login_maps $sender_bcc_maps $recipient_bcc_maps $smtp_generic_maps $lmtp_generic_maps $alias_maps $smtpd_client_restrictions $smtpd_helo_restrictions $smtpd_sender_restrictions $smtpd_relay_restrictions $smtpd_recipient_restrictions $address_verify_sender_dependent_default_transport_maps $address_verify_sender_dependent_relayhost_maps $address_verify_transport_maps $fallback_transport_maps $lmtp_discard_lhlo_keyword_address_maps $lmtp_pix_workaround_maps $lmtp_sasl_password_maps $lmtp_tls_policy_maps $mailbox_command_maps $mailbox_transport_maps $postscreen_discard_ehlo_keyword_address_maps $rbl_reply_maps $sender_dependent_default_transport_maps $sender_dependent_relayhost_maps $smtp_discard_ehlo_keyword_address_maps $smtp_pix_workaround_maps $smtp_sasl_password_maps $smtp_tls_policy_maps $smtpd_discard_ehlo_keyword_address_maps $smtpd_milter_maps $virtual_gid_maps $virtual_uid_maps $local_login_sender_maps $postscreen_reject_footer_maps $smtpd_reject_footer_maps $tls_server_sni_maps $tlsproxy_client_policy_maps $default_delivery_status_filter $lmtp_delivery_status_filter $lmtp_dns_reply_filter $lmtp_reply_filter $local_delivery_status_filter $pipe_delivery_status_filter $postscreen_command_filter $smtp_delivery_status_filter $smtp_dns_reply_filter $smtp_reply_filter $smtpd_command_filter $smtpd_dns_reply_filter $virtual_delivery_status_filter $body_checks $header_checks $lmtp_body_checks $lmtp_header_checks $lmtp_mime_header_checks $lmtp_nested_header_checks $milter_header_checks $mime_header_checks $nested_header_checks $smtp_body_checks $smtp_header_checks $smtp_mime_header_checks $smtp_nested_header_checks $smtpd_reject_filter_maps $debug_peer_list $smtpd_etrn_restrictions $fast_flush_domains $authorized_flush_users $lmtp_connection_cache_destinations $local_header_rewrite_clients $masquerade_exceptions $postscreen_access_list $postscreen_allowlist_interfaces $postscreen_forbidden_commands $qmqpd_authorized_clients $authorized_mailq_users $smtp_connection_cache_destinations $smtpd_log_access_permit_actions $smtpd_forbidden_commands $smtpd_client_event_limit_exceptions $smtpd_sasl_exceptions_networks $smtpd_sasl_mechanism_filter $smtp_requiretls_policy $smtp_sasl_mechanism_filter $authorized_submit_users $smtpd_authorized_verp_clients $smtpd_authorized_xclient_hosts $smtpd_authorized_xforward_hosts", (0, 0), "proxymap", true;
    /// Proxy write maps.
    PROXY_WRITE_MAPS: String = Text "proxy_write_maps", "$smtp_sasl_auth_cache_name $lmtp_sasl_auth_cache_name $address_verify_map $postscreen_cache_map", (0, 0), "proxymap", true;
    /// Qmqpd authorized clients.
    QMQPD_AUTHORIZED_CLIENTS: String = Text "qmqpd_authorized_clients", "", (0, 0), "qmqpd", false;
    /// Qmqpd client port logging.
    QMQPD_CLIENT_PORT_LOGGING: bool = Bool "qmqpd_client_port_logging", "no", (0, 0), "qmqpd", false;
    /// Qmqpd error delay.
    QMQPD_ERROR_DELAY: Duration = Time "qmqpd_error_delay", "1s", (0, 0), "qmqpd", false;
    /// Qmqpd timeout.
    QMQPD_TIMEOUT: Duration = Time "qmqpd_timeout", "300s", (1, 0), "qmqpd", false;
    /// Rbl reply maps.
    RBL_REPLY_MAPS: String = Text "rbl_reply_maps", "", (0, 0), "smtpd", true;
    /// Reject code.
    REJECT_CODE: i64 = Int "reject_code", "554", (0, 0), "smtpd", true;
    /// Reject tempfail action.
    REJECT_TEMPFAIL_ACTION: String = Text "reject_tempfail_action", "defer_if_permit", (1, 0), "smtpd", true;
    /// Relay domains reject code.
    RELAY_DOMAINS_REJECT_CODE: i64 = Int "relay_domains_reject_code", "554", (0, 0), "smtpd", true;
    /// Smtpd authorized verp clients.
    SMTPD_AUTHORIZED_VERP_CLIENTS: String = Text "smtpd_authorized_verp_clients", "$authorized_verp_clients", (0, 0), "smtpd", true;
    /// Smtpd authorized xclient hosts.
    SMTPD_AUTHORIZED_XCLIENT_HOSTS: String = Text "smtpd_authorized_xclient_hosts", "", (0, 0), "smtpd", true;
    /// Smtpd authorized xforward hosts.
    SMTPD_AUTHORIZED_XFORWARD_HOSTS: String = Text "smtpd_authorized_xforward_hosts", "", (0, 0), "smtpd", true;
    /// Smtpd banner.
    SMTPD_BANNER: String = Text "smtpd_banner", "$myhostname ESMTP $mail_name", (1, 0), "postscreen smtpd", true;
    /// Smtpd client auth rate limit.
    SMTPD_CLIENT_AUTH_RATE_LIMIT: i64 = Int "smtpd_client_auth_rate_limit", "0", (0, 0), "smtpd", true;
    /// Smtpd client connection count limit.
    SMTPD_CLIENT_CONNECTION_COUNT_LIMIT: i64 = Int "smtpd_client_connection_count_limit", "50", (0, 0), "postscreen smtpd", true;
    /// Smtpd client connection rate limit.
    SMTPD_CLIENT_CONNECTION_RATE_LIMIT: i64 = Int "smtpd_client_connection_rate_limit", "0", (0, 0), "smtpd", true;
    /// Smtpd client event limit exceptions.
    SMTPD_CLIENT_EVENT_LIMIT_EXCEPTIONS: String = Text "smtpd_client_event_limit_exceptions", "${smtpd_client_connection_limit_exceptions:$mynetworks}", (0, 0), "smtpd", true;
    /// Smtpd client ipv4 prefix length.
    SMTPD_CLIENT_IPV4_PREFIX_LENGTH: i64 = Int "smtpd_client_ipv4_prefix_length", "32", (0, 32), "smtpd", true;
    /// Smtpd client ipv6 prefix length.
    SMTPD_CLIENT_IPV6_PREFIX_LENGTH: i64 = Int "smtpd_client_ipv6_prefix_length", "84", (0, 128), "smtpd", true;
    /// Smtpd client message rate limit.
    SMTPD_CLIENT_MESSAGE_RATE_LIMIT: i64 = Int "smtpd_client_message_rate_limit", "0", (0, 0), "smtpd", true;
    /// Smtpd client new tls session rate limit.
    SMTPD_CLIENT_NEW_TLS_SESSION_RATE_LIMIT: i64 = Int "smtpd_client_new_tls_session_rate_limit", "0", (0, 0), "smtpd", true;
    /// Smtpd client port logging.
    SMTPD_CLIENT_PORT_LOGGING: bool = Bool "smtpd_client_port_logging", "no", (0, 0), "smtpd", true;
    /// Smtpd client recipient rate limit.
    SMTPD_CLIENT_RECIPIENT_RATE_LIMIT: i64 = Int "smtpd_client_recipient_rate_limit", "0", (0, 0), "smtpd", true;
    /// Smtpd client restrictions.
    SMTPD_CLIENT_RESTRICTIONS: String = Text "smtpd_client_restrictions", "", (0, 0), "smtpd", true;
    /// Smtpd command filter.
    SMTPD_COMMAND_FILTER: String = Text "smtpd_command_filter", "", (0, 0), "postscreen smtpd", true;
    /// Smtpd data restrictions.
    SMTPD_DATA_RESTRICTIONS: String = Text "smtpd_data_restrictions", "", (0, 0), "smtpd", true;
    /// Smtpd delay open until valid rcpt.
    SMTPD_DELAY_OPEN_UNTIL_VALID_RCPT: bool = Bool "smtpd_delay_open_until_valid_rcpt", "yes", (0, 0), "smtpd", true;
    /// Smtpd delay reject.
    SMTPD_DELAY_REJECT: bool = Bool "smtpd_delay_reject", "yes", (0, 0), "smtpd", true;
    /// Smtpd discard ehlo keyword address maps.
    SMTPD_DISCARD_EHLO_KEYWORD_ADDRESS_MAPS: String = Text "smtpd_discard_ehlo_keyword_address_maps", "", (0, 0), "postscreen smtpd", true;
    /// Smtpd discard ehlo keywords.
    SMTPD_DISCARD_EHLO_KEYWORDS: String = Text "smtpd_discard_ehlo_keywords", "", (0, 0), "postscreen smtpd", true;
    /// Smtpd dns reply filter.
    SMTPD_DNS_REPLY_FILTER: String = Text "smtpd_dns_reply_filter", "", (0, 0), "smtpd", true;
    /// Smtpd end of data restrictions.
    SMTPD_END_OF_DATA_RESTRICTIONS: String = Text "smtpd_end_of_data_restrictions", "", (0, 0), "smtpd", true;
    /// Smtpd error sleep time.
    SMTPD_ERROR_SLEEP_TIME: Duration = Time "smtpd_error_sleep_time", "1s", (0, 0), "smtpd", true;
    /// Smtpd etrn restrictions.
    SMTPD_ETRN_RESTRICTIONS: String = Text "smtpd_etrn_restrictions", "", (0, 0), "smtpd", true;
    /// Smtpd expansion filter.
    SMTPD_EXPANSION_FILTER: String = Raw "smtpd_expansion_filter", "\\t\\40!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\\\]^_`abcdefghijklmnopqrstuvwxyz{|}~", (1, 0), "postscreen smtpd", true;
    /// Smtpd forbid bare newline.
    SMTPD_FORBID_BARE_NEWLINE: String = Text "smtpd_forbid_bare_newline", "normalize", (1, 0), "smtpd", true;
    /// Smtpd forbid bare newline exclusions.
    SMTPD_FORBID_BARE_NEWLINE_EXCLUSIONS: String = Text "smtpd_forbid_bare_newline_exclusions", "$mynetworks", (0, 0), "smtpd", true;
    /// Smtpd forbid bare newline reject code.
    SMTPD_FORBID_BARE_NEWLINE_REJECT_CODE: i64 = Int "smtpd_forbid_bare_newline_reject_code", "550", (500, 599), "smtpd", true;
    /// Smtpd forbid unauth pipelining.
    SMTPD_FORBID_UNAUTH_PIPELINING: bool = Bool "smtpd_forbid_unauth_pipelining", "yes", (0, 0), "smtpd", true;
    /// Smtpd forbidden commands.
    SMTPD_FORBIDDEN_COMMANDS: String = Text "smtpd_forbidden_commands", "CONNECT GET POST regexp:{{/^[^A-Z]/ Bogus}}", (0, 0), "postscreen proxymap smtpd", true;
    /// Smtpd hard error limit.
    SMTPD_HARD_ERROR_LIMIT: i64 = IntExpr "smtpd_hard_error_limit", "${stress?{1}:{20}}", (1, 0), "smtpd", true;
    /// Smtpd helo required.
    SMTPD_HELO_REQUIRED: bool = Bool "smtpd_helo_required", "no", (0, 0), "postscreen smtpd", true;
    /// Smtpd helo restrictions.
    SMTPD_HELO_RESTRICTIONS: String = Text "smtpd_helo_restrictions", "", (0, 0), "smtpd", true;
    /// Smtpd hide client session.
    SMTPD_HIDE_CLIENT_SESSION: bool = BoolExpr "smtpd_hide_client_session", "no", (0, 0), "smtpd", true;
    /// Smtpd history flush threshold.
    SMTPD_HISTORY_FLUSH_THRESHOLD: i64 = Int "smtpd_history_flush_threshold", "100", (1, 0), "smtpd", true;
    /// Smtpd junk command limit.
    SMTPD_JUNK_COMMAND_LIMIT: i64 = IntExpr "smtpd_junk_command_limit", "${stress?{1}:{100}}", (1, 0), "smtpd", true;
    /// Smtpd log access permit actions.
    SMTPD_LOG_ACCESS_PERMIT_ACTIONS: String = Text "smtpd_log_access_permit_actions", "", (0, 0), "smtpd", true;
    /// Smtpd milter maps.
    SMTPD_MILTER_MAPS: String = Text "smtpd_milter_maps", "", (0, 0), "smtpd", false;
    /// Smtpd milters.
    SMTPD_MILTERS: String = Text "smtpd_milters", "", (0, 0), "smtpd", false;
    /// Smtpd min data rate.
    SMTPD_MIN_DATA_RATE: i64 = Int "smtpd_min_data_rate", "500", (1, 0), "smtpd", true;
    /// Smtpd noop commands.
    SMTPD_NOOP_COMMANDS: String = Text "smtpd_noop_commands", "", (0, 0), "smtpd", true;
    /// Smtpd null access lookup key.
    SMTPD_NULL_ACCESS_LOOKUP_KEY: String = Text "smtpd_null_access_lookup_key", "<>", (0, 0), "smtpd", true;
    /// Smtpd peername lookup.
    SMTPD_PEERNAME_LOOKUP: bool = Bool "smtpd_peername_lookup", "yes", (0, 0), "smtpd", true;
    /// Smtpd per request deadline.
    SMTPD_PER_REQUEST_DEADLINE: bool = BoolExpr "smtpd_per_request_deadline", "${smtpd_per_record_deadline?{$smtpd_per_record_deadline}:{${stress?{yes}:{no}}}}", (0, 0), "smtpd", true;
    /// Smtpd policy service default action.
    SMTPD_POLICY_SERVICE_DEFAULT_ACTION: String = Text "smtpd_policy_service_default_action", "451 4.3.5 Server configuration problem", (1, 0), "smtpd", false;
    /// Smtpd policy service max idle.
    SMTPD_POLICY_SERVICE_MAX_IDLE: Duration = Time "smtpd_policy_service_max_idle", "300s", (1, 0), "smtpd", false;
    /// Smtpd policy service max ttl.
    SMTPD_POLICY_SERVICE_MAX_TTL: Duration = Time "smtpd_policy_service_max_ttl", "1000s", (1, 0), "smtpd", false;
    /// Smtpd policy service policy context.
    SMTPD_POLICY_SERVICE_POLICY_CONTEXT: String = Text "smtpd_policy_service_policy_context", "", (0, 0), "smtpd", false;
    /// Smtpd policy service request limit.
    SMTPD_POLICY_SERVICE_REQUEST_LIMIT: i64 = Int "smtpd_policy_service_request_limit", "0", (0, 0), "smtpd", false;
    /// Smtpd policy service retry delay.
    SMTPD_POLICY_SERVICE_RETRY_DELAY: Duration = Time "smtpd_policy_service_retry_delay", "1s", (1, 0), "smtpd", false;
    /// Smtpd policy service timeout.
    SMTPD_POLICY_SERVICE_TIMEOUT: Duration = Time "smtpd_policy_service_timeout", "100s", (1, 0), "smtpd", false;
    /// Smtpd policy service try limit.
    SMTPD_POLICY_SERVICE_TRY_LIMIT: i64 = Int "smtpd_policy_service_try_limit", "2", (1, 0), "smtpd", false;
    /// Smtpd proxy ehlo.
    SMTPD_PROXY_EHLO: String = Text "smtpd_proxy_ehlo", "$myhostname", (0, 0), "smtpd", true;
    /// Smtpd proxy filter.
    SMTPD_PROXY_FILTER: String = Text "smtpd_proxy_filter", "", (0, 0), "smtpd", true;
    /// Smtpd proxy options.
    SMTPD_PROXY_OPTIONS: String = Text "smtpd_proxy_options", "", (0, 0), "smtpd", true;
    /// Smtpd proxy timeout.
    SMTPD_PROXY_TIMEOUT: Duration = Time "smtpd_proxy_timeout", "100s", (1, 0), "smtpd", true;
    /// Smtpd recipient limit.
    SMTPD_RECIPIENT_LIMIT: i64 = Int "smtpd_recipient_limit", "1000", (1, 0), "smtpd", true;
    /// Smtpd recipient overshoot limit.
    SMTPD_RECIPIENT_OVERSHOOT_LIMIT: i64 = Int "smtpd_recipient_overshoot_limit", "1000", (1, 0), "smtpd", true;
    /// Smtpd recipient restrictions.
    SMTPD_RECIPIENT_RESTRICTIONS: String = Text "smtpd_recipient_restrictions", "", (0, 0), "smtpd", true;
    /// Smtpd reject filter maps.
    SMTPD_REJECT_FILTER_MAPS: String = Text "smtpd_reject_filter_maps", "", (0, 0), "smtpd", true;
    /// Smtpd reject footer.
    SMTPD_REJECT_FOOTER: String = Raw "smtpd_reject_footer", "", (0, 0), "postscreen smtpd", true;
    /// Smtpd reject footer maps.
    SMTPD_REJECT_FOOTER_MAPS: String = Text "smtpd_reject_footer_maps", "", (0, 0), "smtpd", true;
    /// Smtpd reject unlisted recipient.
    SMTPD_REJECT_UNLISTED_RECIPIENT: bool = Bool "smtpd_reject_unlisted_recipient", "yes", (0, 0), "smtpd", true;
    /// Smtpd reject unlisted sender.
    SMTPD_REJECT_UNLISTED_SENDER: bool = Bool "smtpd_reject_unlisted_sender", "no", (0, 0), "smtpd", true;
    /// Smtpd relay before recipient restrictions.
    SMTPD_RELAY_BEFORE_RECIPIENT_RESTRICTIONS: bool = BoolExpr "smtpd_relay_before_recipient_restrictions", "${{$compatibility_level} <level {3.6} ? {no} : {yes}}", (0, 0), "smtpd", true;
    /// Smtpd relay restrictions.
    SMTPD_RELAY_RESTRICTIONS: String = Text "smtpd_relay_restrictions", "${{$compatibility_level} <level {1} ? {} : {permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination}}", (0, 0), "smtpd", true;
    /// Smtpd restriction classes.
    SMTPD_RESTRICTION_CLASSES: String = Text "smtpd_restriction_classes", "", (0, 0), "proxymap smtpd", true;
    /// Smtpd sender login maps.
    SMTPD_SENDER_LOGIN_MAPS: String = Text "smtpd_sender_login_maps", "", (0, 0), "proxymap smtpd", false;
    /// Smtpd sender restrictions.
    SMTPD_SENDER_RESTRICTIONS: String = Text "smtpd_sender_restrictions", "", (0, 0), "smtpd", true;
    /// Smtpd service name.
    SMTPD_SERVICE_NAME: String = Text "smtpd_service_name", "smtpd", (1, 0), "postscreen", true;
    /// Smtpd soft error limit.
    SMTPD_SOFT_ERROR_LIMIT: i64 = IntExpr "smtpd_soft_error_limit", "10", (1, 0), "smtpd", true;
    /// Smtpd timeout.
    SMTPD_TIMEOUT: Duration = Time "smtpd_timeout", "${stress?{10}:{300}}s", (1, 0), "smtpd", true;
    /// Smtpd upstream proxy protocol.
    SMTPD_UPSTREAM_PROXY_PROTOCOL: String = Text "smtpd_upstream_proxy_protocol", "", (0, 0), "smtpd", true;
    /// Smtpd upstream proxy timeout.
    SMTPD_UPSTREAM_PROXY_TIMEOUT: Duration = Time "smtpd_upstream_proxy_timeout", "5s", (1, 0), "smtpd", true;
    /// Strict rfc821 envelopes.
    STRICT_RFC821_ENVELOPES: bool = Bool "strict_rfc821_envelopes", "no", (0, 0), "smtpd", true;
    /// Unknown address reject code.
    UNKNOWN_ADDRESS_REJECT_CODE: i64 = Int "unknown_address_reject_code", "450", (0, 0), "smtpd", true;
    /// Unknown address tempfail action.
    UNKNOWN_ADDRESS_TEMPFAIL_ACTION: String = Text "unknown_address_tempfail_action", "$reject_tempfail_action", (1, 0), "smtpd", true;
    /// Unknown client reject code.
    UNKNOWN_CLIENT_REJECT_CODE: i64 = Int "unknown_client_reject_code", "450", (0, 0), "smtpd", true;
    /// Unknown helo hostname tempfail action.
    UNKNOWN_HELO_HOSTNAME_TEMPFAIL_ACTION: String = Text "unknown_helo_hostname_tempfail_action", "$reject_tempfail_action", (1, 0), "smtpd", true;
    /// Unknown hostname reject code.
    UNKNOWN_HOSTNAME_REJECT_CODE: i64 = Int "unknown_hostname_reject_code", "450", (0, 0), "smtpd", true;
    /// Unknown local recipient reject code.
    UNKNOWN_LOCAL_RECIPIENT_REJECT_CODE: i64 = Int "unknown_local_recipient_reject_code", "550", (0, 0), "smtpd", true;
    /// Unknown relay recipient reject code.
    UNKNOWN_RELAY_RECIPIENT_REJECT_CODE: i64 = Int "unknown_relay_recipient_reject_code", "550", (0, 0), "smtpd", true;
    /// Unknown virtual alias reject code.
    UNKNOWN_VIRTUAL_ALIAS_REJECT_CODE: i64 = Int "unknown_virtual_alias_reject_code", "550", (0, 0), "smtpd", true;
    /// Unknown virtual mailbox reject code.
    UNKNOWN_VIRTUAL_MAILBOX_REJECT_CODE: i64 = Int "unknown_virtual_mailbox_reject_code", "550", (0, 0), "smtpd", true;
    /// Unverified recipient defer code.
    UNVERIFIED_RECIPIENT_DEFER_CODE: i64 = Int "unverified_recipient_defer_code", "450", (200, 499), "smtpd", true;
    /// Unverified recipient reject code.
    UNVERIFIED_RECIPIENT_REJECT_CODE: i64 = Int "unverified_recipient_reject_code", "450", (200, 599), "smtpd", true;
    /// Unverified recipient reject reason.
    UNVERIFIED_RECIPIENT_REJECT_REASON: String = Text "unverified_recipient_reject_reason", "", (0, 0), "smtpd", true;
    /// Unverified recipient tempfail action.
    UNVERIFIED_RECIPIENT_TEMPFAIL_ACTION: String = Text "unverified_recipient_tempfail_action", "$reject_tempfail_action", (1, 0), "smtpd", true;
    /// Unverified sender defer code.
    UNVERIFIED_SENDER_DEFER_CODE: i64 = Int "unverified_sender_defer_code", "450", (200, 499), "smtpd", true;
    /// Unverified sender reject code.
    UNVERIFIED_SENDER_REJECT_CODE: i64 = Int "unverified_sender_reject_code", "450", (200, 599), "smtpd", true;
    /// Unverified sender reject reason.
    UNVERIFIED_SENDER_REJECT_REASON: String = Text "unverified_sender_reject_reason", "", (0, 0), "smtpd", true;
    /// Unverified sender tempfail action.
    UNVERIFIED_SENDER_TEMPFAIL_ACTION: String = Text "unverified_sender_tempfail_action", "$reject_tempfail_action", (1, 0), "smtpd", true;
}
