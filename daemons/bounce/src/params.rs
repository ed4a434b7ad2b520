//! The parameters that this daemon reads.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use pf_config::{Config, param};
use pf_proto::cleanup::SourceSet;
use pf_proto::{Address, Class};

/// What the daemon needs to know.
#[derive(Debug)]
pub struct Params {
    /// `myhostname`.
    pub myhostname: String,
    /// `mail_name`.
    pub mail_name: String,
    /// Where new mail is handed in.
    pub cleanup: Address,
    /// `ipc_timeout`.
    pub ipc_timeout: Duration,
    /// `bounce_size_limit`: the greatest message that is returned whole, in bytes.
    pub bounce_size_limit: u64,
    /// `maximal_queue_lifetime`.
    pub maximal_queue_lifetime: Duration,
    /// `delay_warning_time`.
    pub delay_warning_time: Duration,
    /// Who is told what.
    pub notify: NotifyClasses,
    /// `bounce_notice_recipient`.
    pub bounce_notice_recipient: String,
    /// `2bounce_notice_recipient`.
    pub double_bounce_notice_recipient: String,
    /// `delay_notice_recipient`.
    pub delay_notice_recipient: String,
    /// The sender of notices to the postmaster, with domain.
    pub double_bounce_sender: String,
    /// `enable_threaded_bounces`.
    pub threaded: bool,
    /// `header_from_format` is `obsolete`.
    pub obsolete_from: bool,
    /// `smtputf8_enable`.
    pub smtputf8: bool,
    /// `backwards_bounce_logfile_compatibility`.
    pub old_log: bool,
    /// `requiretls_enable`.
    pub requiretls: bool,
    /// `requiretls_redact_dsn`.
    pub requiretls_redact: bool,
    /// `tls_required_enable`.
    pub tls_required: bool,
    /// `internal_mail_filter_classes`.
    pub filter_classes: SourceSet,
    /// `smtputf8_autodetect_classes`, empty without SMTPUTF8.
    pub autodetect_classes: SourceSet,
    /// `deliver_lock_attempts` and `deliver_lock_delay`.
    pub lock: (i64, Duration),
}

/// The classes of `notify_classes` that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NotifyClasses {
    /// Copies of non-delivery reports.
    pub bounce: bool,
    /// Non-delivery reports that could not be delivered.
    pub double_bounce: bool,
    /// Copies of delay warnings.
    pub delay: bool,
}

impl NotifyClasses {
    fn parse(text: &str) -> Result<Self> {
        let mut classes = Self::default();
        for word in pf_text::split::list(text) {
            match word.to_ascii_lowercase().as_str() {
                "bounce" => classes.bounce = true,
                "2bounce" => classes.double_bounce = true,
                "delay" => classes.delay = true,
                "data" | "policy" | "protocol" | "resource" | "software" => {}
                _ => bail!("unknown notify_classes value \"{word}\" in \"{text}\""),
            }
        }
        Ok(classes)
    }
}

fn sources(name: &str, text: &str) -> Result<SourceSet> {
    SourceSet::parse(text)
        .map_err(|word| anyhow::anyhow!("unknown {name} value \"{word}\" in \"{text}\""))
}

impl Params {
    /// Reads them.
    ///
    /// # Errors
    /// A value is bad.
    pub fn new(config: &Config) -> Result<Self> {
        let myhostname = config.get(param::MYHOSTNAME)?;
        let smtputf8 = config.get(param::SMTPUTF8_ENABLE)?;
        let autodetect = if smtputf8 {
            config.get(param::SMTPUTF8_AUTODETECT_CLASSES)?
        } else {
            String::new()
        };
        let format = config.get(param::HEADER_FROM_FORMAT)?;
        let obsolete_from = match format.to_ascii_lowercase().as_str() {
            "standard" => false,
            "obsolete" => true,
            _ => bail!("invalid setting: \"header_from_format = {format}\""),
        };
        let double_bounce_sender = config.get(param::DOUBLE_BOUNCE_SENDER)?;
        let limit = config.get(param::BOUNCE_SIZE_LIMIT)?;
        Ok(Self {
            cleanup: Address::new(
                Path::new(""),
                Class::Public,
                &config.get(param::CLEANUP_SERVICE_NAME)?,
            ),
            mail_name: config.get(param::MAIL_NAME)?,
            ipc_timeout: config.get(param::IPC_TIMEOUT)?,
            bounce_size_limit: u64::try_from(limit).unwrap_or(0),
            maximal_queue_lifetime: config.get(param::MAXIMAL_QUEUE_LIFETIME)?,
            delay_warning_time: config.get(param::DELAY_WARNING_TIME)?,
            notify: NotifyClasses::parse(&config.get(param::NOTIFY_CLASSES)?)?,
            bounce_notice_recipient: config.get(param::BOUNCE_NOTICE_RECIPIENT)?,
            double_bounce_notice_recipient: config.get(param::TWOBOUNCE_NOTICE_RECIPIENT)?,
            delay_notice_recipient: config.get(param::DELAY_NOTICE_RECIPIENT)?,
            double_bounce_sender: format!("{double_bounce_sender}@{myhostname}"),
            threaded: config.get(param::ENABLE_THREADED_BOUNCES)?,
            obsolete_from,
            smtputf8,
            old_log: config.get(param::BACKWARDS_BOUNCE_LOGFILE_COMPATIBILITY)?,
            requiretls: config.get(param::REQUIRETLS_ENABLE)?,
            requiretls_redact: config.get(param::REQUIRETLS_REDACT_DSN)?,
            tls_required: config.get(param::TLS_REQUIRED_ENABLE)?,
            filter_classes: sources(
                "internal_mail_filter_classes",
                &config.get(param::INTERNAL_MAIL_FILTER_CLASSES)?,
            )?,
            autodetect_classes: sources("smtputf8_autodetect_classes", &autodetect)?,
            lock: (
                config.get(param::DELIVER_LOCK_ATTEMPTS)?,
                config.get(param::DELIVER_LOCK_DELAY)?,
            ),
            myhostname,
        })
    }

    /// Whether an address is the sender of notices to the postmaster.
    pub fn is_double_bounce(&self, address: &[u8]) -> bool {
        let fold = |text: &[u8]| pf_text::case::fold(text, true);
        fold(address) == fold(self.double_bounce_sender.as_bytes())
    }
}
