//! The `postconf` command: shows and edits the configuration.
//!
//! [`mode`] knows which options go together; [`names`] which parameters exist and what they are set to; [`master`] prints
//! `master.cf`; [`edit_main`] and [`edit_master`] change the files through [`replace`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufWriter, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{anyhow, bail};
use pf_cli::{Invocation, Opt, Spec};
use pf_config::{Config, Source, main_cf, param};

mod databases;
mod edit_main;
mod edit_master;
mod lines;
pub mod master;
mod master_print;
pub mod mode;
pub mod names;
mod parameters;
mod pattern;
pub mod print;
mod references;
mod replace;
mod services;
mod unused;

use mode::Mode;
use names::{Class, Names};
use unused::Report;

/// The options of the command.
pub const SPEC: Spec = Spec {
    name: "postconf",
    about: "show and edit the configuration",
    usage: "%s [-a (server SASL types)] [-A (client SASL types)] [-b (bounce templates)] [-c config_dir] \
[-c param_class] [-d (parameter defaults)] [-e (edit configuration)] [-f (fold lines)] [-F (master.cf fields)] \
[-h (no names)] [-H (no values)] [-j (streaming JSON) ] [-l (lock types)] [-m (map types)] [-M (master.cf)] \
[-n (non-default parameters)] [-o name=value (override parameter value)] [-p (main.cf, default)] \
[-P (master.cf parameters)] [-t (bounce templates)] [-T compile-version|run-version|public-key-algorithms] \
[-v (verbose)] [-x (expand parameter values)] [-X (exclude)] [-# (comment-out)] [name...]",
    options: &[
        Opt::flag('a', "List the SASL plug-in types of the SMTP server."),
        Opt::flag('A', "List the SASL plug-in types of the SMTP client."),
        Opt::flag(
            'b',
            "Show the bounce templates with the names in them expanded.",
        ),
        Opt::value('c', "config_dir", "The directory of main.cf and master.cf."),
        Opt::value(
            'C',
            "class",
            "Only parameters of this class: builtin, service, user or all; inactive: those only accepted.",
        ),
        Opt::flag('d', "Show defaults instead of settings."),
        Opt::flag('e', "Edit: name=value arguments are put into the file."),
        Opt::flag('E', "Reserved: only shows the usage."),
        Opt::flag('f', "Fold long lines."),
        Opt::flag('F', "Show or edit fields of master.cf."),
        Opt::flag('h', "Leave out names."),
        Opt::flag('H', "Leave out values."),
        Opt::flag('j', "Show JSON, one object a line."),
        Opt::flag('l', "List the mailbox lock types."),
        Opt::flag('m', "List the lookup table types."),
        Opt::flag('M', "Show or edit entries of master.cf."),
        Opt::flag('n', "Only parameters that main.cf sets."),
        Opt::value(
            'o',
            "name=value",
            "Take this value instead of that in main.cf.",
        ),
        Opt::flag('p', "Show or edit main.cf (the default)."),
        Opt::flag(
            'P',
            "Show or edit parameters in master.cf; twice: with those of main.cf.",
        ),
        Opt::flag('q', "No warnings about unused and deprecated parameters."),
        Opt::flag('t', "Show the bounce templates."),
        Opt::value(
            'T',
            "mode",
            "Show facts about TLS: compile-version, run-version, public-key-algorithms.",
        ),
        Opt::flag('v', "Verbose."),
        Opt::flag('x', "Expand values."),
        Opt::flag('X', "Remove entries."),
        Opt::flag('#', "Comment entries out."),
    ],
    long: &[],
    operands: "name",
};

/// What `-T` tells about.
const TLS_MODES: [&str; 3] = ["compile-version", "run-version", "public-key-algorithms"];

/// What `-C` chooses.
const CLASSES: [&str; 5] = ["builtin", "service", "user", "inactive", "all"];

/// Runs the command.
pub fn main() -> ExitCode {
    pf_cli::run_as_called(
        &SPEC,
        |invocation| {
            // Each byte is a character here; those that are not ASCII are not shown in complaints.
            pf_log::set_ascii();
            options(invocation).map(drop)
        },
        run,
    )
}

/// What the command line means.
struct Request {
    called: String,
    mode: Mode,
    classes: Vec<Class>,
    overrides: Vec<String>,
    tls: String,
    warn: bool,
    names: Vec<String>,
    directory: Option<PathBuf>,
}

/// What the options say, each by itself.
fn options(invocation: &Invocation) -> anyhow::Result<Request> {
    let mut request = Request {
        called: invocation.called.clone(),
        mode: Mode::default(),
        classes: vec![Class::Builtin, Class::Service, Class::User],
        overrides: Vec::new(),
        tls: String::new(),
        warn: true,
        names: Vec::new(),
        directory: None,
    };
    for (letter, value) in &invocation.scanned.options {
        let value = || {
            value
                .as_ref()
                .map(|value| lines::open(value.as_bytes()))
                .unwrap_or_default()
        };
        let flag = match letter {
            'a' => Mode::SASL_SERVER,
            'A' => Mode::SASL_CLIENT,
            'b' | 't' => {
                if request
                    .mode
                    .has(Mode::TEMPLATES.with(Mode::TEMPLATES_EXPANDED))
                {
                    bail!("specify one of -b and -t");
                }
                if *letter == 'b' {
                    Mode::TEMPLATES_EXPANDED
                } else {
                    Mode::TEMPLATES
                }
            }
            'c' => {
                request.directory = Some(OsString::from_vec(lines::close(&value())).into());
                continue;
            }
            'C' => {
                // As in Postfix, this alone does not count as an option given.
                request.classes = classes(&value())?;
                continue;
            }
            'd' => Mode::DEFAULTS,
            'e' => Mode::EDIT,
            // Scanned, but without a meaning: getopt(3) has nothing to say against it.
            'E' => return Err(pf_cli::usage(&SPEC, &invocation.called)),
            'f' => Mode::FOLD,
            'F' => Mode::MASTER_FIELD,
            '#' => Mode::COMMENT_OUT,
            'h' => Mode::NO_NAME,
            'H' => Mode::NO_VALUE,
            'j' => Mode::JSON,
            'l' => Mode::LOCKS,
            'm' => Mode::MAPS,
            'M' => Mode::MASTER_ENTRY,
            'n' => Mode::SET,
            'o' => {
                request.overrides.push(value());
                Mode::OVERRIDE
            }
            'p' => Mode::MAIN,
            'P' if request.mode.has(Mode::MASTER_PARAM) => Mode::MASTER_ALL_PARAMS,
            'P' => Mode::MASTER_PARAM,
            'q' => {
                request.warn = false;
                continue;
            }
            'T' => {
                if request.mode.has(Mode::TLS) {
                    bail!("At most one -T <mode> option may be specified");
                }
                request.tls = value();
                Mode::TLS
            }
            'x' => Mode::EXPAND,
            'X' => Mode::EXCLUDE,
            _ => continue,
        };
        request.mode = request.mode.with(flag);
    }
    Ok(request)
}

fn request(invocation: &Invocation) -> anyhow::Result<Request> {
    let mut request = options(invocation)?;
    for operand in &invocation.scanned.operands {
        request.names.push(lines::open(operand.as_bytes()));
    }
    if !request.mode.has(mode::SUBJECT) {
        request.mode = request.mode.with(Mode::MAIN);
    }
    let edits = request.mode.has(Mode::MAIN.with(mode::MASTER));
    if edits && request.names.first().is_some_and(|name| name.contains('=')) {
        request.mode = request.mode.with(Mode::EDIT);
    }
    mode::check(request.mode)?;
    if request.mode.has(Mode::EDIT) && request.names.is_empty() {
        bail!("-e requires name=value argument");
    }
    Ok(request)
}

fn classes(text: &str) -> anyhow::Result<Vec<Class>> {
    let mut classes = Vec::new();
    for word in text
        .split([',', ' ', '\t', '\r', '\n'])
        .filter(|word| !word.is_empty())
    {
        match word.to_ascii_lowercase().as_str() {
            "builtin" => classes.push(Class::Builtin),
            "service" => classes.push(Class::Service),
            "user" => classes.push(Class::User),
            "inactive" => classes.push(Class::Inactive),
            "all" => classes.extend([Class::Builtin, Class::Service, Class::User]),
            lower => {
                let bad = anyhow!("unknown -C option value \"{word}\" in \"{text}\"");
                return Err(pf_cli::meant(bad, lower, CLASSES));
            }
        }
    }
    Ok(classes)
}

fn run(invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let request = request(invocation)?;
    let source = Source::with_directory(request.directory.clone());
    let stdout = std::io::stdout();
    let mut out = lines::Narrow(BufWriter::new(stdout.lock()));
    let mode = request.mode;
    if mode.has(Mode::TEMPLATES.with(Mode::TEMPLATES_EXPANDED)) {
        return Err(templates(&source, mode, &request.names));
    }
    if mode.has(Mode::MAPS) {
        // The original starts as any program of its does, as it looks there for the directory of its plug-ins.
        Config::load(&source)?.check()?;
        for kind in pf_config::TABLE_TYPES {
            writeln!(out, "{kind}")?;
        }
    } else if mode.has(Mode::LOCKS) {
        out.write_all(b"flock\nfcntl\ndotlock\n")?;
    } else if mode.has(Mode::SASL_SERVER) {
        out.write_all(b"cyrus\ndovecot\n")?;
    } else if mode.has(Mode::SASL_CLIENT) {
        out.write_all(b"cyrus\n")?;
    } else if mode.has(Mode::TLS) {
        if !TLS_MODES.contains(&request.tls.as_str()) {
            pf_log::warning!("unknown 'postconf -T' mode: {}", request.tls);
            pf_cli::suggest(&request.called, &request.tls, TLS_MODES);
            return Ok(ExitCode::FAILURE);
        }
    } else if mode.has(mode::EDITING) {
        if request.names.is_empty() {
            bail!("missing service argument");
        }
        let words: Vec<String> = invocation
            .scanned
            .operands
            .iter()
            .map(|operand| lines::open(operand.as_bytes()))
            .collect();
        if mode.has(mode::MASTER) {
            edit_master::run(mode, &source.dir.join("master.cf"), &words, &request.called)?;
        } else {
            edit_main::run(mode, &source.dir.join("main.cf"), &words, &request.called)?;
        }
    } else {
        show(&request, &source, &mut out)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Shows parameters or services, then warns.
fn show(request: &Request, source: &Source, out: &mut dyn Write) -> anyhow::Result<()> {
    let mode = request.mode;
    let directory = lines::open(source.dir.as_os_str().as_bytes());
    let about_master = mode.has(mode::MASTER);
    let defaults = mode.has(Mode::DEFAULTS) && !about_master;
    let master_path = format!("{directory}/master.cf");
    let mut main = BTreeMap::new();
    let mut services = Vec::new();
    if about_master {
        services = master::read(&master_path, true)?;
    }
    if !defaults {
        main = settings(source, &request.overrides)?;
    }
    if !about_master {
        services = master::read(&master_path, false)?;
    }
    let mut names = Names::new(&directory, main, services, defaults)?;
    let mut report = Report::new(request.warn, &request.called);
    if !defaults {
        names.add_user_names(&mut report)?;
    }
    let show = if about_master {
        services::show
    } else {
        parameters::show
    };
    show(
        request.mode,
        &names,
        &request.classes,
        &request.names,
        &request.called,
        out,
    )?;
    if request.warn && !defaults {
        out.flush()?;
        if !about_master {
            names.warn_unused(None, &mut report);
        }
        for at in 0..names.services.len() {
            names.warn_unused(Some(at), &mut report);
        }
        if report.deprecated {
            pf_log::warning!("See https://www.postfix.org/DEPRECATION_README.html for details");
        }
    }
    Ok(())
}

/// What `main.cf` and `-o` set.
fn settings(source: &Source, overrides: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let path = source.dir.join("main.cf");
    let shown = lines::open(path.as_os_str().as_bytes());
    let text = pf_config::system::read_quiet_file(&path)
        .map_err(|err| anyhow!("{}", pf_config::system::unreadable(&shown, &err)))?;
    let mut main = BTreeMap::new();
    if !source.is_default() || std::env::var_os("MAIL_CONFIG").is_some() {
        main.insert(
            "config_directory".to_owned(),
            lines::open(source.dir.as_os_str().as_bytes()),
        );
    }
    main_cf::parse_as(lines::open, &shown, &text, &mut main, |warning| {
        pf_log::warning!("{warning}");
    })?;
    for setting in overrides {
        let (name, value) = main_cf::split_setting(setting)
            .map_err(|why| anyhow!("invalid parameter override: {setting}: {why}"))?;
        main.insert(name.to_owned(), value.to_owned());
    }
    Ok(main)
}

/// Becomes the bounce daemon, which knows the templates. Returns only when that fails.
fn templates(source: &Source, mode: Mode, files: &[String]) -> anyhow::Error {
    if files.len() > 1 {
        return anyhow!("options -b and -t require at most one template file");
    }
    let daemons = match Config::load(source).and_then(|config| {
        config.check()?;
        config.get(param::DAEMON_DIRECTORY)
    }) {
        Ok(daemons) => daemons,
        Err(err) => return err.into(),
    };
    let what = if mode.has(Mode::TEMPLATES_EXPANDED) {
        "-SVnexpand_templates"
    } else {
        "-SVndump_templates"
    };
    let mut arguments: Vec<OsString> = vec![what.into()];
    if let Some(file) = files.first() {
        arguments.push("-o".into());
        let setting = lines::close(&format!("bounce_template_file={file}"));
        arguments.push(OsString::from_vec(setting));
    }
    arguments.push("-o".into());
    arguments.push("queue_directory=.".into());
    let program = PathBuf::from(daemons).join("bounce");
    let err = std::process::Command::new(&program)
        .args(arguments)
        .env("MAIL_CONFIG", &source.dir)
        .exec();
    anyhow!(
        "execv {}: {}",
        program.display(),
        pf_config::system::reason(&err)
    )
}
