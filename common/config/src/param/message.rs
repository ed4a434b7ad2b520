//! Addresses and content of messages: rewriting, resolving, checking.

use crate::table::rows;

rows! {
    /// Allow percent hack.
    ALLOW_PERCENT_HACK: bool = Bool "allow_percent_hack", "yes", (0, 0), "trivial-rewrite", true;
    /// Always add missing headers.
    ALWAYS_ADD_MISSING_HEADERS: bool = Bool "always_add_missing_headers", "no", (0, 0), "cleanup", true;
    /// Always bcc.
    ALWAYS_BCC: String = Text "always_bcc", "", (0, 0), "cleanup", true;
    /// Append at myorigin.
    APPEND_AT_MYORIGIN: bool = Bool "append_at_myorigin", "yes", (0, 0), "trivial-rewrite", true;
    /// Append dot mydomain.
    APPEND_DOT_MYDOMAIN: bool = BoolExpr "append_dot_mydomain", "${{$compatibility_level} <level {1} ? {yes} : {no}}", (0, 0), "trivial-rewrite", true;
    /// Best mx transport.
    BEST_MX_TRANSPORT: String = Text "best_mx_transport", "", (0, 0), "smtp", true;
    /// Body checks.
    BODY_CHECKS: String = Text "body_checks", "", (0, 0), "cleanup", true;
    /// Body checks size limit.
    BODY_CHECKS_SIZE_LIMIT: i64 = Int "body_checks_size_limit", "51200", (0, 0), "cleanup", true;
    /// Canonical classes.
    CANONICAL_CLASSES: String = Text "canonical_classes", "envelope_sender, envelope_recipient, header_sender, header_recipient", (1, 0), "cleanup", true;
    /// Canonical maps.
    CANONICAL_MAPS: String = Text "canonical_maps", "", (0, 0), "cleanup proxymap smtpd", true;
    /// Cleanup replace stray cr lf.
    CLEANUP_REPLACE_STRAY_CR_LF: bool = Bool "cleanup_replace_stray_cr_lf", "yes", (0, 0), "cleanup", true;
    /// Cleanup service name.
    CLEANUP_SERVICE_NAME: String = Text "cleanup_service_name", "cleanup", (1, 0), "all", true;
    /// Content filter.
    CONTENT_FILTER: String = Text "content_filter", "", (0, 0), "pickup qmqpd smtpd", true;
    /// Detect 8bit encoding header.
    DETECT_8BIT_ENCODING_HEADER: bool = Bool "detect_8bit_encoding_header", "yes", (0, 0), "cleanup", true;
    /// Disable mime input processing.
    DISABLE_MIME_INPUT_PROCESSING: bool = Bool "disable_mime_input_processing", "no", (0, 0), "all", true;
    /// Disable mime output conversion.
    DISABLE_MIME_OUTPUT_CONVERSION: bool = Bool "disable_mime_output_conversion", "no", (0, 0), "all", true;
    /// Duplicate filter limit.
    DUPLICATE_FILTER_LIMIT: i64 = Int "duplicate_filter_limit", "1000", (0, 0), "cleanup local showq", true;
    /// Enable idna2003 compatibility.
    ENABLE_IDNA2003_COMPATIBILITY: bool = BoolExpr "enable_idna2003_compatibility", "no", (0, 0), "all", true;
    /// Enable original recipient.
    ENABLE_ORIGINAL_RECIPIENT: bool = Bool "enable_original_recipient", "yes", (0, 0), "all", true;
    /// Force mime input conversion.
    FORCE_MIME_INPUT_CONVERSION: bool = Bool "force_mime_input_conversion", "no", (0, 0), "cleanup", true;
    /// Full name encoding charset.
    FULL_NAME_ENCODING_CHARSET: String = Text "full_name_encoding_charset", "utf-8", (1, 0), "cleanup", true;
    /// Header address token limit.
    HEADER_ADDRESS_TOKEN_LIMIT: i64 = Int "header_address_token_limit", "10240", (1, 0), "all", true;
    /// Header checks.
    HEADER_CHECKS: String = Text "header_checks", "", (0, 0), "cleanup", true;
    /// Header size limit.
    HEADER_SIZE_LIMIT: i64 = Int "header_size_limit", "102400", (1, 0), "all", true;
    /// Hopcount limit.
    HOPCOUNT_LIMIT: i64 = Int "hopcount_limit", "50", (1, 0), "cleanup", true;
    /// Line length limit.
    LINE_LENGTH_LIMIT: i64 = Int "line_length_limit", "2048", (512, 0), "all", true;
    /// Masquerade classes.
    MASQUERADE_CLASSES: String = Text "masquerade_classes", "envelope_sender, header_sender, header_recipient", (0, 0), "cleanup", true;
    /// Masquerade domains.
    MASQUERADE_DOMAINS: String = Text "masquerade_domains", "", (0, 0), "cleanup", true;
    /// Masquerade exceptions.
    MASQUERADE_EXCEPTIONS: String = Text "masquerade_exceptions", "", (0, 0), "cleanup", true;
    /// Message drop headers.
    MESSAGE_DROP_HEADERS: String = Text "message_drop_headers", "bcc, content-length, resent-bcc, return-path", (0, 0), "all", true;
    /// Message reject characters.
    MESSAGE_REJECT_CHARACTERS: String = Text "message_reject_characters", "", (0, 0), "cleanup", true;
    /// Message size limit.
    MESSAGE_SIZE_LIMIT: i64 = Long "message_size_limit", "10240000", (0, 0), "all", true;
    /// Message strip characters.
    MESSAGE_STRIP_CHARACTERS: String = Text "message_strip_characters", "", (0, 0), "cleanup", true;
    /// Mime boundary length limit.
    MIME_BOUNDARY_LENGTH_LIMIT: i64 = Int "mime_boundary_length_limit", "2048", (1, 0), "all", true;
    /// Mime header checks.
    MIME_HEADER_CHECKS: String = Text "mime_header_checks", "$header_checks", (0, 0), "cleanup", true;
    /// Mime nesting limit.
    MIME_NESTING_LIMIT: i64 = Int "mime_nesting_limit", "100", (1, 0), "all", true;
    /// Mydestination.
    MYDESTINATION: String = Text "mydestination", "$myhostname, localhost.$mydomain, localhost", (0, 0), "all", true;
    /// Myorigin.
    MYORIGIN: String = Text "myorigin", "$myhostname", (1, 0), "all", true;
    /// Nested header checks.
    NESTED_HEADER_CHECKS: String = Text "nested_header_checks", "$header_checks", (0, 0), "cleanup", true;
    /// Recipient bcc maps.
    RECIPIENT_BCC_MAPS: String = Text "recipient_bcc_maps", "", (0, 0), "cleanup", true;
    /// Recipient canonical classes.
    RECIPIENT_CANONICAL_CLASSES: String = Text "recipient_canonical_classes", "envelope_recipient, header_recipient", (1, 0), "cleanup", true;
    /// Recipient canonical maps.
    RECIPIENT_CANONICAL_MAPS: String = Text "recipient_canonical_maps", "", (0, 0), "cleanup proxymap smtpd", true;
    /// Relay clientcerts.
    RELAY_CLIENTCERTS: String = Text "relay_clientcerts", "", (0, 0), "smtpd", true;
    /// Relay domains.
    RELAY_DOMAINS: String = Text "relay_domains", "${{$compatibility_level} <level {2} ? {$mydestination} : {}}", (0, 0), "all", true;
    /// Relay recipient maps.
    RELAY_RECIPIENT_MAPS: String = Text "relay_recipient_maps", "", (0, 0), "proxymap smtpd", true;
    /// Relay transport.
    RELAY_TRANSPORT: String = Text "relay_transport", "relay", (1, 0), "trivial-rewrite", true;
    /// Relayhost.
    RELAYHOST: String = Text "relayhost", "", (0, 0), "all", true;
    /// Relocated maps.
    RELOCATED_MAPS: String = Text "relocated_maps", "", (0, 0), "proxymap trivial-rewrite", true;
    /// Relocated prefix enable.
    RELOCATED_PREFIX_ENABLE: bool = BoolExpr "relocated_prefix_enable", "yes", (0, 0), "trivial-rewrite", true;
    /// Remote header rewrite domain.
    REMOTE_HEADER_REWRITE_DOMAIN: String = Text "remote_header_rewrite_domain", "", (0, 0), "cleanup trivial-rewrite", true;
    /// Resolve dequoted address.
    RESOLVE_DEQUOTED_ADDRESS: bool = Bool "resolve_dequoted_address", "yes", (0, 0), "trivial-rewrite", true;
    /// Resolve null domain.
    RESOLVE_NULL_DOMAIN: bool = Bool "resolve_null_domain", "no", (0, 0), "trivial-rewrite", true;
    /// Resolve numeric domain.
    RESOLVE_NUMERIC_DOMAIN: bool = Bool "resolve_numeric_domain", "no", (0, 0), "trivial-rewrite", true;
    /// Rewrite service name.
    REWRITE_SERVICE_NAME: String = Text "rewrite_service_name", "rewrite", (1, 0), "all", true;
    /// Sender bcc maps.
    SENDER_BCC_MAPS: String = Text "sender_bcc_maps", "", (0, 0), "cleanup", true;
    /// Sender canonical classes.
    SENDER_CANONICAL_CLASSES: String = Text "sender_canonical_classes", "envelope_sender, header_sender", (1, 0), "cleanup", true;
    /// Sender canonical maps.
    SENDER_CANONICAL_MAPS: String = Text "sender_canonical_maps", "", (0, 0), "cleanup proxymap smtpd", true;
    /// Sender dependent default transport maps.
    SENDER_DEPENDENT_DEFAULT_TRANSPORT_MAPS: String = Text "sender_dependent_default_transport_maps", "", (0, 0), "trivial-rewrite", true;
    /// Sender dependent relayhost maps.
    SENDER_DEPENDENT_RELAYHOST_MAPS: String = Text "sender_dependent_relayhost_maps", "", (0, 0), "trivial-rewrite", true;
    /// Show user unknown table name.
    SHOW_USER_UNKNOWN_TABLE_NAME: bool = Bool "show_user_unknown_table_name", "yes", (0, 0), "smtpd trivial-rewrite", true;
    /// Smtputf8 autodetect classes.
    SMTPUTF8_AUTODETECT_CLASSES: String = Text "smtputf8_autodetect_classes", "sendmail, verify", (1, 0), "all", true;
    /// Smtputf8 enable.
    SMTPUTF8_ENABLE: bool = BoolExpr "smtputf8_enable", "${{$compatibility_level} <level {1} ? {no} : {yes}}", (0, 0), "all", true;
    /// Strict 7bit headers.
    STRICT_7BIT_HEADERS: bool = Bool "strict_7bit_headers", "no", (0, 0), "all", true;
    /// Strict 8bitmime.
    STRICT_8BITMIME: bool = Bool "strict_8bitmime", "no", (0, 0), "all", true;
    /// Strict 8bitmime body.
    STRICT_8BITMIME_BODY: bool = Bool "strict_8bitmime_body", "no", (0, 0), "all", true;
    /// Strict mime encoding domain.
    STRICT_MIME_ENCODING_DOMAIN: bool = Bool "strict_mime_encoding_domain", "no", (0, 0), "all", true;
    /// Strict smtputf8.
    STRICT_SMTPUTF8: bool = Bool "strict_smtputf8", "no", (0, 0), "all", true;
    /// Swap bangpath.
    SWAP_BANGPATH: bool = Bool "swap_bangpath", "yes", (0, 0), "trivial-rewrite", true;
    /// Transport maps.
    TRANSPORT_MAPS: String = Text "transport_maps", "", (0, 0), "proxymap trivial-rewrite", true;
    /// Virtual alias address length limit.
    VIRTUAL_ALIAS_ADDRESS_LENGTH_LIMIT: i64 = Int "virtual_alias_address_length_limit", "1000", (1, 0), "cleanup", true;
    /// Virtual alias domains.
    VIRTUAL_ALIAS_DOMAINS: String = Text "virtual_alias_domains", "$virtual_alias_maps", (0, 0), "proxymap trivial-rewrite", true;
    /// Virtual alias expansion limit.
    VIRTUAL_ALIAS_EXPANSION_LIMIT: i64 = Int "virtual_alias_expansion_limit", "1000", (1, 0), "cleanup", true;
    /// Virtual alias maps.
    VIRTUAL_ALIAS_MAPS: String = Text "virtual_alias_maps", "$virtual_maps", (0, 0), "cleanup proxymap smtpd trivial-rewrite", true;
    /// Virtual alias recursion limit.
    VIRTUAL_ALIAS_RECURSION_LIMIT: i64 = Int "virtual_alias_recursion_limit", "1000", (1, 0), "cleanup", true;
}
