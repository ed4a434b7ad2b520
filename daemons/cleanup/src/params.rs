//! The parameters that cleanup reads.

use std::time::Duration;

use anyhow::{Context as _, bail};
use pf_config::{Config, param};
use pf_mime::{HeaderTable, Options};
use pf_text::split;

/// To which addresses a mapping applies (`canonical_classes` and its kin, `masquerade_classes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Classes(u8);

impl Classes {
    /// The envelope sender.
    pub const ENVELOPE_SENDER: Self = Self(1);
    /// Envelope recipients.
    pub const ENVELOPE_RECIPIENT: Self = Self(2);
    /// Senders in headers.
    pub const HEADER_SENDER: Self = Self(4);
    /// Recipients in headers.
    pub const HEADER_RECIPIENT: Self = Self(8);

    /// Whether the class is among them.
    pub fn has(self, class: Self) -> bool {
        self.0 & class.0 != 0
    }

    fn parse(name: &str, text: &str, allowed: u8) -> anyhow::Result<Self> {
        let mut bits = 0;
        for word in split::list(text) {
            let bit = match word {
                "envelope_sender" => 1,
                "envelope_recipient" => 2,
                "header_sender" => 4,
                "header_recipient" => 8,
                _ => 0,
            };
            if bit & allowed == 0 {
                bail!("unknown {name} value \"{word}\" in \"{text}\"");
            }
            bits |= bit;
        }
        Ok(Self(bits))
    }
}

/// One word of `masquerade_domains`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masquerade {
    /// Whether subdomains are cut off; `!domain` says that they are not.
    pub truncate: bool,
    /// The domain, in lower case.
    pub domain: Vec<u8>,
}

/// How a `From:` header shows the full name (`header_from_format`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FromFormat {
    /// `From: name <address>`
    Standard,
    /// `From: address (name)`
    Obsolete,
}

/// What is done when the primary headers end without an empty line (`non_empty_end_of_header_action`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonEmptyEnd {
    /// The empty line is added.
    FixQuietly,
    /// A `MIME-Error:` header is added as well.
    AddHeader,
    /// The message is rejected.
    Reject,
}

/// The parameters.
#[derive(Debug)]
pub struct Params {
    pub always_add_missing_headers: bool,
    pub always_bcc: Vec<u8>,
    pub body_checks_size_limit: u64,
    pub canonical_classes: Classes,
    pub recipient_canonical_classes: Classes,
    pub sender_canonical_classes: Classes,
    pub masquerade_classes: Classes,
    pub masquerade_domains: Vec<Masquerade>,
    pub replace_stray_cr_lf: bool,
    pub delay_warning_time: Duration,
    pub detect_8bit_encoding_header: bool,
    pub disable_mime_input_processing: bool,
    pub disable_verp_bounces: bool,
    pub duplicate_filter_limit: usize,
    pub empty_address_recipient: Vec<u8>,
    pub enable_long_queue_ids: bool,
    pub enable_original_recipient: bool,
    pub force_mime_input_conversion: bool,
    pub full_name_encoding_charset: String,
    pub header_address_token_limit: usize,
    pub header_from_format: FromFormat,
    pub header_size_limit: usize,
    pub hopcount_limit: i64,
    pub info_log_external: bool,
    pub ipc_timeout: Duration,
    pub line_length_limit: usize,
    /// 0: no limit.
    pub message_size_limit: u64,
    pub mime_boundary_length_limit: usize,
    pub mime_nesting_limit: usize,
    pub myhostname: String,
    pub non_empty_end: NonEmptyEnd,
    /// Room for later edits is left in queue files (`non_smtpd_milters` is set).
    pub leave_room: bool,
    pub propagate_canonical: bool,
    pub propagate_virtual: bool,
    pub queue_file_attribute_count_limit: usize,
    pub reject_characters: Vec<u8>,
    pub remote_header_rewrite_domain: Vec<u8>,
    pub requiretls_header: bool,
    pub smtputf8_enable: bool,
    pub strict_7bit_headers: bool,
    pub strict_8bitmime: bool,
    pub strict_8bitmime_body: bool,
    pub strict_mime_encoding_domain: bool,
    pub strip_characters: Vec<u8>,
    pub tls_required_enable: bool,
    pub undisclosed_recipients_header: Vec<u8>,
    pub verp_delimiter_filter: Vec<u8>,
    pub virtual_alias_address_length_limit: usize,
    pub virtual_alias_expansion_limit: usize,
    pub virtual_alias_recursion_limit: usize,
    /// Any of the header checks is set.
    pub header_checks: bool,
    pub headers: HeaderTable,
}

impl Params {
    /// Reads the parameters.
    ///
    /// # Errors
    /// A value is malformed.
    pub fn read(config: &Config) -> anyhow::Result<Self> {
        let text = |key| config.get::<String>(key);
        let bytes = |key| config.get::<String>(key).map(String::into_bytes);
        let flag = |key| config.get::<bool>(key);
        let count = |key| config.count(key);
        let propagate = Propagate::parse(&text(param::PROPAGATE_UNMATCHED_EXTENSIONS)?)?;
        let drop = text(param::MESSAGE_DROP_HEADERS)?;
        let disable_mime = flag(param::DISABLE_MIME_INPUT_PROCESSING)?;
        let force_mime = flag(param::FORCE_MIME_INPUT_CONVERSION)?;
        if disable_mime && force_mime {
            bail!(
                "do not specify both disable_mime_input_processing=yes and force_mime_input_conversion=yes"
            );
        }
        Ok(Self {
            always_add_missing_headers: flag(param::ALWAYS_ADD_MISSING_HEADERS)?,
            always_bcc: bytes(param::ALWAYS_BCC)?,
            body_checks_size_limit: config
                .get(param::BODY_CHECKS_SIZE_LIMIT)?
                .try_into()
                .unwrap_or(0),
            canonical_classes: Classes::parse(
                "canonical_classes",
                &text(param::CANONICAL_CLASSES)?,
                15,
            )?,
            recipient_canonical_classes: Classes::parse(
                "recipient_canonical_classes",
                &text(param::RECIPIENT_CANONICAL_CLASSES)?,
                10,
            )?,
            sender_canonical_classes: Classes::parse(
                "sender_canonical_classes",
                &text(param::SENDER_CANONICAL_CLASSES)?,
                5,
            )?,
            masquerade_classes: Classes::parse(
                "masquerade_classes",
                &text(param::MASQUERADE_CLASSES)?,
                15,
            )?,
            masquerade_domains: masquerade_domains(&text(param::MASQUERADE_DOMAINS)?),
            replace_stray_cr_lf: flag(param::CLEANUP_REPLACE_STRAY_CR_LF)?,
            delay_warning_time: config.get(param::DELAY_WARNING_TIME)?,
            detect_8bit_encoding_header: flag(param::DETECT_8BIT_ENCODING_HEADER)?,
            disable_mime_input_processing: disable_mime,
            disable_verp_bounces: flag(param::DISABLE_VERP_BOUNCES)?,
            duplicate_filter_limit: count(param::DUPLICATE_FILTER_LIMIT)?,
            empty_address_recipient: bytes(param::EMPTY_ADDRESS_RECIPIENT)?,
            enable_long_queue_ids: flag(param::ENABLE_LONG_QUEUE_IDS)?,
            enable_original_recipient: flag(param::ENABLE_ORIGINAL_RECIPIENT)?,
            force_mime_input_conversion: force_mime,
            full_name_encoding_charset: text(param::FULL_NAME_ENCODING_CHARSET)?,
            header_address_token_limit: count(param::HEADER_ADDRESS_TOKEN_LIMIT)?,
            header_from_format: match text(param::HEADER_FROM_FORMAT)?.as_str() {
                "standard" => FromFormat::Standard,
                "obsolete" => FromFormat::Obsolete,
                other => bail!("invalid setting: \"header_from_format = {other}\""),
            },
            header_size_limit: count(param::HEADER_SIZE_LIMIT)?,
            hopcount_limit: config.get(param::HOPCOUNT_LIMIT)?,
            info_log_external: match text(param::INFO_LOG_ADDRESS_FORMAT)?.as_str() {
                "external" => true,
                "internal" => false,
                other => bail!("invalid setting: \"info_log_address_format = {other}\""),
            },
            ipc_timeout: config.get(param::IPC_TIMEOUT)?,
            line_length_limit: count(param::LINE_LENGTH_LIMIT)?,
            message_size_limit: config
                .get(param::MESSAGE_SIZE_LIMIT)?
                .try_into()
                .unwrap_or(0),
            mime_boundary_length_limit: count(param::MIME_BOUNDARY_LENGTH_LIMIT)?,
            mime_nesting_limit: count(param::MIME_NESTING_LIMIT)?,
            myhostname: text(param::MYHOSTNAME)?,
            non_empty_end: match text(param::NON_EMPTY_END_OF_HEADER_ACTION)?.as_str() {
                "fix_quietly" => NonEmptyEnd::FixQuietly,
                "add_header" => NonEmptyEnd::AddHeader,
                "reject" => NonEmptyEnd::Reject,
                other => bail!("bad non_empty_end_of_header_action value: '{other}'"),
            },
            leave_room: !text(param::NON_SMTPD_MILTERS)?.is_empty(),
            propagate_canonical: propagate.canonical,
            propagate_virtual: propagate.alias,
            queue_file_attribute_count_limit: count(param::QUEUE_FILE_ATTRIBUTE_COUNT_LIMIT)?,
            reject_characters: unescape(&text(param::MESSAGE_REJECT_CHARACTERS)?),
            remote_header_rewrite_domain: bytes(param::REMOTE_HEADER_REWRITE_DOMAIN)?,
            requiretls_header: flag(param::REQUIRETLS_ENABLE)?
                && flag(param::REQUIRETLS_ESMTP_HEADER)?,
            smtputf8_enable: flag(param::SMTPUTF8_ENABLE)?,
            strict_7bit_headers: flag(param::STRICT_7BIT_HEADERS)?,
            strict_8bitmime: flag(param::STRICT_8BITMIME)?,
            strict_8bitmime_body: flag(param::STRICT_8BITMIME_BODY)?,
            strict_mime_encoding_domain: flag(param::STRICT_MIME_ENCODING_DOMAIN)?,
            strip_characters: unescape(&text(param::MESSAGE_STRIP_CHARACTERS)?),
            tls_required_enable: flag(param::TLS_REQUIRED_ENABLE)?,
            undisclosed_recipients_header: bytes(param::UNDISCLOSED_RECIPIENTS_HEADER)?,
            verp_delimiter_filter: bytes(param::VERP_DELIMITER_FILTER)?,
            virtual_alias_address_length_limit: count(param::VIRTUAL_ALIAS_ADDRESS_LENGTH_LIMIT)?,
            virtual_alias_expansion_limit: count(param::VIRTUAL_ALIAS_EXPANSION_LIMIT)?,
            virtual_alias_recursion_limit: count(param::VIRTUAL_ALIAS_RECURSION_LIMIT)?,
            header_checks: [
                param::HEADER_CHECKS,
                param::MIME_HEADER_CHECKS,
                param::NESTED_HEADER_CHECKS,
            ]
            .into_iter()
            .map(text)
            .collect::<Result<Vec<_>, _>>()
            .context("header checks")?
            .iter()
            .any(|value| !value.is_empty()),
            headers: HeaderTable::new(split::list(&drop)),
        })
    }

    /// How the structure of a message is looked at; `filter`: content checks are on for it.
    pub fn mime_options(&self, filter: bool) -> Options {
        let report = filter && !self.disable_mime_input_processing;
        let strict_headers = self.strict_8bitmime || self.strict_7bit_headers;
        let strict_body = self.strict_8bitmime || self.strict_8bitmime_body;
        Options {
            downgrade: self.force_mime_input_conversion,
            disable_mime: self.disable_mime_input_processing,
            report_8bit_header: report && strict_headers,
            report_8bit_body: report && strict_body,
            report_encoding_domain: report && self.strict_mime_encoding_domain,
            report_truncated_header: false,
            report_nesting: report
                && (strict_headers
                    || strict_body
                    || self.strict_mime_encoding_domain
                    || self.header_checks),
            report_non_empty_end: report && self.non_empty_end != NonEmptyEnd::FixQuietly,
            // Milters cannot take longer headers.
            header_limit: if self.leave_room {
                self.header_size_limit.min(60_000)
            } else {
                self.header_size_limit
            },
            nesting_limit: self.mime_nesting_limit,
            boundary_limit: self.mime_boundary_length_limit,
        }
    }
}

/// The words of `propagate_unmatched_extensions` that concern cleanup.
struct Propagate {
    canonical: bool,
    alias: bool,
}

impl Propagate {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut found = Self {
            canonical: false,
            alias: false,
        };
        for word in split::list(text) {
            match word {
                "canonical" => found.canonical = true,
                "virtual" => found.alias = true,
                "alias" | "forward" | "include" | "generic" => {}
                _ => bail!("unknown propagate_unmatched_extensions value \"{word}\" in \"{text}\""),
            }
        }
        Ok(found)
    }
}

fn masquerade_domains(text: &str) -> Vec<Masquerade> {
    split::list(text)
        .map(|word| {
            let domain = word.trim_start_matches('!');
            Masquerade {
                truncate: (word.len() - domain.len()) % 2 == 0,
                domain: domain.to_lowercase().into_bytes(),
            }
        })
        .filter(|masquerade| !masquerade.domain.is_empty())
        .collect()
}

/// Backslash escapes as in C: `\a \b \f \n \r \t \v`, up to three octal digits, and any other character for itself.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&ch, tail)) = rest.split_first() {
        rest = tail;
        if ch != b'\\' {
            out.push(ch);
            continue;
        }
        let Some((&escaped, tail)) = rest.split_first() else {
            break;
        };
        rest = tail;
        match escaped {
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'0'..=b'7' => {
                let mut value = u32::from(escaped - b'0');
                for _ in 0..2 {
                    match rest.split_first() {
                        Some((&digit @ b'0'..=b'7', tail)) => {
                            value = value * 8 + u32::from(digit - b'0');
                            rest = tail;
                        }
                        _ => break,
                    }
                }
                out.push(u8::try_from(value & 0xff).unwrap_or(0));
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_c() {
        assert_eq!(unescape(r"\0\n\101x\\"), b"\0\nAx\\");
    }

    #[test]
    fn classes_are_checked() {
        let classes = Classes::parse("x", "header_sender, envelope_sender", 5).unwrap();
        assert!(classes.has(Classes::HEADER_SENDER) && !classes.has(Classes::HEADER_RECIPIENT));
        let err = Classes::parse("sender_canonical_classes", "header_recipient", 5).unwrap_err();
        assert_eq!(
            err.to_string(),
            "unknown sender_canonical_classes value \"header_recipient\" in \"header_recipient\""
        );
    }

    #[test]
    fn exclamation_marks_exempt_domains() {
        let found = masquerade_domains("!a.B c.d");
        assert_eq!(found[0].domain, b"a.b");
        assert!(!found[0].truncate && found[1].truncate);
    }
}
