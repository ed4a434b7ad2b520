//! The SMTP and QMQP servers: limits, restrictions, reply codes.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Reply code of the access table action that defers a client.
    ACCESS_MAP_DEFER_CODE: i64 = Int "access_map_defer_code", "450", (0, 0), "smtpd", true;
    /// Reply code of the access table action that rejects a client.
    ACCESS_MAP_REJECT_CODE: i64 = Int "access_map_reject_code", "554", (0, 0), "smtpd", true;
    /// Whether addresses with routes of a sender's own making are relayed for strangers.
    ALLOW_UNTRUSTED_ROUTING: bool = Bool "allow_untrusted_routing", "no", (0, 0), "smtpd", true;
    /// Over which time client rates are counted.
    ANVIL_RATE_TIME_UNIT: Duration = Time "anvil_rate_time_unit", "60s", (1, 0), "anvil", true;
    /// How often the greatest counts and rates are logged.
    ANVIL_STATUS_UPDATE_TIME: Duration = Time "anvil_status_update_time", "600s", (1, 0), "anvil", true;
    /// The reply to a client that a blocklist names.
    DEFAULT_RBL_REPLY: String = Raw "default_rbl_reply", "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; $rbl_reason}", (1, 0), "smtpd", true;
    /// Reply code of the restriction defer.
    DEFER_CODE: i64 = Int "defer_code", "450", (0, 0), "smtpd", true;
    /// Whether VRFY is refused.
    DISABLE_VRFY_COMMAND: bool = Bool "disable_vrfy_command", "no", (0, 0), "postscreen smtpd", true;
    /// Whether possible mistakes in the configuration are warned of.
    HELPFUL_WARNINGS: bool = Bool "helpful_warnings", "yes", (0, 0), "all", true;
    /// Reply code of reject_invalid_helo_hostname.
    INVALID_HOSTNAME_REJECT_CODE: i64 = Int "invalid_hostname_reject_code", "501", (0, 0), "smtpd", true;
    /// Clients whose headers are completed as those of local mail.
    LOCAL_HEADER_REWRITE_CLIENTS: String = Text "local_header_rewrite_clients", "permit_inet_interfaces", (0, 0), "smtpd", true;
    /// Which envelope senders a local user may use.
    LOCAL_LOGIN_SENDER_MAPS: String = Text "local_login_sender_maps", "static:*", (0, 0), "postdrop", true;
    /// Blocklists of the outdated restriction reject_maps_rbl.
    MAPS_RBL_DOMAINS: String = Text "maps_rbl_domains", "", (0, 0), "smtpd", true;
    /// Reply code to clients that a blocklist names.
    MAPS_RBL_REJECT_CODE: i64 = Int "maps_rbl_reject_code", "554", (0, 0), "smtpd", true;
    /// Reply code of reject_multi_recipient_bounce.
    MULTI_RECIPIENT_BOUNCE_REJECT_CODE: i64 = Int "multi_recipient_bounce_reject_code", "550", (0, 0), "smtpd", true;
    /// Reply code of the reject_non_fqdn restrictions.
    NON_FQDN_REJECT_CODE: i64 = Int "non_fqdn_reject_code", "504", (0, 0), "smtpd", true;
    /// Where the primary MX hosts must be for permit_mx_backup.
    PERMIT_MX_BACKUP_NETWORKS: String = Text "permit_mx_backup_networks", "", (0, 0), "smtpd", true;
    /// Reply code of reject_plaintext_session.
    PLAINTEXT_REJECT_CODE: i64 = Int "plaintext_reject_code", "450", (0, 0), "smtpd", true;
    /// Addresses at which this machine is reached through a proxy.
    PROXY_INTERFACES: String = Text "proxy_interfaces", "", (0, 0), "all", true;
    /// Tables that the proxymap service may read.
    PROXY_READ_MAPS: String = Text "proxy_read_maps", "$local_recipient_maps $mydestination $virtual_alias_maps $virtual_alias_domains $virtual_mailbox_maps $virtual_mailbox_domains $relay_recipient_maps $relay_domains $canonical_maps $sender_canonical_maps $recipient_canonical_maps $relocated_maps $transport_maps $mynetworks $smtpd_sender_login_maps $sender_bcc_maps $recipient_bcc_maps $smtp_generic_maps $lmtp_generic_maps $alias_maps $smtpd_client_restrictions $smtpd_helo_restrictions $smtpd_sender_restrictions $smtpd_relay_restrictions $smtpd_recipient_restrictions $address_verify_sender_dependent_default_transport_maps $address_verify_sender_dependent_relayhost_maps $address_verify_transport_maps $fallback_transport_maps $lmtp_discard_lhlo_keyword_address_maps $lmtp_pix_workaround_maps $lmtp_sasl_password_maps $lmtp_tls_policy_maps $mailbox_command_maps $mailbox_transport_maps $postscreen_discard_ehlo_keyword_address_maps $rbl_reply_maps $sender_dependent_default_transport_maps $sender_dependent_relayhost_maps $smtp_discard_ehlo_keyword_address_maps $smtp_pix_workaround_maps $smtp_sasl_password_maps $smtp_tls_policy_maps $smtpd_discard_ehlo_keyword_address_maps $smtpd_milter_maps $virtual_gid_maps $virtual_uid_maps $local_login_sender_maps $postscreen_reject_footer_maps $smtpd_reject_footer_maps $tls_server_sni_maps $tlsproxy_client_policy_maps $default_delivery_status_filter $lmtp_delivery_status_filter $lmtp_dns_reply_filter $lmtp_reply_filter $local_delivery_status_filter $pipe_delivery_status_filter $postscreen_command_filter $smtp_delivery_status_filter $smtp_dns_reply_filter $smtp_reply_filter $smtpd_command_filter $smtpd_dns_reply_filter $virtual_delivery_status_filter $body_checks $header_checks $lmtp_body_checks $lmtp_header_checks $lmtp_mime_header_checks $lmtp_nested_header_checks $milter_header_checks $mime_header_checks $nested_header_checks $smtp_body_checks $smtp_header_checks $smtp_mime_header_checks $smtp_nested_header_checks $smtpd_reject_filter_maps $debug_peer_list $smtpd_etrn_restrictions $fast_flush_domains $authorized_flush_users $lmtp_connection_cache_destinations $local_header_rewrite_clients $masquerade_exceptions $postscreen_access_list $postscreen_allowlist_interfaces $postscreen_forbidden_commands $qmqpd_authorized_clients $authorized_mailq_users $smtp_connection_cache_destinations $smtpd_log_access_permit_actions $smtpd_forbidden_commands $smtpd_client_event_limit_exceptions $smtpd_sasl_exceptions_networks $smtpd_sasl_mechanism_filter $smtp_requiretls_policy $smtp_sasl_mechanism_filter $authorized_submit_users $smtpd_authorized_verp_clients $smtpd_authorized_xclient_hosts $smtpd_authorized_xforward_hosts", (0, 0), "proxymap", true;
    /// Tables that the proxywrite service may change.
    PROXY_WRITE_MAPS: String = Text "proxy_write_maps", "$smtp_sasl_auth_cache_name $lmtp_sasl_auth_cache_name $address_verify_map $postscreen_cache_map", (0, 0), "proxymap", true;
    /// Clients that may use QMQP.
    QMQPD_AUTHORIZED_CLIENTS: String = Text "qmqpd_authorized_clients", "", (0, 0), "qmqpd", false;
    /// Whether the QMQP server logs the client's port.
    QMQPD_CLIENT_PORT_LOGGING: bool = Bool "qmqpd_client_port_logging", "no", (0, 0), "qmqpd", false;
    /// How long the QMQP server waits before it tells of an error.
    QMQPD_ERROR_DELAY: Duration = Time "qmqpd_error_delay", "1s", (0, 0), "qmqpd", false;
    /// How long the QMQP server waits for the client.
    QMQPD_TIMEOUT: Duration = Time "qmqpd_timeout", "300s", (1, 0), "qmqpd", false;
    /// Replies to clients that blocklists name, by blocklist.
    RBL_REPLY_MAPS: String = Text "rbl_reply_maps", "", (0, 0), "smtpd", true;
    /// Reply code of the restriction reject.
    REJECT_CODE: i64 = Int "reject_code", "554", (0, 0), "smtpd", true;
    /// What happens when a reject restriction cannot tell.
    REJECT_TEMPFAIL_ACTION: String = Text "reject_tempfail_action", "defer_if_permit", (1, 0), "smtpd", true;
    /// Reply code to clients that may not relay.
    RELAY_DOMAINS_REJECT_CODE: i64 = Int "relay_domains_reject_code", "554", (0, 0), "smtpd", true;
    /// Clients that may ask for VERP.
    SMTPD_AUTHORIZED_VERP_CLIENTS: String = Text "smtpd_authorized_verp_clients", "$authorized_verp_clients", (0, 0), "smtpd", true;
    /// Clients that may use XCLIENT.
    SMTPD_AUTHORIZED_XCLIENT_HOSTS: String = Text "smtpd_authorized_xclient_hosts", "", (0, 0), "smtpd", true;
    /// Clients that may use XFORWARD.
    SMTPD_AUTHORIZED_XFORWARD_HOSTS: String = Text "smtpd_authorized_xforward_hosts", "", (0, 0), "smtpd", true;
    /// The text of the greeting.
    SMTPD_BANNER: String = Text "smtpd_banner", "$myhostname ESMTP $mail_name", (1, 0), "postscreen smtpd", true;
    /// The most logins of a client in a time unit; 0 for no limit.
    SMTPD_CLIENT_AUTH_RATE_LIMIT: i64 = Int "smtpd_client_auth_rate_limit", "0", (0, 0), "smtpd", true;
    /// The most connections of a client at a time; 0 for no limit.
    SMTPD_CLIENT_CONNECTION_COUNT_LIMIT: i64 = Int "smtpd_client_connection_count_limit", "50", (0, 0), "postscreen smtpd", true;
    /// The most connections of a client in a time unit; 0 for no limit.
    SMTPD_CLIENT_CONNECTION_RATE_LIMIT: i64 = Int "smtpd_client_connection_rate_limit", "0", (0, 0), "smtpd", true;
    /// Clients without limits on counts and rates.
    SMTPD_CLIENT_EVENT_LIMIT_EXCEPTIONS: String = Text "smtpd_client_event_limit_exceptions", "${smtpd_client_connection_limit_exceptions:$mynetworks}", (0, 0), "smtpd", true;
    /// How many bits of an IPv4 address make one client.
    SMTPD_CLIENT_IPV4_PREFIX_LENGTH: i64 = Int "smtpd_client_ipv4_prefix_length", "32", (0, 32), "smtpd", true;
    /// How many bits of an IPv6 address make one client.
    SMTPD_CLIENT_IPV6_PREFIX_LENGTH: i64 = Int "smtpd_client_ipv6_prefix_length", "84", (0, 128), "smtpd", true;
    /// The most messages of a client in a time unit; 0 for no limit.
    SMTPD_CLIENT_MESSAGE_RATE_LIMIT: i64 = Int "smtpd_client_message_rate_limit", "0", (0, 0), "smtpd", true;
    /// The most new TLS sessions of a client in a time unit; 0 for no limit.
    SMTPD_CLIENT_NEW_TLS_SESSION_RATE_LIMIT: i64 = Int "smtpd_client_new_tls_session_rate_limit", "0", (0, 0), "smtpd", true;
    /// Whether the client's port is logged.
    SMTPD_CLIENT_PORT_LOGGING: bool = Bool "smtpd_client_port_logging", "no", (0, 0), "smtpd", true;
    /// The most recipients of a client in a time unit; 0 for no limit.
    SMTPD_CLIENT_RECIPIENT_RATE_LIMIT: i64 = Int "smtpd_client_recipient_rate_limit", "0", (0, 0), "smtpd", true;
    /// What is decided about a client when it connects.
    SMTPD_CLIENT_RESTRICTIONS: String = Text "smtpd_client_restrictions", "", (0, 0), "smtpd", true;
    /// A table that rewrites client commands.
    SMTPD_COMMAND_FILTER: String = Text "smtpd_command_filter", "", (0, 0), "postscreen smtpd", true;
    /// What is decided at DATA.
    SMTPD_DATA_RESTRICTIONS: String = Text "smtpd_data_restrictions", "", (0, 0), "smtpd", true;
    /// Whether a message begins only with its first good recipient.
    SMTPD_DELAY_OPEN_UNTIL_VALID_RCPT: bool = Bool "smtpd_delay_open_until_valid_rcpt", "yes", (0, 0), "smtpd", true;
    /// Whether restrictions wait for RCPT.
    SMTPD_DELAY_REJECT: bool = Bool "smtpd_delay_reject", "yes", (0, 0), "smtpd", true;
    /// EHLO keywords that are not announced, by client.
    SMTPD_DISCARD_EHLO_KEYWORD_ADDRESS_MAPS: String = Text "smtpd_discard_ehlo_keyword_address_maps", "", (0, 0), "postscreen smtpd", true;
    /// EHLO keywords that are not announced.
    SMTPD_DISCARD_EHLO_KEYWORDS: String = Text "smtpd_discard_ehlo_keywords", "", (0, 0), "postscreen smtpd", true;
    /// A table that changes or drops DNS records.
    SMTPD_DNS_REPLY_FILTER: String = Text "smtpd_dns_reply_filter", "", (0, 0), "smtpd", true;
    /// What is decided at the end of the message.
    SMTPD_END_OF_DATA_RESTRICTIONS: String = Text "smtpd_end_of_data_restrictions", "", (0, 0), "smtpd", true;
    /// How long the server waits after an error.
    SMTPD_ERROR_SLEEP_TIME: Duration = Time "smtpd_error_sleep_time", "1s", (0, 0), "smtpd", true;
    /// What is decided about ETRN.
    SMTPD_ETRN_RESTRICTIONS: String = Text "smtpd_etrn_restrictions", "", (0, 0), "smtpd", true;
    /// Which characters may come into replies from $name.
    SMTPD_EXPANSION_FILTER: String = Raw "smtpd_expansion_filter", "\\t\\40!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\\\]^_`abcdefghijklmnopqrstuvwxyz{|}~", (1, 0), "postscreen smtpd", true;
    /// What happens to lines that end in a bare line feed.
    SMTPD_FORBID_BARE_NEWLINE: String = Text "smtpd_forbid_bare_newline", "normalize", (1, 0), "smtpd", true;
    /// Clients that may send bare line feeds.
    SMTPD_FORBID_BARE_NEWLINE_EXCLUSIONS: String = Text "smtpd_forbid_bare_newline_exclusions", "$mynetworks", (0, 0), "smtpd", true;
    /// Reply code to bare line feeds.
    SMTPD_FORBID_BARE_NEWLINE_REJECT_CODE: i64 = Int "smtpd_forbid_bare_newline_reject_code", "550", (500, 599), "smtpd", true;
    /// Whether clients that do not wait where they must are disconnected.
    SMTPD_FORBID_UNAUTH_PIPELINING: bool = Bool "smtpd_forbid_unauth_pipelining", "yes", (0, 0), "smtpd", true;
    /// Commands that disconnect a client.
    SMTPD_FORBIDDEN_COMMANDS: String = Text "smtpd_forbidden_commands", "CONNECT GET POST regexp:{{/^[^A-Z]/ Bogus}}", (0, 0), "postscreen proxymap smtpd", true;
    /// After how many errors a client is disconnected.
    SMTPD_HARD_ERROR_LIMIT: i64 = IntExpr "smtpd_hard_error_limit", "${stress?{1}:{20}}", (1, 0), "smtpd", true;
    /// Whether HELO is needed before MAIL.
    SMTPD_HELO_REQUIRED: bool = Bool "smtpd_helo_required", "no", (0, 0), "postscreen smtpd", true;
    /// What is decided at HELO.
    SMTPD_HELO_RESTRICTIONS: String = Text "smtpd_helo_restrictions", "", (0, 0), "smtpd", true;
    /// Whether Received does not tell about the client.
    SMTPD_HIDE_CLIENT_SESSION: bool = BoolExpr "smtpd_hide_client_session", "no", (0, 0), "smtpd", true;
    /// How many commands are remembered for notices.
    SMTPD_HISTORY_FLUSH_THRESHOLD: i64 = Int "smtpd_history_flush_threshold", "100", (1, 0), "smtpd", true;
    /// How many commands without use a client may send.
    SMTPD_JUNK_COMMAND_LIMIT: i64 = IntExpr "smtpd_junk_command_limit", "${stress?{1}:{100}}", (1, 0), "smtpd", true;
    /// Which permit actions are logged.
    SMTPD_LOG_ACCESS_PERMIT_ACTIONS: String = Text "smtpd_log_access_permit_actions", "", (0, 0), "smtpd", true;
    /// What replaces smtpd_milters, by client.
    SMTPD_MILTER_MAPS: String = Text "smtpd_milter_maps", "", (0, 0), "smtpd", false;
    /// Milters for mail by SMTP.
    SMTPD_MILTERS: String = Text "smtpd_milters", "", (0, 0), "smtpd", false;
    /// The least bytes a second when a deadline holds for whole requests.
    SMTPD_MIN_DATA_RATE: i64 = Int "smtpd_min_data_rate", "500", (1, 0), "smtpd", true;
    /// Commands that are answered and ignored.
    SMTPD_NOOP_COMMANDS: String = Text "smtpd_noop_commands", "", (0, 0), "smtpd", true;
    /// What stands for the empty sender in access tables.
    SMTPD_NULL_ACCESS_LOOKUP_KEY: String = Text "smtpd_null_access_lookup_key", "<>", (0, 0), "smtpd", true;
    /// Whether the names of clients are looked up.
    SMTPD_PEERNAME_LOOKUP: bool = Bool "smtpd_peername_lookup", "yes", (0, 0), "smtpd", true;
    /// Whether time limits hold for whole requests instead of each read and write.
    SMTPD_PER_REQUEST_DEADLINE: bool = BoolExpr "smtpd_per_request_deadline", "${smtpd_per_record_deadline?{$smtpd_per_record_deadline}:{${stress?{yes}:{no}}}}", (0, 0), "smtpd", true;
    /// What happens when a policy server fails.
    SMTPD_POLICY_SERVICE_DEFAULT_ACTION: String = Text "smtpd_policy_service_default_action", "451 4.3.5 Server configuration problem", (1, 0), "smtpd", false;
    /// When an idle connection to a policy server is closed.
    SMTPD_POLICY_SERVICE_MAX_IDLE: Duration = Time "smtpd_policy_service_max_idle", "300s", (1, 0), "smtpd", false;
    /// When any connection to a policy server is closed.
    SMTPD_POLICY_SERVICE_MAX_TTL: Duration = Time "smtpd_policy_service_max_ttl", "1000s", (1, 0), "smtpd", false;
    /// A text for policy servers.
    SMTPD_POLICY_SERVICE_POLICY_CONTEXT: String = Text "smtpd_policy_service_policy_context", "", (0, 0), "smtpd", false;
    /// The most requests of one connection to a policy server; 0 for no limit.
    SMTPD_POLICY_SERVICE_REQUEST_LIMIT: i64 = Int "smtpd_policy_service_request_limit", "0", (0, 0), "smtpd", false;
    /// Pause before a policy server is asked again.
    SMTPD_POLICY_SERVICE_RETRY_DELAY: Duration = Time "smtpd_policy_service_retry_delay", "1s", (1, 0), "smtpd", false;
    /// How long to wait for a policy server.
    SMTPD_POLICY_SERVICE_TIMEOUT: Duration = Time "smtpd_policy_service_timeout", "100s", (1, 0), "smtpd", false;
    /// How often a policy server is asked.
    SMTPD_POLICY_SERVICE_TRY_LIMIT: i64 = Int "smtpd_policy_service_try_limit", "2", (1, 0), "smtpd", false;
    /// The name sent to smtpd_proxy_filter.
    SMTPD_PROXY_EHLO: String = Text "smtpd_proxy_ehlo", "$myhostname", (0, 0), "smtpd", true;
    /// A filter that sees mail before it is queued.
    SMTPD_PROXY_FILTER: String = Text "smtpd_proxy_filter", "", (0, 0), "smtpd", true;
    /// How smtpd_proxy_filter is fed.
    SMTPD_PROXY_OPTIONS: String = Text "smtpd_proxy_options", "", (0, 0), "smtpd", true;
    /// How long to wait for smtpd_proxy_filter.
    SMTPD_PROXY_TIMEOUT: Duration = Time "smtpd_proxy_timeout", "100s", (1, 0), "smtpd", true;
    /// The most recipients of a message.
    SMTPD_RECIPIENT_LIMIT: i64 = Int "smtpd_recipient_limit", "1000", (1, 0), "smtpd", true;
    /// How many recipients beyond that are no error.
    SMTPD_RECIPIENT_OVERSHOOT_LIMIT: i64 = Int "smtpd_recipient_overshoot_limit", "1000", (1, 0), "smtpd", true;
    /// What is decided at RCPT, after smtpd_relay_restrictions.
    SMTPD_RECIPIENT_RESTRICTIONS: String = Text "smtpd_recipient_restrictions", "", (0, 0), "smtpd", true;
    /// Tables that change rejections.
    SMTPD_REJECT_FILTER_MAPS: String = Text "smtpd_reject_filter_maps", "", (0, 0), "smtpd", true;
    /// Text after each rejection.
    SMTPD_REJECT_FOOTER: String = Raw "smtpd_reject_footer", "", (0, 0), "postscreen smtpd", true;
    /// As smtpd_reject_footer, by rejection.
    SMTPD_REJECT_FOOTER_MAPS: String = Text "smtpd_reject_footer_maps", "", (0, 0), "smtpd", true;
    /// Whether recipients that do not exist are rejected.
    SMTPD_REJECT_UNLISTED_RECIPIENT: bool = Bool "smtpd_reject_unlisted_recipient", "yes", (0, 0), "smtpd", true;
    /// Whether local senders that do not exist are rejected.
    SMTPD_REJECT_UNLISTED_SENDER: bool = Bool "smtpd_reject_unlisted_sender", "no", (0, 0), "smtpd", true;
    /// Whether smtpd_relay_restrictions come first.
    SMTPD_RELAY_BEFORE_RECIPIENT_RESTRICTIONS: bool = BoolExpr "smtpd_relay_before_recipient_restrictions", "${{$compatibility_level} <level {3.6} ? {no} : {yes}}", (0, 0), "smtpd", true;
    /// Who may relay.
    SMTPD_RELAY_RESTRICTIONS: String = Text "smtpd_relay_restrictions", "${{$compatibility_level} <level {1} ? {} : {permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination}}", (0, 0), "smtpd", true;
    /// Names for lists of restrictions.
    SMTPD_RESTRICTION_CLASSES: String = Text "smtpd_restriction_classes", "", (0, 0), "proxymap smtpd", true;
    /// Which login owns a sender address.
    SMTPD_SENDER_LOGIN_MAPS: String = Text "smtpd_sender_login_maps", "", (0, 0), "proxymap smtpd", false;
    /// What is decided at MAIL.
    SMTPD_SENDER_RESTRICTIONS: String = Text "smtpd_sender_restrictions", "", (0, 0), "smtpd", true;
    /// The SMTP server behind postscreen.
    SMTPD_SERVICE_NAME: String = Text "smtpd_service_name", "smtpd", (1, 0), "postscreen", true;
    /// After how many errors replies are slowed down.
    SMTPD_SOFT_ERROR_LIMIT: i64 = IntExpr "smtpd_soft_error_limit", "10", (1, 0), "smtpd", true;
    /// How long the server waits for a client.
    SMTPD_TIMEOUT: Duration = Time "smtpd_timeout", "${stress?{10}:{300}}s", (1, 0), "smtpd", true;
    /// The protocol of the load balancer in front.
    SMTPD_UPSTREAM_PROXY_PROTOCOL: String = Text "smtpd_upstream_proxy_protocol", "", (0, 0), "smtpd", true;
    /// How long the load balancer may take.
    SMTPD_UPSTREAM_PROXY_TIMEOUT: Duration = Time "smtpd_upstream_proxy_timeout", "5s", (1, 0), "smtpd", true;
    /// Whether envelope addresses must be in angle brackets and without comments.
    STRICT_RFC821_ENVELOPES: bool = Bool "strict_rfc821_envelopes", "no", (0, 0), "smtpd", true;
    /// Reply code to addresses in unknown domains.
    UNKNOWN_ADDRESS_REJECT_CODE: i64 = Int "unknown_address_reject_code", "450", (0, 0), "smtpd", true;
    /// What happens when it cannot be told whether a domain exists.
    UNKNOWN_ADDRESS_TEMPFAIL_ACTION: String = Text "unknown_address_tempfail_action", "$reject_tempfail_action", (1, 0), "smtpd", true;
    /// Reply code to clients without name.
    UNKNOWN_CLIENT_REJECT_CODE: i64 = Int "unknown_client_reject_code", "450", (0, 0), "smtpd", true;
    /// What happens when it cannot be told whether a HELO name exists.
    UNKNOWN_HELO_HOSTNAME_TEMPFAIL_ACTION: String = Text "unknown_helo_hostname_tempfail_action", "$reject_tempfail_action", (1, 0), "smtpd", true;
    /// Reply code of reject_unknown_helo_hostname.
    UNKNOWN_HOSTNAME_REJECT_CODE: i64 = Int "unknown_hostname_reject_code", "450", (0, 0), "smtpd", true;
    /// Reply code to unknown local recipients.
    UNKNOWN_LOCAL_RECIPIENT_REJECT_CODE: i64 = Int "unknown_local_recipient_reject_code", "550", (0, 0), "smtpd", true;
    /// Reply code to unknown recipients in relay_domains.
    UNKNOWN_RELAY_RECIPIENT_REJECT_CODE: i64 = Int "unknown_relay_recipient_reject_code", "550", (0, 0), "smtpd", true;
    /// Reply code to unknown recipients in virtual_alias_domains.
    UNKNOWN_VIRTUAL_ALIAS_REJECT_CODE: i64 = Int "unknown_virtual_alias_reject_code", "550", (0, 0), "smtpd", true;
    /// Reply code to unknown recipients in virtual_mailbox_domains.
    UNKNOWN_VIRTUAL_MAILBOX_REJECT_CODE: i64 = Int "unknown_virtual_mailbox_reject_code", "550", (0, 0), "smtpd", true;
    /// Reply code when a recipient cannot be verified now.
    UNVERIFIED_RECIPIENT_DEFER_CODE: i64 = Int "unverified_recipient_defer_code", "450", (200, 499), "smtpd", true;
    /// Reply code when a recipient turned out to be bad.
    UNVERIFIED_RECIPIENT_REJECT_CODE: i64 = Int "unverified_recipient_reject_code", "450", (200, 599), "smtpd", true;
    /// The text of that reply; empty for what was found.
    UNVERIFIED_RECIPIENT_REJECT_REASON: String = Text "unverified_recipient_reject_reason", "", (0, 0), "smtpd", true;
    /// What happens when a recipient cannot be verified now.
    UNVERIFIED_RECIPIENT_TEMPFAIL_ACTION: String = Text "unverified_recipient_tempfail_action", "$reject_tempfail_action", (1, 0), "smtpd", true;
    /// Reply code when a sender cannot be verified now.
    UNVERIFIED_SENDER_DEFER_CODE: i64 = Int "unverified_sender_defer_code", "450", (200, 499), "smtpd", true;
    /// Reply code when a sender turned out to be bad.
    UNVERIFIED_SENDER_REJECT_CODE: i64 = Int "unverified_sender_reject_code", "450", (200, 599), "smtpd", true;
    /// The text of that reply; empty for what was found.
    UNVERIFIED_SENDER_REJECT_REASON: String = Text "unverified_sender_reject_reason", "", (0, 0), "smtpd", true;
    /// What happens when a sender cannot be verified now.
    UNVERIFIED_SENDER_TEMPFAIL_ACTION: String = Text "unverified_sender_tempfail_action", "$reject_tempfail_action", (1, 0), "smtpd", true;
}
