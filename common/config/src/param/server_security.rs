//! TLS and authentication as an SMTP server.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Whether AUTH is also announced in the form that outdated clients need.
    BROKEN_SASL_AUTH_CLIENTS: bool = Bool "broken_sasl_auth_clients", "no", (0, 0), "smtpd", false;
    /// Where Cyrus SASL looks for its configuration.
    CYRUS_SASL_CONFIG_PATH: String = Text "cyrus_sasl_config_path", "", (0, 0), "smtp smtpd", false;
    /// Whether clients must use STARTTLS (outdated).
    SMTPD_ENFORCE_TLS: bool = Bool "smtpd_enforce_tls", "no", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Whether clients may log in.
    SMTPD_SASL_AUTH_ENABLE: bool = Bool "smtpd_sasl_auth_enable", "no", (0, 0), "smtpd", false;
    /// Whether Received tells who logged in.
    SMTPD_SASL_AUTHENTICATED_HEADER: bool = Bool "smtpd_sasl_authenticated_header", "no", (0, 0), "smtpd", false;
    /// Clients that are not told of AUTH.
    SMTPD_SASL_EXCEPTIONS_NETWORKS: String = Text "smtpd_sasl_exceptions_networks", "", (0, 0), "smtpd", false;
    /// The realm of local logins.
    SMTPD_SASL_LOCAL_DOMAIN: String = Text "smtpd_sasl_local_domain", "", (0, 0), "smtpd", false;
    /// Which SASL mechanisms are announced.
    SMTPD_SASL_MECHANISM_FILTER: String = Text "smtpd_sasl_mechanism_filter", "!external, static:rest", (0, 0), "smtpd", false;
    /// A name that the SASL plug-in may want.
    SMTPD_SASL_PATH: String = Text "smtpd_sasl_path", "smtpd", (1, 0), "smtpd", false;
    /// The longest reply of a client in a login, in bytes.
    SMTPD_SASL_RESPONSE_LIMIT: i64 = Int "smtpd_sasl_response_limit", "12288", (12_288, 0), "smtpd", false;
    /// What SASL mechanisms must not do.
    SMTPD_SASL_SECURITY_OPTIONS: String = Text "smtpd_sasl_security_options", "noanonymous", (0, 0), "smtpd", false;
    /// The service name given to the SASL plug-in.
    SMTPD_SASL_SERVICE: String = Text "smtpd_sasl_service", "smtp", (1, 0), "smtpd", false;
    /// As smtpd_sasl_security_options, with TLS.
    SMTPD_SASL_TLS_SECURITY_OPTIONS: String = Text "smtpd_sasl_tls_security_options", "$smtpd_sasl_security_options", (0, 0), "smtpd", false;
    /// The SASL plug-in of the server.
    SMTPD_SASL_TYPE: String = Text "smtpd_sasl_type", "cyrus", (1, 0), "smtpd", false;
    /// How long a TLS handshake may take.
    SMTPD_STARTTLS_TIMEOUT: Duration = Time "smtpd_starttls_timeout", "${stress?{10}:{300}}s", (1, 0), "postscreen smtpd", false;
    /// A file of authorities for client certificates.
    SMTPD_TLS_CAFILE: String = Text "smtpd_tls_CAfile", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// A directory of authorities for client certificates.
    SMTPD_TLS_CAPATH: String = Text "smtpd_tls_CApath", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Whether sessions have ids even when they are not kept.
    SMTPD_TLS_ALWAYS_ISSUE_SESSION_IDS: bool = Bool "smtpd_tls_always_issue_session_ids", "yes", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Whether clients are asked for a certificate.
    SMTPD_TLS_ASK_CCERT: bool = Bool "smtpd_tls_ask_ccert", "no", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Whether AUTH needs TLS.
    SMTPD_TLS_AUTH_ONLY: bool = Bool "smtpd_tls_auth_only", "no", (0, 0), "smtpd", false;
    /// How long a chain of client certificates may be.
    SMTPD_TLS_CCERT_VERIFYDEPTH: i64 = Int "smtpd_tls_ccert_verifydepth", "9", (0, 0), "postscreen smtpd tlsproxy", false;
    /// The server's RSA certificate.
    SMTPD_TLS_CERT_FILE: String = Text "smtpd_tls_cert_file", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Files with the server's keys and certificates.
    SMTPD_TLS_CHAIN_FILES: String = Text "smtpd_tls_chain_files", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// The cipher grade of opportunistic TLS.
    SMTPD_TLS_CIPHERS: String = Text "smtpd_tls_ciphers", "medium", (1, 0), "postscreen smtpd tlsproxy", false;
    /// The server's DSA certificate.
    SMTPD_TLS_DCERT_FILE: String = Text "smtpd_tls_dcert_file", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Parameters of ephemeral Diffie-Hellman.
    SMTPD_TLS_DH1024_PARAM_FILE: String = Text "smtpd_tls_dh1024_param_file", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Ignored.
    SMTPD_TLS_DH512_PARAM_FILE: String = Text "smtpd_tls_dh512_param_file", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// The key of the server's DSA certificate.
    SMTPD_TLS_DKEY_FILE: String = Text "smtpd_tls_dkey_file", "$smtpd_tls_dcert_file", (0, 0), "postscreen smtpd tlsproxy", false;
    /// The server's ECDSA certificate.
    SMTPD_TLS_ECCERT_FILE: String = Text "smtpd_tls_eccert_file", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// The key of the server's ECDSA certificate.
    SMTPD_TLS_ECKEY_FILE: String = Text "smtpd_tls_eckey_file", "$smtpd_tls_eccert_file", (0, 0), "postscreen smtpd tlsproxy", false;
    /// The grade of elliptic curves (outdated).
    SMTPD_TLS_EECDH_GRADE: String = Text "smtpd_tls_eecdh_grade", "auto", (1, 0), "postscreen smtpd tlsproxy", false;
    /// Whether raw public keys are asked for.
    SMTPD_TLS_ENABLE_RPK: bool = Bool "smtpd_tls_enable_rpk", "no", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Ciphers that are not used.
    SMTPD_TLS_EXCLUDE_CIPHERS: String = Text "smtpd_tls_exclude_ciphers", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// The digest of client certificate fingerprints.
    SMTPD_TLS_FINGERPRINT_DIGEST: String = Text "smtpd_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", (1, 0), "postscreen smtpd tlsproxy", false;
    /// The key of the server's RSA certificate.
    SMTPD_TLS_KEY_FILE: String = Text "smtpd_tls_key_file", "$smtpd_tls_cert_file", (0, 0), "postscreen smtpd tlsproxy", false;
    /// How much is logged about TLS.
    SMTPD_TLS_LOGLEVEL: String = Text "smtpd_tls_loglevel", "0", (0, 0), "postscreen smtpd tlsmgr tlsproxy", false;
    /// The cipher grade of mandatory TLS.
    SMTPD_TLS_MANDATORY_CIPHERS: String = Text "smtpd_tls_mandatory_ciphers", "medium", (1, 0), "postscreen smtpd tlsproxy", false;
    /// Further ciphers that are not used when TLS is mandatory.
    SMTPD_TLS_MANDATORY_EXCLUDE_CIPHERS: String = Text "smtpd_tls_mandatory_exclude_ciphers", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Protocol versions of mandatory TLS.
    SMTPD_TLS_MANDATORY_PROTOCOLS: String = Text "smtpd_tls_mandatory_protocols", ">=TLSv1", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Protocol versions of opportunistic TLS.
    SMTPD_TLS_PROTOCOLS: String = Text "smtpd_tls_protocols", ">=TLSv1", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Whether Received tells about TLS.
    SMTPD_TLS_RECEIVED_HEADER: bool = Bool "smtpd_tls_received_header", "no", (0, 0), "smtpd", false;
    /// Whether clients need a trusted certificate.
    SMTPD_TLS_REQ_CCERT: bool = Bool "smtpd_tls_req_ccert", "no", (0, 0), "postscreen smtpd tlsproxy", false;
    /// The TLS level of the server.
    SMTPD_TLS_SECURITY_LEVEL: String = Text "smtpd_tls_security_level", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Where TLS sessions are kept.
    SMTPD_TLS_SESSION_CACHE_DATABASE: String = Text "smtpd_tls_session_cache_database", "", (0, 0), "tlsmgr", false;
    /// How long TLS sessions are kept.
    SMTPD_TLS_SESSION_CACHE_TIMEOUT: Duration = Time "smtpd_tls_session_cache_timeout", "3600s", (0, 8_640_000), "tlsmgr", false;
    /// Whether connections begin with TLS.
    SMTPD_TLS_WRAPPERMODE: bool = Bool "smtpd_tls_wrappermode", "no", (0, 0), "smtpd", false;
    /// Whether STARTTLS is announced (outdated).
    SMTPD_USE_TLS: bool = Bool "smtpd_use_tls", "no", (0, 0), "postscreen smtpd tlsproxy", false;
}
