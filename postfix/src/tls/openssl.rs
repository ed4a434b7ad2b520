//! openssl(1), which knows keys and certificates.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::Result;
use pf_sys::process::umask;

use crate::actions::Run;
use crate::say::{fatal, told};

/// The SHA2-256 digest of nothing.
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// A wrong password, so that none is asked for.
const NO_PASSWORD: [&str; 2] = ["-passin", "pass:umask 077"];
/// What a certificate lasts: about a hundred years.
const DAYS: &str = "36525";

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rsa,
    Ecdsa,
}

impl Algorithm {
    const ALL: [Self; 2] = [Self::Rsa, Self::Ecdsa];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ecdsa => "ecdsa",
        }
    }

    /// The word of openssl(1) for its keys.
    fn word(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ecdsa => "ec",
        }
    }

    pub(super) fn default_bits(self) -> &'static str {
        match self {
            Self::Rsa => "2048",
            Self::Ecdsa => "secp256r1",
        }
    }

    pub(super) fn file_prefix(self) -> &'static str {
        match self {
            Self::Rsa => "",
            Self::Ecdsa => "ec",
        }
    }

    pub(super) fn key_parameter(self) -> &'static str {
        match self {
            Self::Rsa => "smtpd_tls_key_file",
            Self::Ecdsa => "smtpd_tls_eckey_file",
        }
    }

    pub(super) fn certificate_parameter(self) -> &'static str {
        match self {
            Self::Rsa => "smtpd_tls_cert_file",
            Self::Ecdsa => "smtpd_tls_eccert_file",
        }
    }
}

/// The program.
pub(super) struct Openssl<'a> {
    run: &'a Run<'a>,
    path: &'a str,
    has_curves: bool,
}

impl<'a> Openssl<'a> {
    /// Looks for the program.
    ///
    /// # Errors
    /// There is none, or it does not run.
    pub(super) fn find(run: &'a Run<'a>, path: &'a str) -> Result<Self> {
        let mut found = Self {
            run,
            path,
            has_curves: true,
        };
        let no = || {
            fatal(format!(
                "No working openssl(1) command found with 'openssl_path = {path}'"
            ))
        };
        found.succeeds(&["version"]).then_some(()).ok_or_else(no)?;
        found.has_curves = found.succeeds(&["ecparam", "-name", "secp256r1"]);
        Ok(found)
    }

    /// Looks whether the program knows what is needed.
    ///
    /// # Errors
    /// It is too old.
    pub(super) fn check(&self, directory: &Path) -> Result<()> {
        if !self.has_curves {
            for line in [
                format!(
                    "Postfix supports ECDSA, but the {} command does not. Consider",
                    self.path
                ),
                "setting the openssl_path parameter to a more capable version of the".to_owned(),
                format!(
                    "command-line utility than {} (with PATH={}).",
                    self.path,
                    crate::PATH
                ),
            ] {
                pf_log::warning!("{line}");
            }
        }
        if self.digest(b"").as_deref() == Some(NOTHING) {
            return Ok(());
        }
        let _told = told(format!(
            "Your {} does not support the SHA2-256 digest algorithm. To enable\n'postfix tls', install an OpenSSL that does. Install its openssl(1) command\nat /usr/local/bin/openssl or other suitable location, and set the\n'openssl_path' parameter in {}/main.cf accordingly.",
            self.path,
            directory.display()
        ));
        Err(fatal(
            "No 'postfix tls' support when openssl(1) is obsolete",
        ))
    }

    /// The algorithm of this name, if it can be used.
    pub(super) fn algorithm(&self, name: &str) -> Option<Algorithm> {
        Algorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .filter(|algorithm| *algorithm == Algorithm::Rsa || self.has_curves)
    }

    fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = self.run.program(Path::new(self.path));
        command
            .args(args)
            // As in a shell, whose present directory this is.
            .current_dir(&self.run.layout.command);
        command
    }

    fn succeeds(&self, args: &[&str]) -> bool {
        self.command(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// What the program makes of its input; its complaints are not shown.
    fn filter<S: AsRef<OsStr>>(&self, args: &[S], input: &[u8]) -> Option<Output> {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that needs no more of it shows so by what it gives.
            let _ = stdin.write_all(input);
        }
        child.wait_with_output().ok()
    }

    /// The SHA2-256 digest in hexadecimal.
    fn digest(&self, bytes: &[u8]) -> Option<String> {
        let digest = self.filter(&["dgst", "-binary", "-sha256"], bytes)?.stdout;
        Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// A private key without its password protection, if it is of this kind.
    fn read_key(&self, algorithm: Algorithm, path: &Path) -> Option<Vec<u8>> {
        let [option, password] = NO_PASSWORD;
        let args = [algorithm.word(), option, password, "-in"].map(OsStr::new);
        let args = [args.as_slice(), &[path.as_os_str()]].concat();
        let key = self.filter(&args, b"")?.stdout;
        (path.is_file() && key.iter().any(|byte| *byte != b'\n')).then_some(key)
    }

    /// What kind of private key is in a file.
    ///
    /// # Errors
    /// None.
    pub(super) fn key_algorithm(&self, path: &Path) -> Result<Algorithm> {
        Algorithm::ALL
            .into_iter()
            .find(|algorithm| self.read_key(*algorithm, path).is_some())
            .ok_or_else(|| fatal(format!("no private key found in file: {}", path.display())))
    }

    /// The digest of a public key in the form that records and comparisons use.
    fn public_digest(&self, public: impl Fn(Algorithm) -> Option<Vec<u8>>) -> Option<String> {
        [Algorithm::Ecdsa, Algorithm::Rsa]
            .into_iter()
            .find_map(|algorithm| {
                let key = public(algorithm)?;
                let args = [algorithm.word(), "-pubin", "-outform", "DER"];
                let der = self.filter(&args, &key)?.stdout;
                (!der.is_empty()).then(|| self.digest(&der))?
            })
    }

    pub(super) fn key_digest(&self, path: &Path) -> Option<String> {
        let [option, password] = NO_PASSWORD;
        self.public_digest(|algorithm| {
            let args = [algorithm.word(), option, password, "-in"].map(OsStr::new);
            let args = [args.as_slice(), &[path.as_os_str(), OsStr::new("-pubout")]].concat();
            self.filter(&args, b"").map(|output| output.stdout)
        })
    }

    pub(super) fn certificate_digest(&self, path: &Path) -> Option<String> {
        let args = ["x509", "-pubkey", "-noout", "-in"].map(OsStr::new);
        let args = [args.as_slice(), &[path.as_os_str()]].concat();
        let key = self.filter(&args, b"").map(|output| output.stdout);
        self.public_digest(|_| key.clone())
    }

    /// Writes a key that is in use to a new file.
    ///
    /// # Errors
    /// It cannot be read, or is of another kind.
    pub(super) fn copy_key(&self, algorithm: Algorithm, old: &Path, new: &Path) -> Result<()> {
        let copied = Algorithm::ALL.into_iter().find_map(|found| {
            let key = self.read_key(found, old)?;
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(new)
                .ok()?;
            file.write_all(&key).ok()?;
            Some(found)
        });
        match copied {
            Some(found) if found == algorithm => Ok(()),
            Some(found) => Err(fatal(format!(
                "Key algorithm '{}' of '{}' is not '{}'",
                found.name(),
                old.display(),
                algorithm.name()
            ))),
            None => Err(fatal(format!(
                "Error copying private key from '{}' to '{}'",
                old.display(),
                new.display()
            ))),
        }
    }

    /// Makes a key.
    ///
    /// # Errors
    /// There is no such size or curve.
    pub(super) fn create_key(&self, algorithm: Algorithm, bits: &str, path: &Path) -> Result<()> {
        let path = path.as_os_str();
        let bits_word = OsStr::new(bits);
        let args: Vec<&OsStr> = match algorithm {
            Algorithm::Rsa => {
                let [word, out] = ["genrsa", "-out"].map(OsStr::new);
                vec![word, out, path, bits_word]
            }
            Algorithm::Ecdsa => {
                let [word, form, named, make, out, name] = [
                    "ecparam",
                    "-param_enc",
                    "named_curve",
                    "-genkey",
                    "-out",
                    "-name",
                ]
                .map(OsStr::new);
                vec![word, form, named, make, out, path, name, bits_word]
            }
        };
        let before = umask(0o077);
        let made = self.command(&args).stdin(Stdio::null()).output();
        umask(before);
        let complaints = match made {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => [output.stdout, output.stderr].concat(),
            Err(err) => pf_sys::error::text(&err).into_bytes(),
        };
        for line in String::from_utf8_lossy(&complaints).lines() {
            pf_log::warning!("{line}");
        }
        Err(fatal(format!(
            "error generating new {} {bits} private key",
            algorithm.name()
        )))
    }

    /// Makes a certificate that is signed with its own key.
    ///
    /// # Errors
    /// The program says why.
    pub(super) fn create_certificate(
        &self,
        key: &Path,
        certificate: &Path,
        names: &[String],
    ) -> Result<()> {
        let subject = format!("/CN={}", names.first().map_or("", String::as_str));
        let [
            req,
            x509,
            config,
            stdin,
            new,
            key_option,
            subj,
            days,
            many,
            out,
        ] = [
            "req",
            "-x509",
            "-config",
            "/dev/stdin",
            "-new",
            "-key",
            "-subj",
            "-days",
            DAYS,
            "-out",
        ]
        .map(OsStr::new);
        let args = [
            req,
            x509,
            config,
            stdin,
            new,
            key_option,
            key.as_os_str(),
            subj,
            OsStr::new(&subject),
            days,
            many,
            out,
            certificate.as_os_str(),
        ];
        if self.configured(
            &args,
            &configuration("x509", "basicConstraints = CA:false\n", names),
        ) {
            return Ok(());
        }
        let _ = fs::remove_file(certificate);
        let _ = fs::remove_file(key);
        Err(fatal("error generating self-signed SSL certificate"))
    }

    /// Shows a request for a certificate.
    ///
    /// # Errors
    /// The program says why.
    pub(super) fn request(&self, key: &Path, names: &[String]) -> Result<()> {
        let [req, config, stdin, new, key_option, subj, none] =
            ["req", "-config", "/dev/stdin", "-new", "-key", "-subj", "/"].map(OsStr::new);
        let args = [
            req,
            config,
            stdin,
            new,
            key_option,
            key.as_os_str(),
            subj,
            none,
        ];
        if self.configured(&args, &configuration("req", "", names)) {
            Ok(())
        } else {
            Err(crate::say::silent(1))
        }
    }

    /// Runs the program with this configuration.
    fn configured(&self, args: &[&OsStr], configuration: &str) -> bool {
        let Ok(mut child) = self.command(args).stdin(Stdio::piped()).spawn() else {
            return false;
        };
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(configuration.as_bytes());
        }
        child.wait().is_ok_and(|status| status.success())
    }
}

/// What a certificate or a request for one is to say.
fn configuration(kind: &str, more: &str, names: &[String]) -> String {
    let mut text = format!(
        "default_md = sha256\n{kind}_extensions = v3\nprompt = yes\ndistinguished_name = dn\n[dn]\n[v3]\n{more}subjectKeyIdentifier = hash\nextendedKeyUsage = serverAuth, clientAuth\nsubjectAltName = @alts\n[alts]\n"
    );
    for (name, number) in names.iter().zip(1..) {
        text += &format!("DNS.{number} = {name}\n");
    }
    text
}
