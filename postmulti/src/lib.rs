//! The `postmulti` command: several instances that share one installation (postmulti(1)).
//!
//! `instances` knows them, `iterate` does the same for many, `manage` and `change` make and remove them.

mod change;
mod instances;
mod iterate;
mod manage;

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, anyhow, ensure};
use pf_cli::{Invocation, Opt, Scanned, Sinks, Spec};
use pf_config::{Config, DEFAULT_DIRECTORY, Source, param};
use pf_log::{Facility, Sink};

use instances::{Claims, Instance, Instances, Selection};
use manage::{Action, Names};

/// The options of the command.
pub const SPEC: Spec = Spec {
    name: "postmulti",
    about: "manage several instances of the mail system",
    usage: "%s -l [-v] [-a] [-g group] [-i instance] | %s -p [-v] [-a] [-g group] [-i instance] command... | %s -x [-v] [-a] [-i name] [-g group] command... | %s -e action [-v] [-a] [-i name] [-g group] [-I name] [-G group] [param=value ...]",
    options: &[
        Opt::flag('a', "all instances"),
        Opt::value(
            'e',
            "action",
            "create, import, destroy, deport, enable, disable, assign or init",
        ),
        Opt::value('g', "group", "the instances of this group"),
        Opt::value('G', "group", "put the instance into this group"),
        Opt::value('i', "name", "the instance of this name"),
        Opt::value('I', "name", "give the instance this name"),
        Opt::flag('j', "list as JSON"),
        Opt::flag('l', "list the instances"),
        Opt::flag('p', "run a command of postfix for each"),
        Opt::flag('R', "in reverse order"),
        Opt::flag('v', "log more"),
        Opt::flag('x', "run any command for each"),
    ],
    long: &[],
    operands: "command",
};

/// What `-e` does.
const ACTIONS: [&str; 8] = [
    "create", "destroy", "import", "deport", "enable", "disable", "assign", "init",
];

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    List,
    Postfix,
    Any,
    Edit(Action),
}

struct Request {
    mode: Mode,
    selection: Selection,
    names: Names,
    reverse: bool,
    json: bool,
    words: Vec<OsString>,
}

/// The command.
pub fn main() -> ExitCode {
    if let Some(directory) = std::env::var_os("MAIL_CONFIG")
        && Path::new(&directory) != Path::new(DEFAULT_DIRECTORY)
    {
        pf_log::open(pf_log::Options {
            program: SPEC.name.to_owned(),
            tag: SPEC.name.to_owned(),
            sinks: vec![Sink::Stderr, Sink::syslog(Facility::MAIL)],
        });
        // There has to be one, nevertheless.
        match Config::load(&Source::with_directory(None)) {
            Ok(_) => pf_log::fatal!(
                "Non-default configuration directory: MAIL_CONFIG={}",
                directory.display()
            ),
            Err(err) => pf_log::fatal!("{err}"),
        }
        return ExitCode::FAILURE;
    }
    let mut scanned = Scanned::default();
    if let Err(bad) = SPEC.scan_into(&mut scanned, std::env::args_os().skip(1)) {
        // An action is looked at as it comes.
        if let Some(err) = scanned.all('e').find_map(|name| action(name).err()) {
            let _unread = writeln!(std::io::stderr(), "{}: fatal: {err}", SPEC.name);
            return ExitCode::FAILURE;
        }
        let _unread = writeln!(
            std::io::stderr(),
            "{name}: {bad}\n{name}: fatal: Usage:{}",
            SPEC.usage.replace("%s", SPEC.name),
            name = SPEC.name
        );
        pf_cli::suggest_option(SPEC.name, &bad, &SPEC);
        return ExitCode::FAILURE;
    }
    pf_cli::run(&SPEC, Sinks::Log, run)
}

fn run(invocation: &Invocation) -> Result<ExitCode> {
    pf_sys::process::umask(0o022);
    let config = invocation.config(true)?;
    let request = Request::parse(&invocation.scanned)?;
    let claims = shared_directories(&config)?;
    let instances = match request.mode {
        Mode::Edit(Action::Init) => Instances::default(),
        _ => Instances::load(&config, claims)?,
    };
    let mut list: Vec<&Instance> = instances.list.iter().collect();
    if request.reverse {
        list.reverse();
    }
    let selection = match request.selection {
        Selection::None if !matches!(request.mode, Mode::Edit(_)) => Selection::All,
        selected => selected,
    };
    let well = match request.mode {
        Mode::List => iterate::list(&list, &selection, request.json).map(|()| true)?,
        Mode::Postfix => iterate::postfix(&config, &list, &selection, &request.words)?,
        Mode::Any => iterate::any(&config, &list, &selection, &request.words)?,
        Mode::Edit(action) => {
            let settings: Vec<String> = request
                .words
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            let names = request.names;
            return manage::run(&config, action, instances, &selection, &names, &settings);
        }
    };
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn action(name: &OsStr) -> Result<Action> {
    let name = name.to_string_lossy();
    Action::named(&name).ok_or_else(|| {
        let bad = anyhow!(
            "Invalid '-e' edit action '{name}'. Specify 'create', 'destroy', 'import', 'deport', 'enable', 'disable', 'assign' or 'init'"
        );
        pf_cli::meant(bad, &name, ACTIONS)
    })
}

impl Request {
    /// What the command line asks for.
    ///
    /// # Errors
    /// It asks for what does not go together.
    fn parse(scanned: &Scanned) -> Result<Self> {
        let mut selections = 0;
        let mut selection = Selection::None;
        let mut modes = 0;
        let mut mode = None;
        let mut names = Names::default();
        let mut reverse = false;
        for (letter, value) in &scanned.options {
            let value = value
                .as_ref()
                .map(|value| value.to_string_lossy().into_owned());
            let value = value.unwrap_or_default();
            let mut choose = |new: Mode| {
                modes += usize::from(mode != Some(new));
                mode = Some(new);
            };
            match letter {
                'a' => {
                    selections += usize::from(selection != Selection::All);
                    selection = Selection::All;
                }
                'g' => {
                    selections += 1;
                    selection = Selection::Group(value);
                }
                'i' => {
                    selections += 1;
                    selection = Selection::Name(value);
                }
                'e' => choose(Mode::Edit(action(OsStr::new(&value))?)),
                'l' => choose(Mode::List),
                'p' => choose(Mode::Postfix),
                'x' => choose(Mode::Any),
                'G' | 'I' => {
                    let place = if *letter == 'G' {
                        &mut names.group
                    } else {
                        &mut names.name
                    };
                    ensure!(place.is_none(), "Specify at most one '-{letter}' option");
                    *place = Some(if value == "-" { String::new() } else { value });
                }
                'R' => reverse = !reverse,
                _ => {}
            }
        }
        // The spelling is the original's, for those who look for it.
        ensure!(
            selections <= 1,
            "Specity no more than one of '-a', '-g', '-i'"
        );
        let mode = mode
            .filter(|_| modes == 1)
            .ok_or_else(|| anyhow!("Specify exactly one of '-e', '-l', '-p', '-x'"))?;
        let request = Self {
            mode,
            selection,
            names,
            reverse,
            json: scanned.has('j'),
            words: scanned.operands.clone(),
        };
        request.agree()?;
        Ok(request)
    }

    fn agree(&self) -> Result<()> {
        let words = !self.words.is_empty();
        let named = self.names != Names::default();
        match self.mode {
            Mode::List => ensure!(!words, "Command not allowed with '-l'"),
            Mode::Postfix | Mode::Any => {
                ensure!(words, "Command required with '-p' or '-x' option");
            }
            Mode::Edit(_) => {}
        }
        if matches!(self.mode, Mode::Postfix | Mode::Edit(_)) {
            ensure!(
                !self.reverse,
                "The '-p' and '-e' options preclude the use of '-R'"
            );
        }
        match self.mode {
            Mode::Edit(action) => {
                let name = action.name();
                let assigns = action.adds() || action == Action::Assign;
                ensure!(
                    assigns || !named,
                    "Cannot assign instance name or group with '-e {name}'"
                );
                ensure!(
                    action != Action::Assign || named,
                    "Specify new instance name or group with '-e {name}'"
                );
                ensure!(
                    action.adds() || !words,
                    "Parameter overrides not valid with '-e {name}'"
                );
            }
            _ => ensure!(
                !named,
                "Cannot assign instance name or group without '-e assign'"
            ),
        }
        ensure!(
            !self.json || self.mode == Mode::List,
            "JSON output available only with '-l'"
        );
        Ok(())
    }
}

/// The directories that all instances share: no instance may have them to itself.
fn shared_directories(config: &Config) -> Result<Claims> {
    let mut claims = Claims::default();
    let instance = Source::default().dir.to_string_lossy().into_owned();
    for (name, parameter) in [
        ("command_directory", param::COMMAND_DIRECTORY),
        ("daemon_directory", param::DAEMON_DIRECTORY),
        ("meta_directory", param::META_DIRECTORY),
        ("shlib_directory", param::SHLIB_DIRECTORY),
    ] {
        let value = config.get(parameter)?;
        // `no` is no directory.
        if !value.starts_with('/') {
            continue;
        }
        let status = std::fs::metadata(&value).map_err(|err| {
            anyhow!(
                "{name} = '{value}': directory not found: {}",
                pf_sys::error::text(&err)
            )
        })?;
        ensure!(status.is_dir(), "{name} = '{value}' is not a directory");
        // Others usually share this one.
        if name != "meta_directory" {
            claims.register(&instance, name, &value)?;
        }
    }
    Ok(claims)
}
