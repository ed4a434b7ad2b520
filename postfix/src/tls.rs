//! `postfix tls`: opportunistic TLS in a few words. Keys and certificates are made by openssl(1) (`openssl_path`), settings by
//! postconf(1).
//!
//! [`openssl`] runs that program, [`advice`] is what the administrator is told.

mod advice;
mod openssl;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use pf_cli::{Opt, Scanned, Spec};
use pf_config::{Config, Source, param};

use crate::actions::Run;
use crate::say::{as_script, fatal, say, silent};
use openssl::{Algorithm, Openssl};

/// TLS of a side is at its defaults when none of these is set.
const CLIENT: [&str; 7] = [
    "smtp_use_tls",
    "smtp_enforce_tls",
    "smtp_tls_enforce_peername",
    "smtp_tls_security_level",
    "smtp_tls_cert_file",
    "smtp_tls_dcert_file",
    "smtp_tls_eccert_file",
];
const SERVER: [&str; 6] = [
    "smtpd_use_tls",
    "smtpd_enforce_tls",
    "smtpd_tls_security_level",
    "smtpd_tls_cert_file",
    "smtpd_tls_dcert_file",
    "smtpd_tls_eccert_file",
];

/// The type of the tables that keep sessions.
const CACHE: &str = "lmdb";

/// The subcommands, their options, and what stands behind those in the usage line.
const SUBCOMMANDS: [(&str, &str, &str); 9] = [
    ("enable-client", "r", " [-r devrandom]"),
    (
        "enable-server",
        "abr",
        " [-a algorithm] [-b bits ] [-r devrandom] [hostname ...]",
    ),
    (
        "new-server-key",
        "ab",
        " [-a algorithm] [-b bits ] [hostname ...]",
    ),
    (
        "new-server-cert",
        "ab",
        " [-a algorithm] [-b bits ] [hostname ...]",
    ),
    ("deploy-server-cert", "", " certfile keyfile"),
    ("output-server-csr", "k", " [-k keyfile] [hostname ...]"),
    ("output-server-tlsa", "h", " [-h hostname] [keyfile ...]"),
    ("all-default-client", "", ""),
    ("all-default-server", "", ""),
];

/// All options; which subcommand has which is in [`SUBCOMMANDS`].
const SPEC: Spec = Spec {
    name: "postfix tls",
    about: "enable TLS",
    usage: "",
    options: &[
        Opt::value('a', "algorithm", "rsa or ecdsa."),
        Opt::value('b', "bits", "The size or the curve of the key."),
        Opt::value('h', "hostname", "The name in TLSA records."),
        Opt::value('k', "keyfile", "The private key."),
        Opt::value('r', "devrandom", "The source of random numbers."),
    ],
    long: &[],
    operands: "hostname",
};

/// Does what the words say.
///
/// # Errors
/// What was said is in the error, with its exit status.
pub(crate) fn run(run: &Run<'_>, words: &[OsString]) -> Result<ExitCode> {
    as_script("postfix-tls-script", run.config)?;
    // All instances use the program that the first one names.
    let first = Config::load(&Source::default())?;
    let path = first.get(param::OPENSSL_PATH)?;
    let openssl = Openssl::find(run, &path)?;
    if !run.layout.config.is_dir() {
        return Err(fatal(format!(
            "no Postfix configuration directory {}!",
            run.layout.config.display()
        )));
    }
    openssl.check(&Source::default().dir)?;
    let tls = Tls { run, openssl };
    let name = words
        .first()
        .map(|word| word.to_string_lossy())
        .unwrap_or_default();
    let Some((name, letters, rest)) = SUBCOMMANDS.iter().find(|(known, ..)| *known == name) else {
        pf_log::error!("unknown tls command: '{name}'");
        let known = SUBCOMMANDS.map(|(known, ..)| known);
        let usage = fatal(
            "usage: postfix tls enable-client (or enable-server, new-server-key, new-server-cert, deploy-server-cert, output-server-csr, output-server-tlsa, all-default-client, all-default-server)",
        );
        return Err(pf_cli::meant(usage, &name, known));
    };
    let usage = || fatal(format!("usage: postfix tls {name}{rest}"));
    let operands = words.get(1..).unwrap_or_default().to_vec();
    if letters.is_empty() {
        return tls.plain(name, &operands, usage);
    }
    let scanned = SPEC
        .scan(operands)
        .map_err(|bad| pf_cli::meant_option(usage(), &bad, &SPEC))?;
    if SPEC
        .options
        .iter()
        .any(|opt| scanned.has(opt.letter) && !letters.contains(opt.letter))
    {
        return Err(usage());
    }
    match *name {
        "enable-client" if !scanned.operands.is_empty() => return Err(usage()),
        "enable-client" => tls.enable_client(&scanned)?,
        "enable-server" => tls.enable_server(&scanned)?,
        "new-server-key" => {
            let algorithm =
                tls.algorithm(&scanned, "Internal error: empty algorithm ", "public")?;
            tls.new_certificate(algorithm, &bits(&scanned, algorithm), None, false, &scanned)?;
        }
        "new-server-cert" => tls.new_certificate_for_old_key(&scanned)?,
        "output-server-csr" => tls.request(&scanned)?,
        _ => tls.records(&scanned)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The words behind the options.
fn words(scanned: &Scanned) -> Vec<String> {
    scanned
        .operands
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

fn option(scanned: &Scanned, letter: char) -> String {
    scanned
        .last(letter)
        .map(|value| value.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn bits(scanned: &Scanned, algorithm: Algorithm) -> String {
    match option(scanned, 'b') {
        none if none.is_empty() => algorithm.default_bits().to_owned(),
        bits => bits,
    }
}

struct Tls<'a> {
    run: &'a Run<'a>,
    openssl: Openssl<'a>,
}

impl Tls<'_> {
    /// The subcommands without options.
    fn plain(
        &self,
        name: &str,
        operands: &[OsString],
        usage: impl Fn() -> anyhow::Error,
    ) -> Result<ExitCode> {
        let all_default = match (name, operands) {
            ("deploy-server-cert", [certificate, key]) => {
                let certificate = self.run.layout.config.join(certificate);
                let key = self.run.layout.config.join(key);
                self.deploy(&certificate, &key, None)?;
                advice::info(&advice::deployed(false));
                return Ok(ExitCode::SUCCESS);
            }
            ("all-default-client", []) => self.all_default(&CLIENT),
            ("all-default-server", []) => self.all_default(&SERVER),
            _ => return Err(usage()),
        };
        Ok(if all_default {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// What `main.cf` says, or nothing.
    fn set(&self, name: &str) -> String {
        let config = self.run.config;
        if config.is_set(name) {
            config.string(name).ok().flatten().unwrap_or_default()
        } else {
            String::new()
        }
    }

    fn all_default(&self, names: &[&str]) -> bool {
        let config = self.run.config;
        names.iter().all(|name| {
            !config.is_set(name) || config.raw(name).is_none_or(|value| value.is_empty())
        })
    }

    fn random_source(&self, scanned: &Scanned) -> Result<String> {
        let said = option(scanned, 'r');
        if !said.is_empty() {
            return Ok(said);
        }
        let configured = self.run.config.get(param::TLS_RANDOM_SOURCE)?;
        if !configured.is_empty() {
            return Ok(configured);
        }
        if Path::new("/dev/urandom").exists() {
            return Ok("dev:/dev/urandom".into());
        }
        Err(fatal(
            "no default TLS random source defined and no /dev/urandom",
        ))
    }

    fn algorithm(&self, scanned: &Scanned, empty: &str, what: &str) -> Result<Algorithm> {
        if !scanned.has('a') {
            return Ok(Algorithm::Rsa);
        }
        let name = option(scanned, 'a');
        if name.is_empty() {
            return Err(fatal(empty));
        }
        self.openssl
            .algorithm(&name)
            .ok_or_else(|| fatal(format!("Unsupported {what} key algorithm: {name}")))
    }

    fn edit(&self, settings: &[String]) -> Result<()> {
        let postconf = self.run.layout.command("postconf");
        // All at once: postconf waits before it changes a file that was changed just now.
        let done = self
            .run
            .program(&postconf)
            .arg("-e")
            .args(settings)
            .status();
        if done.is_ok_and(|status| status.success()) {
            Ok(())
        } else {
            Err(silent(1))
        }
    }

    fn enable_client(&self, scanned: &Scanned) -> Result<()> {
        let random = self.random_source(scanned)?;
        if !self.all_default(&CLIENT) {
            advice::info(&advice::client_is_set(CACHE));
            return Ok(());
        }
        let data = self.run.layout.data.display();
        let settings = [
            "smtp_tls_security_level = may".to_owned(),
            "smtp_tls_loglevel = 1".to_owned(),
            format!("smtp_tls_session_cache_database = {CACHE}:{data}/smtp_scache"),
            format!("tls_random_source = {random}"),
        ];
        if self.edit(&settings).is_ok() {
            advice::info(&advice::client_deployed());
        }
        Ok(())
    }

    fn enable_server(&self, scanned: &Scanned) -> Result<()> {
        let algorithm = self.algorithm(scanned, "Internal error: empty algorithm ", "private")?;
        self.random_source(scanned)?;
        if self.all_default(&SERVER) {
            self.new_certificate(algorithm, &bits(scanned, algorithm), None, true, scanned)
        } else {
            advice::info(&advice::server_is_set());
            Ok(())
        }
    }

    fn new_certificate_for_old_key(&self, scanned: &Scanned) -> Result<()> {
        let algorithm = self.algorithm(scanned, "Invalid empty key algorithm", "private")?;
        let mut key = self.key_file(algorithm.name());
        if let Some(missing) = key.take_if(|key| !key.is_file()) {
            pf_log::warning!(
                "Key file: {} not found, creating new keys",
                missing.display()
            );
        }
        self.new_certificate(
            algorithm,
            &bits(scanned, algorithm),
            key.as_deref(),
            false,
            scanned,
        )
    }

    /// The file that a word names: of the key that is in use, or below the configuration directory. `None` for none.
    fn key_file(&self, word: &str) -> Option<PathBuf> {
        let file = match word {
            "rsa" | "ecdsa" => {
                let algorithm = self.openssl.algorithm(word)?;
                PathBuf::from(self.set(algorithm.key_parameter()))
            }
            "" => return None,
            word => self.run.layout.config.join(word),
        };
        let none = file.as_os_str().is_empty() || file.as_os_str() == "none" || word == "none";
        (!none).then_some(file)
    }

    /// The first name in a certificate, request or record.
    fn host(&self, said: Option<&String>) -> Result<String> {
        match said {
            Some(name) if !name.is_empty() => Ok(name.clone()),
            _ => Ok(self.run.config.get(param::MYHOSTNAME)?),
        }
    }

    fn names(&self, scanned: &Scanned) -> Result<Vec<String>> {
        let words = words(scanned);
        let mut names = vec![self.host(words.first())?];
        names.extend(words.into_iter().skip(1));
        Ok(names)
    }

    /// Makes a key, or takes a copy of `old`, and a certificate for it; with `enable` both come into use at once.
    fn new_certificate(
        &self,
        algorithm: Algorithm,
        bits: &str,
        old: Option<&Path>,
        enable: bool,
        scanned: &Scanned,
    ) -> Result<()> {
        let (key, certificate) = self.new_files(algorithm)?;
        let made = match old {
            Some(old) => self.openssl.copy_key(algorithm, old, &key),
            None => self.openssl.create_key(algorithm, bits, &key),
        };
        if let Err(err) = made {
            let _ = fs::remove_file(&key);
            return Err(err);
        }
        self.openssl
            .create_certificate(&key, &certificate, &self.names(scanned)?)?;
        if enable {
            let random = self.random_source(scanned)?;
            self.deploy(&certificate, &key, Some(&random))?;
        }
        advice::info(&advice::created(&certificate, &key, enable, old.is_none()));
        Ok(())
    }

    /// The names of a new key and its certificate.
    fn new_files(&self, algorithm: Algorithm) -> Result<(PathBuf, PathBuf)> {
        let prefix = algorithm.file_prefix();
        let stamp = self
            .run
            .program(Path::new("date"))
            .args(["-u", "+%Y%m%d-%H%M%S"])
            .output()?
            .stdout;
        let stamp = String::from_utf8_lossy(&stamp);
        let stamp = stamp.trim_end();
        let config = &self.run.layout.config;
        let key = config.join(format!("{prefix}key-{stamp}.pem"));
        let certificate = config.join(format!("{prefix}cert-{stamp}.pem"));
        for (what, path) in [("private key", &key), ("certificate", &certificate)] {
            if path.exists() {
                return Err(fatal(format!(
                    "New {what} file already exists: {}",
                    path.display()
                )));
            }
        }
        Ok((key, certificate))
    }

    /// Puts a key and its certificate into use; with a source of random numbers, TLS is turned on too.
    fn deploy(&self, certificate: &Path, key: &Path, enable: Option<&str>) -> Result<()> {
        let algorithm = self.openssl.key_algorithm(key)?;
        let of_certificate = self
            .openssl
            .certificate_digest(certificate)
            .ok_or_else(|| fatal("error computing certificate public key digest"))?;
        let of_key = self
            .openssl
            .key_digest(key)
            .ok_or_else(|| fatal("error computing public key digest"))?;
        if of_certificate != of_key {
            return Err(fatal(format!(
                "Certificate in {} does not match key in {}",
                certificate.display(),
                key.display()
            )));
        }
        let mut settings = vec![
            format!("{} = {}", algorithm.key_parameter(), key.display()),
            format!(
                "{} = {}",
                algorithm.certificate_parameter(),
                certificate.display()
            ),
        ];
        if let Some(random) = enable {
            settings.extend([
                "smtpd_tls_security_level = may".to_owned(),
                "smtpd_tls_received_header = yes".to_owned(),
                "smtpd_tls_loglevel = 1".to_owned(),
                format!("tls_random_source = {random}"),
            ]);
        }
        self.edit(&settings)
    }

    /// `output-server-csr`.
    fn request(&self, scanned: &Scanned) -> Result<()> {
        let said = option(scanned, 'k');
        let key = if said.is_empty() {
            ["rsa", "ecdsa"].iter().find_map(|name| self.key_file(name))
        } else {
            self.key_file(&said)
        };
        match key.filter(|key| key.exists()) {
            Some(key) => self.openssl.request(&key, &self.names(scanned)?),
            None => Err(fatal("No usable keyfile specified or configured")),
        }
    }

    /// `output-server-tlsa`.
    fn records(&self, scanned: &Scanned) -> Result<()> {
        let host = self.host(Some(&option(scanned, 'h')))?;
        let mut keys = words(scanned);
        if keys.is_empty() {
            keys = vec!["rsa".into(), "ecdsa".into()];
        }
        let mut found = false;
        for key in keys.iter().filter_map(|key| self.key_file(key)) {
            say(format!("; {}", key.display()))?;
            self.openssl.key_algorithm(&key)?;
            let digest = self.openssl.key_digest(&key).ok_or_else(|| silent(1))?;
            say(format!("_25._tcp.{host}. IN TLSA 3 1 1 {digest}"))?;
            found = true;
        }
        if found {
            Ok(())
        } else {
            Err(fatal("No usable keyfiles specified or configured"))
        }
    }
}
