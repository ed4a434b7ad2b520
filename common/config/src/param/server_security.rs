//! TLS and authentication as an SMTP server.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Broken sasl auth clients.
    BROKEN_SASL_AUTH_CLIENTS: bool = Bool "broken_sasl_auth_clients", "no", (0, 0), "smtpd", false;
    /// Cyrus sasl config path.
    CYRUS_SASL_CONFIG_PATH: String = Text "cyrus_sasl_config_path", "", (0, 0), "smtp smtpd", false;
    /// Smtpd enforce tls.
    SMTPD_ENFORCE_TLS: bool = Bool "smtpd_enforce_tls", "no", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd sasl auth enable.
    SMTPD_SASL_AUTH_ENABLE: bool = Bool "smtpd_sasl_auth_enable", "no", (0, 0), "smtpd", false;
    /// Smtpd sasl authenticated header.
    SMTPD_SASL_AUTHENTICATED_HEADER: bool = Bool "smtpd_sasl_authenticated_header", "no", (0, 0), "smtpd", false;
    /// Smtpd sasl exceptions networks.
    SMTPD_SASL_EXCEPTIONS_NETWORKS: String = Text "smtpd_sasl_exceptions_networks", "", (0, 0), "smtpd", false;
    /// Smtpd sasl local domain.
    SMTPD_SASL_LOCAL_DOMAIN: String = Text "smtpd_sasl_local_domain", "", (0, 0), "smtpd", false;
    /// Smtpd sasl mechanism filter.
    SMTPD_SASL_MECHANISM_FILTER: String = Text "smtpd_sasl_mechanism_filter", "!external, static:rest", (0, 0), "smtpd", false;
    /// Smtpd sasl path.
    SMTPD_SASL_PATH: String = Text "smtpd_sasl_path", "smtpd", (1, 0), "smtpd", false;
    /// Smtpd sasl response limit.
    SMTPD_SASL_RESPONSE_LIMIT: i64 = Int "smtpd_sasl_response_limit", "12288", (12_288, 0), "smtpd", false;
    /// Smtpd sasl security options.
    SMTPD_SASL_SECURITY_OPTIONS: String = Text "smtpd_sasl_security_options", "noanonymous", (0, 0), "smtpd", false;
    /// Smtpd sasl service.
    SMTPD_SASL_SERVICE: String = Text "smtpd_sasl_service", "smtp", (1, 0), "smtpd", false;
    /// Smtpd sasl tls security options.
    SMTPD_SASL_TLS_SECURITY_OPTIONS: String = Text "smtpd_sasl_tls_security_options", "$smtpd_sasl_security_options", (0, 0), "smtpd", false;
    /// Smtpd sasl type.
    SMTPD_SASL_TYPE: String = Text "smtpd_sasl_type", "cyrus", (1, 0), "smtpd", false;
    /// Smtpd starttls timeout.
    SMTPD_STARTTLS_TIMEOUT: Duration = Time "smtpd_starttls_timeout", "${stress?{10}:{300}}s", (1, 0), "postscreen smtpd", false;
    /// Smtpd tls cafile.
    SMTPD_TLS_CAFILE: String = Text "smtpd_tls_CAfile", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls capath.
    SMTPD_TLS_CAPATH: String = Text "smtpd_tls_CApath", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls always issue session ids.
    SMTPD_TLS_ALWAYS_ISSUE_SESSION_IDS: bool = Bool "smtpd_tls_always_issue_session_ids", "yes", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls ask ccert.
    SMTPD_TLS_ASK_CCERT: bool = Bool "smtpd_tls_ask_ccert", "no", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls auth only.
    SMTPD_TLS_AUTH_ONLY: bool = Bool "smtpd_tls_auth_only", "no", (0, 0), "smtpd", false;
    /// Smtpd tls ccert verifydepth.
    SMTPD_TLS_CCERT_VERIFYDEPTH: i64 = Int "smtpd_tls_ccert_verifydepth", "9", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls cert file.
    SMTPD_TLS_CERT_FILE: String = Text "smtpd_tls_cert_file", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls chain files.
    SMTPD_TLS_CHAIN_FILES: String = Text "smtpd_tls_chain_files", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls ciphers.
    SMTPD_TLS_CIPHERS: String = Text "smtpd_tls_ciphers", "medium", (1, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls dcert file.
    SMTPD_TLS_DCERT_FILE: String = Text "smtpd_tls_dcert_file", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls dh1024 param file.
    SMTPD_TLS_DH1024_PARAM_FILE: String = Text "smtpd_tls_dh1024_param_file", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls dh512 param file.
    SMTPD_TLS_DH512_PARAM_FILE: String = Text "smtpd_tls_dh512_param_file", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls dkey file.
    SMTPD_TLS_DKEY_FILE: String = Text "smtpd_tls_dkey_file", "$smtpd_tls_dcert_file", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls eccert file.
    SMTPD_TLS_ECCERT_FILE: String = Text "smtpd_tls_eccert_file", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls eckey file.
    SMTPD_TLS_ECKEY_FILE: String = Text "smtpd_tls_eckey_file", "$smtpd_tls_eccert_file", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls eecdh grade.
    SMTPD_TLS_EECDH_GRADE: String = Text "smtpd_tls_eecdh_grade", "auto", (1, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls enable rpk.
    SMTPD_TLS_ENABLE_RPK: bool = Bool "smtpd_tls_enable_rpk", "no", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls exclude ciphers.
    SMTPD_TLS_EXCLUDE_CIPHERS: String = Text "smtpd_tls_exclude_ciphers", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls fingerprint digest.
    SMTPD_TLS_FINGERPRINT_DIGEST: String = Text "smtpd_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", (1, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls key file.
    SMTPD_TLS_KEY_FILE: String = Text "smtpd_tls_key_file", "$smtpd_tls_cert_file", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls loglevel.
    SMTPD_TLS_LOGLEVEL: String = Text "smtpd_tls_loglevel", "0", (0, 0), "postscreen smtpd tlsmgr tlsproxy", false;
    /// Smtpd tls mandatory ciphers.
    SMTPD_TLS_MANDATORY_CIPHERS: String = Text "smtpd_tls_mandatory_ciphers", "medium", (1, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls mandatory exclude ciphers.
    SMTPD_TLS_MANDATORY_EXCLUDE_CIPHERS: String = Text "smtpd_tls_mandatory_exclude_ciphers", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls mandatory protocols.
    SMTPD_TLS_MANDATORY_PROTOCOLS: String = Text "smtpd_tls_mandatory_protocols", ">=TLSv1", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls protocols.
    SMTPD_TLS_PROTOCOLS: String = Text "smtpd_tls_protocols", ">=TLSv1", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls received header.
    SMTPD_TLS_RECEIVED_HEADER: bool = Bool "smtpd_tls_received_header", "no", (0, 0), "smtpd", false;
    /// Smtpd tls req ccert.
    SMTPD_TLS_REQ_CCERT: bool = Bool "smtpd_tls_req_ccert", "no", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls security level.
    SMTPD_TLS_SECURITY_LEVEL: String = Text "smtpd_tls_security_level", "", (0, 0), "postscreen smtpd tlsproxy", false;
    /// Smtpd tls session cache database.
    SMTPD_TLS_SESSION_CACHE_DATABASE: String = Text "smtpd_tls_session_cache_database", "", (0, 0), "tlsmgr", false;
    /// Smtpd tls session cache timeout.
    SMTPD_TLS_SESSION_CACHE_TIMEOUT: Duration = Time "smtpd_tls_session_cache_timeout", "3600s", (0, 8_640_000), "tlsmgr", false;
    /// Smtpd tls wrappermode.
    SMTPD_TLS_WRAPPERMODE: bool = Bool "smtpd_tls_wrappermode", "no", (0, 0), "smtpd", false;
    /// Smtpd use tls.
    SMTPD_USE_TLS: bool = Bool "smtpd_use_tls", "no", (0, 0), "postscreen smtpd tlsproxy", false;
}
