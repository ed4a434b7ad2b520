//! From the command line to what is done.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use pf_cli::{Invocation, LongOpt, Opt, Scanned, Spec};
use pf_config::{Config, param};
use pf_sys::identity;

use crate::count::CountBy;
use crate::list::{Choice, Form};
use crate::{ask, list};

/// Whatever is wrong, Postfix's postqueue ends with this status (sysexits.h).
const UNAVAILABLE: u8 = 69;

/// What Postfix's does not have.
const LONG: [LongOpt; 11] = {
    let [a, b, c, d, e, f, g, h, i] = pf_select::OPTIONS;
    let table = LongOpt::flag("table", "list the queue as a table, a row a message");
    let count = LongOpt::value(
        "count-by",
        "kind",
        "count messages by domain, sender, reason or age",
    );
    [table, count, a, b, c, d, e, f, g, h, i]
};

/// What the command accepts.
pub const SPEC: Spec = Spec {
    name: "postqueue",
    about: "list and flush the mail queue",
    usage: "%s -f | %s -i queueid | %s -j | %s -p | %s -s site",
    options: &[
        Opt::value('c', "config_dir", "use the configuration in this directory"),
        Opt::flag('f', "try to deliver all queued mail"),
        Opt::value('i', "queueid", "try to deliver this message"),
        Opt::flag('j', "list the queue, one JSON object a line"),
        Opt::flag('p', "list the queue"),
        Opt::value('s', "site", "try to deliver mail for this site"),
        Opt::flag('v', "be talkative (root only)"),
    ],
    long: &LONG,
    operands: "",
};

/// The command's main function.
pub fn main() -> ExitCode {
    pf_cli::run_setgid(&SPEC, UNAVAILABLE, one_mode, run)
}

/// A second mode is complained about as it comes, before what is wrong behind it.
fn one_mode(invocation: &Invocation) -> Result<()> {
    if modes(&invocation.scanned) > 1 {
        return Err(pf_cli::usage(&SPEC, SPEC.name));
    }
    Ok(())
}

fn run(invocation: &Invocation) -> Result<ExitCode> {
    let scanned = &invocation.scanned;
    if !scanned.operands.is_empty() {
        return Err(pf_cli::usage(&SPEC, SPEC.name));
    }
    let choice = choice(scanned)?;
    let source = invocation.source();
    pf_cli::authorize(&source)?;
    let config = Config::load(&source)?;
    pf_cli::open_log("postqueue", &config, false)?;
    config.check()?;
    if modes(scanned) == 0 {
        return Err(pf_cli::usage(&SPEC, SPEC.name));
    }
    let directory = config.get(param::QUEUE_DIRECTORY)?;
    std::env::set_current_dir(&directory).with_context(|| format!("chdir {directory}"))?;
    let text = |letter: char| {
        scanned
            .last(letter)
            .map(|value| value.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    if let Some(mut choice) = choice {
        let empty = config.get(param::EMPTY_ADDRESS_RECIPIENT)?;
        choice.criteria.set_null_address(empty);
        let list = config.get(param::AUTHORIZED_MAILQ_USERS)?;
        permitted(
            &config,
            "authorized_mailq_users",
            &list,
            "view the mail queue",
        )?;
        list::list(&config, &source.dir, Path::new(&directory), &choice)?;
        return Ok(ExitCode::SUCCESS);
    }
    let request = if scanned.has('i') {
        Request::Message(ask::queue_id(&text('i'))?)
    } else if scanned.has('s') {
        Request::Site(ask::site(&text('s'))?)
    } else {
        Request::All
    };
    let list = config.get(param::AUTHORIZED_FLUSH_USERS)?;
    permitted(
        &config,
        "authorized_flush_users",
        &list,
        "flush the mail queue",
    )?;
    match request {
        Request::All => ask::flush_all(&config)?,
        Request::Message(id) => ask::flush_message(&config, &id)?,
        Request::Site(site) => ask::flush_site(&config, &site)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Long options that each say what the command does, as `-p` and `-j` do.
const TABLES: [&str; 2] = ["table", "count-by"];

/// How many options say what the command does; there may be one.
fn modes(scanned: &Scanned) -> usize {
    let letters = ['f', 'i', 'j', 'p', 's'].map(|letter| scanned.count(letter));
    let long = scanned
        .long
        .iter()
        .filter(|(name, _)| TABLES.contains(name));
    letters.iter().sum::<usize>() + long.count()
}

/// What is to be listed, if anything is.
fn choice(scanned: &Scanned) -> Result<Option<Choice>> {
    let criteria = pf_select::criteria(scanned)?;
    let count = scanned.all_long("count-by").last();
    let form = if scanned.has('p') {
        Form::People
    } else if scanned.has('j') {
        Form::Json
    } else if scanned.has_long("table") {
        Form::Table
    } else if let Some(kind) = count {
        let kind = kind.to_string_lossy();
        Form::Count(CountBy::parse(&kind).ok_or_else(|| {
            let bad =
                anyhow!("--count-by: bad kind {kind:?}; specify domain, sender, reason or age");
            pf_cli::meant(bad, &kind, ["domain", "sender", "reason", "age"])
        })?)
    } else {
        // Without anything to do, the usage is told.
        let does = ['f', 'i', 's'].iter().any(|letter| scanned.has(*letter));
        anyhow::ensure!(
            criteria.is_empty() || !does,
            "messages are chosen for -p, -j, --table and --count-by only"
        );
        return Ok(None);
    };
    Ok(Some(Choice { form, criteria }))
}

/// What is to be delivered.
enum Request {
    All,
    Message(pf_queue::QueueId),
    Site(String),
}

/// The superuser and the mail system's own user may do everything.
fn permitted(config: &Config, parameter: &str, list: &str, what: &str) -> Result<()> {
    let uid = identity::real_uid();
    let owner = identity::user_by_name(&config.get(param::MAIL_OWNER)?)?;
    if uid == 0 || owner.is_some_and(|owner| owner.uid == uid) {
        return Ok(());
    }
    let (user, allowed) = pf_cli::user_allowed(parameter, list, uid)?;
    anyhow::ensure!(allowed, "User {user}({uid}) is not allowed to {what}");
    Ok(())
}
