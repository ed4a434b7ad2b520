//! The four templates, and the file (`bounce_template_file`) that may replace them.

use anyhow::{Result, anyhow, bail};
use pf_config::main_cf::split_setting;

use crate::template::{Facts, Kind, Template};

/// The templates.
#[derive(Debug)]
pub struct Templates {
    all: [Template; 4],
}

impl Default for Templates {
    fn default() -> Self {
        Self {
            all: Kind::ALL.map(Template::built_in),
        }
    }
}

impl Templates {
    /// The template for a notification.
    pub fn get(&self, kind: Kind) -> &Template {
        let [failure, delay, success, verify] = &self.all;
        match kind {
            Kind::Failure => failure,
            Kind::Delay => delay,
            Kind::Success => success,
            Kind::Verify => verify,
        }
    }

    /// Takes the templates of a file with this text; what is odd is told to `warn`.
    ///
    /// # Errors
    /// The file is malformed.
    pub fn load(&mut self, path: &str, text: &str, mut warn: impl FnMut(String)) -> Result<()> {
        let mut lines = text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let start = line.trim_start();
            if start.is_empty() || start.starts_with('#') {
                continue;
            }
            // The line after the last one that was read.
            let mut number = at + 2;
            let (name, value) = split_setting(line)
                .map_err(|why| anyhow!("{path}, line {number}: {why}: \"{line}\""))?;
            let value = match value.strip_prefix("<<") {
                None => value.to_owned(),
                Some(marker) => {
                    let marker = marker.trim_start();
                    if marker.is_empty() {
                        bail!("{path}, line {number}: missing end marker after <<");
                    }
                    if !marker.starts_with(|c: char| c.is_ascii_alphanumeric()) {
                        bail!("{path}, line {number}: malformed end marker after <<");
                    }
                    let mut body: Vec<&str> = Vec::new();
                    loop {
                        let next = lines.next();
                        number += usize::from(next.is_some());
                        match next {
                            Some((_, line)) if line == marker => break,
                            // Empty lines in front are not part of the text.
                            Some((_, "")) if body.is_empty() => {}
                            Some((_, line)) => body.push(line),
                            None => {
                                warn(format!(
                                    "{path}, line {number}: missing \"{marker}\" end marker"
                                ));
                                break;
                            }
                        }
                    }
                    body.join("\n")
                }
            };
            let kind = name
                .strip_suffix("_template")
                .and_then(|name| Kind::ALL.into_iter().find(|kind| kind.name() == name));
            let Some(kind) = kind else {
                warn(format!(
                    "{path}, line {number}: unknown template name: {name} -- ignoring this template"
                ));
                continue;
            };
            match Template::parse(kind, path, &value) {
                Ok(template) => {
                    if let Some(slot) = self.all.iter_mut().find(|slot| slot.kind == kind) {
                        *slot = template;
                    }
                }
                Err(warnings) => warnings.into_iter().for_each(&mut warn),
            }
        }
        Ok(())
    }

    /// All templates as in a file, for `postconf -t`.
    pub fn dump(&self, obsolete_from: bool) -> String {
        let parts: Vec<String> = self
            .all
            .iter()
            .map(|template| {
                format!(
                    "{}_template = <<EOF\n{}EOF\n",
                    template.kind.name(),
                    template.dump(obsolete_from)
                )
            })
            .collect();
        parts.join("\n")
    }

    /// All texts with names replaced by values, for `postconf -b`.
    ///
    /// # Errors
    /// A text cannot be expanded.
    pub fn expand(&self, facts: &Facts<'_>) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        for (at, template) in self.all.iter().enumerate() {
            if at > 0 {
                out.push(b'\n');
            }
            out.extend(format!("expanded_{}_text = <<EOF\n", template.kind.name()).bytes());
            for line in template.expand(facts)? {
                out.extend(line);
                out.push(b'\n');
            }
            out.extend(b"EOF\n");
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_can_be_loaded_again() {
        let templates = Templates::default();
        let mut again = Templates::default();
        let mut warnings = Vec::new();
        again
            .load("f", &templates.dump(false), |w| warnings.push(w))
            .unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        assert_eq!(again.dump(false), templates.dump(false));
        assert_eq!(again.get(Kind::Delay).origin, "f");
    }

    #[test]
    fn malformed_files() {
        let load = |text: &str| {
            let mut warnings = Vec::new();
            let result = Templates::default().load("f", text, |w| warnings.push(w));
            (result.map_err(|e| e.to_string()), warnings)
        };
        assert!(
            load("failure_template = <<\n")
                .0
                .unwrap_err()
                .contains("missing end marker")
        );
        assert!(
            load("failure_template = << -x\n")
                .0
                .unwrap_err()
                .contains("malformed end marker")
        );
        assert!(
            load("failure_template\n")
                .0
                .unwrap_err()
                .contains("missing '='")
        );
        assert_eq!(load("x_template = <<E\na\nE\n").1.len(), 1);
        assert_eq!(
            load("delay_template = <<E\n\ntext\n").1,
            ["f, line 4: missing \"E\" end marker"]
        );
    }
}
