//! Start of a setgid command, whose caller is not trusted: its name, its environment and its configuration directory.

use std::process::ExitCode;

use pf_config::{Config, DEFAULT_DIRECTORY, Source};
use pf_log::{Facility, Options, Sink};

use crate::run::{end, tell_bad};
use crate::{Invocation, Scanned, Spec};

/// Runs a setgid command. It always has its own name, is talkative only for root, takes nothing from the environment but
/// `MAIL_CONFIG`, and ends with `status` on every error that does not say otherwise. `check` is asked of all options, or of
/// those before the first bad one, and its complaint is told first.
pub fn run_setgid(
    spec: &Spec,
    status: u8,
    check: fn(&Invocation) -> anyhow::Result<()>,
    main: impl FnOnce(&Invocation) -> anyhow::Result<ExitCode>,
) -> ExitCode {
    pf_log::open(Options {
        program: spec.name.to_owned(),
        tag: format!("postfix/{}", spec.name),
        sinks: vec![Sink::Stderr, Sink::syslog(Facility::MAIL)],
    });
    let mut invocation = Invocation {
        called: spec.name.to_owned(),
        name: spec.name.to_owned(),
        scanned: Scanned::default(),
    };
    let bad = spec.scan_into(&mut invocation.scanned, std::env::args_os().skip(1));
    if let Err(err) = check(&invocation) {
        return end(err, spec.name, status);
    }
    if let Err(bad) = bad {
        tell_bad(spec, spec.name, &bad);
        return ExitCode::from(status);
    }
    if pf_sys::identity::effective_uid() == 0 {
        pf_log::set_verbose(u8::try_from(invocation.scanned.count('v')).unwrap_or(u8::MAX));
    }
    main(&invocation).unwrap_or_else(|err| end(err, spec.name, status))
}

/// A directory that the caller of a setgid program chose must be listed in the `main.cf` of the default one.
///
/// # Errors
/// It is not.
pub fn authorize(source: &Source) -> anyhow::Result<()> {
    if pf_sys::identity::has_borrowed_rights() {
        require_listed(source)
    } else {
        Ok(())
    }
}

/// A directory that is not the default one must be listed in the `main.cf` of the default one.
///
/// # Errors
/// It is not.
pub fn require_listed(source: &Source) -> anyhow::Result<()> {
    if source.is_default() {
        return Ok(());
    }
    let listed = Config::load(&Source::default())?;
    let wanted = source.dir.to_string_lossy();
    for name in ["alternate_config_directories", "multi_instance_directories"] {
        let value = listed.string(name)?.unwrap_or_default();
        if pf_text::split::list(&value).any(|directory| directory == wanted) {
            return Ok(());
        }
    }
    pf_log::error!("unauthorized configuration directory name: {wanted}");
    anyhow::bail!(
        "specify \"alternate_config_directories = {wanted}\" or \"multi_instance_directories = {wanted}\" \
         in {DEFAULT_DIRECTORY}/main.cf"
    )
}
