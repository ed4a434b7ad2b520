//! The `posttls-finger` command: connects to the servers of a destination as the mail system would, and shows what they say
//! (posttls-finger(1)). What it says goes to standard output.
//!
//! `options` are what the command line asks for; `preparation` and `matching` look at what a TLS handshake would need. A
//! `destination` has `hosts`, each of which has a `policy` that its `tlsa` records decide; with the first one that answers on a
//! `connection` there is a `session` of commands and `reply`s. TLS itself is not there yet: its place is in the session.

mod connection;
mod destination;
mod hosts;
mod level;
mod logging;
mod matching;
mod options;
mod policy;
mod preparation;
mod probe;
mod reply;
mod session;
mod tlsa;

use std::process::ExitCode;

use anyhow::Result;
use pf_cli::{Invocation, Opt, Sinks, Spec};
use pf_config::{Config, param};
use pf_log::info;
use pf_sys::identity;

use crate::options::Options;
use crate::probe::Outcome;

/// The options of the command.
pub const SPEC: Spec = Spec {
    name: "posttls-finger",
    about: "show what an SMTP or LMTP server says, and how it does TLS",
    usage: "%s [-acCfRSvwx] [-t conn_tmout] [-T cmd_tmout] [-L logopts] \\\n\
            \t[-h host_lookup] [-l level] [-d mdalg] [-g grade] [-p protocols] \\\n\
            \t[-A tafile] [-F CAfile.pem] [-P CApath/] [-s servername] \\\n\
            \t[ [-H chainfiles] | [-k certfile [-K keyfile]] ] \\\n\
            \t[-m count] [-r delay] [-o name=value] destination [match ...]",
    options: &[
        Opt::value(
            'a',
            "family",
            "Try addresses of this family first: ipv4, ipv6 or any.",
        ),
        Opt::value(
            'A',
            "tafile",
            "A file with trust anchors; may be given several times.",
        ),
        Opt::flag('c', "Do not show what is said."),
        Opt::flag('C', "Show the server's certificates."),
        Opt::value('d', "mdalg", "The digest of fingerprints."),
        Opt::flag(
            'f',
            "Look for TLSA records of hosts in unsigned zones, too.",
        ),
        Opt::value('F', "CAfile", "A file with certificates of authorities."),
        Opt::value('g', "grade", "The least grade of ciphers."),
        Opt::value(
            'h',
            "host_lookup",
            "Where hosts are looked up: dns, native, or both.",
        ),
        Opt::value('H', "chainfiles", "Files with our keys and certificates."),
        Opt::value('k', "certfile", "The file with our certificate."),
        Opt::value('K', "keyfile", "The file with our key."),
        Opt::value('l', "level", "The TLS security level."),
        Opt::value('L', "logopts", "What of TLS is logged."),
        Opt::value('m', "count", "Connect anew at most this often."),
        Opt::value(
            'M',
            "policy",
            "What TLSA records are good for behind an insecure MX record.",
        ),
        Opt::value('o', "name=value", "Set this parameter."),
        Opt::value('p', "protocols", "The protocols of TLS."),
        Opt::value(
            'P',
            "CApath",
            "A directory with certificates of authorities.",
        ),
        Opt::value(
            'r',
            "delay",
            "Connect anew after so many seconds, to see sessions resumed.",
        ),
        Opt::flag('R', "Look for SRV records instead of MX records."),
        Opt::value('s', "servername", "The name to ask the server for (SNI)."),
        Opt::flag('S', "Speak LMTP."),
        Opt::value(
            't',
            "seconds",
            "How long a connection and the greeting may take.",
        ),
        Opt::value('T', "seconds", "How long a command may take."),
        Opt::flag('v', "Log more."),
        Opt::flag('w', "TLS begins at once, without STARTTLS."),
        Opt::flag('x', "Prefer raw public keys to certificates."),
        Opt::flag('X', "Do TLS by way of tlsproxy."),
    ],
    long: &[],
    operands: "destination [match ...]",
};

/// The command.
pub fn main() -> ExitCode {
    pf_cli::run_with(&SPEC, Sinks::StandardOutput, early, run)
}

/// What is looked at while options come: the configuration before them, and those that are wrong at once.
fn early(invocation: &Invocation) -> Result<Config> {
    let config = Config::load(&invocation.source())?;
    for (letter, value) in &invocation.scanned.options {
        let value = value.as_deref().unwrap_or_default().to_string_lossy();
        match letter {
            'M' => drop(options::insecure_mx(&value)?),
            'o' if pf_config::main_cf::split_setting(&value).is_err() => {
                return Err(pf_cli::plain_usage(&SPEC, &invocation.called));
            }
            _ => {}
        }
    }
    Ok(config)
}

fn run(invocation: &Invocation, mut config: Config) -> Result<ExitCode> {
    let options = Options::read(&invocation.scanned)?;
    for setting in invocation.scanned.all('o') {
        let setting = setting.to_string_lossy();
        if let Ok((name, value)) = pf_config::main_cf::split_setting(&setting) {
            config.set(name, value)?;
        }
    }
    config.set_names(&invocation.name, pf_config::NO_SERVICE_NAME);
    config.check()?;
    pf_log::show_utf8(config.get(param::SMTPUTF8_ENABLE)?);
    preparation::trust_anchors(&options)?;
    let tls = preparation::is_possible(&options, &config)?;
    pf_cli::imported(&config.get(param::IMPORT_ENVIRONMENT)?).map_err(anyhow::Error::msg)?;
    let [destination, matches @ ..] = invocation.scanned.operands.as_slice() else {
        return Err(pf_cli::plain_usage(&SPEC, &invocation.called));
    };
    matching::check(&options, &config, matches);
    give_up_rights(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let probe = probe::Probe::new(&options, &config, tls)?;
    let outcome = runtime.block_on(probe.run(destination))?;
    match outcome {
        Outcome::Talked if options.reconnect > 0 => {
            // Only a TLS session can be found again.
            info!("Server declined session caching. Done reconnecting.");
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Talked | Outcome::Failed => Ok(ExitCode::SUCCESS),
        Outcome::NeedsTls => Ok(ExitCode::FAILURE),
    }
}

/// What strangers say is not for root to read.
fn give_up_rights(config: &Config) -> Result<()> {
    if identity::effective_uid() != 0 {
        return Ok(());
    }
    let owner = config.get(param::MAIL_OWNER)?;
    let (uid, gid) = config.accounts()?.mail_owner;
    identity::drop_to_user(&owner, uid, gid)
        .map_err(|err| anyhow::anyhow!("setuid {owner}: {}", pf_sys::error::text(&err)))
}
