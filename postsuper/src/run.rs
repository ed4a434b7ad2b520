//! From the command line to what is done.

use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use pf_cli::{Invocation, Opt, Scanned, Sinks, Spec};
use pf_config::param;
use pf_log::{error, fatal, warning};
use pf_queue::{Lister, Printer, Queue, QueueName};
use pf_sys::identity;
use pf_sys::interrupt::Interrupts;

use crate::all::Task;
use crate::chosen::Choice;
use crate::work::{Asked, Counts, Interrupted, Operation, Work};

/// What the command accepts.
pub const SPEC: Spec = Spec {
    name: "postsuper",
    about: "superintend the mail queue",
    usage: "%s [-c config_dir] [-d queue_id (delete)] [-e queue_id (expire)] [-f queue_id (expire and/or un-hold)] [-h queue_id (hold)] [-H queue_id (un-hold)] [-p (purge temporary files)] [-r queue_id (requeue)] [-s (structure fix)] [-S (redundant structure fix)][-v (verbose)] [queue...]",
    options: &[
        Opt::value('c', "config_dir", "use the configuration in this directory"),
        Opt::value('d', "queue_id", "delete a message"),
        Opt::value('e', "queue_id", "expire a message"),
        Opt::value('f', "queue_id", "expire a message and release it from hold"),
        Opt::value('h', "queue_id", "put a message on hold"),
        Opt::value('H', "queue_id", "release a message from hold"),
        Opt::flag('p', "purge old temporary files"),
        Opt::value('r', "queue_id", "requeue a message"),
        Opt::flag('s', "repair the structure"),
        Opt::flag('S', "repair the inode numbers of long queue ids, too"),
        Opt::flag('v', "be talkative"),
    ],
    long: &pf_select::OPTIONS_AND_DRY_RUN,
    operands: "queue...",
};

/// The command's main function.
pub fn main() -> ExitCode {
    pf_cli::run(&SPEC, Sinks::Log, run)
}

fn run(invocation: &Invocation) -> Result<ExitCode> {
    if identity::real_uid() != 0 {
        bail!("use of this command is reserved for the superuser");
    }
    let scanned = &invocation.scanned;
    if scanned
        .last('c')
        .is_some_and(|path| Path::new(path).is_relative())
    {
        bail!("-c requires absolute pathname");
    }
    // It would count as the name of a queue, and everything else would be done before that is found out.
    if let Some(late) = scanned
        .operands
        .iter()
        .find(|word| word.as_bytes().starts_with(b"--"))
    {
        bail!(
            "invalid directory name: {}: options stand before the names of queues",
            late.to_string_lossy()
        );
    }
    let mut criteria = pf_select::criteria(scanned)?;
    let dry_run = scanned.has_long("dry-run");
    let chooses = dry_run || !criteria.is_empty();
    if chooses
        && (wanted(scanned).is_empty() || ['p', 's', 'S'].iter().any(|one| scanned.has(*one)))
    {
        bail!("messages are chosen for -d, -e, -f, -h, -H and -r only");
    }
    let config = invocation.config(true)?;
    let directory = config.get(param::QUEUE_DIRECTORY)?;
    std::env::set_current_dir(&directory).with_context(|| format!("chdir {directory}"))?;
    let owner = config.get(param::MAIL_OWNER)?;
    let user = identity::user_by_name(&owner)?
        .ok_or_else(|| anyhow!("mail_owner: unknown user {owner}"))?;
    identity::drop_to(user.uid, user.gid).context("cannot take on the rights of mail_owner")?;

    let queue = Queue::new(&config)?;
    let empty = config.get(param::EMPTY_ADDRESS_RECIPIENT)?;
    criteria.set_null_address(empty.clone());
    let lister = Lister {
        queue: queue.clone(),
        empty,
        printer: Printer {
            utf8: config.get(param::SMTPUTF8_ENABLE)?,
        },
    };
    let mut work = Work {
        queue,
        queues: queues(scanned.operands.iter().map(|name| name.to_string_lossy())),
        long_ids: config.get(param::ENABLE_LONG_QUEUE_IDS)?,
        counts: Counts::default(),
        interrupts: Interrupts::catch()?,
        progress: None,
        choice: chooses.then(|| Choice::new(criteria, lister, dry_run)),
    };
    match superintend(&mut work, scanned) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(err) => {
            let signal = err.downcast_ref::<Interrupted>().map(|by| by.0);
            let (err, meant) = pf_cli::split_meant(err);
            if signal.is_none() {
                fatal!("{err:#}");
            }
            pf_cli::tell_meant(&invocation.called, meant.as_deref());
            if work.counts.left_undone() {
                warning!("OPERATION INCOMPLETE -- RERUN COMMAND TO FIX THE QUEUE FIRST");
            }
            let status = signal.and_then(|signal| u8::try_from(signal as i32).ok());
            Ok(ExitCode::from(status.unwrap_or(1)))
        }
    }
}

/// The operations that were asked for, and on which messages.
fn wanted(scanned: &Scanned) -> Vec<(Operation, &[u8])> {
    scanned
        .options
        .iter()
        .filter_map(|(letter, value)| Some((Operation::of(*letter)?, value.as_ref()?.as_bytes())))
        .collect()
}

/// Repairs first, then everything else in the order of the options.
fn superintend(work: &mut Work, scanned: &Scanned) -> Result<()> {
    let wanted = wanted(scanned);
    if work.choice.is_some() {
        // A mistake is told before anything is touched.
        for asked in &work.queues {
            asked.queue()?;
        }
    }
    let repair = Task {
        structure: scanned.has('s') || scanned.has('S'),
        redundant: scanned.has('S'),
        purge: scanned.has('p'),
        operation: None,
    };
    let asked = repair.structure || repair.purge;
    if asked || wanted.is_empty() {
        let repair = if asked {
            repair
        } else {
            Task {
                structure: true,
                purge: true,
                ..repair
            }
        };
        work.all(repair)?;
        // What has got its new name is put in its place by a second walk.
        if work.counts.mismatched > 0 {
            work.all(repair)?;
        }
    }
    let changed = work.counts.mismatched > 0 || work.counts.renamed > 0;
    if changed && wanted.iter().any(|(_, which)| *which != b"ALL") {
        error!("QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS");
        bail!("CHECK YOUR QUEUE IDS AND RE-ISSUE THE COMMAND");
    }
    for (operation, which) in &wanted {
        match *which {
            b"ALL" if work.choice.is_some() => work.all_chosen(*operation)?,
            b"ALL" => work.all(Task {
                operation: Some(*operation),
                ..Task::default()
            })?,
            b"-" => work.each_line(*operation)?,
            id => work.one(*operation, id)?,
        }
    }
    if let Some(count) = work.choice.as_ref().and_then(Choice::only_found) {
        let plural = if count == 1 { "" } else { "s" };
        writeln!(
            std::io::stdout(),
            "{count} message{plural}; nothing was changed"
        )?;
        return Ok(());
    }
    let operations: Vec<Operation> = wanted.iter().map(|(operation, _)| *operation).collect();
    work.report(&operations);
    Ok(())
}

/// The queues that are worked on unless operands name others. Logs stand before messages: they must be in their place when their
/// message gets another name.
const DEFAULT: [QueueName; 8] = [
    QueueName::Defer,
    QueueName::Bounce,
    QueueName::Maildrop,
    QueueName::Incoming,
    QueueName::Active,
    QueueName::Deferred,
    QueueName::Hold,
    QueueName::Flush,
];

/// The queues that the operands name, or the default ones.
fn queues<S: AsRef<str>>(operands: impl Iterator<Item = S>) -> Vec<Asked> {
    let all = || DEFAULT.into_iter().chain([QueueName::Trace]);
    let named: Vec<Asked> = operands
        .map(|operand| {
            let operand = operand.as_ref();
            all()
                .find(|name| name.as_str() == operand)
                .map_or_else(|| Asked::Unknown(operand.to_owned()), Asked::Queue)
        })
        .collect();
    if named.is_empty() {
        return DEFAULT.map(Asked::Queue).to_vec();
    }
    named
}
