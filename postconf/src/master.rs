//! `master.cf` as postconf sees it: eight columns and the arguments, which it prints back in a normal form.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use anyhow::{anyhow, bail};
use pf_config::lines::Lines;
use pf_config::main_cf::split_setting;
use pf_config::master_cf::{Type, inside_braces, split_words, strip_braces};

use crate::lines::{close, open};

/// The names of the columns.
pub const COLUMNS: [&str; 8] = [
    "service",
    "type",
    "private",
    "unprivileged",
    "chroot",
    "wakeup",
    "process_limit",
    "command",
];
/// The column of the command; arguments follow it.
pub const COMMAND: usize = 7;

/// One service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The eight columns and the arguments, without braces.
    pub fields: Vec<String>,
    /// What its `-o` options set.
    pub overrides: BTreeMap<String, String>,
}

pub(crate) fn has_blank(text: &str) -> bool {
    text.contains([' ', '\t', '\r', '\n'])
}

impl Service {
    /// Reads a logical line.
    ///
    /// # Errors
    /// It has too few columns, or one has a bad value (then the complaint is complete: see [`Trouble`]).
    pub fn parse(text: &str) -> Result<Self, Trouble> {
        let fields: Vec<String> = split_words(text).into_iter().map(str::to_owned).collect();
        if fields.len() < COLUMNS.len() {
            return Err(Trouble::Count);
        }
        let mut service = Self {
            fields,
            overrides: BTreeMap::new(),
        };
        service.check(text)?;
        service.normalize();
        service.find_overrides();
        Ok(service)
    }

    /// A field; empty beyond the last.
    pub fn field(&self, index: usize) -> &str {
        self.fields.get(index).map_or("", String::as_str)
    }

    /// `name/type`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.field(0), self.field(1))
    }

    /// What `$process_name` and `$service_name` are in this service.
    pub fn read_only(&self, name: &str) -> Option<&str> {
        match name {
            "process_name" => self.field(COMMAND).rsplit('/').next(),
            "service_name" => Some(self.field(0)),
            _ => None,
        }
    }

    fn check(&self, text: &str) -> Result<(), Trouble> {
        let bad = |index: usize| {
            Trouble::Field(
                format!(
                    "invalid {} field \"{}\" in \"{text}\"",
                    COLUMNS.get(index).copied().unwrap_or_default(),
                    self.field(index)
                )
                .replace('\n', " "),
            )
        };
        if Type::parse(self.field(1)).is_none() {
            return Err(bad(1));
        }
        for index in 2..=4 {
            if !matches!(self.field(index), "y" | "n" | "-" | "") {
                return Err(bad(index));
            }
        }
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let wakeup = self.field(5);
        let wakeup = wakeup.strip_suffix('?').unwrap_or(wakeup);
        if wakeup != "-" && !digits(wakeup) {
            return Err(bad(5));
        }
        let limit = self.field(6);
        if limit != "-" && !digits(limit) {
            return Err(bad(6));
        }
        Ok(())
    }

    /// Separates options from their values, and takes braces off.
    fn normalize(&mut self) {
        let mut at = COLUMNS.len();
        while let Some(argument) = self.fields.get(at) {
            if !argument.starts_with('-') || argument == "--" {
                break;
            }
            let argument = argument.clone();
            // "-vo" is "-v -o".
            if let Some(cut) = argument.get(2..).and_then(|rest| rest.find('o')) {
                let (flags, rest) = argument.split_at(cut + 2);
                let rest = format!("-{rest}");
                if let Some(field) = self.fields.get_mut(at) {
                    flags.clone_into(field);
                }
                self.fields.insert(at + 1, rest);
            }
            let argument = self.field(at).to_owned();
            if argument.as_bytes().get(1) == Some(&b'o') {
                if let Some(value) = argument.get(2..).filter(|value| !value.is_empty()) {
                    self.fields.insert(at + 1, value.to_owned());
                    if let Some(field) = self.fields.get_mut(at) {
                        field.truncate(2);
                    }
                }
                if at + 1 < self.fields.len() {
                    at += 1;
                    if self.field(at).starts_with('{') {
                        self.unbrace(at);
                        match split_setting(self.field(at)) {
                            Ok((name, value)) => {
                                let normal = format!("{name}={value}");
                                if let Some(field) = self.fields.get_mut(at) {
                                    *field = normal;
                                }
                            }
                            Err(why) => {
                                pf_log::warning!("master.cf: {why}: \"{}\"", self.field(at));
                            }
                        }
                    }
                }
            }
            at += 1;
        }
        for index in at..self.fields.len() {
            if self.field(index).starts_with('{') {
                self.unbrace(index);
            }
        }
    }

    fn unbrace(&mut self, at: usize) {
        let Some(field) = self.fields.get_mut(at) else {
            return;
        };
        match strip_braces(field) {
            Ok(inner) => *field = inner.to_owned(),
            Err(why) => {
                pf_log::warning!("master.cf: {why}");
                *field = inside_braces(field).trim().to_owned();
            }
        }
    }

    /// The options in front of other arguments: index, and whether a value follows.
    pub(crate) fn options(&self) -> Vec<(usize, bool)> {
        let mut found = Vec::new();
        let mut at = COLUMNS.len();
        while let Some(argument) = self.fields.get(at) {
            if !argument.starts_with('-') || argument == "--" {
                break;
            }
            let valued = argument.as_bytes().get(1) == Some(&b'o') && at + 1 < self.fields.len();
            found.push((at, valued));
            at += if valued { 2 } else { 1 };
        }
        found
    }

    fn find_overrides(&mut self) {
        self.overrides = self
            .options()
            .into_iter()
            .filter(|(at, valued)| *valued && self.field(*at) == "-o")
            .filter_map(|(at, _)| split_setting(self.field(at + 1)).ok())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
    }

    /// Replaces a column; the command together with its arguments.
    ///
    /// # Errors
    /// The new value is bad.
    pub fn set_field(&mut self, index: usize, value: &str) -> anyhow::Result<()> {
        if index == COMMAND {
            self.fields.truncate(COMMAND);
            self.fields
                .extend(split_words(value).into_iter().map(str::to_owned));
            self.normalize();
            self.find_overrides();
        } else if let Some(field) = self.fields.get_mut(index) {
            value.clone_into(field);
        }
        self.check(value).map_err(|trouble| trouble.at("", 0))
    }

    /// Sets a `-o` option, or removes it.
    pub fn set_parameter(&mut self, name: &str, value: Option<&str>) {
        let matching: Vec<usize> = self
            .options()
            .into_iter()
            .filter(|(at, valued)| {
                *valued
                    && self.field(*at) == "-o"
                    && self
                        .field(at + 1)
                        .strip_prefix(name)
                        .is_some_and(|rest| rest.starts_with('='))
            })
            .map(|(at, _)| at)
            .collect();
        match value {
            Some(value) => {
                let setting = format!("{name}={value}");
                if matching.is_empty() {
                    let end = self
                        .options()
                        .last()
                        .map_or(COLUMNS.len(), |(at, valued)| at + 1 + usize::from(*valued));
                    self.fields.insert(end, "-o".to_owned());
                    self.fields.insert(end + 1, setting);
                } else {
                    for at in matching {
                        if let Some(field) = self.fields.get_mut(at + 1) {
                            field.clone_from(&setting);
                        }
                    }
                }
            }
            None => {
                for at in matching.into_iter().rev() {
                    self.fields.drain(at..at + 2);
                }
            }
        }
        self.find_overrides();
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Too few columns.
    Count,
    /// A bad column; the text is complete.
    Field(String),
}

impl Trouble {
    /// The complaint about this line of this file.
    pub fn at(self, path: &str, line: usize) -> anyhow::Error {
        match self {
            Self::Count => anyhow!("file {path}: line {line}: bad field count"),
            Self::Field(text) => anyhow!("{text}"),
        }
    }

    /// The complaint about this argument of the command line.
    pub fn in_argument(self, argument: &str) -> anyhow::Error {
        match self {
            Self::Count => anyhow!("bad field count: \"{argument}\""),
            Self::Field(text) => anyhow!("{text}"),
        }
    }
}

/// The services of `master.cf` at `path`. A file that cannot be opened is only warned about when `required` is not set.
///
/// # Errors
/// The file cannot be read, or a line is bad.
pub fn read(path: &str, required: bool) -> anyhow::Result<Vec<Service>> {
    let text = match std::fs::read(Path::new(OsStr::from_bytes(&close(path)))) {
        Ok(text) => text,
        // As the original has it, a directory is a file without lines.
        Err(err) if err.kind() == io::ErrorKind::IsADirectory => return Ok(Vec::new()),
        Err(err) => {
            let why = pf_config::system::reason(&err);
            if required {
                bail!("open {path}: {why}");
            }
            pf_log::warning!("open {path}: {why}");
            return Ok(Vec::new());
        }
    };
    let mut services = Vec::new();
    let mut lines = Lines::new(&text);
    loop {
        let line = lines.next();
        for warning in lines.warnings.drain(..) {
            pf_log::warning!("{path}{warning}");
        }
        let Some(line) = line else {
            share_overrides(&mut services);
            return Ok(services);
        };
        let text = open(&line.text);
        services.push(Service::parse(&text).map_err(|trouble| trouble.at(path, line.first))?);
    }
}

/// Services of the same name and type have their settings in common, as they do in the original, where a later one wins; but
/// those before the first one that sets anything have none.
fn share_overrides(services: &mut [Service]) {
    let mut shared: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for service in services
        .iter()
        .filter(|service| !service.overrides.is_empty())
    {
        shared
            .entry(service.name())
            .or_default()
            .extend(service.overrides.clone());
    }
    let mut begun = BTreeSet::new();
    for service in services {
        let name = service.name();
        if !service.overrides.is_empty() {
            begun.insert(name.clone());
        }
        if let Some(overrides) = shared.get(&name).filter(|_| begun.contains(&name)) {
            service.overrides.clone_from(overrides);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_set_and_removed() {
        let mut service = Service::parse("a unix - - n - - pipe -o x=1 -v -o x=2 arg").unwrap();
        service.set_parameter("y", Some("3"));
        assert_eq!(
            service.fields.get(8..).unwrap(),
            ["-o", "x=1", "-v", "-o", "x=2", "-o", "y=3", "arg"]
        );
        service.set_parameter("x", None);
        assert_eq!(service.fields.get(8..).unwrap(), ["-v", "-o", "y=3", "arg"]);
        assert_eq!(service.overrides.get("y").unwrap(), "3");
    }

    #[test]
    fn bad_columns() {
        assert_eq!(Service::parse("a b").unwrap_err(), Trouble::Count);
        assert_eq!(
            Service::parse("a unix x - - - - b").unwrap_err(),
            Trouble::Field("invalid private field \"x\" in \"a unix x - - - - b\"".into())
        );
    }
}
