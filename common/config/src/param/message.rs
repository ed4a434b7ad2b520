//! Addresses and content of messages: rewriting, resolving, checking.

use crate::table::rows;

rows! {
    /// Whether user%domain means user@domain.
    ALLOW_PERCENT_HACK: bool = Bool "allow_percent_hack", "yes", (0, 0), "trivial-rewrite", true;
    /// Whether From, To, Date and Message-ID are added to mail of remote clients too.
    ALWAYS_ADD_MISSING_HEADERS: bool = Bool "always_add_missing_headers", "no", (0, 0), "cleanup", true;
    /// An address that gets a copy of every message.
    ALWAYS_BCC: String = Text "always_bcc", "", (0, 0), "cleanup", true;
    /// Whether an address without domain gets @myorigin.
    APPEND_AT_MYORIGIN: bool = Bool "append_at_myorigin", "yes", (0, 0), "trivial-rewrite", true;
    /// Whether a domain without dot gets .mydomain.
    APPEND_DOT_MYDOMAIN: bool = BoolExpr "append_dot_mydomain", "${{$compatibility_level} <level {1} ? {yes} : {no}}", (0, 0), "trivial-rewrite", true;
    /// Where mail goes for which this machine is the best MX host, instead of bouncing as a loop.
    BEST_MX_TRANSPORT: String = Text "best_mx_transport", "", (0, 0), "smtp", true;
    /// Tables that each body line is looked up in.
    BODY_CHECKS: String = Text "body_checks", "", (0, 0), "cleanup", true;
    /// How much of each body part is checked, in bytes.
    BODY_CHECKS_SIZE_LIMIT: i64 = Int "body_checks_size_limit", "51200", (0, 0), "cleanup", true;
    /// Which addresses canonical_maps applies to.
    CANONICAL_CLASSES: String = Text "canonical_classes", "envelope_sender, envelope_recipient, header_sender, header_recipient", (1, 0), "cleanup", true;
    /// Tables that rewrite addresses in envelopes and headers.
    CANONICAL_MAPS: String = Text "canonical_maps", "", (0, 0), "cleanup proxymap smtpd", true;
    /// Whether stray carriage returns and line feeds in a message become spaces.
    CLEANUP_REPLACE_STRAY_CR_LF: bool = Bool "cleanup_replace_stray_cr_lf", "yes", (0, 0), "cleanup", true;
    /// The service that takes in all new mail.
    CLEANUP_SERVICE_NAME: String = Text "cleanup_service_name", "cleanup", (1, 0), "all", true;
    /// Where mail goes for inspection after it was queued.
    CONTENT_FILTER: String = Text "content_filter", "", (0, 0), "pickup qmqpd smtpd", true;
    /// Whether 8BITMIME is found out from the message header.
    DETECT_8BIT_ENCODING_HEADER: bool = Bool "detect_8bit_encoding_header", "yes", (0, 0), "cleanup", true;
    /// Whether the MIME structure of new mail is not looked at.
    DISABLE_MIME_INPUT_PROCESSING: bool = Bool "disable_mime_input_processing", "no", (0, 0), "all", true;
    /// Whether 8-bit mail is sent as it is to servers that do not take it.
    DISABLE_MIME_OUTPUT_CONVERSION: bool = Bool "disable_mime_output_conversion", "no", (0, 0), "all", true;
    /// How many addresses are remembered to find duplicates.
    DUPLICATE_FILTER_LIMIT: i64 = Int "duplicate_filter_limit", "1000", (0, 0), "cleanup local showq", true;
    /// Whether domain names are converted as IDNA2003 did.
    ENABLE_IDNA2003_COMPATIBILITY: bool = BoolExpr "enable_idna2003_compatibility", "no", (0, 0), "all", true;
    /// Whether X-Original-To is kept and duplicates are told apart by it.
    ENABLE_ORIGINAL_RECIPIENT: bool = Bool "enable_original_recipient", "yes", (0, 0), "all", true;
    /// Whether 8-bit mail becomes quoted-printable as it comes in.
    FORCE_MIME_INPUT_CONVERSION: bool = Bool "force_mime_input_conversion", "no", (0, 0), "cleanup", true;
    /// The character set of full names that are not ASCII.
    FULL_NAME_ENCODING_CHARSET: String = Text "full_name_encoding_charset", "utf-8", (1, 0), "cleanup", true;
    /// The most tokens of one address header.
    HEADER_ADDRESS_TOKEN_LIMIT: i64 = Int "header_address_token_limit", "10240", (1, 0), "all", true;
    /// Tables that each header is looked up in.
    HEADER_CHECKS: String = Text "header_checks", "", (0, 0), "cleanup", true;
    /// The longest header, in bytes; the rest is cut off.
    HEADER_SIZE_LIMIT: i64 = Int "header_size_limit", "102400", (1, 0), "all", true;
    /// The most Received headers of a message.
    HOPCOUNT_LIMIT: i64 = Int "hopcount_limit", "50", (1, 0), "cleanup", true;
    /// How long a line may be in memory; longer ones are handled in pieces, in bytes.
    LINE_LENGTH_LIMIT: i64 = Int "line_length_limit", "2048", (512, 0), "all", true;
    /// Which addresses masquerade_domains applies to.
    MASQUERADE_CLASSES: String = Text "masquerade_classes", "envelope_sender, header_sender, header_recipient", (0, 0), "cleanup", true;
    /// Domains whose subdomains are stripped off.
    MASQUERADE_DOMAINS: String = Text "masquerade_domains", "", (0, 0), "cleanup", true;
    /// Users that are not masqueraded.
    MASQUERADE_EXCEPTIONS: String = Text "masquerade_exceptions", "", (0, 0), "cleanup", true;
    /// Headers that are removed from new mail.
    MESSAGE_DROP_HEADERS: String = Text "message_drop_headers", "bcc, content-length, resent-bcc, return-path", (0, 0), "all", true;
    /// Characters that no message may have.
    MESSAGE_REJECT_CHARACTERS: String = Text "message_reject_characters", "", (0, 0), "cleanup", true;
    /// The greatest message, in bytes; 0 for no limit.
    MESSAGE_SIZE_LIMIT: i64 = Long "message_size_limit", "10240000", (0, 0), "all", true;
    /// Characters that are removed from messages.
    MESSAGE_STRIP_CHARACTERS: String = Text "message_strip_characters", "", (0, 0), "cleanup", true;
    /// How much of a MIME boundary counts, in bytes.
    MIME_BOUNDARY_LENGTH_LIMIT: i64 = Int "mime_boundary_length_limit", "2048", (1, 0), "all", true;
    /// As header_checks, for MIME headers.
    MIME_HEADER_CHECKS: String = Text "mime_header_checks", "$header_checks", (0, 0), "cleanup", true;
    /// How deep MIME parts may nest.
    MIME_NESTING_LIMIT: i64 = Int "mime_nesting_limit", "100", (1, 0), "all", true;
    /// Domains that are delivered locally.
    MYDESTINATION: String = Text "mydestination", "$myhostname, localhost.$mydomain, localhost", (0, 0), "all", true;
    /// The domain of mail that is submitted here.
    MYORIGIN: String = Text "myorigin", "$myhostname", (1, 0), "all", true;
    /// As header_checks, for headers of attached messages.
    NESTED_HEADER_CHECKS: String = Text "nested_header_checks", "$header_checks", (0, 0), "cleanup", true;
    /// Addresses that get copies, by recipient.
    RECIPIENT_BCC_MAPS: String = Text "recipient_bcc_maps", "", (0, 0), "cleanup", true;
    /// Which addresses recipient_canonical_maps applies to.
    RECIPIENT_CANONICAL_CLASSES: String = Text "recipient_canonical_classes", "envelope_recipient, header_recipient", (1, 0), "cleanup", true;
    /// As canonical_maps, for recipients only.
    RECIPIENT_CANONICAL_MAPS: String = Text "recipient_canonical_maps", "", (0, 0), "cleanup proxymap smtpd", true;
    /// Fingerprints of client certificates that may relay.
    RELAY_CLIENTCERTS: String = Text "relay_clientcerts", "", (0, 0), "smtpd", true;
    /// Domains that are relayed for anyone.
    RELAY_DOMAINS: String = Text "relay_domains", "${{$compatibility_level} <level {2} ? {$mydestination} : {}}", (0, 0), "all", true;
    /// Tables of all recipients in relay_domains.
    RELAY_RECIPIENT_MAPS: String = Text "relay_recipient_maps", "", (0, 0), "proxymap smtpd", true;
    /// How mail for relay_domains is delivered.
    RELAY_TRANSPORT: String = Text "relay_transport", "relay", (1, 0), "trivial-rewrite", true;
    /// Where mail for other domains goes instead of straight to them.
    RELAYHOST: String = Text "relayhost", "", (0, 0), "all", true;
    /// Tables of users that have moved.
    RELOCATED_MAPS: String = Text "relocated_maps", "", (0, 0), "proxymap trivial-rewrite", true;
    /// Whether the text of relocated_maps is put behind a standard beginning.
    RELOCATED_PREFIX_ENABLE: bool = BoolExpr "relocated_prefix_enable", "yes", (0, 0), "trivial-rewrite", true;
    /// The domain for incomplete addresses in headers of remote clients; empty for none.
    REMOTE_HEADER_REWRITE_DOMAIN: String = Text "remote_header_rewrite_domain", "", (0, 0), "cleanup trivial-rewrite", true;
    /// Whether addresses are resolved as if their local part were not quoted.
    RESOLVE_DEQUOTED_ADDRESS: bool = Bool "resolve_dequoted_address", "yes", (0, 0), "trivial-rewrite", true;
    /// Whether user@ means the local user.
    RESOLVE_NULL_DOMAIN: bool = Bool "resolve_null_domain", "no", (0, 0), "trivial-rewrite", true;
    /// Whether user@1.2.3.4 means user@[1.2.3.4].
    RESOLVE_NUMERIC_DOMAIN: bool = Bool "resolve_numeric_domain", "no", (0, 0), "trivial-rewrite", true;
    /// The service that rewrites and resolves addresses.
    REWRITE_SERVICE_NAME: String = Text "rewrite_service_name", "rewrite", (1, 0), "all", true;
    /// Addresses that get copies, by sender.
    SENDER_BCC_MAPS: String = Text "sender_bcc_maps", "", (0, 0), "cleanup", true;
    /// Which addresses sender_canonical_maps applies to.
    SENDER_CANONICAL_CLASSES: String = Text "sender_canonical_classes", "envelope_sender, header_sender", (1, 0), "cleanup", true;
    /// As canonical_maps, for senders only.
    SENDER_CANONICAL_MAPS: String = Text "sender_canonical_maps", "", (0, 0), "cleanup proxymap smtpd", true;
    /// What replaces default_transport, by sender.
    SENDER_DEPENDENT_DEFAULT_TRANSPORT_MAPS: String = Text "sender_dependent_default_transport_maps", "", (0, 0), "trivial-rewrite", true;
    /// What replaces relayhost, by sender.
    SENDER_DEPENDENT_RELAYHOST_MAPS: String = Text "sender_dependent_relayhost_maps", "", (0, 0), "trivial-rewrite", true;
    /// Whether replies tell which table does not know a recipient.
    SHOW_USER_UNKNOWN_TABLE_NAME: bool = Bool "show_user_unknown_table_name", "yes", (0, 0), "smtpd trivial-rewrite", true;
    /// For which mail the need of SMTPUTF8 is found out.
    SMTPUTF8_AUTODETECT_CLASSES: String = Text "smtputf8_autodetect_classes", "sendmail, verify", (1, 0), "all", true;
    /// Whether SMTPUTF8 is announced and honoured.
    SMTPUTF8_ENABLE: bool = BoolExpr "smtputf8_enable", "${{$compatibility_level} <level {1} ? {no} : {yes}}", (0, 0), "all", true;
    /// Whether mail with 8-bit headers is rejected.
    STRICT_7BIT_HEADERS: bool = Bool "strict_7bit_headers", "no", (0, 0), "all", true;
    /// Whether both strict_7bit_headers and strict_8bitmime_body hold.
    STRICT_8BITMIME: bool = Bool "strict_8bitmime", "no", (0, 0), "all", true;
    /// Whether 8-bit bodies without a MIME header that allows them are rejected.
    STRICT_8BITMIME_BODY: bool = Bool "strict_8bitmime_body", "no", (0, 0), "all", true;
    /// Whether composite MIME parts with a forbidden encoding are rejected.
    STRICT_MIME_ENCODING_DOMAIN: bool = Bool "strict_mime_encoding_domain", "no", (0, 0), "all", true;
    /// Whether addresses beyond ASCII need the SMTPUTF8 option.
    STRICT_SMTPUTF8: bool = Bool "strict_smtputf8", "no", (0, 0), "all", true;
    /// Whether site!user means user@site.
    SWAP_BANGPATH: bool = Bool "swap_bangpath", "yes", (0, 0), "trivial-rewrite", true;
    /// Tables that decide how mail is delivered.
    TRANSPORT_MAPS: String = Text "transport_maps", "", (0, 0), "proxymap trivial-rewrite", true;
    /// The longest result of virtual aliasing, in bytes.
    VIRTUAL_ALIAS_ADDRESS_LENGTH_LIMIT: i64 = Int "virtual_alias_address_length_limit", "1000", (1, 0), "cleanup", true;
    /// Domains whose addresses are all aliases.
    VIRTUAL_ALIAS_DOMAINS: String = Text "virtual_alias_domains", "$virtual_alias_maps", (0, 0), "proxymap trivial-rewrite", true;
    /// The most addresses that one recipient may become.
    VIRTUAL_ALIAS_EXPANSION_LIMIT: i64 = Int "virtual_alias_expansion_limit", "1000", (1, 0), "cleanup", true;
    /// Tables of virtual aliases.
    VIRTUAL_ALIAS_MAPS: String = Text "virtual_alias_maps", "$virtual_maps", (0, 0), "cleanup proxymap smtpd trivial-rewrite", true;
    /// How deep virtual aliases may nest.
    VIRTUAL_ALIAS_RECURSION_LIMIT: i64 = Int "virtual_alias_recursion_limit", "1000", (1, 0), "cleanup", true;
}
