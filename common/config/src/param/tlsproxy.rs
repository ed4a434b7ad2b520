//! The TLS proxy process.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// As smtp_tls_CAfile, for the TLS proxy.
    TLSPROXY_CLIENT_CAFILE: String = Text "tlsproxy_client_CAfile", "$smtp_tls_CAfile", (0, 0), "tlsproxy", false;
    /// As smtp_tls_CApath, for the TLS proxy.
    TLSPROXY_CLIENT_CAPATH: String = Text "tlsproxy_client_CApath", "$smtp_tls_CApath", (0, 0), "tlsproxy", false;
    /// As smtp_tls_cert_file, for the TLS proxy.
    TLSPROXY_CLIENT_CERT_FILE: String = Text "tlsproxy_client_cert_file", "$smtp_tls_cert_file", (0, 0), "tlsproxy", false;
    /// As smtp_tls_chain_files, for the TLS proxy.
    TLSPROXY_CLIENT_CHAIN_FILES: String = Text "tlsproxy_client_chain_files", "$smtp_tls_chain_files", (0, 0), "tlsproxy", false;
    /// As smtp_tls_dcert_file, for the TLS proxy.
    TLSPROXY_CLIENT_DCERT_FILE: String = Text "tlsproxy_client_dcert_file", "$smtp_tls_dcert_file", (0, 0), "tlsproxy", false;
    /// As smtp_tls_dkey_file, for the TLS proxy.
    TLSPROXY_CLIENT_DKEY_FILE: String = Text "tlsproxy_client_dkey_file", "$smtp_tls_dkey_file", (0, 0), "tlsproxy", false;
    /// As smtp_tls_eccert_file, for the TLS proxy.
    TLSPROXY_CLIENT_ECCERT_FILE: String = Text "tlsproxy_client_eccert_file", "$smtp_tls_eccert_file", (0, 0), "tlsproxy", false;
    /// As smtp_tls_eckey_file, for the TLS proxy.
    TLSPROXY_CLIENT_ECKEY_FILE: String = Text "tlsproxy_client_eckey_file", "$smtp_tls_eckey_file", (0, 0), "tlsproxy", false;
    /// As smtp_enforce_tls, for the TLS proxy.
    TLSPROXY_CLIENT_ENFORCE_TLS: bool = BoolExpr "tlsproxy_client_enforce_tls", "$smtp_enforce_tls", (0, 0), "tlsproxy", false;
    /// As smtp_tls_fingerprint_digest, for the TLS proxy.
    TLSPROXY_CLIENT_FINGERPRINT_DIGEST: String = Text "tlsproxy_client_fingerprint_digest", "$smtp_tls_fingerprint_digest", (1, 0), "tlsproxy", false;
    /// As smtp_tls_key_file, for the TLS proxy.
    TLSPROXY_CLIENT_KEY_FILE: String = Text "tlsproxy_client_key_file", "$smtp_tls_key_file", (0, 0), "tlsproxy", false;
    /// As smtp_tls_loglevel, for the TLS proxy.
    TLSPROXY_CLIENT_LOGLEVEL: String = Text "tlsproxy_client_loglevel", "$smtp_tls_loglevel", (0, 0), "tlsproxy", false;
    /// The parameter with the client's TLS log level (outdated).
    TLSPROXY_CLIENT_LOGLEVEL_PARAMETER: String = Text "tlsproxy_client_loglevel_parameter", "smtp_tls_loglevel", (0, 0), "tlsproxy", false;
    /// As smtp_tls_per_site, for the TLS proxy.
    TLSPROXY_CLIENT_PER_SITE: String = Text "tlsproxy_client_per_site", "$smtp_tls_per_site", (0, 0), "tlsproxy", false;
    /// As smtp_tls_policy_maps, for the TLS proxy.
    TLSPROXY_CLIENT_POLICY_MAPS: String = Text "tlsproxy_client_policy_maps", "${tlsproxy_client_policy?{$tlsproxy_client_policy}:{$smtp_tls_policy_maps}}", (0, 0), "tlsproxy", false;
    /// As smtp_tls_scert_verifydepth, for the TLS proxy.
    TLSPROXY_CLIENT_SCERT_VERIFYDEPTH: i64 = IntExpr "tlsproxy_client_scert_verifydepth", "$smtp_tls_scert_verifydepth", (0, 0), "tlsproxy", false;
    /// As smtp_tls_security_level, for the TLS proxy.
    TLSPROXY_CLIENT_SECURITY_LEVEL: String = Text "tlsproxy_client_security_level", "${tlsproxy_client_level?{$tlsproxy_client_level}:{$smtp_tls_security_level}}", (0, 0), "tlsproxy", false;
    /// As smtp_use_tls, for the TLS proxy.
    TLSPROXY_CLIENT_USE_TLS: bool = BoolExpr "tlsproxy_client_use_tls", "$smtp_use_tls", (0, 0), "tlsproxy", false;
    /// As smtpd_enforce_tls, for the TLS proxy.
    TLSPROXY_ENFORCE_TLS: bool = BoolExpr "tlsproxy_enforce_tls", "$smtpd_enforce_tls", (0, 0), "tlsproxy", false;
    /// The service that does TLS for others.
    TLSPROXY_SERVICE_NAME: String = Text "tlsproxy_service_name", "tlsproxy", (1, 0), "postscreen smtp smtpd", false;
    /// As smtpd_tls_CAfile, for the TLS proxy.
    TLSPROXY_TLS_CAFILE: String = Text "tlsproxy_tls_CAfile", "$smtpd_tls_CAfile", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_CApath, for the TLS proxy.
    TLSPROXY_TLS_CAPATH: String = Text "tlsproxy_tls_CApath", "$smtpd_tls_CApath", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_always_issue_session_ids, for the TLS proxy.
    TLSPROXY_TLS_ALWAYS_ISSUE_SESSION_IDS: bool = BoolExpr "tlsproxy_tls_always_issue_session_ids", "$smtpd_tls_always_issue_session_ids", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_ask_ccert, for the TLS proxy.
    TLSPROXY_TLS_ASK_CCERT: bool = BoolExpr "tlsproxy_tls_ask_ccert", "$smtpd_tls_ask_ccert", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_ccert_verifydepth, for the TLS proxy.
    TLSPROXY_TLS_CCERT_VERIFYDEPTH: i64 = IntExpr "tlsproxy_tls_ccert_verifydepth", "$smtpd_tls_ccert_verifydepth", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_cert_file, for the TLS proxy.
    TLSPROXY_TLS_CERT_FILE: String = Text "tlsproxy_tls_cert_file", "$smtpd_tls_cert_file", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_chain_files, for the TLS proxy.
    TLSPROXY_TLS_CHAIN_FILES: String = Text "tlsproxy_tls_chain_files", "$smtpd_tls_chain_files", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_ciphers, for the TLS proxy.
    TLSPROXY_TLS_CIPHERS: String = Text "tlsproxy_tls_ciphers", "$smtpd_tls_ciphers", (1, 0), "tlsproxy", false;
    /// As smtpd_tls_dcert_file, for the TLS proxy.
    TLSPROXY_TLS_DCERT_FILE: String = Text "tlsproxy_tls_dcert_file", "$smtpd_tls_dcert_file", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_dh1024_param_file, for the TLS proxy.
    TLSPROXY_TLS_DH1024_PARAM_FILE: String = Text "tlsproxy_tls_dh1024_param_file", "$smtpd_tls_dh1024_param_file", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_dh512_param_file, for the TLS proxy.
    TLSPROXY_TLS_DH512_PARAM_FILE: String = Text "tlsproxy_tls_dh512_param_file", "$smtpd_tls_dh512_param_file", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_dkey_file, for the TLS proxy.
    TLSPROXY_TLS_DKEY_FILE: String = Text "tlsproxy_tls_dkey_file", "$smtpd_tls_dkey_file", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_eccert_file, for the TLS proxy.
    TLSPROXY_TLS_ECCERT_FILE: String = Text "tlsproxy_tls_eccert_file", "$smtpd_tls_eccert_file", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_eckey_file, for the TLS proxy.
    TLSPROXY_TLS_ECKEY_FILE: String = Text "tlsproxy_tls_eckey_file", "$smtpd_tls_eckey_file", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_eecdh_grade, for the TLS proxy.
    TLSPROXY_TLS_EECDH_GRADE: String = Text "tlsproxy_tls_eecdh_grade", "$smtpd_tls_eecdh_grade", (1, 0), "tlsproxy", false;
    /// As smtpd_tls_enable_rpk, for the TLS proxy.
    TLSPROXY_TLS_ENABLE_RPK: bool = BoolExpr "tlsproxy_tls_enable_rpk", "$smtpd_tls_enable_rpk", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_exclude_ciphers, for the TLS proxy.
    TLSPROXY_TLS_EXCLUDE_CIPHERS: String = Text "tlsproxy_tls_exclude_ciphers", "$smtpd_tls_exclude_ciphers", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_fingerprint_digest, for the TLS proxy.
    TLSPROXY_TLS_FINGERPRINT_DIGEST: String = Text "tlsproxy_tls_fingerprint_digest", "$smtpd_tls_fingerprint_digest", (1, 0), "tlsproxy", false;
    /// As smtpd_tls_key_file, for the TLS proxy.
    TLSPROXY_TLS_KEY_FILE: String = Text "tlsproxy_tls_key_file", "$smtpd_tls_key_file", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_loglevel, for the TLS proxy.
    TLSPROXY_TLS_LOGLEVEL: String = Text "tlsproxy_tls_loglevel", "$smtpd_tls_loglevel", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_mandatory_ciphers, for the TLS proxy.
    TLSPROXY_TLS_MANDATORY_CIPHERS: String = Text "tlsproxy_tls_mandatory_ciphers", "$smtpd_tls_mandatory_ciphers", (1, 0), "tlsproxy", false;
    /// As smtpd_tls_mandatory_exclude_ciphers, for the TLS proxy.
    TLSPROXY_TLS_MANDATORY_EXCLUDE_CIPHERS: String = Text "tlsproxy_tls_mandatory_exclude_ciphers", "$smtpd_tls_mandatory_exclude_ciphers", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_mandatory_protocols, for the TLS proxy.
    TLSPROXY_TLS_MANDATORY_PROTOCOLS: String = Text "tlsproxy_tls_mandatory_protocols", "$smtpd_tls_mandatory_protocols", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_protocols, for the TLS proxy.
    TLSPROXY_TLS_PROTOCOLS: String = Text "tlsproxy_tls_protocols", "$smtpd_tls_protocols", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_req_ccert, for the TLS proxy.
    TLSPROXY_TLS_REQ_CCERT: bool = BoolExpr "tlsproxy_tls_req_ccert", "$smtpd_tls_req_ccert", (0, 0), "tlsproxy", false;
    /// As smtpd_tls_security_level, for the TLS proxy.
    TLSPROXY_TLS_SECURITY_LEVEL: String = Text "tlsproxy_tls_security_level", "$smtpd_tls_security_level", (0, 0), "tlsproxy", false;
    /// As smtpd_use_tls, for the TLS proxy.
    TLSPROXY_USE_TLS: bool = BoolExpr "tlsproxy_use_tls", "$smtpd_use_tls", (0, 0), "tlsproxy", false;
    /// How long the TLS proxy may take for an event.
    TLSPROXY_WATCHDOG_TIMEOUT: Duration = Time "tlsproxy_watchdog_timeout", "10s", (10, 0), "tlsproxy", false;
}
