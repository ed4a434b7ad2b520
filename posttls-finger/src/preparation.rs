//! What a handshake needs from outside the session: the digest of fingerprints, and files with keys and certificates. Without them
//! there is a session all the same, without TLS.

use std::fs::File;
use std::io;

use anyhow::{Result, bail};
use pf_config::Config;
use pf_log::{info, warning};

use crate::level::Level;
use crate::logging::Wanted;
use crate::options::Options;

/// The files of trust anchors can be opened, at the levels where they count.
///
/// # Errors
/// One cannot.
pub fn trust_anchors(options: &Options) -> Result<()> {
    if !matches!(options.level, Level::Secure | Level::Verify) {
        return Ok(());
    }
    for file in &options.trust_anchors {
        if let Err(err) = readable(file) {
            let why = pf_sys::error::text(&err);
            warning!("error opening trust anchor file: {file}: {why}");
            bail!("Failed to load trust anchor file: {file}");
        }
    }
    Ok(())
}

/// Whether there can be TLS. If not, there was a warning, unless nobody wants any.
///
/// # Errors
/// A parameter has a bad value.
pub fn is_possible(options: &Options, config: &Config) -> Result<bool> {
    let digest = match &options.digest {
        Some(digest) => digest.clone(),
        None => config
            .string("smtp_tls_fingerprint_digest")?
            .unwrap_or_default(),
    };
    if options.level == Level::None {
        return Ok(false);
    }
    if Wanted::read(&options.log_words).verbose {
        info!("initializing the client-side TLS engine");
    }
    if !is_digest(&digest) {
        warning!("Digest algorithm \"{digest}\" not found");
        warning!("disabling TLS support");
        return Ok(false);
    }
    Ok(authorities(options) && own_certificate(options))
}

/// Whether the certificates of authorities are there.
fn authorities(options: &Options) -> bool {
    let [file, directory] = &options.authorities;
    if file.is_empty() || readable(file).is_ok() {
        return true;
    }
    let directory = if directory.is_empty() {
        String::new()
    } else {
        format!(", CApath=\"{directory}\"")
    };
    info!(
        "cannot load Certification Authority data, CAfile=\"{file}\"{directory}: disabling TLS support"
    );
    false
}

/// Whether TLS is possible with what there is of our own keys and certificates.
fn own_certificate(options: &Options) -> bool {
    let complain = |file: &str, err: &io::Error| {
        let why = pf_sys::error::text(err);
        warning!("error opening chain file: {file}: {why}");
    };
    if !options.chains.is_empty() {
        // We are nobody then, and to some servers that does not matter.
        for file in pf_text::split::list(&options.chains) {
            if let Err(err) = readable(file) {
                complain(file, &err);
                break;
            }
        }
        return true;
    }
    let (certificate, key) = (&options.certificate, &options.key);
    if certificate.is_empty() {
        return true;
    }
    if certificate == key {
        let opened = readable(certificate);
        if let Err(err) = &opened {
            complain(certificate, err);
        }
        return opened.is_ok();
    }
    for (what, file) in [("certificate", certificate), ("private key", key)] {
        if readable(file).is_err() {
            warning!("cannot get RSA {what} from file \"{file}\": disabling TLS support");
            return false;
        }
    }
    true
}

fn readable(file: &str) -> io::Result<()> {
    File::open(file).map(drop)
}

/// Names of digests, as OpenSSL knows them, in lower case.
const DIGESTS: [&str; 38] = [
    "blake2b-512",
    "blake2b512",
    "blake2s-256",
    "blake2s256",
    "md5",
    "md5-sha1",
    "ripemd",
    "ripemd-160",
    "ripemd160",
    "rmd160",
    "sha-1",
    "sha-224",
    "sha-256",
    "sha-384",
    "sha-512",
    "sha-512/224",
    "sha-512/256",
    "sha1",
    "sha2-224",
    "sha2-256",
    "sha2-384",
    "sha2-512",
    "sha2-512/224",
    "sha2-512/256",
    "sha224",
    "sha256",
    "sha3-224",
    "sha3-256",
    "sha3-384",
    "sha3-512",
    "sha384",
    "sha512",
    "sha512-224",
    "sha512-256",
    "shake128",
    "shake256",
    "sm3",
    "ssl3-md5",
];

fn is_digest(name: &str) -> bool {
    DIGESTS.iter().any(|known| known.eq_ignore_ascii_case(name))
}
