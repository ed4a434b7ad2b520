//! TLS and authentication as an SMTP or LMTP client.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// As smtp_enforce_tls, for the LMTP client.
    LMTP_ENFORCE_TLS: bool = Bool "lmtp_enforce_tls", "no", (0, 0), "smtp", false;
    /// As smtp_requiretls_policy, for the LMTP client.
    LMTP_REQUIRETLS_POLICY: String = Text "lmtp_requiretls_policy", "opportunistic", (0, 0), "smtp", false;
    /// As smtp_sasl_auth_cache_name, for the LMTP client.
    LMTP_SASL_AUTH_CACHE_NAME: String = Text "lmtp_sasl_auth_cache_name", "", (0, 0), "smtp", false;
    /// As smtp_sasl_auth_cache_time, for the LMTP client.
    LMTP_SASL_AUTH_CACHE_TIME: Duration = Time "lmtp_sasl_auth_cache_time", "90d", (0, 0), "smtp", false;
    /// As smtp_sasl_auth_enable, for the LMTP client.
    LMTP_SASL_AUTH_ENABLE: bool = Bool "lmtp_sasl_auth_enable", "no", (0, 0), "smtp", false;
    /// As smtp_sasl_auth_soft_bounce, for the LMTP client.
    LMTP_SASL_AUTH_SOFT_BOUNCE: bool = Bool "lmtp_sasl_auth_soft_bounce", "yes", (0, 0), "smtp", false;
    /// As smtp_sasl_mechanism_filter, for the LMTP client.
    LMTP_SASL_MECHANISM_FILTER: String = Text "lmtp_sasl_mechanism_filter", "", (0, 0), "smtp", false;
    /// As smtp_sasl_password_maps, for the LMTP client.
    LMTP_SASL_PASSWORD_MAPS: String = Text "lmtp_sasl_password_maps", "", (0, 0), "smtp", false;
    /// As smtp_sasl_password_result_delimiter, for the LMTP client.
    LMTP_SASL_PASSWORD_RESULT_DELIMITER: String = Text "lmtp_sasl_password_result_delimiter", ":", (1, 1), "smtp", false;
    /// As smtp_sasl_path, for the LMTP client.
    LMTP_SASL_PATH: String = Text "lmtp_sasl_path", "", (0, 0), "smtp", false;
    /// As smtp_sasl_security_options, for the LMTP client.
    LMTP_SASL_SECURITY_OPTIONS: String = Text "lmtp_sasl_security_options", "noplaintext, noanonymous", (0, 0), "smtp", false;
    /// As smtp_sasl_tls_security_options, for the LMTP client.
    LMTP_SASL_TLS_SECURITY_OPTIONS: String = Text "lmtp_sasl_tls_security_options", "$lmtp_sasl_security_options", (0, 0), "smtp", false;
    /// As smtp_sasl_tls_verified_security_options, for the LMTP client.
    LMTP_SASL_TLS_VERIFIED_SECURITY_OPTIONS: String = Text "lmtp_sasl_tls_verified_security_options", "$lmtp_sasl_tls_security_options", (0, 0), "smtp", false;
    /// As smtp_sasl_type, for the LMTP client.
    LMTP_SASL_TYPE: String = Text "lmtp_sasl_type", "cyrus", (1, 0), "smtp", false;
    /// As smtp_starttls_timeout, for the LMTP client.
    LMTP_STARTTLS_TIMEOUT: Duration = Time "lmtp_starttls_timeout", "300s", (1, 0), "smtp", false;
    /// As smtp_tls_CAfile, for the LMTP client.
    LMTP_TLS_CAFILE: String = Text "lmtp_tls_CAfile", "", (0, 0), "smtp", false;
    /// As smtp_tls_CApath, for the LMTP client.
    LMTP_TLS_CAPATH: String = Text "lmtp_tls_CApath", "", (0, 0), "smtp", false;
    /// As smtp_tls_block_early_mail_reply, for the LMTP client.
    LMTP_TLS_BLOCK_EARLY_MAIL_REPLY: bool = Bool "lmtp_tls_block_early_mail_reply", "no", (0, 0), "smtp", false;
    /// As smtp_tls_cert_file, for the LMTP client.
    LMTP_TLS_CERT_FILE: String = Text "lmtp_tls_cert_file", "", (0, 0), "smtp", false;
    /// As smtp_tls_chain_files, for the LMTP client.
    LMTP_TLS_CHAIN_FILES: String = Text "lmtp_tls_chain_files", "", (0, 0), "smtp", false;
    /// As smtp_tls_ciphers, for the LMTP client.
    LMTP_TLS_CIPHERS: String = Text "lmtp_tls_ciphers", "medium", (1, 0), "smtp", false;
    /// As smtp_tls_connection_reuse, for the LMTP client.
    LMTP_TLS_CONNECTION_REUSE: bool = Bool "lmtp_tls_connection_reuse", "no", (0, 0), "smtp", false;
    /// As smtp_tls_dcert_file, for the LMTP client.
    LMTP_TLS_DCERT_FILE: String = Text "lmtp_tls_dcert_file", "", (0, 0), "smtp", false;
    /// As smtp_tls_dkey_file, for the LMTP client.
    LMTP_TLS_DKEY_FILE: String = Text "lmtp_tls_dkey_file", "$lmtp_tls_dcert_file", (0, 0), "smtp", false;
    /// As smtp_tls_eccert_file, for the LMTP client.
    LMTP_TLS_ECCERT_FILE: String = Text "lmtp_tls_eccert_file", "", (0, 0), "smtp", false;
    /// As smtp_tls_eckey_file, for the LMTP client.
    LMTP_TLS_ECKEY_FILE: String = Text "lmtp_tls_eckey_file", "$lmtp_tls_eccert_file", (0, 0), "smtp", false;
    /// As smtp_tls_enable_rpk, for the LMTP client.
    LMTP_TLS_ENABLE_RPK: bool = Bool "lmtp_tls_enable_rpk", "no", (0, 0), "smtp", false;
    /// As smtp_tls_enforce_peername, for the LMTP client.
    LMTP_TLS_ENFORCE_PEERNAME: bool = Bool "lmtp_tls_enforce_peername", "yes", (0, 0), "smtp", false;
    /// As smtp_tls_enforce_sts_mx_patterns, for the LMTP client.
    LMTP_TLS_ENFORCE_STS_MX_PATTERNS: bool = BoolExpr "lmtp_tls_enforce_sts_mx_patterns", "yes", (0, 0), "smtp", false;
    /// As smtp_tls_exclude_ciphers, for the LMTP client.
    LMTP_TLS_EXCLUDE_CIPHERS: String = Text "lmtp_tls_exclude_ciphers", "", (0, 0), "smtp", false;
    /// As smtp_tls_fingerprint_cert_match, for the LMTP client.
    LMTP_TLS_FINGERPRINT_CERT_MATCH: String = Text "lmtp_tls_fingerprint_cert_match", "", (0, 0), "smtp", false;
    /// As smtp_tls_fingerprint_digest, for the LMTP client.
    LMTP_TLS_FINGERPRINT_DIGEST: String = Text "lmtp_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", (1, 0), "smtp", false;
    /// As smtp_tls_force_insecure_host_tlsa_lookup, for the LMTP client.
    LMTP_TLS_FORCE_INSECURE_HOST_TLSA_LOOKUP: bool = Bool "lmtp_tls_force_insecure_host_tlsa_lookup", "no", (0, 0), "smtp", false;
    /// As smtp_tls_key_file, for the LMTP client.
    LMTP_TLS_KEY_FILE: String = Text "lmtp_tls_key_file", "$lmtp_tls_cert_file", (0, 0), "smtp", false;
    /// As smtp_tls_loglevel, for the LMTP client.
    LMTP_TLS_LOGLEVEL: String = Text "lmtp_tls_loglevel", "0", (0, 0), "smtp tlsmgr", false;
    /// As smtp_tls_mandatory_ciphers, for the LMTP client.
    LMTP_TLS_MANDATORY_CIPHERS: String = Text "lmtp_tls_mandatory_ciphers", "medium", (1, 0), "smtp", false;
    /// As smtp_tls_mandatory_exclude_ciphers, for the LMTP client.
    LMTP_TLS_MANDATORY_EXCLUDE_CIPHERS: String = Text "lmtp_tls_mandatory_exclude_ciphers", "", (0, 0), "smtp", false;
    /// As smtp_tls_mandatory_protocols, for the LMTP client.
    LMTP_TLS_MANDATORY_PROTOCOLS: String = Text "lmtp_tls_mandatory_protocols", ">=TLSv1", (0, 0), "smtp", false;
    /// As smtp_tls_note_starttls_offer, for the LMTP client.
    LMTP_TLS_NOTE_STARTTLS_OFFER: bool = Bool "lmtp_tls_note_starttls_offer", "no", (0, 0), "smtp", false;
    /// As smtp_tls_per_site, for the LMTP client.
    LMTP_TLS_PER_SITE: String = Text "lmtp_tls_per_site", "", (0, 0), "smtp", false;
    /// As smtp_tls_policy_maps, for the LMTP client.
    LMTP_TLS_POLICY_MAPS: String = Text "lmtp_tls_policy_maps", "", (0, 0), "smtp", false;
    /// As smtp_tls_protocols, for the LMTP client.
    LMTP_TLS_PROTOCOLS: String = Text "lmtp_tls_protocols", ">=TLSv1", (0, 0), "smtp", false;
    /// As smtp_tls_scert_verifydepth, for the LMTP client.
    LMTP_TLS_SCERT_VERIFYDEPTH: i64 = Int "lmtp_tls_scert_verifydepth", "9", (0, 0), "smtp", false;
    /// As smtp_tls_secure_cert_match, for the LMTP client.
    LMTP_TLS_SECURE_CERT_MATCH: String = Text "lmtp_tls_secure_cert_match", "nexthop", (1, 0), "smtp", false;
    /// As smtp_tls_security_level, for the LMTP client.
    LMTP_TLS_SECURITY_LEVEL: String = Text "lmtp_tls_security_level", "", (0, 0), "smtp", false;
    /// As smtp_tls_servername, for the LMTP client.
    LMTP_TLS_SERVERNAME: String = Text "lmtp_tls_servername", "", (0, 0), "smtp", false;
    /// As smtp_tls_session_cache_database, for the LMTP client.
    LMTP_TLS_SESSION_CACHE_DATABASE: String = Text "lmtp_tls_session_cache_database", "", (0, 0), "tlsmgr", false;
    /// As smtp_tls_session_cache_timeout, for the LMTP client.
    LMTP_TLS_SESSION_CACHE_TIMEOUT: Duration = Time "lmtp_tls_session_cache_timeout", "3600s", (0, 8_640_000), "tlsmgr", false;
    /// As smtp_tls_trust_anchor_file, for the LMTP client.
    LMTP_TLS_TRUST_ANCHOR_FILE: String = Text "lmtp_tls_trust_anchor_file", "", (0, 0), "smtp", false;
    /// As smtp_tls_verify_cert_match, for the LMTP client.
    LMTP_TLS_VERIFY_CERT_MATCH: String = Text "lmtp_tls_verify_cert_match", "hostname", (1, 0), "smtp", false;
    /// As smtp_tls_wrappermode, for the LMTP client.
    LMTP_TLS_WRAPPERMODE: bool = Bool "lmtp_tls_wrappermode", "no", (0, 0), "smtp", false;
    /// As smtp_tlsrpt_enable, for the LMTP client.
    LMTP_TLSRPT_ENABLE: bool = BoolExpr "lmtp_tlsrpt_enable", "no", (0, 0), "smtp", false;
    /// As smtp_tlsrpt_skip_reused_handshakes, for the LMTP client.
    LMTP_TLSRPT_SKIP_REUSED_HANDSHAKES: bool = BoolExpr "lmtp_tlsrpt_skip_reused_handshakes", "no", (0, 0), "smtp", false;
    /// As smtp_tlsrpt_socket_name, for the LMTP client.
    LMTP_TLSRPT_SOCKET_NAME: String = Text "lmtp_tlsrpt_socket_name", "", (0, 0), "smtp", false;
    /// As smtp_use_tls, for the LMTP client.
    LMTP_USE_TLS: bool = Bool "lmtp_use_tls", "no", (0, 0), "smtp", false;
    /// Whether REQUIRETLS is announced and honoured.
    REQUIRETLS_ENABLE: bool = BoolExpr "requiretls_enable", "yes", (0, 0), "all", false;
    /// Whether Require-TLS-ESMTP is put into mail that was sent with REQUIRETLS.
    REQUIRETLS_ESMTP_HEADER: bool = BoolExpr "requiretls_esmtp_header", "yes", (0, 0), "cleanup smtpd", false;
    /// Whether reports about mail with REQUIRETLS leave out its content.
    REQUIRETLS_REDACT_DSN: bool = BoolExpr "requiretls_redact_dsn", "yes", (0, 0), "bounce", false;
    /// Whether servers must use STARTTLS (outdated).
    SMTP_ENFORCE_TLS: bool = Bool "smtp_enforce_tls", "no", (0, 0), "smtp tlsproxy", false;
    /// Where and how strictly REQUIRETLS is honoured.
    SMTP_REQUIRETLS_POLICY: String = Text "smtp_requiretls_policy", "inline:{{${domain_to_ascii{$mydomain}}=opportunistic}, {.${domain_to_ascii{$mydomain}}=opportunistic}, {localhost=opportunistic}}, cidr:{{0.0.0.0/0 opportunistic}, {::/0 opportunistic}}, enforce", (0, 0), "smtp", false;
    /// A table that remembers failed logins.
    SMTP_SASL_AUTH_CACHE_NAME: String = Text "smtp_sasl_auth_cache_name", "", (0, 0), "smtp", false;
    /// How long a failed login is remembered.
    SMTP_SASL_AUTH_CACHE_TIME: Duration = Time "smtp_sasl_auth_cache_time", "90d", (0, 0), "smtp", false;
    /// Whether the client logs in to servers.
    SMTP_SASL_AUTH_ENABLE: bool = Bool "smtp_sasl_auth_enable", "no", (0, 0), "smtp", false;
    /// Whether mail waits when a login fails.
    SMTP_SASL_AUTH_SOFT_BOUNCE: bool = Bool "smtp_sasl_auth_soft_bounce", "yes", (0, 0), "smtp", false;
    /// Which SASL mechanisms are used.
    SMTP_SASL_MECHANISM_FILTER: String = Text "smtp_sasl_mechanism_filter", "", (0, 0), "smtp", false;
    /// User names and passwords, by server.
    SMTP_SASL_PASSWORD_MAPS: String = Text "smtp_sasl_password_maps", "", (0, 0), "smtp", false;
    /// What stands between user name and password.
    SMTP_SASL_PASSWORD_RESULT_DELIMITER: String = Text "smtp_sasl_password_result_delimiter", ":", (1, 1), "smtp", false;
    /// A name that the SASL plug-in may want.
    SMTP_SASL_PATH: String = Text "smtp_sasl_path", "", (0, 0), "smtp", false;
    /// What SASL mechanisms must not do.
    SMTP_SASL_SECURITY_OPTIONS: String = Text "smtp_sasl_security_options", "noplaintext, noanonymous", (0, 0), "smtp", false;
    /// As smtp_sasl_security_options, with TLS.
    SMTP_SASL_TLS_SECURITY_OPTIONS: String = Text "smtp_sasl_tls_security_options", "$smtp_sasl_security_options", (0, 0), "smtp", false;
    /// As smtp_sasl_security_options, with TLS and a verified server.
    SMTP_SASL_TLS_VERIFIED_SECURITY_OPTIONS: String = Text "smtp_sasl_tls_verified_security_options", "$smtp_sasl_tls_security_options", (0, 0), "smtp", false;
    /// The SASL plug-in of the client.
    SMTP_SASL_TYPE: String = Text "smtp_sasl_type", "cyrus", (1, 0), "smtp", false;
    /// How long a TLS handshake may take.
    SMTP_STARTTLS_TIMEOUT: Duration = Time "smtp_starttls_timeout", "300s", (1, 0), "smtp", false;
    /// A file of trusted authorities.
    SMTP_TLS_CAFILE: String = Text "smtp_tls_CAfile", "", (0, 0), "smtp tlsproxy", false;
    /// A directory of trusted authorities.
    SMTP_TLS_CAPATH: String = Text "smtp_tls_CApath", "", (0, 0), "smtp tlsproxy", false;
    /// Whether replies sent before MAIL are taken for an attack.
    SMTP_TLS_BLOCK_EARLY_MAIL_REPLY: bool = Bool "smtp_tls_block_early_mail_reply", "no", (0, 0), "smtp", false;
    /// The client's RSA certificate.
    SMTP_TLS_CERT_FILE: String = Text "smtp_tls_cert_file", "", (0, 0), "smtp tlsproxy", false;
    /// Files with the client's keys and certificates.
    SMTP_TLS_CHAIN_FILES: String = Text "smtp_tls_chain_files", "", (0, 0), "smtp tlsproxy", false;
    /// The cipher grade of opportunistic TLS.
    SMTP_TLS_CIPHERS: String = Text "smtp_tls_ciphers", "medium", (1, 0), "smtp", false;
    /// Whether TLS connections are used again.
    SMTP_TLS_CONNECTION_REUSE: bool = Bool "smtp_tls_connection_reuse", "no", (0, 0), "smtp", false;
    /// The level for DANE when the MX records are not signed.
    SMTP_TLS_DANE_INSECURE_MX_POLICY: String = Text "smtp_tls_dane_insecure_mx_policy", "dane", (0, 0), "smtp", false;
    /// The client's DSA certificate.
    SMTP_TLS_DCERT_FILE: String = Text "smtp_tls_dcert_file", "", (0, 0), "smtp tlsproxy", false;
    /// The key of the client's DSA certificate.
    SMTP_TLS_DKEY_FILE: String = Text "smtp_tls_dkey_file", "$smtp_tls_dcert_file", (0, 0), "smtp tlsproxy", false;
    /// The client's ECDSA certificate.
    SMTP_TLS_ECCERT_FILE: String = Text "smtp_tls_eccert_file", "", (0, 0), "smtp tlsproxy", false;
    /// The key of the client's ECDSA certificate.
    SMTP_TLS_ECKEY_FILE: String = Text "smtp_tls_eckey_file", "$smtp_tls_eccert_file", (0, 0), "smtp tlsproxy", false;
    /// Whether raw public keys are asked for.
    SMTP_TLS_ENABLE_RPK: bool = Bool "smtp_tls_enable_rpk", "no", (0, 0), "smtp", false;
    /// Whether names in certificates must match (outdated).
    SMTP_TLS_ENFORCE_PEERNAME: bool = Bool "smtp_tls_enforce_peername", "yes", (0, 0), "smtp", false;
    /// Whether the MX patterns of MTA-STS are enforced.
    SMTP_TLS_ENFORCE_STS_MX_PATTERNS: bool = BoolExpr "smtp_tls_enforce_sts_mx_patterns", "yes", (0, 0), "smtp", false;
    /// Ciphers that are not used.
    SMTP_TLS_EXCLUDE_CIPHERS: String = Text "smtp_tls_exclude_ciphers", "", (0, 0), "smtp", false;
    /// Certificate fingerprints that are accepted.
    SMTP_TLS_FINGERPRINT_CERT_MATCH: String = Text "smtp_tls_fingerprint_cert_match", "", (0, 0), "smtp", false;
    /// The digest of fingerprints.
    SMTP_TLS_FINGERPRINT_DIGEST: String = Text "smtp_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", (1, 0), "posttls-finger smtp tlsproxy", false;
    /// Whether TLSA records are looked up for hosts in unsigned zones.
    SMTP_TLS_FORCE_INSECURE_HOST_TLSA_LOOKUP: bool = Bool "smtp_tls_force_insecure_host_tlsa_lookup", "no", (0, 0), "smtp", false;
    /// The key of the client's RSA certificate.
    SMTP_TLS_KEY_FILE: String = Text "smtp_tls_key_file", "$smtp_tls_cert_file", (0, 0), "smtp tlsproxy", false;
    /// How much is logged about TLS.
    SMTP_TLS_LOGLEVEL: String = Text "smtp_tls_loglevel", "0", (0, 0), "smtp tlsmgr tlsproxy", false;
    /// The cipher grade of mandatory TLS.
    SMTP_TLS_MANDATORY_CIPHERS: String = Text "smtp_tls_mandatory_ciphers", "medium", (1, 0), "smtp", false;
    /// Further ciphers that are not used when TLS is mandatory.
    SMTP_TLS_MANDATORY_EXCLUDE_CIPHERS: String = Text "smtp_tls_mandatory_exclude_ciphers", "", (0, 0), "smtp", false;
    /// Protocol versions of mandatory TLS.
    SMTP_TLS_MANDATORY_PROTOCOLS: String = Text "smtp_tls_mandatory_protocols", ">=TLSv1", (0, 0), "smtp", false;
    /// Whether servers that announce STARTTLS in vain are logged.
    SMTP_TLS_NOTE_STARTTLS_OFFER: bool = Bool "smtp_tls_note_starttls_offer", "no", (0, 0), "smtp", false;
    /// TLS use by server (outdated).
    SMTP_TLS_PER_SITE: String = Text "smtp_tls_per_site", "", (0, 0), "smtp tlsproxy", false;
    /// TLS policies by destination.
    SMTP_TLS_POLICY_MAPS: String = Text "smtp_tls_policy_maps", "", (0, 0), "smtp tlsproxy", false;
    /// Protocol versions of opportunistic TLS.
    SMTP_TLS_PROTOCOLS: String = Text "smtp_tls_protocols", ">=TLSv1", (0, 0), "smtp", false;
    /// How long a chain of certificates may be.
    SMTP_TLS_SCERT_VERIFYDEPTH: i64 = Int "smtp_tls_scert_verifydepth", "9", (0, 0), "smtp tlsproxy", false;
    /// Names that the level secure accepts.
    SMTP_TLS_SECURE_CERT_MATCH: String = Text "smtp_tls_secure_cert_match", "nexthop, dot-nexthop", (1, 0), "smtp", false;
    /// The TLS level of the client.
    SMTP_TLS_SECURITY_LEVEL: String = Text "smtp_tls_security_level", "${{$compatibility_level} <level {3.11} ? {} : {may}}", (0, 0), "smtp tlsproxy", false;
    /// The server name sent in the handshake.
    SMTP_TLS_SERVERNAME: String = Text "smtp_tls_servername", "", (0, 0), "smtp", false;
    /// Where TLS sessions are kept.
    SMTP_TLS_SESSION_CACHE_DATABASE: String = Text "smtp_tls_session_cache_database", "", (0, 0), "tlsmgr", false;
    /// How long TLS sessions are kept.
    SMTP_TLS_SESSION_CACHE_TIMEOUT: Duration = Time "smtp_tls_session_cache_timeout", "3600s", (0, 8_640_000), "tlsmgr", false;
    /// Files of trust anchors instead of authorities.
    SMTP_TLS_TRUST_ANCHOR_FILE: String = Text "smtp_tls_trust_anchor_file", "", (0, 0), "smtp", false;
    /// Names that the level verify accepts.
    SMTP_TLS_VERIFY_CERT_MATCH: String = Text "smtp_tls_verify_cert_match", "hostname", (1, 0), "smtp", false;
    /// Whether connections begin with TLS.
    SMTP_TLS_WRAPPERMODE: bool = Bool "smtp_tls_wrappermode", "no", (0, 0), "smtp", false;
    /// Whether TLS results are reported.
    SMTP_TLSRPT_ENABLE: bool = BoolExpr "smtp_tlsrpt_enable", "no", (0, 0), "smtp", false;
    /// Whether handshakes of reused sessions are not reported.
    SMTP_TLSRPT_SKIP_REUSED_HANDSHAKES: bool = BoolExpr "smtp_tlsrpt_skip_reused_handshakes", "no", (0, 0), "smtp", false;
    /// Where TLS results are reported to.
    SMTP_TLSRPT_SOCKET_NAME: String = Text "smtp_tlsrpt_socket_name", "", (0, 0), "smtp", false;
    /// Whether TLS is used (outdated).
    SMTP_USE_TLS: bool = Bool "smtp_use_tls", "no", (0, 0), "smtp tlsproxy", false;
}
