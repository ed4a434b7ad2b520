//! TLS and authentication as an SMTP or LMTP client.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Lmtp enforce tls.
    LMTP_ENFORCE_TLS: bool = Bool "lmtp_enforce_tls", "no", (0, 0), "smtp", false;
    /// Lmtp requiretls policy.
    LMTP_REQUIRETLS_POLICY: String = Text "lmtp_requiretls_policy", "opportunistic", (0, 0), "smtp", false;
    /// Lmtp sasl auth cache name.
    LMTP_SASL_AUTH_CACHE_NAME: String = Text "lmtp_sasl_auth_cache_name", "", (0, 0), "smtp", false;
    /// Lmtp sasl auth cache time.
    LMTP_SASL_AUTH_CACHE_TIME: Duration = Time "lmtp_sasl_auth_cache_time", "90d", (0, 0), "smtp", false;
    /// Lmtp sasl auth enable.
    LMTP_SASL_AUTH_ENABLE: bool = Bool "lmtp_sasl_auth_enable", "no", (0, 0), "smtp", false;
    /// Lmtp sasl auth soft bounce.
    LMTP_SASL_AUTH_SOFT_BOUNCE: bool = Bool "lmtp_sasl_auth_soft_bounce", "yes", (0, 0), "smtp", false;
    /// Lmtp sasl mechanism filter.
    LMTP_SASL_MECHANISM_FILTER: String = Text "lmtp_sasl_mechanism_filter", "", (0, 0), "smtp", false;
    /// Lmtp sasl password maps.
    LMTP_SASL_PASSWORD_MAPS: String = Text "lmtp_sasl_password_maps", "", (0, 0), "smtp", false;
    /// Lmtp sasl password result delimiter.
    LMTP_SASL_PASSWORD_RESULT_DELIMITER: String = Text "lmtp_sasl_password_result_delimiter", ":", (1, 1), "smtp", false;
    /// Lmtp sasl path.
    LMTP_SASL_PATH: String = Text "lmtp_sasl_path", "", (0, 0), "smtp", false;
    /// Lmtp sasl security options.
    LMTP_SASL_SECURITY_OPTIONS: String = Text "lmtp_sasl_security_options", "noplaintext, noanonymous", (0, 0), "smtp", false;
    /// Lmtp sasl tls security options.
    LMTP_SASL_TLS_SECURITY_OPTIONS: String = Text "lmtp_sasl_tls_security_options", "$lmtp_sasl_security_options", (0, 0), "smtp", false;
    /// Lmtp sasl tls verified security options.
    LMTP_SASL_TLS_VERIFIED_SECURITY_OPTIONS: String = Text "lmtp_sasl_tls_verified_security_options", "$lmtp_sasl_tls_security_options", (0, 0), "smtp", false;
    /// Lmtp sasl type.
    LMTP_SASL_TYPE: String = Text "lmtp_sasl_type", "cyrus", (1, 0), "smtp", false;
    /// Lmtp starttls timeout.
    LMTP_STARTTLS_TIMEOUT: Duration = Time "lmtp_starttls_timeout", "300s", (1, 0), "smtp", false;
    /// Lmtp tls cafile.
    LMTP_TLS_CAFILE: String = Text "lmtp_tls_CAfile", "", (0, 0), "smtp", false;
    /// Lmtp tls capath.
    LMTP_TLS_CAPATH: String = Text "lmtp_tls_CApath", "", (0, 0), "smtp", false;
    /// Lmtp tls block early mail reply.
    LMTP_TLS_BLOCK_EARLY_MAIL_REPLY: bool = Bool "lmtp_tls_block_early_mail_reply", "no", (0, 0), "smtp", false;
    /// Lmtp tls cert file.
    LMTP_TLS_CERT_FILE: String = Text "lmtp_tls_cert_file", "", (0, 0), "smtp", false;
    /// Lmtp tls chain files.
    LMTP_TLS_CHAIN_FILES: String = Text "lmtp_tls_chain_files", "", (0, 0), "smtp", false;
    /// Lmtp tls ciphers.
    LMTP_TLS_CIPHERS: String = Text "lmtp_tls_ciphers", "medium", (1, 0), "smtp", false;
    /// Lmtp tls connection reuse.
    LMTP_TLS_CONNECTION_REUSE: bool = Bool "lmtp_tls_connection_reuse", "no", (0, 0), "smtp", false;
    /// Lmtp tls dcert file.
    LMTP_TLS_DCERT_FILE: String = Text "lmtp_tls_dcert_file", "", (0, 0), "smtp", false;
    /// Lmtp tls dkey file.
    LMTP_TLS_DKEY_FILE: String = Text "lmtp_tls_dkey_file", "$lmtp_tls_dcert_file", (0, 0), "smtp", false;
    /// Lmtp tls eccert file.
    LMTP_TLS_ECCERT_FILE: String = Text "lmtp_tls_eccert_file", "", (0, 0), "smtp", false;
    /// Lmtp tls eckey file.
    LMTP_TLS_ECKEY_FILE: String = Text "lmtp_tls_eckey_file", "$lmtp_tls_eccert_file", (0, 0), "smtp", false;
    /// Lmtp tls enable rpk.
    LMTP_TLS_ENABLE_RPK: bool = Bool "lmtp_tls_enable_rpk", "no", (0, 0), "smtp", false;
    /// Lmtp tls enforce peername.
    LMTP_TLS_ENFORCE_PEERNAME: bool = Bool "lmtp_tls_enforce_peername", "yes", (0, 0), "smtp", false;
    /// Lmtp tls enforce sts mx patterns.
    LMTP_TLS_ENFORCE_STS_MX_PATTERNS: bool = BoolExpr "lmtp_tls_enforce_sts_mx_patterns", "yes", (0, 0), "smtp", false;
    /// Lmtp tls exclude ciphers.
    LMTP_TLS_EXCLUDE_CIPHERS: String = Text "lmtp_tls_exclude_ciphers", "", (0, 0), "smtp", false;
    /// Lmtp tls fingerprint cert match.
    LMTP_TLS_FINGERPRINT_CERT_MATCH: String = Text "lmtp_tls_fingerprint_cert_match", "", (0, 0), "smtp", false;
    /// Lmtp tls fingerprint digest.
    LMTP_TLS_FINGERPRINT_DIGEST: String = Text "lmtp_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", (1, 0), "smtp", false;
    /// Lmtp tls force insecure host tlsa lookup.
    LMTP_TLS_FORCE_INSECURE_HOST_TLSA_LOOKUP: bool = Bool "lmtp_tls_force_insecure_host_tlsa_lookup", "no", (0, 0), "smtp", false;
    /// Lmtp tls key file.
    LMTP_TLS_KEY_FILE: String = Text "lmtp_tls_key_file", "$lmtp_tls_cert_file", (0, 0), "smtp", false;
    /// Lmtp tls loglevel.
    LMTP_TLS_LOGLEVEL: String = Text "lmtp_tls_loglevel", "0", (0, 0), "smtp tlsmgr", false;
    /// Lmtp tls mandatory ciphers.
    LMTP_TLS_MANDATORY_CIPHERS: String = Text "lmtp_tls_mandatory_ciphers", "medium", (1, 0), "smtp", false;
    /// Lmtp tls mandatory exclude ciphers.
    LMTP_TLS_MANDATORY_EXCLUDE_CIPHERS: String = Text "lmtp_tls_mandatory_exclude_ciphers", "", (0, 0), "smtp", false;
    /// Lmtp tls mandatory protocols.
    LMTP_TLS_MANDATORY_PROTOCOLS: String = Text "lmtp_tls_mandatory_protocols", ">=TLSv1", (0, 0), "smtp", false;
    /// Lmtp tls note starttls offer.
    LMTP_TLS_NOTE_STARTTLS_OFFER: bool = Bool "lmtp_tls_note_starttls_offer", "no", (0, 0), "smtp", false;
    /// Lmtp tls per site.
    LMTP_TLS_PER_SITE: String = Text "lmtp_tls_per_site", "", (0, 0), "smtp", false;
    /// Lmtp tls policy maps.
    LMTP_TLS_POLICY_MAPS: String = Text "lmtp_tls_policy_maps", "", (0, 0), "smtp", false;
    /// Lmtp tls protocols.
    LMTP_TLS_PROTOCOLS: String = Text "lmtp_tls_protocols", ">=TLSv1", (0, 0), "smtp", false;
    /// Lmtp tls scert verifydepth.
    LMTP_TLS_SCERT_VERIFYDEPTH: i64 = Int "lmtp_tls_scert_verifydepth", "9", (0, 0), "smtp", false;
    /// Lmtp tls secure cert match.
    LMTP_TLS_SECURE_CERT_MATCH: String = Text "lmtp_tls_secure_cert_match", "nexthop", (1, 0), "smtp", false;
    /// Lmtp tls security level.
    LMTP_TLS_SECURITY_LEVEL: String = Text "lmtp_tls_security_level", "", (0, 0), "smtp", false;
    /// Lmtp tls servername.
    LMTP_TLS_SERVERNAME: String = Text "lmtp_tls_servername", "", (0, 0), "smtp", false;
    /// Lmtp tls session cache database.
    LMTP_TLS_SESSION_CACHE_DATABASE: String = Text "lmtp_tls_session_cache_database", "", (0, 0), "tlsmgr", false;
    /// Lmtp tls session cache timeout.
    LMTP_TLS_SESSION_CACHE_TIMEOUT: Duration = Time "lmtp_tls_session_cache_timeout", "3600s", (0, 8_640_000), "tlsmgr", false;
    /// Lmtp tls trust anchor file.
    LMTP_TLS_TRUST_ANCHOR_FILE: String = Text "lmtp_tls_trust_anchor_file", "", (0, 0), "smtp", false;
    /// Lmtp tls verify cert match.
    LMTP_TLS_VERIFY_CERT_MATCH: String = Text "lmtp_tls_verify_cert_match", "hostname", (1, 0), "smtp", false;
    /// Lmtp tls wrappermode.
    LMTP_TLS_WRAPPERMODE: bool = Bool "lmtp_tls_wrappermode", "no", (0, 0), "smtp", false;
    /// Lmtp tlsrpt enable.
    LMTP_TLSRPT_ENABLE: bool = BoolExpr "lmtp_tlsrpt_enable", "no", (0, 0), "smtp", false;
    /// Lmtp tlsrpt skip reused handshakes.
    LMTP_TLSRPT_SKIP_REUSED_HANDSHAKES: bool = BoolExpr "lmtp_tlsrpt_skip_reused_handshakes", "no", (0, 0), "smtp", false;
    /// Lmtp tlsrpt socket name.
    LMTP_TLSRPT_SOCKET_NAME: String = Text "lmtp_tlsrpt_socket_name", "", (0, 0), "smtp", false;
    /// Lmtp use tls.
    LMTP_USE_TLS: bool = Bool "lmtp_use_tls", "no", (0, 0), "smtp", false;
    /// Requiretls enable.
    REQUIRETLS_ENABLE: bool = BoolExpr "requiretls_enable", "yes", (0, 0), "all", false;
    /// Requiretls esmtp header.
    REQUIRETLS_ESMTP_HEADER: bool = BoolExpr "requiretls_esmtp_header", "yes", (0, 0), "cleanup smtpd", false;
    /// Requiretls redact dsn.
    REQUIRETLS_REDACT_DSN: bool = BoolExpr "requiretls_redact_dsn", "yes", (0, 0), "bounce", false;
    /// Smtp enforce tls.
    SMTP_ENFORCE_TLS: bool = Bool "smtp_enforce_tls", "no", (0, 0), "smtp tlsproxy", false;
    /// Smtp requiretls policy.
    SMTP_REQUIRETLS_POLICY: String = Text "smtp_requiretls_policy", "inline:{{${domain_to_ascii{$mydomain}}=opportunistic}, {.${domain_to_ascii{$mydomain}}=opportunistic}, {localhost=opportunistic}}, cidr:{{0.0.0.0/0 opportunistic}, {::/0 opportunistic}}, enforce", (0, 0), "smtp", false;
    /// Smtp sasl auth cache name.
    SMTP_SASL_AUTH_CACHE_NAME: String = Text "smtp_sasl_auth_cache_name", "", (0, 0), "smtp", false;
    /// Smtp sasl auth cache time.
    SMTP_SASL_AUTH_CACHE_TIME: Duration = Time "smtp_sasl_auth_cache_time", "90d", (0, 0), "smtp", false;
    /// Smtp sasl auth enable.
    SMTP_SASL_AUTH_ENABLE: bool = Bool "smtp_sasl_auth_enable", "no", (0, 0), "smtp", false;
    /// Smtp sasl auth soft bounce.
    SMTP_SASL_AUTH_SOFT_BOUNCE: bool = Bool "smtp_sasl_auth_soft_bounce", "yes", (0, 0), "smtp", false;
    /// Smtp sasl mechanism filter.
    SMTP_SASL_MECHANISM_FILTER: String = Text "smtp_sasl_mechanism_filter", "", (0, 0), "smtp", false;
    /// Smtp sasl password maps.
    SMTP_SASL_PASSWORD_MAPS: String = Text "smtp_sasl_password_maps", "", (0, 0), "smtp", false;
    /// Smtp sasl password result delimiter.
    SMTP_SASL_PASSWORD_RESULT_DELIMITER: String = Text "smtp_sasl_password_result_delimiter", ":", (1, 1), "smtp", false;
    /// Smtp sasl path.
    SMTP_SASL_PATH: String = Text "smtp_sasl_path", "", (0, 0), "smtp", false;
    /// Smtp sasl security options.
    SMTP_SASL_SECURITY_OPTIONS: String = Text "smtp_sasl_security_options", "noplaintext, noanonymous", (0, 0), "smtp", false;
    /// Smtp sasl tls security options.
    SMTP_SASL_TLS_SECURITY_OPTIONS: String = Text "smtp_sasl_tls_security_options", "$smtp_sasl_security_options", (0, 0), "smtp", false;
    /// Smtp sasl tls verified security options.
    SMTP_SASL_TLS_VERIFIED_SECURITY_OPTIONS: String = Text "smtp_sasl_tls_verified_security_options", "$smtp_sasl_tls_security_options", (0, 0), "smtp", false;
    /// Smtp sasl type.
    SMTP_SASL_TYPE: String = Text "smtp_sasl_type", "cyrus", (1, 0), "smtp", false;
    /// Smtp starttls timeout.
    SMTP_STARTTLS_TIMEOUT: Duration = Time "smtp_starttls_timeout", "300s", (1, 0), "smtp", false;
    /// Smtp tls cafile.
    SMTP_TLS_CAFILE: String = Text "smtp_tls_CAfile", "", (0, 0), "smtp tlsproxy", false;
    /// Smtp tls capath.
    SMTP_TLS_CAPATH: String = Text "smtp_tls_CApath", "", (0, 0), "smtp tlsproxy", false;
    /// Smtp tls block early mail reply.
    SMTP_TLS_BLOCK_EARLY_MAIL_REPLY: bool = Bool "smtp_tls_block_early_mail_reply", "no", (0, 0), "smtp", false;
    /// Smtp tls cert file.
    SMTP_TLS_CERT_FILE: String = Text "smtp_tls_cert_file", "", (0, 0), "smtp tlsproxy", false;
    /// Smtp tls chain files.
    SMTP_TLS_CHAIN_FILES: String = Text "smtp_tls_chain_files", "", (0, 0), "smtp tlsproxy", false;
    /// Smtp tls ciphers.
    SMTP_TLS_CIPHERS: String = Text "smtp_tls_ciphers", "medium", (1, 0), "smtp", false;
    /// Smtp tls connection reuse.
    SMTP_TLS_CONNECTION_REUSE: bool = Bool "smtp_tls_connection_reuse", "no", (0, 0), "smtp", false;
    /// Smtp tls dane insecure mx policy.
    SMTP_TLS_DANE_INSECURE_MX_POLICY: String = Text "smtp_tls_dane_insecure_mx_policy", "dane", (0, 0), "smtp", false;
    /// Smtp tls dcert file.
    SMTP_TLS_DCERT_FILE: String = Text "smtp_tls_dcert_file", "", (0, 0), "smtp tlsproxy", false;
    /// Smtp tls dkey file.
    SMTP_TLS_DKEY_FILE: String = Text "smtp_tls_dkey_file", "$smtp_tls_dcert_file", (0, 0), "smtp tlsproxy", false;
    /// Smtp tls eccert file.
    SMTP_TLS_ECCERT_FILE: String = Text "smtp_tls_eccert_file", "", (0, 0), "smtp tlsproxy", false;
    /// Smtp tls eckey file.
    SMTP_TLS_ECKEY_FILE: String = Text "smtp_tls_eckey_file", "$smtp_tls_eccert_file", (0, 0), "smtp tlsproxy", false;
    /// Smtp tls enable rpk.
    SMTP_TLS_ENABLE_RPK: bool = Bool "smtp_tls_enable_rpk", "no", (0, 0), "smtp", false;
    /// Smtp tls enforce peername.
    SMTP_TLS_ENFORCE_PEERNAME: bool = Bool "smtp_tls_enforce_peername", "yes", (0, 0), "smtp", false;
    /// Smtp tls enforce sts mx patterns.
    SMTP_TLS_ENFORCE_STS_MX_PATTERNS: bool = BoolExpr "smtp_tls_enforce_sts_mx_patterns", "yes", (0, 0), "smtp", false;
    /// Smtp tls exclude ciphers.
    SMTP_TLS_EXCLUDE_CIPHERS: String = Text "smtp_tls_exclude_ciphers", "", (0, 0), "smtp", false;
    /// Smtp tls fingerprint cert match.
    SMTP_TLS_FINGERPRINT_CERT_MATCH: String = Text "smtp_tls_fingerprint_cert_match", "", (0, 0), "smtp", false;
    /// Smtp tls fingerprint digest.
    SMTP_TLS_FINGERPRINT_DIGEST: String = Text "smtp_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", (1, 0), "posttls-finger smtp tlsproxy", false;
    /// Smtp tls force insecure host tlsa lookup.
    SMTP_TLS_FORCE_INSECURE_HOST_TLSA_LOOKUP: bool = Bool "smtp_tls_force_insecure_host_tlsa_lookup", "no", (0, 0), "smtp", false;
    /// Smtp tls key file.
    SMTP_TLS_KEY_FILE: String = Text "smtp_tls_key_file", "$smtp_tls_cert_file", (0, 0), "smtp tlsproxy", false;
    /// Smtp tls loglevel.
    SMTP_TLS_LOGLEVEL: String = Text "smtp_tls_loglevel", "0", (0, 0), "smtp tlsmgr tlsproxy", false;
    /// Smtp tls mandatory ciphers.
    SMTP_TLS_MANDATORY_CIPHERS: String = Text "smtp_tls_mandatory_ciphers", "medium", (1, 0), "smtp", false;
    /// Smtp tls mandatory exclude ciphers.
    SMTP_TLS_MANDATORY_EXCLUDE_CIPHERS: String = Text "smtp_tls_mandatory_exclude_ciphers", "", (0, 0), "smtp", false;
    /// Smtp tls mandatory protocols.
    SMTP_TLS_MANDATORY_PROTOCOLS: String = Text "smtp_tls_mandatory_protocols", ">=TLSv1", (0, 0), "smtp", false;
    /// Smtp tls note starttls offer.
    SMTP_TLS_NOTE_STARTTLS_OFFER: bool = Bool "smtp_tls_note_starttls_offer", "no", (0, 0), "smtp", false;
    /// Smtp tls per site.
    SMTP_TLS_PER_SITE: String = Text "smtp_tls_per_site", "", (0, 0), "smtp tlsproxy", false;
    /// Smtp tls policy maps.
    SMTP_TLS_POLICY_MAPS: String = Text "smtp_tls_policy_maps", "", (0, 0), "smtp tlsproxy", false;
    /// Smtp tls protocols.
    SMTP_TLS_PROTOCOLS: String = Text "smtp_tls_protocols", ">=TLSv1", (0, 0), "smtp", false;
    /// Smtp tls scert verifydepth.
    SMTP_TLS_SCERT_VERIFYDEPTH: i64 = Int "smtp_tls_scert_verifydepth", "9", (0, 0), "smtp tlsproxy", false;
    /// Smtp tls secure cert match.
    SMTP_TLS_SECURE_CERT_MATCH: String = Text "smtp_tls_secure_cert_match", "nexthop, dot-nexthop", (1, 0), "smtp", false;
    /// Smtp tls security level.
    SMTP_TLS_SECURITY_LEVEL: String = Text "smtp_tls_security_level", "${{$compatibility_level} <level {3.11} ? {} : {may}}", (0, 0), "smtp tlsproxy", false;
    /// Smtp tls servername.
    SMTP_TLS_SERVERNAME: String = Text "smtp_tls_servername", "", (0, 0), "smtp", false;
    /// Smtp tls session cache database.
    SMTP_TLS_SESSION_CACHE_DATABASE: String = Text "smtp_tls_session_cache_database", "", (0, 0), "tlsmgr", false;
    /// Smtp tls session cache timeout.
    SMTP_TLS_SESSION_CACHE_TIMEOUT: Duration = Time "smtp_tls_session_cache_timeout", "3600s", (0, 8_640_000), "tlsmgr", false;
    /// Smtp tls trust anchor file.
    SMTP_TLS_TRUST_ANCHOR_FILE: String = Text "smtp_tls_trust_anchor_file", "", (0, 0), "smtp", false;
    /// Smtp tls verify cert match.
    SMTP_TLS_VERIFY_CERT_MATCH: String = Text "smtp_tls_verify_cert_match", "hostname", (1, 0), "smtp", false;
    /// Smtp tls wrappermode.
    SMTP_TLS_WRAPPERMODE: bool = Bool "smtp_tls_wrappermode", "no", (0, 0), "smtp", false;
    /// Smtp tlsrpt enable.
    SMTP_TLSRPT_ENABLE: bool = BoolExpr "smtp_tlsrpt_enable", "no", (0, 0), "smtp", false;
    /// Smtp tlsrpt skip reused handshakes.
    SMTP_TLSRPT_SKIP_REUSED_HANDSHAKES: bool = BoolExpr "smtp_tlsrpt_skip_reused_handshakes", "no", (0, 0), "smtp", false;
    /// Smtp tlsrpt socket name.
    SMTP_TLSRPT_SOCKET_NAME: String = Text "smtp_tlsrpt_socket_name", "", (0, 0), "smtp", false;
    /// Smtp use tls.
    SMTP_USE_TLS: bool = Bool "smtp_use_tls", "no", (0, 0), "smtp tlsproxy", false;
}
