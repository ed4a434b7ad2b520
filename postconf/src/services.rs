//! Showing entries, columns and parameters of `master.cf`.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::anyhow;

use crate::master::{COLUMNS, Service};
use crate::master_print::FieldStyle;
use crate::mode::Mode;
use crate::names::{Class, Names};
use crate::pattern::Pattern;
use crate::print;

/// A pattern of the command line, and how often it matched.
struct Wanted {
    text: String,
    pattern: Pattern,
    column: Option<usize>,
    matches: usize,
}

/// Shows what the patterns match; everything when there is none.
///
/// # Errors
/// A pattern is malformed, a value cannot be expanded, or the output not written.
pub fn show(
    mode: Mode,
    names: &Names,
    classes: &[Class],
    patterns: &[String],
    called: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (most, usage) = if mode.has(Mode::MASTER_FIELD) {
        (3, "-F option requires service_name[/type[/field]]")
    } else if mode.has(Mode::MASTER_PARAM) {
        (3, "-P option requires service_name[/type[/parameter]]")
    } else {
        (2, "-M option requires service_name[/type]")
    };
    let mut wanted = Vec::new();
    for text in patterns {
        let pattern = Pattern::parse(text, 1, most).ok_or_else(|| anyhow!("{usage}"))?;
        let column = if mode.has(Mode::MASTER_FIELD) {
            pattern.column()?
        } else {
            None
        };
        wanted.push(Wanted {
            text: text.clone(),
            pattern,
            column,
            matches: 0,
        });
    }
    for (at, service) in names.services.iter().enumerate() {
        let view = View {
            mode,
            names,
            at,
            service,
        };
        let settings = view.settings(if wanted.is_empty() { classes } else { &[] });
        if wanted.is_empty() {
            view.print(None, "*", &settings, out)?;
        }
        for wanted in &mut wanted {
            if !wanted.pattern.matches_service(service) {
                continue;
            }
            if view.print(wanted.column, &wanted.pattern.last, &settings, out)? {
                wanted.matches += 1;
            }
        }
    }
    out.flush()?;
    for wanted in wanted.iter().filter(|wanted| wanted.matches == 0) {
        pf_log::warning!("unmatched request: \"{}\"", wanted.text);
        let known = names
            .services
            .iter()
            .flat_map(|service| requests(mode, service));
        let known: Vec<String> = known.collect();
        pf_cli::suggest(called, &wanted.text, known.iter().map(String::as_str));
    }
    Ok(())
}

/// What could be asked about a service.
fn requests(mode: Mode, service: &Service) -> Vec<String> {
    let name = service.field(0).to_owned();
    let both = format!("{name}/{}", service.field(1));
    let last: Vec<&str> = match mode {
        _ if mode.has(Mode::MASTER_PARAM) => service.overrides.keys().map(String::as_str).collect(),
        _ if mode.has(Mode::MASTER_FIELD) => COLUMNS.to_vec(),
        _ => Vec::new(),
    };
    let all = last.iter().map(|last| format!("{both}/{last}"));
    all.chain([name, both.clone()]).collect()
}

struct View<'a> {
    mode: Mode,
    names: &'a Names,
    at: usize,
    service: &'a Service,
}

impl View<'_> {
    /// The service's own parameters; with `-PP` those of `main.cf` too, of these classes (all when there is none).
    fn settings(&self, classes: &[Class]) -> Option<BTreeMap<&str, &str>> {
        let mut settings = BTreeMap::new();
        if self.mode.has(Mode::MASTER_ALL_PARAMS) {
            for (name, node) in &self.names.nodes {
                if (classes.is_empty() || classes.contains(&node.class))
                    && let Some(value) = self.names.value(name, Some(self.at), false)
                {
                    settings.insert(name.as_str(), value);
                }
            }
        }
        for (name, value) in &self.service.overrides {
            settings.entry(name.as_str()).or_insert(value.as_str());
        }
        let some = self.mode.has(Mode::MASTER_ALL_PARAMS) || !settings.is_empty();
        some.then_some(settings)
    }

    /// Prints what is asked for of this service; tells whether there was anything.
    fn print(
        &self,
        column: Option<usize>,
        parameter: &str,
        settings: &Option<BTreeMap<&str, &str>>,
        out: &mut dyn Write,
    ) -> anyhow::Result<bool> {
        let mode = self.mode;
        let mut expand = |text: &str| {
            if mode.has(Mode::EXPAND) {
                self.names.expand(text, Some(self.at))
            } else {
                Ok(text.to_owned())
            }
        };
        if mode.has(Mode::MASTER_FIELD) {
            let style = FieldStyle {
                fold: mode.has(Mode::FOLD),
                no_name: mode.has(Mode::NO_NAME),
                no_value: mode.has(Mode::NO_VALUE),
                json: mode.has(Mode::JSON),
            };
            let columns = match column {
                Some(column) => column..column + 1,
                None => 0..COLUMNS.len(),
            };
            for column in columns {
                self.service.print_field(out, column, style, &mut expand)?;
            }
            return Ok(true);
        }
        if !mode.has(Mode::MASTER_PARAM) {
            if mode.has(Mode::JSON) {
                self.service.print_json(out, &mut expand)?;
            } else {
                self.service.print(out, mode.has(Mode::FOLD), &mut expand)?;
            }
            return Ok(true);
        }
        let Some(settings) = settings else {
            return Ok(false);
        };
        if parameter == "*" {
            for (name, value) in settings {
                self.print_parameter(name, value, &mut expand, out)?;
            }
            return Ok(true);
        }
        match settings.get(parameter) {
            Some(value) => {
                self.print_parameter(parameter, value, &mut expand, out)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn print_parameter(
        &self,
        name: &str,
        value: &str,
        expand: &mut dyn FnMut(&str) -> anyhow::Result<String>,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let mode = self.mode;
        let fold = mode.has(Mode::FOLD);
        let full = format!("{}/{name}", self.service.name());
        if mode.has(Mode::NO_VALUE) {
            print::line(out, fold, &full)?;
            return Ok(());
        }
        let value = expand(value)?;
        if mode.has(Mode::JSON) {
            print::json(out, &full, &value)?;
        } else if mode.has(Mode::NO_NAME) {
            print::line(out, fold, &value)?;
        } else {
            print::line(out, fold, &format!("{full} = {value}"))?;
        }
        Ok(())
    }
}
