//! One template of a notification: headers and text with `$name` in it.

use std::borrow::Cow;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use pf_config::Config;
use pf_config::expand::{self, Filter, Options, Purpose, Values};

/// Which notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Mail could not be delivered.
    Failure,
    /// Mail is delayed.
    Delay,
    /// Mail was delivered.
    Success,
    /// What would become, or became, of mail.
    Verify,
}

impl Kind {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Failure, Self::Delay, Self::Success, Self::Verify];

    /// As in template files, without `_template`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Delay => "delay",
            Self::Success => "success",
            Self::Verify => "verify",
        }
    }
}

/// A template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Which notification.
    pub kind: Kind,
    /// The file it comes from, for messages.
    pub origin: String,
    /// The character set of the text.
    pub charset: String,
    /// Whether the text has bytes beyond ASCII.
    pub eight_bit: bool,
    /// `From:` as RFC 5322 has it.
    pub from: String,
    /// `From:` in the old form, with the name in a comment.
    pub obsolete_from: String,
    /// `Subject:`.
    pub subject: String,
    /// `Subject:` of the postmaster's copy, where there is one.
    pub postmaster_subject: Option<String>,
    /// The text.
    pub text: Vec<String>,
}

const FAILURE: &str = "\
This is the mail system running on $myhostname.

Your message did not reach the recipient(s) named below, and no
further attempt will be made. The message is attached.

The reason is given for each recipient. If it does not help you,
write to postmaster and include this whole report; your own text
may be removed from the attached message.

                   The mail system on $myhostname";

const DELAY: &str = "\
This is the mail system running on $myhostname.

  THIS IS ONLY A WARNING. There is no need to send your message again.

Your message has been waiting for more than $delay_warning_time_hours hour(s).
Delivery will be tried until the message is $maximal_queue_lifetime_days day(s) old.

If you have questions, write to postmaster and include this whole
report; your own text may be removed from the attached message.

                   The mail system on $myhostname";

const SUCCESS: &str = "\
This is the mail system running on $myhostname.

Your message was delivered, or passed on, to the recipient(s) named
below. Where it went into a mailbox, nothing more will follow. Where
it was passed on, another system may still report trouble later.

                   The mail system on $myhostname";

const VERIFY: &str = "\
This is the mail system running on $myhostname.

You asked how delivery would go, or went: the report is attached.

                   The mail system on $myhostname";

impl Template {
    /// The template that is used when no file has one.
    pub fn built_in(kind: Kind) -> Self {
        let (subject, postmaster_subject, text) = match kind {
            Kind::Failure => (
                "Undelivered Mail Returned to Sender",
                Some("Postmaster Copy: Undelivered Mail"),
                FAILURE,
            ),
            Kind::Delay => (
                "Delayed Mail (still being retried)",
                Some("Postmaster Warning: Delayed Mail"),
                DELAY,
            ),
            Kind::Success => ("Successful Mail Delivery Report", None, SUCCESS),
            Kind::Verify => ("Mail Delivery Status Report", None, VERIFY),
        };
        Self {
            kind,
            origin: "[built-in]".to_owned(),
            charset: "us-ascii".to_owned(),
            eight_bit: false,
            from: "Mail Delivery System <MAILER-DAEMON>".to_owned(),
            obsolete_from: "MAILER-DAEMON (Mail Delivery System)".to_owned(),
            subject: subject.to_owned(),
            postmaster_subject: postmaster_subject.map(str::to_owned),
            text: text.lines().map(str::to_owned).collect(),
        }
    }

    /// Reads the text of a template in a file. Where it is bad, the built-in one stays, with the reason.
    ///
    /// # Errors
    /// Each line is a warning.
    pub fn parse(kind: Kind, origin: &str, text: &str) -> Result<Self, Vec<String>> {
        let mut template = Self::built_in(kind);
        origin.clone_into(&mut template.origin);
        let name = kind.name();
        let ignoring = |what: String| {
            Err(vec![format!(
                "{origin}: {what} in {name} template -- ignoring this template"
            )])
        };
        let mut lines = text.split('\n').peekable();
        while let Some((label, value)) = lines.peek().and_then(|line| header(line)) {
            if value.is_empty() {
                return ignoring(format!("empty \"{label}\" header value"));
            }
            if !value.is_ascii() {
                return ignoring(format!("non-ASCII \"{label}\" header value"));
            }
            match label.to_ascii_lowercase().as_str() {
                "charset" => value.clone_into(&mut template.charset),
                "from" => {
                    value.clone_into(&mut template.from);
                    value.clone_into(&mut template.obsolete_from);
                }
                "subject" => value.clone_into(&mut template.subject),
                "postmaster-subject" => match &mut template.postmaster_subject {
                    Some(subject) => value.clone_into(subject),
                    None => return ignoring(format!("inapplicable \"{label}\" header label")),
                },
                _ => return ignoring(format!("unknown \"{label}\" header label")),
            }
            lines.next();
        }
        while lines.next_if(|line| line.trim().is_empty()).is_some() {}
        template.text = lines.map(str::to_owned).collect();
        if template.text.is_empty() {
            return ignoring("missing message text".to_owned());
        }
        template.eight_bit = !template.text.iter().all(|line| line.is_ascii());
        if template.eight_bit && template.charset.eq_ignore_ascii_case("us-ascii") {
            return Err(vec![
                format!("{origin}: 8-bit message text in {name} template"),
                "please specify a charset value other than us-ascii".to_owned(),
                "-- ignoring this template for now".to_owned(),
            ]);
        }
        Ok(template)
    }

    /// The text with names replaced by their values.
    ///
    /// # Errors
    /// The text refers to names that do not exist, or wrongly.
    pub fn expand(&self, facts: &Facts<'_>) -> Result<Vec<Vec<u8>>> {
        let options = Options {
            filter: Filter::Printable,
            ..Options::default()
        };
        let name = self.kind.name();
        let mut expanded = Vec::with_capacity(self.text.len());
        for line in &self.text {
            let mut values = Conversions {
                template: self,
                facts,
                trouble: None,
            };
            let result = expand::expand(line.as_bytes(), &options, &mut values);
            if let Some(trouble) = values.trouble {
                bail!("{trouble}");
            }
            let result = result.map_err(|err| {
                pf_log::warning!("{err}");
                anyhow!(
                    "{}: bad $name syntax in {name} template: {line}",
                    self.origin
                )
            })?;
            if result.undefined {
                bail!(
                    "{}: undefined $name in {name} template: {line}",
                    self.origin
                );
            }
            expanded.push(result.text);
        }
        Ok(expanded)
    }

    /// The template as it stands in a file.
    pub fn dump(&self, obsolete_from: bool) -> String {
        let from = if obsolete_from {
            &self.obsolete_from
        } else {
            &self.from
        };
        let mut text = format!(
            "Charset: {}\nFrom: {from}\nSubject: {}\n",
            self.charset, self.subject
        );
        if let Some(subject) = &self.postmaster_subject {
            text.push_str(&format!("Postmaster-Subject: {subject}\n"));
        }
        text.push('\n');
        for line in &self.text {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// The label and value of a header line.
fn header(line: &str) -> Option<(&str, &str)> {
    let (label, value) = line.split_once(':')?;
    let label = label.trim_end();
    let fine = !label.is_empty() && label.bytes().all(|b| b.is_ascii_graphic());
    fine.then(|| {
        let value = value.trim_start_matches(|c: char| c == ':' || c.is_ascii_whitespace());
        (label, value)
    })
}

/// Where the values in a template come from.
pub struct Facts<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// `delay_warning_time`.
    pub delay_warning_time: Duration,
    /// `maximal_queue_lifetime`.
    pub maximal_queue_lifetime: Duration,
    /// `smtputf8_enable`: domain names are shown in Unicode.
    pub smtputf8: bool,
}

struct Conversions<'a> {
    template: &'a Template,
    facts: &'a Facts<'a>,
    trouble: Option<String>,
}

impl Conversions<'_> {
    /// A time in the unit that the name ends with.
    fn time(&mut self, key: &str) -> Option<String> {
        let times = [
            ("delay_warning_time", self.facts.delay_warning_time),
            ("maximal_queue_lifetime", self.facts.maximal_queue_lifetime),
        ];
        let (suffix, time) = times.iter().find_map(|(name, time)| {
            let suffix = key.strip_prefix(name)?.strip_prefix('_')?;
            Some((suffix, time.as_secs()))
        })?;
        let origin = &self.template.origin;
        let name = self.template.kind.name();
        let divisor = match suffix {
            "seconds" => 1,
            "minutes" => 60,
            "hours" => 3600,
            "days" => 86_400,
            "weeks" => 604_800,
            _ => {
                self.trouble = Some(format!(
                    "{origin}: unrecognized suffix \"{suffix}\" in parameter \"{key}\""
                ));
                return None;
            }
        };
        let result = time / divisor;
        let advice = if result > 999 && divisor < 86_400 {
            Some((
                "excessive",
                format!("excessive result \"{result}\""),
                "increase",
            ))
        } else if result == 0 && time > 0 && divisor > 1 {
            Some(("zero", "zero result".to_owned(), "reduce"))
        } else {
            None
        };
        if let Some((_, what, advice)) = advice {
            pf_log::warning!(
                "{origin}: {what} in {name} template conversion of parameter \"{key}\""
            );
            pf_log::warning!(
                "please {advice} time unit \"{suffix}\" of \"{key}\" in {name} template"
            );
            pf_log::warning!("for instructions see the bounce(5) manual");
        }
        Some(result.to_string())
    }
}

impl Values for Conversions<'_> {
    fn value(&mut self, name: &str, _: Purpose) -> Option<Cow<'_, [u8]>> {
        if let Some(text) = self.time(name) {
            return Some(Cow::Owned(text.into_bytes()));
        }
        let value = match self.facts.config.string(name) {
            Ok(value) => value?,
            Err(err) => {
                self.trouble = Some(err.to_string());
                return None;
            }
        };
        if self.facts.smtputf8 && matches!(name, "myhostname" | "mydomain") {
            let origin = &self.template.origin;
            if !value.is_ascii() {
                pf_log::warning!(
                    "{origin}: conversion \"{name}\" failed: non-ASCII input value: \"{value}\""
                );
            } else if let Some(Ok(unicode)) =
                expand::domain_function("domain_to_utf8", value.as_bytes())
            {
                return Some(Cow::Owned(unicode));
            } else {
                pf_log::warning!(
                    "{origin}: conversion \"{name}\" failed: input value: \"{value}\""
                );
            }
        }
        Some(Cow::Owned(value.into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(template: &Template) -> Result<String> {
        let config = Config::for_tests(&[("myhostname", "xn--bcher-kva.example")]);
        let facts = Facts {
            config: &config,
            delay_warning_time: Duration::from_secs(4 * 3600),
            maximal_queue_lifetime: Duration::from_secs(5 * 86_400),
            smtputf8: true,
        };
        let lines = template.expand(&facts)?;
        Ok(String::from_utf8(lines.join(&b'\n')).unwrap())
    }

    #[test]
    fn names_are_converted() {
        let text = expanded(&Template::built_in(Kind::Delay)).unwrap();
        assert!(text.contains("more than 4 hour(s)") && text.contains("5 day(s) old"));
        assert!(text.contains("bücher.example"));
    }

    #[test]
    fn a_template_of_a_file() {
        let text = "Charset: utf-8\nFrom: me <x>\nSubject: ssé".replace('é', "e")
            + "\nPostmaster-Subject: p\n\n grüße $maximal_queue_lifetime_weeks\n\nend";
        let template = Template::parse(Kind::Failure, "f", &text).unwrap();
        assert_eq!(template.from, "me <x>");
        assert_eq!(template.obsolete_from, "me <x>");
        assert_eq!(template.postmaster_subject.as_deref(), Some("p"));
        assert!(template.eight_bit);
        assert_eq!(template.text.len(), 3);
    }

    #[test]
    fn bad_templates() {
        let bad = |kind, text| Template::parse(kind, "f", text).unwrap_err().join("|");
        assert_eq!(
            bad(Kind::Success, "Postmaster-Subject: x\n\ny"),
            "f: inapplicable \"Postmaster-Subject\" header label in success template -- ignoring this template"
        );
        assert_eq!(
            bad(Kind::Failure, "Foo: x\n\ny"),
            "f: unknown \"Foo\" header label in failure template -- ignoring this template"
        );
        assert_eq!(
            bad(Kind::Failure, "Subject: x\n"),
            "f: missing message text in failure template -- ignoring this template"
        );
        assert!(bad(Kind::Failure, "Subject: x\n\nü").starts_with("f: 8-bit message text"));
        let mut template = Template::built_in(Kind::Failure);
        template.text = vec!["$nosuch".to_owned()];
        assert_eq!(
            expanded(&template).unwrap_err().to_string(),
            "[built-in]: undefined $name in failure template: $nosuch"
        );
        template.text = vec!["$delay_warning_time_years".to_owned()];
        assert!(
            expanded(&template)
                .unwrap_err()
                .to_string()
                .contains("unrecognized suffix")
        );
    }
}
