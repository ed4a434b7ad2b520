//! What the administrator is told, line by line, after `postfix tls` did something or left it.

use std::path::Path;

/// Logs each line.
pub(super) fn info(text: &str) {
    for line in text.lines() {
        pf_log::info!("{line}");
    }
}

const RELOAD: &str = "Run the command:\n  # postfix reload\nif you want the new settings to take effect immediately.\n";

pub(super) fn client_is_set(cache: &str) -> String {
    format!(
        "*** Non-default SMTP client TLS settings detected, no changes made.\nFor opportunistic TLS in the Postfix SMTP client, the below settings\nare typical:\n  smtp_tls_security_level = may\n  smtp_tls_loglevel = 1\n  smtp_tls_session_cache_database = {cache}:${{data_directory}}/smtp_scache\n"
    )
}

pub(super) fn client_deployed() -> String {
    format!("Enabled opportunistic TLS in the Postfix SMTP client.\n{RELOAD}")
}

pub(super) fn server_is_set() -> String {
    "*** Non-default SMTP server TLS settings detected, no changes made.\nFor opportunistic TLS in the Postfix SMTP server, the below settings\nare typical:\n  smtpd_tls_security_level = may\n  smtpd_tls_loglevel = 1\nYou can use \"postfix tls new-server-cert\" to create a new certificate.\nOr, \"postfix tls new-server-key\" to also force a new private key.\nIf you publish DANE TLSA records, see:\n  https://tools.ietf.org/html/rfc7671#section-8\n  https://tools.ietf.org/html/rfc7671#section-5.1\n  https://tools.ietf.org/html/rfc7671#section-5.2\n  https://community.letsencrypt.org/t/please-avoid-3-0-1-and-3-0-2-dane-tlsa-records-with-le-certificates/7022\n".to_owned()
}

/// A certificate and its key are in use now; with `enabled`, so is TLS.
pub(super) fn deployed(enabled: bool) -> String {
    let enabled = if enabled {
        "Enabled opportunistic TLS in the Postfix SMTP server\n"
    } else {
        ""
    };
    format!("{enabled}New TLS private key and certificate deployed.\n{RELOAD}")
}

/// A certificate was made, and a key unless it was there before; both may be in use already.
pub(super) fn created(certificate: &Path, key: &Path, in_use: bool, new_key: bool) -> String {
    let (certificate, key) = (certificate.display(), key.display());
    let mut text = if in_use {
        deployed(true)
    } else {
        format!(
            "New private key and self-signed certificate created. To deploy run:\n  # postfix tls deploy-server-cert {certificate} {key}\n"
        )
    };
    let later = if in_use { "" } else { ", and deploy as above" };
    text += &format!(
        "To generate a CSR run:\n  # postfix tls output-server-csr -k {key} [<hostname> ...]\nSave the signed certificate chain in {certificate}{later}.\n"
    );
    let which = if in_use {
        String::new()
    } else {
        key.to_string()
    };
    text += &format!(
        "To generate TLSA records run:\n  # postfix tls output-server-tlsa [-h <hostname>] {which}\n"
    );
    if new_key {
        text += if in_use {
            "(If you have DANE TLSA RRs, update them as soon as possible to match\nthe newly deployed keys).\n"
        } else {
            "(deploy after updating the DNS and waiting for stale RRs to expire).\n"
        };
    }
    text
}
