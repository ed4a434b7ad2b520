//! TLS in general and its session manager.

use std::time::Duration;

use crate::table::rows;

rows! {
    /// Where openssl is.
    OPENSSL_PATH: String = Text "openssl_path", "openssl", (1, 0), "smtp smtpd tlsproxy", true;
    /// Whether the system's authorities are trusted too.
    TLS_APPEND_DEFAULT_CA: bool = Bool "tls_append_default_CA", "no", (0, 0), "smtp smtpd tlsproxy", false;
    /// The configuration file of OpenSSL; not used here.
    TLS_CONFIG_FILE: String = Text "tls_config_file", "default", (0, 0), "smtp smtpd tlsproxy", false;
    /// The section of that file; not used here.
    TLS_CONFIG_NAME: String = Text "tls_config_name", "", (0, 0), "smtp smtpd tlsproxy", false;
    /// Random bytes that each process asks for.
    TLS_DAEMON_RANDOM_BYTES: i64 = Int "tls_daemon_random_bytes", "32", (1, 0), "smtp smtpd tlsproxy", false;
    /// Digests for DANE, the best first.
    TLS_DANE_DIGESTS: String = Text "tls_dane_digests", "sha512 sha256", (1, 0), "smtp smtpd tlsproxy", false;
    /// Workarounds for TLS bugs that are switched off.
    TLS_DISABLE_WORKAROUNDS: String = Text "tls_disable_workarounds", "", (0, 0), "smtp smtpd tlsproxy", false;
    /// Elliptic curves that are negotiated.
    TLS_EECDH_AUTO_CURVES: String = Text "tls_eecdh_auto_curves", "?X25519MLKEM768:DEFAULT", (0, 0), "smtp smtpd tlsproxy", false;
    /// The curve of the grade strong.
    TLS_EECDH_STRONG_CURVE: String = Text "tls_eecdh_strong_curve", "prime256v1", (0, 0), "smtp smtpd tlsproxy", false;
    /// The curve of the grade ultra.
    TLS_EECDH_ULTRA_CURVE: String = Text "tls_eecdh_ultra_curve", "secp384r1", (0, 0), "smtp smtpd tlsproxy", false;
    /// Ciphers of the grade export (outdated).
    TLS_EXPORT_CIPHERLIST: String = Text "tls_export_cipherlist", "", (0, 0), "smtp smtpd tlsproxy", false;
    /// Whether the end of a TLS session is not waited for.
    TLS_FAST_SHUTDOWN_ENABLE: bool = Bool "tls_fast_shutdown_enable", "yes", (0, 0), "smtp smtpd tlsproxy", false;
    /// Finite-field groups that are negotiated.
    TLS_FFDHE_AUTO_GROUPS: String = Text "tls_ffdhe_auto_groups", "", (0, 0), "smtp smtpd tlsproxy", false;
    /// Ciphers of the grade high.
    TLS_HIGH_CIPHERLIST: String = Text "tls_high_cipherlist", "aNULL:-aNULL:HIGH:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH", (1, 0), "smtp smtpd tlsproxy", false;
    /// Ciphers of the grade low (outdated).
    TLS_LOW_CIPHERLIST: String = Text "tls_low_cipherlist", "", (0, 0), "smtp smtpd tlsproxy", false;
    /// Ciphers of the grade medium.
    TLS_MEDIUM_CIPHERLIST: String = Text "tls_medium_cipherlist", "aNULL:-aNULL:HIGH:MEDIUM:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:+RC4:@STRENGTH", (1, 0), "smtp smtpd tlsproxy", false;
    /// Ciphers without encryption.
    TLS_NULL_CIPHERLIST: String = Text "tls_null_cipherlist", "eNULL:!kDH:!kECDH:!aDSS:!MD5:!aNULL", (1, 0), "smtp smtpd tlsproxy", false;
    /// Whether the server's order of ciphers counts.
    TLS_PREEMPT_CIPHERLIST: bool = Bool "tls_preempt_cipherlist", "no", (0, 0), "smtp smtpd tlsproxy", false;
    /// Random bytes that tlsmgr reads at a time.
    TLS_RANDOM_BYTES: i64 = Int "tls_random_bytes", "32", (1, 0), "tlsmgr", false;
    /// Where tlsmgr keeps randomness over restarts.
    TLS_RANDOM_EXCHANGE_NAME: String = Text "tls_random_exchange_name", "${data_directory}/prng_exch", (0, 0), "tlsmgr", false;
    /// How often tlsmgr saves randomness.
    TLS_RANDOM_PRNG_UPDATE_PERIOD: Duration = Time "tls_random_prng_update_period", "3600s", (1, 0), "tlsmgr", false;
    /// How often tlsmgr reads new randomness at most.
    TLS_RANDOM_RESEED_PERIOD: Duration = Time "tls_random_reseed_period", "3600s", (1, 0), "tlsmgr", false;
    /// Where tlsmgr gets randomness.
    TLS_RANDOM_SOURCE: String = Text "tls_random_source", "dev:/dev/urandom", (0, 0), "tlsmgr", false;
    /// Whether the header TLS-Required is honoured.
    TLS_REQUIRED_ENABLE: bool = BoolExpr "tls_required_enable", "yes", (0, 0), "all", true;
    /// Server certificates by requested name.
    TLS_SERVER_SNI_MAPS: String = Text "tls_server_sni_maps", "", (0, 0), "smtp smtpd tlsproxy", false;
    /// The cipher of session tickets.
    TLS_SESSION_TICKET_CIPHER: String = Text "tls_session_ticket_cipher", "aes-256-cbc", (0, 0), "smtp smtpd tlsproxy", false;
    /// Options of OpenSSL; not used here.
    TLS_SSL_OPTIONS: String = Text "tls_ssl_options", "", (0, 0), "smtp smtpd tlsproxy", false;
    /// Whether *.example.com also stands for a.b.example.com.
    TLS_WILDCARD_MATCHES_MULTIPLE_LABELS: bool = Bool "tls_wildcard_matches_multiple_labels", "yes", (0, 0), "smtp smtpd tlsproxy", false;
    /// The service that keeps TLS sessions and randomness.
    TLSMGR_SERVICE_NAME: String = Text "tlsmgr_service_name", "tlsmgr", (1, 0), "smtp smtpd tlsproxy", false;
}
