//! Editing `master.cf`: entries, columns of entries, and `-o` options of entries.

use std::path::Path;

use anyhow::{anyhow, bail};
use pf_config::main_cf::split_setting;
use pf_text::space::is_space_char;

use crate::edit_main::suggest_parameter;
use crate::lines::{Physical, close, open, physical, push};
use crate::master::{COMMAND, Service};
use crate::mode::Mode;
use crate::pattern::Pattern;
use crate::replace::Replacement;

const OPTIONS: &str = "-Me, -Fe, -Pe, -X, or -#";
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

struct Request {
    text: String,
    pattern: Pattern,
    column: usize,
    value: Option<String>,
    matches: usize,
}

/// Carries out the requests of the command line on the file.
///
/// # Errors
/// A request or an entry is malformed, or the file cannot be replaced.
pub fn run(mode: Mode, path: &Path, arguments: &[String], called: &str) -> anyhow::Result<()> {
    let mut requests = parse(mode, arguments)?;
    let new = Replacement::begin(path)?;
    let text = open(&new.current()?);
    let edited = edit(
        mode,
        &text,
        &mut requests,
        &path.display().to_string(),
        called,
    )?;
    new.commit(&close(&edited))
}

fn parse(mode: Mode, arguments: &[String]) -> anyhow::Result<Vec<Request>> {
    arguments
        .iter()
        .map(|argument| request(mode, argument))
        .collect()
}

fn request(mode: Mode, argument: &str) -> anyhow::Result<Request> {
    if argument.contains('\n') {
        bail!("{OPTIONS} accept no multi-line input");
    }
    let text = argument.trim_start_matches(is_space_char);
    if text.starts_with('#') {
        bail!("{OPTIONS} accept no comment input");
    }
    let (name, value) = if mode.has(Mode::EDIT) {
        let (name, value) = split_setting(text).map_err(|why| anyhow!("{why}: \"{argument}\""))?;
        (name, Some(value))
    } else {
        if text.contains('=') {
            bail!("-X or -# requires names without value");
        }
        (text.trim_end_matches(is_space_char), None)
    };
    let mut column = 0;
    let pattern;
    if mode.has(Mode::MASTER_ENTRY) {
        pattern = Pattern::parse(name, 2, 2)
            .ok_or_else(|| anyhow!("-Me, -MX or -M# requires service_name/type"))?;
    } else if mode.has(Mode::MASTER_FIELD) {
        pattern = Pattern::parse(name, 3, 3)
            .ok_or_else(|| anyhow!("-Fe or -FX requires service_name/type/field_name"))?;
        column = pattern
            .column()?
            .ok_or_else(|| anyhow!("-Fe does not accept wild-card field name"))?;
        if column < COMMAND && value.is_some_and(|value| value.contains(BLANKS)) {
            bail!("-Fe does not accept whitespace in non-command field");
        }
    } else {
        pattern = Pattern::parse(name, 3, 3)
            .ok_or_else(|| anyhow!("-Pe or -PX requires service_name/type/parameter"))?;
        if pattern.last == "*" {
            bail!("-Pe does not accept wild-card parameter name");
        }
        if value.is_some_and(|value| value.contains(BLANKS)) {
            bail!("-Pe does not accept whitespace in parameter value");
        }
    }
    Ok(Request {
        text: argument.to_owned(),
        pattern,
        column,
        value: value.map(str::to_owned),
        matches: 0,
    })
}

fn edit(
    mode: Mode,
    text: &str,
    requests: &mut [Request],
    path: &str,
    called: &str,
) -> anyhow::Result<String> {
    let lines = physical(text);
    // For those who misspelt one.
    let mut known = Vec::new();
    let mut edited = String::with_capacity(text.len() + 100);
    let mut matched = false;
    let mut at = 0;
    while let Some(line) = lines.get(at).copied() {
        at += 1;
        let line = match line {
            Physical::Idle(line) => {
                push(&mut edited, line);
                continue;
            }
            Physical::Continued(line) => {
                if !matched {
                    push(&mut edited, line);
                } else if mode.has(Mode::COMMENT_OUT) {
                    push(&mut edited, &format!("#{line}"));
                }
                continue;
            }
            Physical::Entry(line) => line,
        };
        let mut entry = Entry {
            path,
            number: at,
            line,
            full: None,
            new: None,
        };
        matched = false;
        let (service, kind) = entry.name()?;
        known.push(format!("{service}/{kind}"));
        for request in &mut *requests {
            let hit = request.pattern.matches(service, kind);
            if mode.has(Mode::MASTER_ENTRY) && mode.has(Mode::EDIT) {
                let value = request.value.as_deref().unwrap_or_default();
                let wanted =
                    Service::parse(value).map_err(|trouble| trouble.in_argument(&request.text))?;
                if hit || (wanted.field(0), wanted.field(1)) == (service, kind) {
                    matched = true;
                    request.matches += 1;
                    if request.matches == 1 {
                        entry.new = Some(wanted);
                    }
                }
                continue;
            }
            if !hit {
                continue;
            }
            matched = true;
            request.matches += 1;
            let parameters = mode.has(Mode::MASTER_PARAM);
            if !(mode.has(Mode::EDIT) || (parameters && mode.has(Mode::EXCLUDE))) {
                continue;
            }
            if entry.full.is_none() {
                let (full, comments, next) = gobble(line, &lines, at);
                at = next;
                edited.push_str(&comments);
                entry.new =
                    Some(Service::parse(&full).map_err(|trouble| trouble.at(path, entry.number))?);
                entry.full = Some(full);
            }
            if let Some(new) = entry.new.as_mut() {
                if parameters {
                    new.set_parameter(&request.pattern.last, request.value.as_deref());
                } else {
                    new.set_field(request.column, request.value.as_deref().unwrap_or_default())?;
                }
            }
        }
        if let Some(new) = entry.new {
            print(&mut edited, &new)?;
        } else if !matched {
            push(&mut edited, line);
        } else if mode.has(Mode::COMMENT_OUT) {
            push(&mut edited, &format!("#{line}"));
        }
    }
    for request in requests.iter().filter(|request| request.matches == 0) {
        if mode.has(Mode::MASTER_ENTRY) {
            if let Some(value) = &request.value {
                let new =
                    Service::parse(value).map_err(|trouble| trouble.in_argument(&request.text))?;
                print(&mut edited, &new)?;
                continue;
            }
        } else {
            pf_log::warning!("unmatched service_name/type: \"{}\"", request.text);
        }
        let known = known.iter().map(String::as_str);
        pf_cli::suggest(called, &request.pattern.service_and_type(), known);
    }
    if mode.has(Mode::MASTER_PARAM) && mode.has(Mode::EDIT) {
        for request in requests.iter().filter(|request| request.matches > 0) {
            suggest_parameter(called, &request.pattern.last, &[]);
        }
    }
    Ok(edited)
}

/// The whole entry that begins with `line`, the comments among its continuation lines, and where the next entry is.
fn gobble(line: &str, lines: &[Physical<'_>], start: usize) -> (String, String, usize) {
    let mut full = line.to_owned();
    let mut comments = String::new();
    let mut at = start;
    while let Some(next) = lines.get(at) {
        match next {
            Physical::Entry(_) => break,
            Physical::Continued(text) => full.push_str(text),
            Physical::Idle(text) => push(&mut comments, text),
        }
        at += 1;
    }
    (full, comments, at)
}

fn print(text: &mut String, service: &Service) -> anyhow::Result<()> {
    let mut out = Vec::new();
    service.print(&mut out, true, &mut |value| Ok(value.to_owned()))?;
    text.push_str(&String::from_utf8_lossy(&out));
    Ok(())
}

/// An entry of the file.
struct Entry<'a> {
    path: &'a str,
    number: usize,
    line: &'a str,
    full: Option<String>,
    new: Option<Service>,
}

impl<'a> Entry<'a> {
    fn name(&self) -> anyhow::Result<(&'a str, &'a str)> {
        let (path, number) = (self.path, self.number);
        let mut words = self.line.split(BLANKS).filter(|word| !word.is_empty());
        let (Some(service), Some(kind)) = (words.next(), words.next()) else {
            bail!("file {path}: line {number}: specify service name and type on the same line");
        };
        if service.contains('=') {
            bail!(
                "file {path}: line {number}: service name syntax \"{service}\" is unsupported with {OPTIONS}"
            );
        }
        if kind.contains(['=', '/']) {
            bail!(
                "file {path}: line {number}: service type syntax \"{kind}\" is unsupported with {OPTIONS}"
            );
        }
        Ok((service, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "# c\nsmtp inet n - n - - smtpd\n  -o a=b\n# in\n  -v\nrelay unix - - n - - smtp\n";

    fn edited(mode: Mode, arguments: &[&str]) -> String {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        let mut requests = parse(mode, &arguments).unwrap();
        edit(mode, FILE, &mut requests, "master.cf", "postconf").unwrap()
    }

    #[test]
    fn parameters_fields_and_entries() {
        let smtp = "smtp       inet  n       -       n       -       -       smtpd\n";
        let relay = "relay unix - - n - - smtp\n";
        assert_eq!(
            edited(
                Mode::MASTER_PARAM.with(Mode::EDIT),
                &["smtp/inet/a=c", "smtp/inet/x=y"]
            ),
            format!("# c\n# in\n{smtp}    -o a=c\n    -v\n    -o x=y\n{relay}")
        );
        assert_eq!(
            edited(Mode::MASTER_PARAM.with(Mode::EXCLUDE), &["smtp/inet/a"]),
            format!("# c\n# in\n{}", smtp.replace('\n', " -v\n")) + relay
        );
        assert_eq!(
            edited(Mode::MASTER_ENTRY.with(Mode::EXCLUDE), &["smtp/inet"]),
            format!("# c\n# in\n{relay}")
        );
        assert_eq!(
            edited(Mode::MASTER_ENTRY.with(Mode::COMMENT_OUT), &["relay/unix"]),
            FILE.replace("relay", "#relay")
        );
        assert!(
            edited(
                Mode::MASTER_ENTRY.with(Mode::EDIT),
                &["a/unix=a unix - - n - - b"]
            )
            .ends_with("a          unix  -       -       n       -       -       b\n")
        );
        assert!(
            edited(
                Mode::MASTER_FIELD.with(Mode::EDIT),
                &["relay/unix/chroot=y"]
            )
            .ends_with("relay      unix  -       -       y       -       -       smtp\n")
        );
    }
}
