//! `postfix non-bdb`: how a system lives on that has tables of types that need Berkeley DB.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use pf_config::{MigrationLevel, param};

use crate::actions::Run;
use crate::say::{as_script, fatal, say, silent};

/// The service that builds tables anew, and its program.
const SERVICE: &str = "nbdb_reindex/unix=nbdb_reindex unix y n n - 1 nbdb_reindexd";
const SERVICE_NAME: &str = "nbdb_reindex/unix";
const LEVEL: &str = "non_bdb_migration_level";

/// Does what the word says.
///
/// # Errors
/// What was said is in the error, with its exit status.
pub(crate) fn run(run: &Run<'_>, words: &[OsString]) -> Result<ExitCode> {
    as_script("postfix-non-bdb-script", run.config)?;
    match words {
        [word] if word == "status" => say(run.config.raw(LEVEL).unwrap_or_default())?,
        [word] if word == "disable" => {
            let _ = postconf(run, &["-X", LEVEL]);
            let _ = postconf(run, &["-MX", SERVICE_NAME]);
        }
        [word] if word == "enable-redirect" => {
            check_targets(run)?;
            let _ = postconf(run, &["-MX", SERVICE_NAME]);
            postconf(run, &[&format!("{LEVEL}=enable-redirect")])?;
        }
        [word] if word == "enable-reindex" => {
            check_targets(run)?;
            reindex(run)?;
            postconf(run, &["-M", SERVICE])?;
            postconf(run, &[&format!("{LEVEL}=enable-reindex")])?;
        }
        _ => {
            return Err(fatal(
                "usage: postfix non-bdb status (or enable-redirect, or enable-reindex, or disable)",
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Has an alias table indexed whose name came to be `lmdb` or `cdb` with a new `default_database_type`: no program asks the
/// service for that, since none is led from `hash` to it. Done once for a configuration.
pub(crate) fn check_aliases(run: &Run<'_>) -> Result<()> {
    let done = run.layout.config.join("check-alias-maps-migration-done");
    if done.is_file() || run.config.migration_level()? != MigrationLevel::Reindex {
        return Ok(());
    }
    let maps = run.config.get(param::ALIAS_MAPS)?;
    for (kind, path) in maps
        .split_ascii_whitespace()
        .filter_map(|map| map.split_once(':'))
        .filter(|(kind, _)| matches!(*kind, "cdb" | "lmdb"))
    {
        let is_there = |suffix: &str| Path::new(&format!("{path}{suffix}")).is_file();
        if is_there(&format!(".{kind}")) || !is_there("") || !is_there(".db") {
            continue;
        }
        let made = run
            .program(&run.layout.daemon.join("nbdb_reindexd"))
            .args(["-S", &format!("hash:{path}")])
            .status();
        if !made.is_ok_and(|status| status.success()) {
            pf_log::warning!(
                "See https://www.postfix.org/NON_BERKELEYDB_README.html for suggestions"
            );
        }
    }
    // Where it cannot be noted, it is looked at again next time.
    let _ = File::create(done);
    Ok(())
}

fn postconf(run: &Run<'_>, args: &[&str]) -> Result<()> {
    let done = run
        .program(&run.layout.command("postconf"))
        .args(args)
        .status();
    match done {
        Ok(status) if status.success() => Ok(()),
        _ => Err(silent(1)),
    }
}

/// The types that take the place of `hash` and `btree` must not be those themselves.
fn check_targets(run: &Run<'_>) -> Result<()> {
    for (name, value) in [
        (
            "default_database_type",
            run.config.get(param::DEFAULT_DATABASE_TYPE)?,
        ),
        (
            "default_cache_db_type",
            run.config.get(param::DEFAULT_CACHE_DB_TYPE)?,
        ),
    ] {
        if matches!(value.as_str(), "hash" | "btree") {
            return Err(fatal(format!(
                "parameter {name} specifies a Berkeley DB type: '{value}'"
            )));
        }
    }
    Ok(())
}

/// Builds the tables that commands without rights use, which cannot ask the service.
fn reindex(run: &Run<'_>) -> Result<()> {
    for name in [
        "authorized_flush_users",
        "authorized_mailq_users",
        "authorized_submit_users",
        "local_login_sender_maps",
    ] {
        let value = run.config.raw(name).unwrap_or_default();
        for table in value.split_ascii_whitespace() {
            if !(table.starts_with("hash:") || table.starts_with("btree:")) {
                continue;
            }
            pf_log::info!("Proactively reindexing {table}");
            let built = run
                .program(&run.layout.command("postmap"))
                .arg(OsStr::new(table))
                .status();
            if !built.is_ok_and(|status| status.success()) {
                return Err(silent(1));
            }
        }
    }
    Ok(())
}
